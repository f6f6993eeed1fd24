/* value_bytes.h - network byte order, bytea and uuid. */
#ifndef VALUES_VALUE_BYTES_H
#define VALUES_VALUE_BYTES_H

#include "base/big_endian.h"
#include "values/value.h"

#include <string.h>

static inline int16_t bytes_int2(const char *bytes)
{
    return (int16_t)bytes_uint2(bytes);
}

static inline int32_t bytes_int4(const char *bytes)
{
    return (int32_t)bytes_uint4(bytes);
}

static inline int64_t bytes_int8(const char *bytes)
{
    return (int64_t)bytes_uint8(bytes);
}

/* A binary int2, int4, int8 or oid of the right length, which is what is read most, at the least
 * cost. False for everything else, which value_as_int is to look at. */
static inline bool bytes_plain_int(uint32_t type, size_t length, const char *bytes,
                                   int64_t *ret_value)
{
    enum { INT8 = 20, INT2 = 21, INT4 = 23, OID = 26 };
    switch (type) {
    case INT2:
        if (length != 2)
            return false;
        *ret_value = bytes_int2(bytes);
        return true;
    case INT4:
        if (length != 4)
            return false;
        *ret_value = bytes_int4(bytes);
        return true;
    case INT8:
        if (length != 8)
            return false;
        *ret_value = bytes_int8(bytes);
        return true;
    case OID:
        if (length != 4)
            return false;
        *ret_value = bytes_uint4(bytes);
        return true;
    default:
        return false;
    }
}

static inline bool value_plain_float8(const struct value *v, double *ret_value)
{
    enum { FLOAT8 = 701 };
    if (!v->binary || v->type != FLOAT8 || v->length != sizeof *ret_value)
        return false;
    uint64_t bits = bytes_uint8(v->bytes);
    memcpy(ret_value, &bits, sizeof bits);
    return true;
}

/* What is text as it stands: all in text format, and what is read as text most. */
static inline bool value_is_plain_text(const struct value *v)
{
    enum { TEXT = 25, VARCHAR = 1043 };
    return !v->binary || v->type == TEXT || v->type == VARCHAR;
}

/* The byte that two hex digits write; -1 when they are none. */
int bytes_of_hex(const char two[2]);

/* bytea in text: \x and hex digits, or the escape format of bytea_output = escape. `room` has at
 * least bytea_room(length) bytes. */
size_t bytea_room(size_t length);
enum value_fit bytea_read(const char *text, size_t length, void *room, size_t *ret_length);

/* \x and two hex digits a byte: 2 * length + 2 bytes and a zero byte. Returns the number of bytes
 * written, not counting the zero byte. */
size_t bytea_write(const char *bytes, size_t length, char *room);

/* 8-4-4-4-12 hex digits. */
enum { UUID_BYTES = 16, UUID_TEXT = 36 };
enum value_fit uuid_read(const char *text, size_t length, uint8_t ret_uuid[UUID_BYTES]);
size_t uuid_write(const char bytes[UUID_BYTES], char room[UUID_TEXT + 1]);

#endif
