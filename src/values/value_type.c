/* value_type.c - the table of types. */
#include "values/value_type.h"

#include "values/oids.h"
#include "values/value.h"

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
    {1083, "time", TIME, 8},
    {1266, "timetz", TIMETZ, 12},
    {1186, "interval", INTERVAL, 16},
    {869, "inet", INET, 0},
    {650, "cidr", INET, 0},
    {829, "macaddr", MACADDR, 6},
    {774, "macaddr8", MACADDR8, 8},
    {1007, "int4[]", ARRAY, 0},
    {1009, "text[]", ARRAY, 0},
    {1016, "int8[]", ARRAY, 0},
    {2951, "uuid[]", ARRAY, 0},
    {1022, "float8[]", ARRAY, 0},
    {1015, "varchar[]", ARRAY, 0},
    {1231, "numeric[]", ARRAY, 0},
    {1000, "bool[]", ARRAY, 0},
    {1185, "timestamptz[]", ARRAY, 0},
    {2249, "record", RECORD, 0},
    {3904, "int4range", RANGE, 0},
    {3926, "int8range", RANGE, 0},
    {3906, "numrange", RANGE, 0},
    {3908, "tsrange", RANGE, 0},
    {3910, "tstzrange", RANGE, 0},
    {3912, "daterange", RANGE, 0},
    {4451, "int4multirange", MULTIRANGE, 0},
    {4536, "int8multirange", MULTIRANGE, 0},
    {4532, "nummultirange", MULTIRANGE, 0},
    {4533, "tsmultirange", MULTIRANGE, 0},
    {4534, "tstzmultirange", MULTIRANGE, 0},
    {4535, "datemultirange", MULTIRANGE, 0},
    {28, "xid", UINT, 4},
    {29, "cid", UINT, 4},
    {5069, "xid8", OPAQUE, 0},
    {3220, "pg_lsn", OPAQUE, 0},
    {24, "regproc", OPAQUE, 0},
    {2205, "regclass", OPAQUE, 0},
    {2206, "regtype", OPAQUE, 0},
    {2278, "void", OPAQUE, 0},
    {790, "money", OPAQUE, 0},
    {1560, "bit", OPAQUE, 0},
    {1562, "varbit", OPAQUE, 0},
    {600, "point", OPAQUE, 0},
    {601, "lseg", OPAQUE, 0},
    {602, "path", OPAQUE, 0},
    {603, "box", OPAQUE, 0},
    {604, "polygon", OPAQUE, 0},
    {628, "line", OPAQUE, 0},
    {718, "circle", OPAQUE, 0},
    {3614, "tsvector", OPAQUE, 0},
    {3615, "tsquery", OPAQUE, 0},
    {4072, "jsonpath", OPAQUE, 0},
    {22, "int2vector", OPAQUE, 0},
    {30, "oidvector", OPAQUE, 0},
    {27, "tid", OPAQUE, 0},
};

const struct type *type_of(uint32_t oid)
{
    static const struct type none = {0, NULL, UNTYPED, 0};
    static const struct type unknown = {0, NULL, UNKNOWN, 0};
    static const struct type array = {0, "array", ARRAY, 0};
    if (!oid)
        return &none;
    if (oid >= OID_FIRST_OF_USERS)
        return &unknown;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        if (types[i].oid == oid)
            return &types[i];
    return oid_of_element(oid) ? &array : &unknown;
}

bool type_may_be(uint32_t oid, enum shape shape)
{
    enum shape is = type_of(oid)->shape;
    return is == shape || is == UNKNOWN || is == UNTYPED;
}

const char *value_type_name(uint32_t type)
{
    return type_of(type)->name;
}
