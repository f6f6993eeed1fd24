/* stmt.c - a bounded cache of statements, with their clean-up on the server. */
#include "pipeline/stmt.h"

#include "base/mem.h"
#include "base/sha256.h"

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

static bool is_on_server(const struct stmt *s)
{
    return s->state != STMT_ABSENT;
}

static bool send_close(struct op *op, struct pg_conn *c)
{
    op->parts = 1;
    return pq_send_deallocate(c, container_of(op, struct stmt, close)->name);
}

static void free_evicted(struct stmt *s)
{
    list_remove(&s->lru);
    mem_free(s);
}

static bool is_wanted(const struct stmt *s)
{
    return s->cached || s->pins || s->closing;
}

/* The end of an attempt to close it. Where that failed it is tried again when something else is
 * closed or let go of. */
static void close_over(struct stmt *s)
{
    s->closing = false;
    if (!is_on_server(s) && !is_wanted(s))
        free_evicted(s);
}

/* An error leaves it prepared (the transaction had failed, so nothing is done but ROLLBACK), unless
 * the server does not know it, which is as good as closed. */
static void feed_close(struct op *op, enum pq_kind kind, struct pg_result *result)
{
    struct stmt *s = container_of(op, struct stmt, close);
    if (kind == PQ_RESULT || (kind == PQ_ERROR && pq_stale(result) == PQ_STALE_GONE))
        s->state = STMT_ABSENT;
    pq_clear(result);
    if (kind == PQ_SYNC)
        close_over(s);
}

static void fail_close(struct op *op, const evpq_error *why, bool sent)
{
    struct stmt *s = container_of(op, struct stmt, close);
    if (sent || why)
        s->state = STMT_ABSENT; /* with its connection; else it is still to be closed */
    close_over(s);
}

static const struct op_class close_class = {
    .send = send_close, .feed = feed_close, .fail = fail_close};

static void close_on_server(struct stmt *s)
{
    if (!is_on_server(s) || s->closing || s->pins)
        return;
    s->closing = true;
    pipeline_submit(s->stmts->pipeline, &s->close);
}

static void close_evicted(struct stmts *ss)
{
    list_each(node, &ss->drop)
        close_on_server(stmt_of_lru(node));
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

/* Once for each text: its room on the stack is none for those who only look for a name. */
__attribute__((noinline)) static void write_name(struct stmt *s)
{
    unsigned char digest[SHA256_SIZE], type[4];
    struct sha256 h;
    sha256_init(&h);
    sha256_add(&h, s->key, s->sql_size);
    sha256_add(&h, "", 1); /* no text contains it: what follows is the types */
    for (size_t i = 0; i < s->types_size; i += sizeof(uint32_t)) {
        uint32_t oid;
        memcpy(&oid, s->key + s->sql_size + i, sizeof oid);
        for (int at = 0; at < 4; at++) /* in one order on every machine */
            type[at] = (unsigned char)(oid >> (24 - 8 * at));
        sha256_add(&h, type, sizeof type);
    }
    sha256_end(&h, digest);
    memcpy(s->name, "evpq_", 5);
    for (int i = 0; i < 16; i++)
        snprintf(s->name + 5 + i * 2, 3, "%02x", digest[i]);
}

/* ---- evicting ---- */

static void evict(struct stmt *s)
{
    struct stmts *ss = s->stmts;
    s->cached = false;
    map_remove(&ss->map, &s->node);
    ss->bytes -= key_size(s);
    list_remove(&s->lru);
    list_append(&ss->drop, &s->lru);
    if (!is_on_server(s) && !is_wanted(s))
        free_evicted(s);
}

/* ---- the cache ---- */

void stmts_init(struct stmts *s, struct pipeline *pipeline, int max, bool prepares, double lifetime)
{
    *s = (struct stmts){
        .pipeline = pipeline, .max = max, .prepares = prepares, .lifetime = lifetime};
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
            evict(s);
    }
    close_evicted(ss);
}

/* One that was evicted, and is not being closed yet, has the name that it would get again. One
 * whose Close is under way is closed before another Prepare can be sent. */
static struct stmt *take_evicted(struct stmts *ss, const struct request *r)
{
    list_each(node, &ss->drop) {
        struct stmt *s = stmt_of_lru(node);
        if (s->closing || !is_of(s, r))
            continue;
        list_remove(&s->lru);
        return s;
    }
    return NULL;
}

static struct stmt *stmt_new(struct stmts *ss, const struct request *r)
{
    size_t types = types_size(r);
    struct stmt *s = mem_alloc(sizeof *s + r->sql_length + types);
    if (!s)
        return NULL;
    *s = (struct stmt){
        .stmts = ss,
        .close = {.class = &close_class, .unawaited = true, .own = true, .order = OP_FRONT},
        .sql_size = r->sql_length,
        .types_size = types};
    list_init(&s->close.node);
    list_init(&s->lru);
    memcpy(s->key, r->sql, r->sql_length);
    if (types)
        memcpy(s->key + r->sql_length, r->types, types);
    return s;
}

static struct stmt *add(struct stmts *ss, const struct request *r, uint64_t hash)
{
    struct stmt *s = take_evicted(ss, r);
    if (!s)
        s = stmt_new(ss, r);
    if (!s)
        return NULL;
    make_room(ss, key_size(s));
    if ((int)ss->map.count >= ss->max) { /* all are in flight */
        list_append(&ss->drop, &s->lru);
        if (!is_on_server(s) && !is_wanted(s))
            free_evicted(s);
        return NULL;
    }
    s->cached = true;
    map_insert(&ss->map, &s->node, hash);
    list_append(&ss->lru, &s->lru);
    ss->bytes += key_size(s);
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
__attribute__((noinline)) static struct stmt *find_or_add(struct stmts *ss, const struct request *r)
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

/* Prepared so long ago that the schema may have changed in a way that the server does not tell. */
static bool is_too_old(const struct stmt *s)
{
    const struct stmts *ss = s->stmts;
    return ss->lifetime > 0 && s->state == STMT_PREPARED &&
           loop_time(ss->pipeline->wire.loop) - s->prepared_at >= ss->lifetime;
}

struct stmt *stmts_use(struct stmts *ss, const struct request *r)
{
    struct stmt *s = same_again(ss, r);
    if (!s)
        s = find_or_add(ss, r);
    if (!s)
        return NULL;
    s->pins++;
    if (is_too_old(s))
        stmt_spoil(s);
    return s;
}

void stmt_unpin(struct stmt *s)
{
    if (!s || --s->pins)
        return;
    if (s->state == STMT_STALE || (!s->cached && is_on_server(s)))
        close_on_server(s);
    else if (!is_wanted(s))
        free_evicted(s);
}

bool stmt_wants_prepare(struct stmt *s)
{
    if (s->state != STMT_ABSENT || s->closing || !s->runs || !s->cached || !s->stmts->prepares)
        return false;
    if (!*s->name)
        write_name(s);
    return true;
}

void stmt_sent(struct stmt *s)
{
    s->state = STMT_SENT;
    s->prepared_at = loop_time(s->stmts->pipeline->wire.loop);
}

void stmt_is_there(struct stmt *s, bool there)
{
    if (s->state != STMT_STALE)
        s->state = there ? STMT_PREPARED : STMT_ABSENT;
}

void stmt_spoil(struct stmt *s)
{
    if (!is_on_server(s))
        return;
    s->state = STMT_STALE;
    close_on_server(s);
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
    ss->pipeline->guarded = false;
    list_each(node, &ss->lru)
        stmt_of_lru(node)->state = STMT_ABSENT;
    list_each(dropped, &ss->drop) {
        struct stmt *s = stmt_of_lru(dropped);
        s->state = STMT_ABSENT;
        if (!is_wanted(s))
            free_evicted(s);
    }
}
