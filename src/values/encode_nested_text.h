/* encode_nested_text.h - arrays, composites and ranges in text form, for those with a text in them of a
 * type whose binary form is not known. */
#ifndef VALUES_ENCODE_NESTED_TEXT_H
#define VALUES_ENCODE_NESTED_TEXT_H

#include "values/encode.h"

/* Whether there is such a text in it, so that it can only be sent in text form. Not inlined: few are nested, and
 * what is flat has no room for it. */
__attribute__((noinline)) bool encode_nested_wants_text(const evpq_arg *arg, uint32_t type);
static inline bool encode_wants_text(const evpq_arg *arg, uint32_t type)
{
    return arg->kind >= EVPQ_ARG_ARRAY && arg->kind <= EVPQ_ARG_RANGE &&
           encode_nested_wants_text(arg, type);
}

/* Appends the text form, for the server's input functions to read. EVPQ_TYPE for what has no text
 * form here, and where a letter of an encoding that is not known might end in a backslash. */
evpq_error *encode_nested_text(struct bytes *to, const evpq_arg *arg, const struct spot *spot);

#endif
