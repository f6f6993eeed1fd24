/* stmt.c - a bounded cache of statements, with their clean-up on the server. */
#include "line/stmt.h"

#include "base/mem.h"

#include <stdio.h>
#include <string.h>

enum {
    MAX_KEY = 64 * 1024,         /* bytes of one text and its types */
    MAX_BYTES = 4 * 1024 * 1024, /* of all that a connection keeps */
};

static struct stmt *stmt_of_lru(struct list *node)
{
    return container_of(node, struct stmt, lru);
}

/* ---- closing on the server ---- */

static bool send_close(struct op *op, struct pg_conn *c)
{
    op->parts = 1;
    return pq_send_deallocate(c, container_of(op, struct stmt, close)->name);
}

static void free_dropped(struct stmt *s)
{
    list_remove(&s->lru);
    mem_free(s);
}

/* An error leaves it prepared (the transaction had failed, so nothing is done but ROLLBACK), and it
 * is tried again later; unless the server does not know it, which is as good as closed. */
static void feed_close(struct op *op, enum pq_kind kind, struct pg_result *result)
{
    struct stmt *s = container_of(op, struct stmt, close);
    if (kind == PQ_RESULT || (kind == PQ_ERROR && pq_stale(result) == PQ_STALE_GONE))
        s->prepared = false;
    pq_clear(result);
    if (kind != PQ_SYNC)
        return;
    s->closing = false;
    if (!s->prepared && !s->pins)
        free_dropped(s);
}

static void fail_close(struct op *op, const evpq_error *why, bool sent)
{
    struct stmt *s = container_of(op, struct stmt, close);
    s->closing = false;
    if (!sent && !why)
        return; /* the line goes on, and the statement is still to be closed */
    s->prepared = false;
    if (!s->pins)
        free_dropped(s);
}

static const struct op_class close_class = {
    .send = send_close, .feed = feed_close, .fail = fail_close};

static void close_dropped(struct stmts *ss)
{
    list_each(node, &ss->drop) {
        struct stmt *s = stmt_of_lru(node);
        if (!s->prepared || s->closing || s->pins)
            continue;
        s->closing = true;
        pipeline_submit(ss->line, &s->close);
    }
}

/* ---- keys ---- */

/* A request that declares no type has no list of types, whatever the number of its parameters. */
static size_t types_size(const struct request *r)
{
    return r->types ? (size_t)r->n * sizeof *r->types : 0;
}

static size_t key_size(const struct stmt *s)
{
    return s->sql_size + s->types_size;
}

static uint64_t hash_of(const struct request *r)
{
    uint64_t hash = map_hash(0, r->sql, r->sql_length);
    return r->types ? map_hash(hash, r->types, types_size(r)) : hash;
}

static bool is_of(const struct stmt *s, const struct request *r)
{
    size_t types = types_size(r);
    return s->sql_size == r->sql_length && s->types_size == types &&
           !memcmp(s->key, r->sql, r->sql_length) &&
           (!types || !memcmp(s->key + s->sql_size, r->types, types));
}

/* ---- forgetting ---- */

static void forget(struct stmt *s)
{
    struct stmts *ss = s->stmts;
    if (!s->known)
        return;
    s->known = false;
    map_remove(&ss->map, &s->node);
    ss->bytes -= key_size(s);
    list_remove(&s->lru);
    list_append(&ss->drop, &s->lru);
    if (!s->prepared && !s->pins)
        free_dropped(s);
}

void stmt_drop(struct stmt *s)
{
    struct stmts *ss = s->stmts;
    forget(s);
    close_dropped(ss);
}

/* ---- the cache ---- */

void stmts_init(struct stmts *s, struct pipeline *line, int max, bool prepares)
{
    *s = (struct stmts){.line = line, .max = max, .prepares = prepares};
    map_init(&s->map);
    list_init(&s->lru);
    list_init(&s->drop);
}

void stmts_free(struct stmts *s)
{
    struct list *node;
    list_splice(&s->drop, &s->lru);
    while ((node = list_pop(&s->drop)))
        mem_free(stmt_of_lru(node));
    map_free(&s->map);
}

static void make_room(struct stmts *ss, size_t bytes)
{
    list_each(node, &ss->lru) {
        if ((int)ss->map.count < ss->max && ss->bytes + bytes <= MAX_BYTES)
            break;
        struct stmt *s = stmt_of_lru(node);
        if (!s->pins)
            forget(s);
    }
    close_dropped(ss);
}

static struct stmt *add(struct stmts *ss, const struct request *r, uint64_t hash)
{
    size_t types = types_size(r), bytes = r->sql_length + types;
    make_room(ss, bytes);
    if ((int)ss->map.count >= ss->max)
        return NULL; /* all are in flight */
    struct stmt *s = mem_alloc(sizeof *s + bytes);
    if (!s)
        return NULL;
    *s = (struct stmt){
        .stmts = ss,
        .close = {.class = &close_class, .unawaited = true, .own = true, .early = true},
        .known = true,
        .sql_size = r->sql_length,
        .types_size = types};
    list_init(&s->close.node);
    memcpy(s->key, r->sql, r->sql_length);
    if (types)
        memcpy(s->key + r->sql_length, r->types, types);
    map_insert(&ss->map, &s->node, hash);
    list_append(&ss->lru, &s->lru);
    ss->bytes += bytes;
    return s;
}

static struct stmt *find(const struct stmts *ss, const struct request *r, uint64_t hash)
{
    for (struct map_node *node = map_first(&ss->map, hash); node; node = map_next(node)) {
        struct stmt *s = container_of(node, struct stmt, node);
        if (is_of(s, r))
            return s;
    }
    return NULL;
}

/* The one used last, if it is this: most programs say the same thing many times. */
static struct stmt *same_again(const struct stmts *ss, const struct request *r)
{
    struct stmt *s = list_empty(&ss->lru) ? NULL : stmt_of_lru(ss->lru.prev);
    return s && is_of(s, r) ? s : NULL;
}

/* It is the one used last, then. */
static struct stmt *find_or_add(struct stmts *ss, const struct request *r)
{
    if (r->sql_length + types_size(r) > MAX_KEY)
        return NULL;
    uint64_t hash = hash_of(r);
    struct stmt *s = find(ss, r, hash);
    if (!s)
        return add(ss, r, hash);
    list_remove(&s->lru);
    list_append(&ss->lru, &s->lru);
    return s;
}

struct stmt *stmts_use(struct stmts *ss, const struct request *r)
{
    struct stmt *s = same_again(ss, r);
    if (!s)
        s = find_or_add(ss, r);
    if (s)
        s->pins++;
    return s;
}

void stmt_unpin(struct stmt *s)
{
    if (!s || --s->pins || s->known)
        return;
    if (s->prepared)
        close_dropped(s->stmts);
    else if (!s->closing)
        free_dropped(s);
}

bool stmt_wants_prepare(struct stmt *s)
{
    if (s->prepared || !s->runs || !s->known || !s->stmts->prepares)
        return false;
    snprintf(s->name, sizeof s->name, "evpq_%llu", (unsigned long long)++s->stmts->next_name);
    return true;
}

/* One long time says little: the answer may have waited for us, while the program did something
 * else. A few in a row do. */
void stmt_learn(struct stmt *s, double seconds)
{
    double most = 4 * s->service + STMT_QUICK / 2;
    if (!s->runs)
        s->service = seconds;
    else
        s->service += ((seconds < most ? seconds : most) - s->service) / 4;
    s->runs++;
}

bool stmt_is_quick(const struct stmt *s)
{
    return s && s->runs && s->service < STMT_QUICK;
}

void stmts_all_gone(struct stmts *ss)
{
    ss->line->guarded = false;
    list_each(node, &ss->lru)
        stmt_of_lru(node)->prepared = stmt_of_lru(node)->sure = false;
    list_each(dropped, &ss->drop) {
        stmt_of_lru(dropped)->prepared = false;
        if (!stmt_of_lru(dropped)->pins && !stmt_of_lru(dropped)->closing)
            free_dropped(stmt_of_lru(dropped));
    }
}
