/* epoch.c - one epoch: hands out slots to be filled, two groups ahead at most, and cuts each group
 * that is complete into batches. See impl.h. */
#include "impl.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

static evpq_future *no_memory(struct loader *l)
{
    return evpq_future_failed(l->loop, EVPQ_NOMEM, "out of memory");
}

static size_t group_end(const struct epoch *e, uint64_t group)
{
    size_t end = (size_t)(group + 1) * e->loader->at.mix;
    return end < e->ranges ? end : e->ranges;
}

/* ---- slots ---- */

/* There is room for as many jobs as slots, so that no send waits. */
static evpq_future *feed(struct epoch *e, uint64_t group)
{
    size_t end = group_end(e, group);
    for (size_t i = (size_t)group * e->loader->at.mix; i < end; i++) {
        struct slot *slot = &e->slots[i % e->window];
        *slot = (struct slot){.range = e->order[i]};
        evpq_future *f = failure_of(evpq_channel_send(e->jobs, slot));
        if (f)
            return f;
    }
    return NULL;
}

static evpq_future *wait_for(struct epoch *e, struct slot *slot)
{
    if (slot->full)
        return NULL;
    slot->awaited = evpq_future_new(e->loader->loop, NULL, NULL);
    evpq_future *f = failure_of(evpq_future_ref(slot->awaited));
    slot->awaited = evpq_future_unref(slot->awaited);
    return f;
}

/* The slots of a group lie side by side, since two groups fill the window exactly. */
static struct slot *slots_of(const struct epoch *e, uint64_t group)
{
    return &e->slots[(size_t)group * e->loader->at.mix % e->window];
}

static size_t count_of(const struct epoch *e, uint64_t group)
{
    return group_end(e, group) - (size_t)group * e->loader->at.mix;
}

/* ---- batches ---- */

/* A group that is complete, while it is cut. */
struct group {
    struct chunk *chunks;
    struct pick *picks;
    size_t chunk_count, rows;
};

static void group_free(struct group *g)
{
    for (size_t i = 0; g->chunks && i < g->chunk_count; i++)
        chunk_free(&g->chunks[i]);
    free(g->chunks);
    free(g->picks);
}

/* Takes the chunks out of the slots, and orders their rows. */
static evpq_status group_mix(struct epoch *e, uint64_t number, struct group *g)
{
    struct slot *slots = slots_of(e, number);
    *g = (struct group){.chunk_count = count_of(e, number)};
    g->chunks = calloc(g->chunk_count + 1, sizeof *g->chunks);
    if (!g->chunks)
        return EVPQ_NOMEM;
    for (size_t i = 0; i < g->chunk_count; i++) {
        g->chunks[i] = slots[i].chunk;
        slots[i].chunk = (struct chunk){0};
        g->rows += g->chunks[i].rows;
    }
    g->picks = malloc((g->rows + 1) * sizeof *g->picks);
    if (!g->picks)
        return EVPQ_NOMEM;
    size_t n = 0;
    for (uint32_t chunk = 0; chunk < g->chunk_count; chunk++)
        for (uint32_t row = 0; row < g->chunks[chunk].rows; row++)
            g->picks[n++] = (struct pick){chunk, row};
    struct shuffle s = shuffle_begin(e->loader->at.seed, e->loader->at.epoch, number);
    shuffle_picks(&s, g->picks, n);
    return EVPQ_OK;
}

/* What the builder has, as a batch that begins at `from` and ends where the loader is. */
static evpq_future *send_batch(struct loader *l, struct loader_state *from)
{
    struct loader_batch *batch = calloc(1, sizeof *batch);
    size_t rows = l->builder.rows;
    if (!batch || builder_take(&l->builder, &batch->array) != EVPQ_OK) {
        free(batch);
        return no_memory(l);
    }
    l->at.batch++;
    l->at.rows += rows;
    batch->at = *from;
    batch->next = *from = l->at;
    return failure_of(evpq_channel_send(l->batches, batch));
}

static evpq_future *cut(struct epoch *e, const struct group *g, struct loader_state *from)
{
    struct loader *l = e->loader;
    struct builder *b = &l->builder;
    while (l->at.row < g->rows) {
        size_t left = g->rows - (size_t)l->at.row, room = b->capacity - b->rows, column;
        size_t n = left < room ? left : room;
        evpq_status status = builder_append(b, g->chunks, g->picks + l->at.row, n, &column);
        if (status == EVPQ_NOMEM)
            return no_memory(l);
        if (status != EVPQ_OK)
            return evpq_future_failed(l->loop, status,
                                      "column %s is longer than 2 GiB in one batch: make batches "
                                      "of fewer rows",
                                      l->columns.v[column].name);
        l->at.row += n;
        evpq_future *f = b->rows == b->capacity ? send_batch(l, from) : NULL;
        if (f)
            return f;
    }
    l->at.group++;
    l->at.row = 0;
    return NULL;
}

static evpq_future *next_group(struct epoch *e, struct loader_state *from)
{
    uint64_t number = e->loader->at.group;
    struct slot *slots = slots_of(e, number);
    struct group g;
    evpq_future *f = NULL;
    for (size_t i = 0; i < count_of(e, number) && !f; i++)
        f = wait_for(e, &slots[i]);
    if (f)
        return f;
    if (group_mix(e, number, &g) != EVPQ_OK)
        f = no_memory(e->loader);
    if (!f)
        f = cut(e, &g, from);
    group_free(&g);
    if (!f && (size_t)(number + 2) * e->loader->at.mix < e->ranges)
        f = feed(e, number + 2);
    return f;
}

/* Also those who are still waiting for a connection. */
static void end_fetchers(struct epoch *e)
{
    e->over = true;
    evpq_channel_close(e->jobs);
    for (int i = 0; i < e->loader->opts.connections; i++)
        if (e->fetchers[i].wanted)
            evpq_future_cancel(e->fetchers[i].wanted);
}

static evpq_future *assemble(evpq_task *self, void *arg)
{
    struct epoch *e = arg;
    struct loader *l = e->loader;
    struct loader_state from = l->at;
    uint64_t first = l->at.group;
    evpq_future *f = NULL;
    for (uint64_t i = first; i < first + 2 && i * l->at.mix < e->ranges && !f; i++)
        f = feed(e, i);
    while (!f && l->at.group * l->at.mix < e->ranges)
        f = next_group(e, &from);
    if (!f && l->builder.rows > 0 && !l->opts.drop_last)
        f = send_batch(l, &from);
    builder_clear(&l->builder);
    end_fetchers(e);
    return f;
}

/* ---- the whole ---- */

static evpq_status epoch_prepare(struct epoch *e)
{
    const struct loader_state *at = &e->loader->at;
    e->ranges = (at->blocks + (size_t)at->range - 1) / at->range;
    e->window = 2 * (size_t)at->mix;
    e->order = malloc((e->ranges + 1) * sizeof *e->order);
    e->slots = calloc(e->window, sizeof *e->slots);
    e->jobs = evpq_channel_new(e->loader->loop, e->window, NULL);
    if (!e->order || !e->slots || !e->jobs)
        return EVPQ_NOMEM;
    for (size_t i = 0; i < e->ranges; i++)
        e->order[i] = (uint32_t)i;
    struct shuffle s = shuffle_begin(at->seed, at->epoch, SHUFFLE_RANGES);
    shuffle_ranges(&s, e->order, e->ranges);
    return EVPQ_OK;
}

static void epoch_free(struct epoch *e)
{
    for (size_t i = 0; e->slots && i < e->window; i++)
        chunk_free(&e->slots[i].chunk);
    for (int i = 0; e->fetchers && i < e->loader->opts.connections; i++)
        evpq_lease_release(e->fetchers[i].lease);
    evpq_channel_unref(e->jobs);
    free(e->fetchers);
    free(e->slots);
    free(e->order);
}

/* All its tasks end together: with the first that fails, or when the last slot is empty. */
static evpq_future *run_tasks(struct epoch *e)
{
    evpq_group *group = evpq_group_open(e->loader->loop, NULL);
    evpq_future_unref(evpq_group_spawn(group, assemble, e, NULL));
    for (int i = 0; i < e->loader->opts.connections; i++)
        evpq_future_unref(evpq_group_spawn(group, fetch_slots, &e->fetchers[i], NULL));
    evpq_future *f = evpq_group_join(group);
    evpq_await(f);
    return f;
}

evpq_future *epoch_run(struct loader *l)
{
    struct epoch e = {.loader = l};
    evpq_future *f = NULL;
    int connections = l->opts.connections;
    e.fetchers = calloc((size_t)connections, sizeof *e.fetchers);
    for (int i = 0; e.fetchers && i < connections; i++)
        e.fetchers[i].epoch = &e;
    f = e.fetchers ? table_begin(&e) : no_memory(l);
    if (!f && epoch_prepare(&e) != EVPQ_OK)
        f = no_memory(l);
    if (!f)
        f = run_tasks(&e);
    epoch_free(&e);
    return f;
}
