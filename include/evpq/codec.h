/* evpq/codec.h - types that the library does not know, such as pgvector's: a program says how its
 * values are written and read, for a type's oid or its name.
 *
 *     static bool write_vector(const void *value, evpq_sink *to, void *arg);
 *     static bool read_vector(const void *bytes, size_t n, int format, void *ret_value, void *arg);
 *
 *     evpq_types *types = evpq_types_new();
 *     evpq_types_add(types, &(evpq_codec){.size = sizeof(evpq_codec), .name = "vector",
 *                                         .encode = write_vector, .decode = read_vector});
 *     evpq_await(evpq_types_resolve(types, pool));
 *     ... EVPQ_ARGS(evpq_coded(types, "vector", &v)) ...
 *     ... evpq_result_decoded(types, result, row, column, &v) ...
 *
 * Thread: that of the loop whose pools it is used with. */
#ifndef EVPQ_CODEC_H
#define EVPQ_CODEC_H

#include <evpq/args.h>
#include <evpq/error.h>
#include <evpq/future.h>
#include <evpq/pool.h>
#include <evpq/result.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Codecs, and the types that they are for. */
typedef struct evpq_types evpq_types;

/* Where an encoder puts its bytes. */
typedef struct evpq_sink evpq_sink;

/* Appends `n` bytes (borrowed for the call) to a value. False when there is no room for them: the
 * encoder then returns false. */
EVPQ_API bool evpq_append(evpq_sink *to, const void *bytes, size_t n);

/* Appends the binary form of the value, which is what its type's receive function reads (pg_type.
 * typreceive). It is called twice for each parameter, and writes the same bytes both times. False:
 * the value cannot be written. */
typedef bool evpq_encode_fn(const void *value, evpq_sink *to, void *arg);

/* Reads `n` bytes (borrowed for the call; a zero byte that is not counted is behind them) in the
 * format of the column, 0 text or 1 binary, into what ret_value points at. False: they are no such
 * value. The bytes are not to be trusted. */
typedef bool evpq_decode_fn(const void *bytes, size_t n, int format, void *ret_value, void *arg);

/* Copied by evpq_types_add, with the name. */
typedef struct evpq_codec {
    size_t size;      /* sizeof(evpq_codec) */
    const char *name; /* of the type as SQL has it, with or without its schema: "public.vector" */
    uint32_t oid;     /* where it is known; 0: evpq_types_resolve asks the server */
    evpq_encode_fn *encode; /* NULL: it is only read */
    evpq_decode_fn *decode; /* NULL: it is only written */
    void *arg;              /* for both; borrowed as long as the types are there */
} evpq_codec;

/* Given, and handed back with evpq_types_unref. NULL when there is no memory. */
EVPQ_API EVPQ_NODISCARD evpq_types *evpq_types_new(void);

/* One more reference: returns `types`, given. */
EVPQ_API evpq_types *evpq_types_ref(evpq_types *types);

/* Takes a reference; NULL is allowed. Returns NULL. */
EVPQ_API evpq_types *evpq_types_unref(evpq_types *types);

/* EVPQ_OK; EVPQ_NOMEM; EVPQ_INVALID for a codec without a name, of another size, or with the name
 * or oid of one that is there. */
EVPQ_API evpq_status evpq_types_add(evpq_types *types, const evpq_codec *codec);

/* Asks the server for the oids of all types that were added by name alone, in one query, and again
 * for those it knew before. Names are read as in SQL: by the search_path where they have no schema,
 * and folded to lower case where they are not quoted. Fails as a query does, and with EVPQ_TYPE
 * where the server has no type of some name; the others are known then. The types are kept as long
 * as that takes; `pool` is borrowed for the call. */
EVPQ_API EVPQ_NODISCARD evpq_future *evpq_types_resolve(evpq_types *types, evpq_pool *pool);

/* The oid of the type that was added as `name`, and of its array in *ret_array, which may be NULL;
 * 0 where it is not known. */
EVPQ_API uint32_t evpq_types_oid(const evpq_types *types, const char *name, uint32_t *ret_array);

/* What `value` points at, written by the codec of that name, with its type declared. All three are
 * borrowed, as all that arguments lead to, until the call that takes the list has returned; a NULL
 * `value` is SQL NULL. The call refuses it with EVPQ_INVALID where the codec or its oid is not
 * there, and with EVPQ_TYPE where the encoder returned false. */
EVPQ_API evpq_arg evpq_coded(const evpq_types *types, const char *name, const void *value);

/* A value as the codec of its column's type reads it. False on a fault, which the result remembers:
 * those that the getters of result.h have, a type without a codec, and a decoder that returned
 * false. */
EVPQ_API bool evpq_result_decoded(const evpq_types *types, const evpq_result *r, int row,
                                  int column, void *ret_value);

#ifdef __cplusplus
}
#endif

#endif
