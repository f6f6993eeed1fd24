/* encode_impl.h - what the parts of encode share.
 *
 *   encode               chooses by type; also the fast way for what is written most
 *   encode_number        integers, bool, floating point numbers, numeric
 *   encode_bytes         texts, bytea, uuid
 *   encode_time          dates, times and intervals
 *   encode_net           addresses
 *   encode_nested        arrays, composites and ranges
 *   encode_nested_text   the same in text form
 *   encode_error         what is wrong */
#ifndef VALUES_ENCODE_IMPL_H
#define VALUES_ENCODE_IMPL_H

#include "values/encode.h"
#include "values/encode_error.h"
#include "values/value_time.h"

/* One value on its way. */
struct encoding {
    struct bytes *to;
    const evpq_arg *arg;
    uint32_t type; /* to be written as; never 0 */
    const struct spot *spot;
};

/* encode_bytes.c. The first writes the bytes of the argument as they are. */
evpq_error *encode_data(const struct encoding *e);
evpq_error *encode_text(const struct encoding *e);
evpq_error *encode_char(const struct encoding *e);
evpq_error *encode_jsonb(const struct encoding *e);
evpq_error *encode_xml(const struct encoding *e);
evpq_error *encode_bytea(const struct encoding *e);
evpq_error *encode_uuid(const struct encoding *e);

/* encode_number.c. An integer of `size` bytes lies within the bounds. */
evpq_error *encode_int(const struct encoding *e, int64_t min, int64_t max, size_t size);
evpq_error *encode_bool(const struct encoding *e);
evpq_error *encode_float4(const struct encoding *e);
evpq_error *encode_float8(const struct encoding *e);
evpq_error *encode_numeric(const struct encoding *e);

/* encode_time.c. Microseconds from 1970-01-01, whence C counts, to 2000-01-01, whence PostgreSQL does. */
#define ENCODE_EPOCH (INT64_C(10957) * 86400 * 1000000)

evpq_error *encode_date(const struct encoding *e);
evpq_error *encode_stamp(const struct encoding *e, enum time_zone zone);
evpq_error *encode_time(const struct encoding *e);
evpq_error *encode_timetz(const struct encoding *e);
evpq_error *encode_interval(const struct encoding *e);

/* encode_net.c */
evpq_error *encode_inet(const struct encoding *e);
evpq_error *encode_macaddr(const struct encoding *e);

/* encode_nested.c: an array, a composite or a range, whose parts `put_field` (encode_field) writes. */
typedef evpq_error *put_field_fn(struct bytes *to, const evpq_arg *arg, uint32_t type,
                                 const struct spot *spot);
evpq_error *encode_nested(const struct encoding *e, put_field_fn *put_field);

/* The i-th element of an array. */
evpq_arg encode_element(const evpq_arg *array, size_t i);

#endif
