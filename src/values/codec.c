/* codec.c - a program's codecs. There are few: they stand in a list. */
#include "values/codec.h"

#include "base/mem.h"
#include "words/opts_read.h"

/* Counts as it goes, and takes no more than was announced. */
struct evpq_sink {
    struct bytes *to;
    size_t left;
    bool no_memory;
};

bool evpq_append(evpq_sink *to, const void *bytes, size_t n)
{
    if (n > to->left)
        return false;
    to->left -= n;
    to->no_memory = !bytes_put(to->to, bytes, n);
    return !to->no_memory;
}

/* ---- types ---- */

evpq_types *evpq_types_new(void)
{
    evpq_types *types = mem_zalloc(sizeof *types);
    if (!types)
        return NULL;
    types->refs = 1;
    list_init(&types->codecs);
    return types;
}

evpq_types *evpq_types_ref(evpq_types *types)
{
    types->refs++;
    return types;
}

evpq_types *evpq_types_unref(evpq_types *types)
{
    if (!types || --types->refs)
        return NULL;
    for (struct list *node; (node = list_pop(&types->codecs));)
        mem_free(container_of(node, struct codec, node));
    mem_free(types);
    return NULL;
}

struct codec *codec_named(const evpq_types *types, const char *name)
{
    for (struct list *node = types->codecs.next; node != &types->codecs; node = node->next) {
        struct codec *codec = container_of(node, struct codec, node);
        if (!strcmp(codec->name, name))
            return codec;
    }
    return NULL;
}

const struct codec *codec_of(const evpq_types *types, uint32_t oid)
{
    for (struct list *node = types->codecs.next; oid && node != &types->codecs; node = node->next) {
        const struct codec *codec = container_of(node, struct codec, node);
        if (codec->is.oid == oid)
            return codec;
    }
    return NULL;
}

evpq_status evpq_types_add(evpq_types *types, const evpq_codec *codec)
{
    evpq_codec is;
    evpq_error *error = opts_read(OPTS_KIND(evpq_codec, name), codec, &is);
    if (error) {
        evpq_error_unref(error);
        return EVPQ_INVALID;
    }
    if (!types || !is.name || !*is.name || codec_named(types, is.name) || codec_of(types, is.oid))
        return EVPQ_INVALID;
    size_t length = strlen(is.name);
    struct codec *added = mem_zalloc(sizeof *added + length + 1);
    if (!added)
        return EVPQ_NOMEM;
    memcpy(added->name, is.name, length + 1);
    added->is = is;
    added->is.name = added->name;
    added->by_name = !is.oid;
    list_append(&types->codecs, &added->node);
    return EVPQ_OK;
}

uint32_t evpq_types_oid(const evpq_types *types, const char *name, uint32_t *ret_array)
{
    const struct codec *codec = types && name ? codec_named(types, name) : NULL;
    if (ret_array)
        *ret_array = codec ? codec->array_oid : 0;
    return codec ? codec->is.oid : 0;
}

/* ---- writing ---- */

/* The encoder refused: no length that a value could have. */
static const size_t refused = SIZE_MAX;

static size_t encoded_length(const struct codec *codec, const void *value)
{
    struct bytes count = bytes_counted();
    evpq_sink sink = {&count, refused - 1, false};
    return codec->is.encode(value, &sink, codec->is.arg) ? count.length : refused;
}

evpq_arg evpq_coded(const evpq_types *types, const char *name, const void *value)
{
    const struct codec *codec = types && name ? codec_named(types, name) : NULL;
    evpq_arg arg = evpq_list(EVPQ_ARG_CODED, codec ? codec->is.oid : 0, codec, 0);
    if (!value && codec && codec->is.oid)
        arg.kind = EVPQ_ARG_NULL;
    arg.value.list.with = value;
    if (value && codec && codec->is.encode)
        arg.length = encoded_length(codec, value);
    return arg;
}

evpq_error *codec_encode(const struct encoding *e)
{
    const struct codec *codec = e->arg->value.list.items;
    if (!codec)
        return encode_invalid(e, "a value for a codec of a name that was not added to the types");
    if (!codec->is.oid)
        return encode_invalid(e, "a value of a type whose oid evpq_types_resolve has yet to ask "
                                 "the server for");
    if (!codec->is.encode)
        return encode_invalid(e, "a value for a codec that has no encoder");
    if (e->type != codec->is.oid)
        return encode_mismatch(e);
    if (e->arg->length == refused)
        return encode_wrong(e, "was refused by its encoder");
    evpq_sink sink = {e->to, e->arg->length, false};
    bool encoded = codec->is.encode(e->arg->value.list.with, &sink, codec->is.arg);
    if (sink.no_memory)
        return encode_put(false);
    if (!encoded || sink.left)
        return encode_wrong(e, "was written in two ways by its encoder");
    return NULL;
}
