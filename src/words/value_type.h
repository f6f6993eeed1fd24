/* value_type.h - the types that are known: their oids, names, and how their bytes are understood.
 * Called by value alone. */
#ifndef WORDS_VALUE_TYPE_H
#define WORDS_VALUE_TYPE_H

#include <stddef.h>
#include <stdint.h>

/* How the bytes of a type are to be understood. */
enum shape {
    OPAQUE,
    BOOL,
    INT,
    UINT,
    FLOAT4,
    FLOAT8,
    NUMERIC,
    TEXT,
    JSONB,
    BYTEA,
    UUID,
    DATE,
    TIMESTAMP,
    TIMESTAMPTZ,
};

struct type {
    uint32_t oid;
    const char *name;
    enum shape shape;
    size_t size; /* in binary; 0 where it varies */
};

/* Never NULL: a type that is not known is OPAQUE and has no name. Valid for ever. */
const struct type *type_of(uint32_t oid);

#endif
