/* evpq/types.h - values of PostgreSQL's types that C has no type for. args.h sends them, result.h
 * reads them. */
#ifndef EVPQ_TYPES_H
#define EVPQ_TYPES_H

#include <evpq/version.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* An interval, in the three parts that PostgreSQL keeps: a month has no fixed number of days, nor a
 * day of hours, so none is carried over into another. */
typedef struct evpq_interval {
    int32_t months;
    int32_t days;
    int64_t microseconds;
} evpq_interval;

/* Of an inet's address: four bytes are used, or sixteen. */
enum { EVPQ_INET4 = 4, EVPQ_INET6 = 6 };

/* An inet or a cidr. */
typedef struct evpq_inet {
    uint8_t family;      /* EVPQ_INET4 or EVPQ_INET6 */
    uint8_t bits;        /* of the network: at most 32 or 128, which are those of a single host */
    uint8_t is_cidr;     /* 0 inet, 1 cidr, whose bits beyond the network are all zero */
    uint8_t address[16]; /* in network byte order; what is not used is zero */
} evpq_inet;

/* An array's dimensions: how long each is, and the subscript at which it begins, which is 1 unless
 * somebody has said otherwise. An empty array has none. */
enum { EVPQ_DIMENSIONS_MOST = 6 };

typedef struct evpq_shape {
    int dimensions;
    int32_t length[EVPQ_DIMENSIONS_MOST];
    int32_t first[EVPQ_DIMENSIONS_MOST];
} evpq_shape;

/* What a range is, by the bits of its binary form (PostgreSQL: utils/rangetypes.h). */
enum evpq_range_flags {
    EVPQ_RANGE_EMPTY = 0x01,
    EVPQ_RANGE_LOWER_INC = 0x02, /* the lower bound belongs to it: [ */
    EVPQ_RANGE_UPPER_INC = 0x04, /* the upper bound does: ] */
    EVPQ_RANGE_LOWER_INF = 0x08, /* there is no lower bound */
    EVPQ_RANGE_UPPER_INF = 0x10, /* nor an upper one */
};

#ifdef __cplusplus
}
#endif

#endif
