/* combine.c - many futures into one: all, all_settled, any, race.
 *
 * One struct for the four: they differ only in what they make of a member that has settled. */
#include "async/future.h"
#include "async/members.h"
#include "base/mem.h"

#include <stdint.h>

struct group;

struct member {
    struct waiter waiter;
    struct group *group;
    evpq_future *f;
};

struct group {
    struct evpq_future future;
    /* Called for each member that settles, while the group is pending. `last`: no other is
     * pending. */
    void (*settled)(struct group *g, evpq_future *member, bool last);
    size_t n, left;
    struct member members[];
};

static struct group *group_of(const evpq_future *f)
{
    return container_of(f, struct group, future);
}

static void call_off(struct group *g)
{
    for (size_t i = 0; i < g->n; i++)
        list_remove(&g->members[i].waiter.job.node);
}

static void cancel_rest(struct group *g)
{
    g->future.ending = true;
    call_off(g);
    for (size_t i = 0; i < g->n; i++)
        evpq_future_cancel(g->members[i].f);
}

/* ---- the four ---- */

static void all_settled_member(struct group *g, evpq_future *member, bool last)
{
    (void)member;
    if (last)
        future_settle_value(&g->future, NULL, NULL);
}

static void all_member(struct group *g, evpq_future *member, bool last)
{
    if (member->status != EVPQ_OK) {
        cancel_rest(g);
        future_settle_follow(&g->future, member);
    } else if (last) {
        future_settle_value(&g->future, NULL, NULL);
    }
}

static void race_member(struct group *g, evpq_future *member, bool last)
{
    (void)last;
    cancel_rest(g);
    future_settle_follow(&g->future, member);
}

static void any_member(struct group *g, evpq_future *member, bool last)
{
    if (last || member->status == EVPQ_OK)
        race_member(g, member, last);
}

/* ---- the future they are ---- */

static void member_settled(struct job *job)
{
    struct member *m = container_of(job, struct member, waiter.job);
    struct group *g = m->group;
    g->settled(g, m->f, !--g->left);
}

static void group_cancel(evpq_future *f)
{
    struct group *g = group_of(f);
    evpq_outcome worst = EVPQ_OUTCOME_NOT_SENT;
    cancel_rest(g);
    for (size_t i = 0; i < g->n; i++)
        if (future_outcome(g->members[i].f) > worst)
            worst = future_outcome(g->members[i].f);
    future_settle_canceled(f, worst);
}

static void group_free(evpq_future *f)
{
    struct group *g = group_of(f);
    for (size_t i = 0; i < g->n; i++)
        evpq_future_unref(g->members[i].f);
    mem_free(g);
}

static size_t group_count(const evpq_future *f)
{
    return group_of(f)->n;
}

static evpq_future *group_at(const evpq_future *f, size_t i)
{
    return group_of(f)->members[i].f;
}

static const char *group_detail(const evpq_future *f)
{
    const struct group *g = group_of(f);
    return g->settled == all_member           ? "all"
           : g->settled == all_settled_member ? "all_settled"
           : g->settled == any_member         ? "any"
                                              : "race";
}

static const struct future_class group_class = {.name = "futures",
                                                .detail = group_detail,
                                                .cancel = group_cancel,
                                                .free = group_free,
                                                .count = group_count,
                                                .at = group_at};

static evpq_future *combine(evpq_future *const *fs, size_t n,
                            void (*settled)(struct group *, evpq_future *, bool))
{
    evpq_loop *loop = members_loop(fs, n);
    if (!loop)
        return future_constant(fs && n ? evpq_future_status(fs[0]) : EVPQ_INVALID);
    if (loop_check(loop)) {
        evpq_future *refused = future_refused(loop);
        members_give_up(fs, n);
        return refused;
    }
    if (!members_all_on(loop, fs, n))
        return members_differ(loop, fs, n);
    struct group *g = n <= SIZE_MAX / sizeof *g->members / 2
                          ? mem_alloc(sizeof *g + n * sizeof *g->members)
                          : NULL;
    if (!g)
        return future_nomem(members_give_up(fs, n));
    future_init(&g->future, &group_class, loop);
    g->settled = settled;
    g->n = g->left = n;
    for (size_t i = 0; i < n; i++) {
        struct member *m = &g->members[i];
        m->group = g;
        m->f = fs[i] ? fs[i] : future_constant(EVPQ_INVALID);
        future_watch(m->f, loop, &m->waiter, member_settled);
    }
    return &g->future;
}

evpq_future *evpq_all(evpq_future *const *fs, size_t n)
{
    return combine(fs, n, all_member);
}

evpq_future *evpq_all_settled(evpq_future *const *fs, size_t n)
{
    return combine(fs, n, all_settled_member);
}

evpq_future *evpq_any(evpq_future *const *fs, size_t n)
{
    return combine(fs, n, any_member);
}

evpq_future *evpq_race(evpq_future *const *fs, size_t n)
{
    return combine(fs, n, race_member);
}
