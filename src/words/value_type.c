/* value_type.c - the table of types. */
#include "words/value_type.h"

#include "words/value.h"

/* From pg_type.dat, whose oids never change. The commonest first, since it is searched from the
 * top; the opaque ones are here for the sake of their names. */
static const struct type types[] = {
    {23, "int4", INT, 4},
    {25, "text", TEXT, 0},
    {20, "int8", INT, 8},
    {1043, "varchar", TEXT, 0},
    {16, "bool", BOOL, 1},
    {1184, "timestamptz", TIMESTAMPTZ, 8},
    {1700, "numeric", NUMERIC, 0},
    {701, "float8", FLOAT8, 8},
    {2950, "uuid", UUID, 16},
    {21, "int2", INT, 2},
    {700, "float4", FLOAT4, 4},
    {1082, "date", DATE, 4},
    {1114, "timestamp", TIMESTAMP, 8},
    {17, "bytea", BYTEA, 0},
    {26, "oid", UINT, 4},
    {1042, "bpchar", TEXT, 0},
    {19, "name", TEXT, 0},
    {18, "char", TEXT, 0},
    {3802, "jsonb", JSONB, 0},
    {114, "json", TEXT, 0},
    {142, "xml", TEXT, 0},
    {705, "unknown", TEXT, 0},
    {1083, "time", OPAQUE, 0},
    {1266, "timetz", OPAQUE, 0},
    {1186, "interval", OPAQUE, 0},
    {790, "money", OPAQUE, 0},
    {869, "inet", OPAQUE, 0},
    {650, "cidr", OPAQUE, 0},
    {829, "macaddr", OPAQUE, 0},
    {1560, "bit", OPAQUE, 0},
    {1562, "varbit", OPAQUE, 0},
    {600, "point", OPAQUE, 0},
    {28, "xid", OPAQUE, 0},
    {5069, "xid8", OPAQUE, 0},
    {3220, "pg_lsn", OPAQUE, 0},
    {2205, "regclass", OPAQUE, 0},
    {2278, "void", OPAQUE, 0},
    {2249, "record", OPAQUE, 0},
    {1000, "bool[]", OPAQUE, 0},
    {1001, "bytea[]", OPAQUE, 0},
    {1005, "int2[]", OPAQUE, 0},
    {1007, "int4[]", OPAQUE, 0},
    {1016, "int8[]", OPAQUE, 0},
    {1021, "float4[]", OPAQUE, 0},
    {1022, "float8[]", OPAQUE, 0},
    {1009, "text[]", OPAQUE, 0},
    {1015, "varchar[]", OPAQUE, 0},
    {1231, "numeric[]", OPAQUE, 0},
    {2951, "uuid[]", OPAQUE, 0},
    {3807, "jsonb[]", OPAQUE, 0},
};

const struct type *type_of(uint32_t oid)
{
    static const struct type other = {0, NULL, OPAQUE, 0};
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].oid == oid)
            return &types[i];
    return &other;
}

const char *value_type_name(uint32_t type)
{
    return type_of(type)->name;
}
