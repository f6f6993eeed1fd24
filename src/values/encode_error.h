/* encode_error.h - what is said of an argument that cannot be written. Each error is given. */
#ifndef VALUES_ENCODE_ERROR_H
#define VALUES_ENCODE_ERROR_H

#include "values/value.h"

#include <evpq/error.h>

struct encoding;

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

#endif
