/* big_endian.h - numbers of two, four and eight bytes in network byte order. */
#ifndef BASE_BIG_ENDIAN_H
#define BASE_BIG_ENDIAN_H

#include <stdint.h>

static inline uint16_t bytes_uint2(const char *bytes)
{
    return (uint16_t)((uint8_t)bytes[0] << 8 | (uint8_t)bytes[1]);
}

static inline uint32_t bytes_uint4(const char *bytes)
{
    return (uint32_t)bytes_uint2(bytes) << 16 | bytes_uint2(bytes + 2);
}

static inline uint64_t bytes_uint8(const char *bytes)
{
    return (uint64_t)bytes_uint4(bytes) << 32 | bytes_uint4(bytes + 4);
}

#endif
