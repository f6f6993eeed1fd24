/* fetch.c - fills the slots of an epoch: one task for each connection, which takes a slot from the
 * jobs, reads its range and decodes it. See impl.h.
 *
 * A range whose connection was lost goes back to the jobs. The fetcher then gets another connection
 * and joins the snapshot again; where it cannot, it leaves the work to the others, if there are
 * any. All stay until the last slot is full, so that there is somebody to take over. */
#include "impl.h"

#include <inttypes.h>
#include <stdio.h>

/* Seconds after which one who has nothing to do looks whether its connection is still there: of a
 * program that takes its time, none would be left in the end. */
#define LOOK_EVERY 0.5

static bool others_hold(const struct fetcher *me)
{
    const struct epoch *e = me->epoch;
    for (int i = 0; i < e->loader->opts.connections; i++)
        if (&e->fetchers[i] != me && e->fetchers[i].lease)
            return true;
    return false;
}

static void let_go(struct fetcher *me)
{
    if (me->epoch->exporter == me)
        me->epoch->exporter = NULL;
    me->lease = evpq_lease_release(me->lease);
}

/* NULL: `me` has a lease, or the others do without it. */
static evpq_future *join(struct fetcher *me)
{
    for (int tries = 1; !me->lease; tries++) {
        evpq_future *f = table_join(me);
        if (!f)
            return NULL;
        evpq_status status = evpq_future_status(f);
        if (me->epoch->over)
            return evpq_future_unref(f);
        if (status == EVPQ_CANCELED || status == EVPQ_NOMEM || !others_hold(me))
            return f;
        evpq_future_unref(f);
        /* Whose snapshot it was may have been lost meanwhile. */
        if ((status != EVPQ_SERVER && status != EVPQ_LOST) ||
            tries >= me->epoch->loader->opts.connections)
            return NULL;
    }
    return NULL;
}

static evpq_future *ask(struct fetcher *me, const struct slot *slot)
{
    const struct loader_state *at = &me->epoch->loader->at;
    uint64_t first = (uint64_t)slot->range * at->range, end = first + at->range;
    char from[32], to[32];
    snprintf(from, sizeof from, "(%" PRIu64 ",0)", first);
    snprintf(to, sizeof to, "(%" PRIu64 ",0)", end < at->blocks ? end : at->blocks);
    return evpq_lease_query(me->lease, me->epoch->loader->fetch, evpq_binary(EVPQ_ARGS(from, to)));
}

static evpq_future *decode(struct fetcher *me, struct slot *slot, const evpq_result *r)
{
    struct loader *l = me->epoch->loader;
    size_t column;
    evpq_status status = chunk_decode(&l->columns, r, &slot->chunk, &column);
    if (status == EVPQ_NOMEM)
        return evpq_future_failed(l->loop, status, "out of memory");
    if (status != EVPQ_OK)
        return evpq_future_failed(l->loop, status,
                                  "column %s of %s has a value that its Arrow type \"%s\" cannot "
                                  "hold, or 2 GiB in one range",
                                  l->columns.v[column].name, l->relation,
                                  l->columns.v[column].format);
    slot->full = true;
    if (slot->awaited)
        evpq_future_set_value(slot->awaited, NULL, NULL);
    return NULL;
}

static evpq_future *fill(struct fetcher *me, struct slot *slot)
{
    struct epoch *e = me->epoch;
    evpq_future *f = ask(me, slot);
    evpq_status status = evpq_await(f);
    if (status == EVPQ_LOST) {
        evpq_future_unref(f);
        let_go(me);
        e->loader->retries++;
        f = evpq_channel_send(e->jobs, slot);
        return failure_of(f);
    }
    if (status != EVPQ_OK)
        return f;
    evpq_future *failure = decode(me, slot, evpq_future_result(f));
    evpq_future_unref(f);
    return failure;
}

evpq_future *fetch_slots(evpq_task *self, void *fetcher)
{
    struct fetcher *me = fetcher;
    evpq_future *f;
    for (;;) {
        f = join(me);
        if (f || !me->lease)
            break;
        f = evpq_timeout(evpq_channel_receive(me->epoch->jobs), LOOK_EVERY);
        evpq_status status = evpq_await(f);
        if (status != EVPQ_OK && status != EVPQ_TIMEOUT)
            break;
        struct slot *slot = evpq_channel_item(f);
        evpq_future_unref(f);
        f = NULL;
        if (slot)
            f = fill(me, slot);
        else if (evpq_lease_backend_pid(me->lease) == 0)
            let_go(me);
        if (f)
            break;
    }
    let_go(me);
    if (f && evpq_future_status(f) == EVPQ_CLOSED && me->epoch->over)
        f = evpq_future_unref(f);
    return f;
}
