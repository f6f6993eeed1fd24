/* encode_impl.h - what the parts of encode share: encode itself chooses by type, encode_number
 * writes numbers, encode_time dates and times,
 * encode_nested what holds other values, encode_error says what is wrong. */
#ifndef WORDS_ENCODE_IMPL_H
#define WORDS_ENCODE_IMPL_H

#include "words/encode.h"
#include "words/value_time.h"

/* One value on its way. */
struct encoding {
    struct bytes *to;
    const evpq_arg *arg;
    uint32_t type; /* to be written as; never 0 */
    const struct spot *spot;
};

/* EVPQ_NOMEM, given. */
evpq_error *encode_no_memory(void);

/* NULL when `put` is true; otherwise that. */
static inline evpq_error *encode_put(bool put)
{
    return __builtin_expect(put, true) ? NULL : encode_no_memory();
}

/* EVPQ_TYPE: this kind of argument is not written as this type. */
evpq_error *encode_mismatch(const struct encoding *e);

/* EVPQ_TYPE: the kind is right and the value is not: it "is out of range", say. */
evpq_error *encode_wrong(const struct encoding *e, const char *is);

/* The same, where a value has been read as something that does not fit. */
evpq_error *encode_misread(const struct encoding *e, enum value_fit fit);

/* EVPQ_TYPE: a text of a type whose binary form is not known, where nothing else can be sent. */
evpq_error *encode_unknown(const struct encoding *e);

/* EVPQ_TYPE, of what is sent as text for the sake of such a text: a value in it has no text form
 * here; or a letter in it might be taken apart. */
evpq_error *encode_no_text(const struct encoding *e);
evpq_error *encode_unsure(const struct encoding *e);

/* EVPQ_INVALID: the argument is not what its maker may be given. */
evpq_error *encode_invalid(const struct encoding *e, const char *is);

/* As a whole number within the bounds, from an integer or from text. */
evpq_error *encode_whole(const struct encoding *e, int64_t min, int64_t max, int64_t *ret_value);

evpq_error *encode_float4(const struct encoding *e);
evpq_error *encode_float8(const struct encoding *e);
evpq_error *encode_numeric(const struct encoding *e);

/* Microseconds from 1970-01-01, whence C counts, to 2000-01-01, whence PostgreSQL does. */
#define ENCODE_EPOCH (INT64_C(10957) * 86400 * 1000000)

evpq_error *encode_date(const struct encoding *e);
evpq_error *encode_stamp(const struct encoding *e, enum time_zone zone);
evpq_error *encode_time(const struct encoding *e);
evpq_error *encode_timetz(const struct encoding *e);
evpq_error *encode_interval(const struct encoding *e);

/* True where the argument is an array, of whatever kind; or a composite, or a range. */
bool encode_is_nested(const evpq_arg *arg);
evpq_error *encode_nested(const struct encoding *e);

/* The i-th element of an array. */
evpq_arg encode_element(const evpq_arg *array, size_t i);

#endif
