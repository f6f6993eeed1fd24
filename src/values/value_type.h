/* value_type.h - the types that are known: their oids, names, and how their bytes are understood. */
#ifndef VALUES_VALUE_TYPE_H
#define VALUES_VALUE_TYPE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* How the bytes of a type are to be understood. */
enum shape {
    OPAQUE,  /* known, and not understood */
    UNKNOWN, /* not in the table: made by somebody, as enums, composites and extensions' types are
              */
    UNTYPED, /* no oid at all: a field of a record in text, of which no type is told */
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
    TIME,
    TIMETZ,
    INTERVAL,
    INET, /* and cidr */
    MACADDR,
    MACADDR8,
    ARRAY,
    RECORD,
    RANGE,
    MULTIRANGE,
};

struct type {
    uint32_t oid;
    const char *name;
    enum shape shape;
    size_t size; /* in binary; 0 where it varies */
};

/* Never NULL: a type that is not known is UNKNOWN and has no name. Valid for ever. */
const struct type *type_of(uint32_t oid);

/* Whether it has this shape, or there is no knowing. */
bool type_may_be(uint32_t oid, enum shape shape);

#endif
