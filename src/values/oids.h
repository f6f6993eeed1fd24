/* oids.h - the oids of PostgreSQL's own types, and which type is made of which. From pg_type.dat
 * and pg_range.dat, where they never change. */
#ifndef VALUES_OIDS_H
#define VALUES_OIDS_H

#include <stdint.h>

enum {
    OID_BOOL = 16,
    OID_BYTEA = 17,
    OID_CHAR = 18,
    OID_NAME = 19,
    OID_INT8 = 20,
    OID_INT2 = 21,
    OID_INT4 = 23,
    OID_REGPROC = 24,
    OID_TEXT = 25,
    OID_OID = 26,
    OID_XID = 28,
    OID_CID = 29,
    OID_JSON = 114,
    OID_XML = 142,
    OID_CIDR = 650,
    OID_FLOAT4 = 700,
    OID_FLOAT8 = 701,
    OID_UNKNOWN = 705,
    OID_MACADDR = 829,
    OID_INET = 869,
    OID_BPCHAR = 1042,
    OID_VARCHAR = 1043,
    OID_DATE = 1082,
    OID_TIME = 1083,
    OID_TIMESTAMP = 1114,
    OID_TIMESTAMPTZ = 1184,
    OID_INTERVAL = 1186,
    OID_TIMETZ = 1266,
    OID_NUMERIC = 1700,
    OID_REGPROCEDURE = 2202,
    OID_REGCLASS = 2205,
    OID_REGTYPE = 2206,
    OID_UUID = 2950,
    OID_JSONB = 3802,
    OID_REGNAMESPACE = 4089,
    OID_REGROLE = 4096,
    OID_XID8 = 5069,
    OID_FIRST_OF_USERS = 16384, /* FirstNormalObjectId: types made by CREATE TYPE, at the least */
};

/* The type of the elements of an array, and the array of a type; 0 where it is not known here. */
uint32_t oid_of_element(uint32_t array);
uint32_t oid_of_array(uint32_t element);

/* The type of a range's bounds; 0 where it is not known here. */
uint32_t oid_of_bound(uint32_t range);

#endif
