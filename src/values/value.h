/* value.h - one value as the server sent it, read as the C type that is asked for.
 *
 * Knows PostgreSQL's types in text and in binary format, and no libpq. Stateless: every function is
 * a pure one over what it is handed, allocates nothing, and checks everything it reads, since what
 * the server (or a pooler, or a man in the middle) sends is not to be trusted with our memory.
 *
 * The parts: value_number, value_decimal, value_numeric, value_time, value_interval, value_net, value_bytes, and value_text, which has the end of this header. What
 * holds other values: value_array, value_record, value_range, and value_nest for their text. */
#ifndef VALUES_VALUE_H
#define VALUES_VALUE_H

#include <evpq/types.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How a value fitted what was asked for. Out-parameters are set on VALUE_FITS alone. */
enum value_fit {
    VALUE_FITS,
    VALUE_WRONG_TYPE, /* the type has no such reading */
    VALUE_RANGE,      /* too large, or too small */
    VALUE_INEXACT,    /* digits would be lost */
    VALUE_MALFORMED,  /* not how the server writes this type */
    VALUE_ENCODING,   /* half letters in it look like punctuation */
};

/* Not SQL NULL. One more byte, not counted in `length`, can be read behind `bytes`. */
struct value {
    uint32_t type; /* an oid */
    bool binary;
    const char *bytes;
    size_t length;
    bool half_letters; /* it is in an encoding of which second bytes may be ASCII's: SJIS, BIG5,
                          GBK, UHC, GB18030, JOHAB */
};

/* Whether a byte that punctuation of nested values could be is perhaps half a letter. */
bool value_is_ambiguous(const char *bytes, size_t length);

/* The name in pg_type; NULL for a type that is not known here. Valid for ever. */
const char *value_type_name(uint32_t type);

enum value_fit value_as_bool(const struct value *v, bool *ret_value);
enum value_fit value_as_int(const struct value *v, int64_t min, int64_t max, int64_t *ret_value);
enum value_fit value_as_scaled(const struct value *v, int scale, int64_t *ret_value);
enum value_fit value_as_float4(const struct value *v, float *ret_value);
enum value_fit value_as_float8(const struct value *v, double *ret_value);
enum value_fit value_as_uuid(const struct value *v, uint8_t ret_uuid[16]);

/* Microseconds and days since 1970-01-01; infinities are the extremes of the type. */
enum value_fit value_as_timestamptz(const struct value *v, int64_t *ret_value);
enum value_fit value_as_timestamp(const struct value *v, int64_t *ret_value);
enum value_fit value_as_date(const struct value *v, int32_t *ret_value);

/* Microseconds since midnight, up to 24:00:00; and seconds east of UTC. */
enum value_fit value_as_time(const struct value *v, int64_t *ret_value);
enum value_fit value_as_timetz(const struct value *v, int64_t *ret_value, int32_t *ret_east);

enum value_fit value_as_interval(const struct value *v, evpq_interval *ret_interval);
enum value_fit value_as_inet(const struct value *v, evpq_inet *ret_inet);
enum value_fit value_as_macaddr(const struct value *v, uint8_t ret_bytes[6]);
enum value_fit value_as_macaddr8(const struct value *v, uint8_t ret_bytes[8]);

/* A bytea, and any value as text. Where the bytes can be read as they stand, _place points
 * *ret_place at them and *ret_length is how many they are (not counting the zero byte behind).
 * Otherwise *ret_place is NULL and *ret_length is the room that _write may need; it sets
 * *ret_length to what it has written (not counting the zero byte behind a text). A text for which
 * no room is asked is that of a value that holds others: nest_write writes it. */
enum value_fit value_place_bytes(const struct value *v, const void **ret_place, size_t *ret_length);
enum value_fit value_write_bytes(const struct value *v, void *room, size_t *ret_length);
enum value_fit value_place_text(const struct value *v, const char **ret_place, size_t *ret_length);
enum value_fit value_write_text(const struct value *v, char *room, size_t *ret_length);

#endif
