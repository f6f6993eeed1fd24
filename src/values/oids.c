/* oids.c - arrays, ranges, and what they are made of. */
#include "values/oids.h"

#include <stddef.h>

struct made_of {
    uint32_t whole, part;
};

/* The commonest first: it is searched from the top. */
static const struct made_of arrays[] = {
    {1007, OID_INT4},
    {1009, OID_TEXT},
    {1016, OID_INT8},
    {2951, OID_UUID},
    {1022, OID_FLOAT8},
    {1000, OID_BOOL},
    {1015, OID_VARCHAR},
    {1185, OID_TIMESTAMPTZ},
    {1231, OID_NUMERIC},
    {1005, OID_INT2},
    {1021, OID_FLOAT4},
    {1182, OID_DATE},
    {1115, OID_TIMESTAMP},
    {1001, OID_BYTEA},
    {3807, OID_JSONB},
    {199, OID_JSON},
    {1028, OID_OID},
    {1183, OID_TIME},
    {1270, OID_TIMETZ},
    {1187, OID_INTERVAL},
    {1041, OID_INET},
    {651, OID_CIDR},
    {1040, OID_MACADDR},
    {1002, OID_CHAR},
    {1003, OID_NAME},
    {1014, OID_BPCHAR},
    {143, OID_XML},
    {271, OID_XID8},
    {775, 774}, /* macaddr8 */
    {791, 790}, /* money */
    {1008, OID_REGPROC},
    {1010, 27}, /* tid */
    {1011, OID_XID},
    {1012, OID_CID},
    {1017, 600},  /* point */
    {1018, 601},  /* lseg */
    {1019, 602},  /* path */
    {1020, 603},  /* box */
    {1027, 604},  /* polygon */
    {629, 628},   /* line */
    {719, 718},   /* circle */
    {1561, 1560}, /* bit */
    {1563, 1562}, /* varbit */
    {2207, OID_REGPROCEDURE},
    {2210, OID_REGCLASS},
    {2211, OID_REGTYPE},
    {2287, 2249}, /* record */
    {3221, 3220}, /* pg_lsn */
    {3643, 3614}, /* tsvector */
    {3645, 3615}, /* tsquery */
    {3905, 3904}, /* int4range */
    {3907, 3906}, /* numrange */
    {3909, 3908}, /* tsrange */
    {3911, 3910}, /* tstzrange */
    {3913, 3912}, /* daterange */
    {3927, 3926}, /* int8range */
    {4073, 4072}, /* jsonpath */
    {4090, OID_REGNAMESPACE},
    {4097, OID_REGROLE},
};

static const struct made_of ranges[] = {
    {3904, OID_INT4},        {3906, OID_NUMERIC}, {3908, OID_TIMESTAMP},
    {3910, OID_TIMESTAMPTZ}, {3912, OID_DATE},    {3926, OID_INT8},
};

enum { ARRAYS = sizeof arrays / sizeof *arrays, RANGES = sizeof ranges / sizeof *ranges };

static uint32_t part_of(const struct made_of *table, size_t n, uint32_t whole)
{
    for (size_t i = 0; i < n; i++)
        if (table[i].whole == whole)
            return table[i].part;
    return 0;
}

uint32_t oid_of_element(uint32_t array)
{
    return part_of(arrays, ARRAYS, array);
}

uint32_t oid_of_array(uint32_t element)
{
    for (size_t i = 0; i < ARRAYS; i++)
        if (arrays[i].part == element)
            return arrays[i].whole;
    return 0;
}

uint32_t oid_of_bound(uint32_t range)
{
    return part_of(ranges, RANGES, range);
}
