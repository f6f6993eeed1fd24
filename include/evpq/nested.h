/* evpq/nested.h - what is inside arrays, composites and ranges, in text and binary alike.
 *
 * Each is opened as a result of its own, so that the getters of result.h read what is inside,
 * SQL NULL included:
 *
 *     const evpq_result *tags = evpq_result_array(r, row, 2);
 *     for (int i = 0; i < evpq_result_rows(tags); i++)
 *         puts(evpq_result_text(tags, i, 0));
 *
 * What is opened is borrowed, opened once, and lives as long as the result that it is in: a
 * reference to the one is a reference to the other. So are faults: one inside is the whole's, and
 * evpq_result_fault of either tells of it. Opening SQL NULL gives NULL, which reads as a result
 * without rows and is no fault; what cannot be opened gives NULL and is one.
 *
 * In binary the server says of which type each element and each field is. In text it does not, and
 * what is in an array or a range of a type that evpq does not know, or in a composite, has the type
 * 0: every getter reads that by its text. Composites, arrays and ranges may hold one another,
 * and are opened 64 deep; deeper is a fault. Thread: the loop's. */
#ifndef EVPQ_NESTED_H
#define EVPQ_NESTED_H

#include <evpq/result.h>
#include <evpq/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An array: one column, and a row for each element; of several dimensions, those of the last one
 * follow each other. */
EVPQ_API const evpq_result *evpq_result_array(const evpq_result *r, int row, int column);

/* The dimensions of an array that evpq_result_array has opened, of which it returns how many there
 * are. None, without a fault, for an empty array and for a result that is no array. */
EVPQ_API int evpq_result_shape(const evpq_result *array, evpq_shape *ret_shape);

/* A composite, or a record that ROW() has made: one row, and a column for each field, named f1, f2
 * and so on. In text a record without fields cannot be told from one with a single SQL NULL, and is
 * read as that. */
EVPQ_API const evpq_result *evpq_result_record(const evpq_result *r, int row, int column);

/* A range: one row of two columns, lower and upper, SQL NULL where there is no bound. A multirange:
 * a row for each of its ranges. `bound_type` is the oid of what a range of a program's own type is
 * made of, which binary format does not tell; 0 is right for the server's own ranges and for all in
 * text. The first call for a value decides. */
EVPQ_API const evpq_result *evpq_result_range(const evpq_result *r, int row, int column,
                                              uint32_t bound_type);

/* What the range in this row is, of those that evpq_result_range has opened: bits of enum
 * evpq_range_flags. 0 for a result that is no range; a row that is not there is a fault. */
EVPQ_API unsigned evpq_result_range_flags(const evpq_result *range, int row);

#ifdef __cplusplus
}
#endif

#endif
