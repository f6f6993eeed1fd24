/* types.c - asks the server for the oids of the types that codecs name. */
#include "async/future.h"
#include "base/mem.h"
#include "values/codec.h"
#include "words/error.h"

struct resolving {
    struct evpq_future future;
    struct waiter waiter;
    evpq_future *query;
    evpq_types *types;
};

/* Names are read as SQL reads them. What is not there is a row of NULLs. Every name is said with
 * its schema, operators' too: anybody who can create in a schema of the search path could put a
 * closer match there, which would run with the rights of whoever asks. */
static const char sql[] =
    "select name, t.oid, t.typarray from pg_catalog.unnest($1::pg_catalog.text[]) as name"
    " left join pg_catalog.pg_type t"
    " on t.oid operator(pg_catalog.=) pg_catalog.to_regtype(name)::pg_catalog.oid";

static struct resolving *resolving_of(const evpq_future *f)
{
    return container_of(f, struct resolving, future);
}

static void resolving_free(evpq_future *f)
{
    struct resolving *s = resolving_of(f);
    evpq_future_unref(s->query);
    evpq_types_unref(s->types);
    mem_free(s);
}

static void resolving_cancel(evpq_future *f)
{
    struct resolving *s = resolving_of(f);
    list_remove(&s->waiter.job.node);
    evpq_future_cancel(s->query);
    future_settle_canceled(f, future_outcome(s->query));
}

static const struct future_class resolving_class = {
    .name = "types", .cancel = resolving_cancel, .free = resolving_free};

/* The oids that the server told; the error names the first type that it does not have. */
static evpq_error *take_oids(evpq_types *types, const evpq_result *r)
{
    evpq_error *error = NULL;
    for (int row = 0; row < evpq_result_rows(r); row++) {
        const char *name = evpq_result_text(r, row, 0);
        struct codec *codec = name ? codec_named(types, name) : NULL;
        if (!codec)
            continue;
        bool known = !evpq_result_is_null(r, row, 1);
        codec->is.oid = known ? evpq_result_oid(r, row, 1) : 0;
        codec->array_oid = known ? evpq_result_oid(r, row, 2) : 0;
        if (!known && !error)
            error =
                error_new(EVPQ_TYPE, EVPQ_OUTCOME_UNKNOWN, "the server has no type named %s", name);
    }
    if (!error && evpq_result_fault(r))
        error = evpq_error_ref(evpq_result_fault(r));
    return error;
}

static void types_answered(struct job *job)
{
    struct resolving *s = container_of(job, struct resolving, waiter.job);
    const evpq_result *r = evpq_future_result(s->query);
    evpq_error *error = r ? take_oids(s->types, r) : evpq_error_ref(evpq_future_error(s->query));
    if (error)
        future_settle_error(&s->future, error);
    else
        future_settle_value(&s->future, NULL, NULL);
}

/* The names to ask for; their number in *ret_n. NULL without memory. Given: mem_free. */
static const char **names_of(const evpq_types *types, size_t *ret_n)
{
    size_t n = 0, room = 1;
    for (struct list *node = types->codecs.next; node != &types->codecs; node = node->next)
        room++;
    const char **names = mem_alloc(room * sizeof *names);
    if (!names)
        return NULL;
    for (struct list *node = types->codecs.next; node != &types->codecs; node = node->next) {
        const struct codec *codec = container_of(node, struct codec, node);
        if (codec->by_name)
            names[n++] = codec->name;
    }
    *ret_n = n;
    return names;
}

evpq_future *evpq_types_resolve(evpq_types *types, evpq_pool *pool)
{
    size_t n = 0;
    if (!types)
        return future_constant(EVPQ_INVALID);
    const char **names = names_of(types, &n);
    struct resolving *s = mem_zalloc(sizeof *s);
    if (!names || !s) {
        mem_free(names);
        mem_free(s);
        return future_constant(EVPQ_NOMEM);
    }
    evpq_future *query = evpq_pool_query(pool, sql, EVPQ_ARGS(evpq_texts(names, n)));
    mem_free(names);
    if (!query->loop) { /* a constant future, which is all there is without a pool */
        mem_free(s);
        return query;
    }
    future_init(&s->future, &resolving_class, query->loop);
    s->query = query;
    s->types = evpq_types_ref(types);
    future_watch(query, query->loop, &s->waiter, types_answered);
    return &s->future;
}
