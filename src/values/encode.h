/* encode.h - an argument in the binary form of a given type: what the type's receive function
 * (pg_type.typreceive) reads.
 *
 * An argument is written as a type where nothing is lost and nothing is guessed:
 *
 * - an integer: int2, int4, int8, oid and its like, numeric, float4 and float8 (nearest), any text
 * - a float: float4, float8, numeric (its shortest decimal), any text
 * - a bool: bool (as 0 and 1 are), any text
 * - a text: any text, json, jsonb, xml; and as the server itself would read it: bool, numbers,
 *   bytea, uuid, network addresses, and dates, times and intervals in the forms in which the server
 *   writes them by default
 * - bytes: the type that was declared with them, or any where none was
 * - the others: the type that their maker names; a scaled number any number
 *
 * All else is EVPQ_TYPE or EVPQ_INVALID, given, NOT_SENT, with a message that says where it stands,
 * of which type it is and what to do. After an error what has been appended is not to be used. */
#ifndef VALUES_ENCODE_H
#define VALUES_ENCODE_H

#include "base/bytes.h"

#include <evpq/args.h>
#include <evpq/error.h>

/* A type whose input and receive functions are those of a type that is known here. */
struct likeness {
    uint32_t type, like;
};

/* What becomes of a text of a type whose binary form is not known: it is written as the type that
 * its own is like, where there is one in the list; else it is written as it is, and *met_text set,
 * since the whole has to be sent as text then; else it is EVPQ_TYPE. */
struct encode_rules {
    const struct likeness *likenesses; /* NULL: none */
    size_t n;
    bool *met_text; /* NULL: it cannot be sent as text */
};

/* Where a value stands, for messages, outermost first: "row 7, column 2", "parameter $1, element
 * 5". */
struct spot {
    const struct spot *outer; /* NULL at the outermost */
    const char *noun;         /* such as "column " */
    size_t number;
    const struct encode_rules *rules; /* of the outermost, for all in it; NULL: none */
};

/* Appends the length of the value as four bytes and the value; for SQL NULL -1 alone. So a row of
 * COPY's binary form holds its columns, an array its elements, and a composite its fields. `type`
 * is an oid, of a domain that of the type under it; 0 takes the argument's own. */
evpq_error *encode_field(struct bytes *to, const evpq_arg *arg, uint32_t type,
                         const struct spot *spot);

/* Appends the value alone. The argument is not SQL NULL. */
evpq_error *encode_value(struct bytes *to, const evpq_arg *arg, uint32_t type,
                         const struct spot *spot);

#endif
