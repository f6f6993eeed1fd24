/* evpq/result.h - the rows a statement gave, and typed reading of them.
 *
 * A result is what libpq received, not copied, and cannot change. The getters return the value
 * itself and read text and binary format alike. A getter converts only where nothing is lost; what
 * cannot be read as asked for gives 0 (false, NULL), never garbage, and is a *fault*, which the
 * result remembers:
 *
 *     for (int row = 0; row < evpq_result_rows(r); row++)
 *         total += evpq_result_int8(r, row, 0);
 *     if (evpq_result_fault(r))
 *         fprintf(stderr, "%s\n", evpq_error_message(evpq_result_fault(r)));
 *
 * A fault is: a row or column that is not there; a column of another type; a value out of range;
 * text that does not parse (a DateStyle other than ISO, say); and SQL NULL read as a number, a
 * boolean, a uuid, an address or a time, none of which has a value for "unknown". Ask
 * evpq_result_is_null first where a column may be NULL. SQL NULL read by _text, _bytes or _raw is
 * no fault: it is NULL.
 *
 * Rows and columns count from 0. What a getter returns by pointer is borrowed until the last
 * reference to the result goes. A NULL result reads as one without rows or columns. Thread: the
 * loop's. */
#ifndef EVPQ_RESULT_H
#define EVPQ_RESULT_H

#include <evpq/error.h>
#include <evpq/future.h>
#include <evpq/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct evpq_result evpq_result;

/* What a query future is done with: borrowed while `f` is (evpq_result_ref keeps it longer). NULL
 * unless `f` is done and is a query. */
EVPQ_API const evpq_result *evpq_future_result(const evpq_future *f);

/* One more reference: returns `r`, given; hand it back with evpq_result_unref. */
EVPQ_API evpq_result *evpq_result_ref(const evpq_result *r);

/* Takes a reference; NULL is allowed. Returns NULL. */
EVPQ_API evpq_result *evpq_result_unref(evpq_result *r);

/* ---- the whole ---- */

EVPQ_API int evpq_result_rows(const evpq_result *r);
EVPQ_API int evpq_result_columns(const evpq_result *r);

/* The command tag, such as "SELECT 1" or "CREATE TABLE". Never NULL. */
EVPQ_API const char *evpq_result_command(const evpq_result *r);

/* How many rows the command selected, inserted, updated, deleted, merged, moved, fetched or copied,
 * by its tag; -1 for a command that does not say. */
EVPQ_API int64_t evpq_result_affected(const evpq_result *r);

/* ---- columns ----
 * These answer for a column that is not there without a fault. */

/* NULL where there is no such column. */
EVPQ_API const char *evpq_result_column_name(const evpq_result *r, int column);

/* The first column of exactly this name (case matters, nothing is folded or unquoted); -1 where
 * there is none. */
EVPQ_API int evpq_result_column_index(const evpq_result *r, const char *name);

/* The type's oid in pg_type; a domain shows as the type under it. 0 where there is no such
 * column. */
EVPQ_API uint32_t evpq_result_column_type(const evpq_result *r, int column);

/* 0 text, 1 binary. */
EVPQ_API int evpq_result_column_format(const evpq_result *r, int column);

/* ---- values ---- */

/* Whether the value is SQL NULL. A value that is not there is a fault, and true. */
EVPQ_API bool evpq_result_is_null(const evpq_result *r, int row, int column);

/* bool. */
EVPQ_API bool evpq_result_bool(const evpq_result *r, int row, int column);

/* int2, int4, int8, oid, and numeric where it is a whole number: where the value fits. */
EVPQ_API int16_t evpq_result_int2(const evpq_result *r, int row, int column);
EVPQ_API int32_t evpq_result_int4(const evpq_result *r, int row, int column);
EVPQ_API int64_t evpq_result_int8(const evpq_result *r, int row, int column);
EVPQ_API uint32_t evpq_result_oid(const evpq_result *r, int row, int column);

/* The value times ten to the power of `scale`, where that is a whole number that fits: numeric,
 * int2, int4, int8 and oid. With a scale of 2 an amount of 12.34 is 1234. */
EVPQ_API int64_t evpq_result_scaled(const evpq_result *r, int row, int column, int scale);

/* float4 (float8 is a fault for _float4); int2, int4, int8 and oid where the value is exact;
 * numeric: of these the nearest float is taken, since few can be exact. */
EVPQ_API float evpq_result_float4(const evpq_result *r, int row, int column);
EVPQ_API double evpq_result_float8(const evpq_result *r, int row, int column);

/* Any type in text format: what the server sent. In binary format text, varchar, char, name, json,
 * jsonb, xml and unknown as they are, and these types written as the server would write them in
 * text: bool, int2, int4, int8, oid, xid, float4, float8, numeric, bytea (hex), uuid, date, time,
 * timetz and timestamp (ISO), timestamptz (ISO, in UTC: the server would use the session's
 * TimeZone), interval (IntervalStyle postgres), inet, cidr, macaddr, and arrays, records and ranges
 * of these. A type that evpq does not know is read as it is, as the labels of enums can be, where
 * that is UTF-8 without control characters; else it is an array or a composite, or a fault. It is a
 * fault, too, where the server tells that all values of the type have one size (pg_type.typlen)
 * other than 4, which enums have: these are numbers. Of a number of 4 bytes that a program's own
 * type has, and inside arrays and composites, that is not told: read such types as text, or with
 * evpq_result_raw. Zero-terminated. NULL for SQL NULL. */
EVPQ_API const char *evpq_result_text(const evpq_result *r, int row, int column);

/* bytea, decoded. *ret_length is the number of bytes. NULL for SQL NULL; an empty bytea is not
 * NULL. */
EVPQ_API const void *evpq_result_bytes(const evpq_result *r, int row, int column,
                                       size_t *ret_length);

/* Any type: the bytes that the server sent, in the column's format, for types that no getter knows.
 * A zero byte that *ret_length does not count follows them. NULL for SQL NULL. */
EVPQ_API const void *evpq_result_raw(const evpq_result *r, int row, int column, size_t *ret_length);

/* The number of bytes that the server sent; 0 for SQL NULL. */
EVPQ_API size_t evpq_result_length(const evpq_result *r, int row, int column);

/* uuid, its 16 bytes in the order in which they are written. False and zeroes on a fault. */
EVPQ_API bool evpq_result_uuid(const evpq_result *r, int row, int column, uint8_t ret_uuid[16]);

/* timestamptz: microseconds since 1970-01-01 00:00:00 UTC, whatever the session's TimeZone.
 * infinity is INT64_MAX, -infinity INT64_MIN. PostgreSQL's years run to 294276; past January 294247
 * a value does not fit and is a fault. */
EVPQ_API int64_t evpq_result_timestamptz(const evpq_result *r, int row, int column);

/* timestamp (without time zone): the same count from 1970-01-01 00:00:00 of whichever zone was
 * meant. */
EVPQ_API int64_t evpq_result_timestamp(const evpq_result *r, int row, int column);

/* date: days since 1970-01-01. infinity is INT32_MAX, -infinity INT32_MIN. */
EVPQ_API int32_t evpq_result_date(const evpq_result *r, int row, int column);

/* time (without time zone): microseconds since midnight. 24:00:00 is a time too. */
EVPQ_API int64_t evpq_result_time(const evpq_result *r, int row, int column);

/* timetz: the same, and in *ret_offset the seconds by which its zone is ahead of UTC. */
EVPQ_API int64_t evpq_result_timetz(const evpq_result *r, int row, int column, int32_t *ret_offset);

/* interval, in text with IntervalStyle postgres. infinity (PostgreSQL 17) has all three parts at
 * their largest, -infinity at their smallest. False and zeroes on a fault. */
EVPQ_API bool evpq_result_interval(const evpq_result *r, int row, int column,
                                   evpq_interval *ret_interval);

/* inet and cidr. False and zeroes on a fault. */
EVPQ_API bool evpq_result_inet(const evpq_result *r, int row, int column, evpq_inet *ret_inet);

/* macaddr and macaddr8. False and zeroes on a fault. */
EVPQ_API bool evpq_result_macaddr(const evpq_result *r, int row, int column,
                                  uint8_t ret_address[6]);
EVPQ_API bool evpq_result_macaddr8(const evpq_result *r, int row, int column,
                                   uint8_t ret_address[8]);

/* ---- faults ---- */

/* The first fault since the result came, or since evpq_result_fault_clear: an EVPQ_TYPE error whose
 * message names the row, the column, its type and what was asked for (EVPQ_NOMEM where there was no
 * memory to convert a value). NULL while there is none. Borrowed until the fault is cleared or the
 * result goes. Its outcome is EVPQ_OUTCOME_UNKNOWN: the statement itself was carried out. */
EVPQ_API const evpq_error *evpq_result_fault(const evpq_result *r);

/* Forgets the fault, so that the next one is remembered. */
EVPQ_API void evpq_result_fault_clear(const evpq_result *r);

#ifdef __cplusplus
}
#endif

#endif
