/* codec.h - a program's codecs: finding them, and writing with them. */
#ifndef VALUES_CODEC_H
#define VALUES_CODEC_H

#include "base/list.h"
#include "values/encode_impl.h"

#include <evpq/codec.h>

struct codec {
    struct list node;
    evpq_codec is;
    bool by_name; /* its oid is the server's to say */
    uint32_t array_oid;
    char name[]; /* which is.name leads to */
};

struct evpq_types {
    unsigned refs;
    struct list codecs;
};

/* NULL where there is none. Borrowed while `types` is. */
struct codec *codec_named(const evpq_types *types, const char *name);
const struct codec *codec_of(const evpq_types *types, uint32_t oid);

/* For an argument of evpq_coded. */
evpq_error *codec_encode(const struct encoding *e);

#endif
