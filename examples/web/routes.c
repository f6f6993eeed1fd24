/* routes.c - the routes of the TechEmpower benchmarks, and /health.
 *
 * A handler that asks the database runs in a task of its own: it reads from top to bottom, and the
 * server goes on with other requests wherever it awaits. What it returns is how it went; a failure
 * becomes a status of HTTP in server.c, and what it had awaited is canceled with it. */
#include "routes.h"

#include <stdlib.h>
#include <string.h>

enum { WORLDS = 10000, MAX_QUERIES = 500 };

static int random_world(void)
{
    return 1 + (int)(random() % WORLDS);
}

/* ?queries=N: from 1 to 500, and 1 where it is no number; of 2abc the number is 2. */
static size_t wanted_queries(const struct request *rq)
{
    const char *text = request_parameter(rq, "queries");
    long n = text ? strtol(text, NULL, 10) : 1;
    return n < 1 ? 1 : n > MAX_QUERIES ? MAX_QUERIES : (size_t)n;
}

static evpq_future *read_world(struct request *rq, int id)
{
    return evpq_pool_read(rq->app, "select id, randomnumber from world where id = $1",
                          EVPQ_ARGS(id));
}

static void write_world(struct text *t, int id, int number)
{
    text_string(t, "{\"id\":");
    text_int(t, id);
    text_string(t, ",\"randomNumber\":");
    text_int(t, number);
    text_string(t, "}");
}

/* False when the table does not have that world. */
static bool write_read_world(struct text *t, evpq_future *world)
{
    const evpq_result *r = evpq_future_result(world);
    if (evpq_result_rows(r) != 1)
        return false;
    write_world(t, evpq_result_int4(r, 0, 0), evpq_result_int4(r, 0, 1));
    return true;
}

/* What a handler returns when a world is missing, instead of what it has read, which is taken. */
static evpq_future *no_world(evpq_task *self, evpq_future *read)
{
    evpq_future_unref(read);
    return evpq_future_failed(evpq_task_loop(self), EVPQ_INVALID,
                              "a world is missing: is the table as schema.sql makes it?");
}

/* ---- /plaintext, /json, /db, /queries ---- */

static void plaintext(struct request *rq)
{
    text_string(&rq->body, "Hello, World!");
}

static void json(struct request *rq)
{
    text_string(&rq->body, "{\"message\":");
    text_json(&rq->body, "Hello, World!");
    text_string(&rq->body, "}");
}

static evpq_future *db(evpq_task *self, void *arg)
{
    struct request *rq = arg;
    evpq_future *world = read_world(rq, random_world());
    if (evpq_await(world) == EVPQ_OK && !write_read_world(&rq->body, world))
        return no_world(self, world);
    return world;
}

static evpq_future *queries(evpq_task *self, void *arg)
{
    struct request *rq = arg;
    evpq_future *worlds[MAX_QUERIES];
    size_t n = wanted_queries(rq);
    for (size_t i = 0; i < n; i++)
        worlds[i] = read_world(rq, random_world());

    evpq_future *all = evpq_all(worlds, n);
    if (evpq_await(all) != EVPQ_OK)
        return all;
    for (size_t i = 0; i < n; i++) {
        text_string(&rq->body, i ? "," : "[");
        if (!write_read_world(&rq->body, evpq_future_at(all, i)))
            return no_world(self, all);
    }
    text_string(&rq->body, "]");
    return all;
}

/* ---- /updates ---- */

/* So many different worlds, in ascending order. */
static void draw_worlds(size_t n, int *ret_ids)
{
    for (size_t drawn = 0; drawn < n;) {
        int id = random_world();
        size_t at = drawn;
        while (at > 0 && ret_ids[at - 1] > id)
            at--;
        if (at > 0 && ret_ids[at - 1] == id)
            continue;
        memmove(&ret_ids[at + 1], &ret_ids[at], (drawn - at) * sizeof *ret_ids);
        ret_ids[at] = id;
        drawn++;
    }
}

/* {1,2,3}: an array as PostgreSQL reads it. */
static void write_array(struct text *t, const int *numbers, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        text_string(t, i ? "," : "{");
        text_int(t, numbers[i]);
    }
    text_string(t, "}");
}

static evpq_future *save_worlds(struct request *rq, const int *ids, const int *numbers, size_t n)
{
    struct text keys = {0}, values = {0};
    write_array(&keys, ids, n);
    write_array(&values, numbers, n);
    evpq_future *saved = evpq_pool_query(
        rq->app,
        "update world set randomnumber = v.number"
        " from rows from (pg_catalog.unnest($1::int[]), pg_catalog.unnest($2::int[])) as v(id, number)"
        " where world.id = v.id",
        EVPQ_ARGS(evpq_textn(keys.data, keys.length), evpq_textn(values.data, values.length)));
    text_free(&keys);
    text_free(&values);
    return saved;
}

static bool was_deadlock(evpq_future *f)
{
    return strcmp(evpq_error_sqlstate(evpq_future_error(f)), "40P01") == 0;
}

/* All lock their rows in the order of the ids, so that none blocks another in a circle, as long as
 * the server takes them in that order. Where it did not, it has rolled one back, which goes again.
 */
static evpq_future *updates(evpq_task *self, void *arg)
{
    struct request *rq = arg;
    int ids[MAX_QUERIES], numbers[MAX_QUERIES];
    evpq_future *worlds[MAX_QUERIES];
    size_t n = wanted_queries(rq);
    draw_worlds(n, ids);
    for (size_t i = 0; i < n; i++)
        worlds[i] = read_world(rq, ids[i]);

    evpq_future *all = evpq_all(worlds, n);
    if (evpq_await(all) != EVPQ_OK)
        return all;
    for (size_t i = 0; i < n; i++) {
        const evpq_result *r = evpq_future_result(evpq_future_at(all, i));
        if (evpq_result_rows(r) != 1)
            return no_world(self, all);
        numbers[i] = random_world();
        text_string(&rq->body, i ? "," : "[");
        write_world(&rq->body, evpq_result_int4(r, 0, 0), numbers[i]);
    }
    text_string(&rq->body, "]");
    evpq_future_unref(all);

    evpq_future *saved = save_worlds(rq, ids, numbers, n);
    while (evpq_await(saved) != EVPQ_OK && was_deadlock(saved)) {
        evpq_future_unref(saved);
        saved = save_worlds(rq, ids, numbers, n);
    }
    return saved;
}

/* ---- /fortunes ---- */

struct fortune {
    int id;
    const char *message;
};

static int by_message(const void *a, const void *b)
{
    return strcmp(((const struct fortune *)a)->message, ((const struct fortune *)b)->message);
}

static void write_fortunes(struct text *t, const struct fortune *fortunes, size_t n)
{
    text_string(t, "<!DOCTYPE html><html><head><title>Fortunes</title></head><body>"
                   "<table><tr><th>id</th><th>message</th></tr>");
    for (size_t i = 0; i < n; i++) {
        text_string(t, "<tr><td>");
        text_int(t, fortunes[i].id);
        text_string(t, "</td><td>");
        text_html(t, fortunes[i].message);
        text_string(t, "</td></tr>");
    }
    text_string(t, "</table></body></html>");
}

static evpq_future *fortunes(evpq_task *self, void *arg)
{
    struct request *rq = arg;
    evpq_future *read = evpq_pool_read(rq->app, "select id, message from fortune", EVPQ_ARGS());
    if (evpq_await(read) != EVPQ_OK)
        return read;

    const evpq_result *r = evpq_future_result(read);
    size_t n = (size_t)evpq_result_rows(r);
    struct fortune *all = calloc(n + 1, sizeof *all);
    if (!all) {
        evpq_future_unref(read);
        return evpq_future_failed(evpq_task_loop(self), EVPQ_NOMEM, "no memory for the fortunes");
    }
    for (int i = 0; i < (int)n; i++) {
        const char *message = evpq_result_text(r, i, 1);
        all[i] = (struct fortune){evpq_result_int4(r, i, 0), message ? message : ""};
    }
    all[n] = (struct fortune){0, "Additional fortune added at request time."};
    qsort(all, n + 1, sizeof *all, by_message);
    write_fortunes(&rq->body, all, n + 1);
    free(all);
    return read;
}

/* ---- /health ---- */

static void write_count(struct text *t, const char *name, int value)
{
    text_string(t, ",");
    text_json(t, name);
    text_string(t, ":");
    text_int(t, value);
}

/* 200 while the database answers. */
static evpq_future *health(evpq_task *self, void *arg)
{
    struct request *rq = arg;
    evpq_pool_stats stats = {.size = sizeof stats};
    evpq_future *asked = evpq_pool_read(rq->app, "select 1", EVPQ_ARGS());
    if (evpq_await(asked) != EVPQ_OK)
        return asked;
    evpq_pool_get_stats(rq->app, &stats);
    text_string(&rq->body, "{\"database\":\"ok\"");
    write_count(&rq->body, "idle", stats.idle);
    write_count(&rq->body, "busy", stats.busy);
    write_count(&rq->body, "closing", stats.closing);
    write_count(&rq->body, "waiting", stats.waiting);
    text_string(&rq->body, "}\n");
    return asked;
}

const struct route routes[] = {
    {"/plaintext", "text/plain", .write = plaintext},
    {"/json", "application/json", .write = json},
    {"/db", "application/json", .task = db},
    {"/queries", "application/json", .task = queries},
    {"/updates", "application/json", .task = updates},
    {"/fortunes", "text/html; charset=utf-8", .task = fortunes},
    {"/health", "application/json", .task = health},
    {NULL},
};
