/* completed.c - futures in the order in which they settle: evpq_as_completed.
 *
 * One block for all: each of its slots has a member, and is itself the future that is given for a
 * place in the order. The two of a slot have nothing else to do with each other. */
#include "async/future.h"
#include "async/members.h"
#include "base/mem.h"

#include <stdint.h>

struct order;

struct completed_slot {
    struct evpq_future place; /* follows the member that settled so manieth */
    struct order *order;
    struct waiter waiter;
    evpq_future *member; /* NULL: it has its place */
};

struct order {
    size_t n, next;
    size_t left; /* places that are not freed yet */
    struct completed_slot slots[];
};

static struct completed_slot *slot_of(const evpq_future *f)
{
    return container_of(f, struct completed_slot, place);
}

/* The first place that is free, or NULL: those that are canceled leave members over. */
static evpq_future *next_place(struct order *o)
{
    while (o->next < o->n) {
        evpq_future *place = &o->slots[o->next++].place;
        if (future_pending(place) && !place->ending)
            return place;
    }
    return NULL;
}

static void member_settled(struct job *job)
{
    struct completed_slot *s = container_of(job, struct completed_slot, waiter.job);
    evpq_future *member = s->member, *place = next_place(s->order);
    s->member = NULL;
    if (place)
        future_settle_follow(place, member);
    evpq_future_unref(member);
}

/* The members take their places later, as any that settle do. */
static void place_cancel(evpq_future *f)
{
    struct order *o = slot_of(f)->order;
    evpq_outcome worst = EVPQ_OUTCOME_NOT_SENT;
    for (size_t i = 0; i < o->n; i++) {
        evpq_future *member = evpq_future_ref(o->slots[i].member);
        evpq_future_cancel(member);
        if (member && future_outcome(member) > worst)
            worst = future_outcome(member);
        evpq_future_unref(member);
    }
    future_settle_canceled(f, worst);
}

static void place_free(evpq_future *f)
{
    struct order *o = slot_of(f)->order;
    if (--o->left)
        return;
    for (size_t i = 0; i < o->n; i++) {
        list_remove(&o->slots[i].waiter.job.node);
        evpq_future_unref(o->slots[i].member);
    }
    mem_free(o);
}

static size_t place_count(const evpq_future *f)
{
    return f->follows != NULL;
}

static evpq_future *place_at(const evpq_future *f, size_t i)
{
    (void)i;
    return f->follows;
}

static const struct future_class place_class = {.name = "as_completed",
                                                .cancel = place_cancel,
                                                .free = place_free,
                                                .count = place_count,
                                                .at = place_at};

static struct order *order_new(evpq_loop *loop, evpq_future *const *fs, size_t n)
{
    struct order *o =
        n <= SIZE_MAX / sizeof *o->slots / 2 ? mem_alloc(sizeof *o + n * sizeof *o->slots) : NULL;
    if (!o)
        return NULL;
    *o = (struct order){.n = n, .left = n};
    for (size_t i = 0; i < n; i++) {
        struct completed_slot *s = &o->slots[i];
        future_init(&s->place, &place_class, loop);
        s->order = o;
        s->member = fs[i] ? fs[i] : future_constant(EVPQ_INVALID);
        future_watch(s->member, loop, &s->waiter, member_settled);
    }
    return o;
}

/* ---- what is given ---- */

/* Each of the n is `failed`, which is taken. `ret_fs` may be what the members were given in, which
 * are let go of by now. */
static evpq_status completed_fail(size_t n, evpq_future *failed, evpq_future **ret_fs)
{
    evpq_status status = evpq_future_status(failed);
    for (size_t i = 0; ret_fs && i < n; i++)
        ret_fs[i] = evpq_future_ref(failed);
    evpq_future_unref(failed);
    return status;
}

/* Members without a loop have all failed already. */
static evpq_status as_they_are(evpq_future *const *fs, size_t n, evpq_future **ret_fs)
{
    for (size_t i = 0; i < n; i++)
        ret_fs[i] = fs[i] ? fs[i] : future_constant(EVPQ_INVALID);
    return EVPQ_OK;
}

evpq_status evpq_as_completed(evpq_future *const *fs, size_t n, evpq_future **ret_fs)
{
    if (!n)
        return EVPQ_OK;
    if (!fs || !ret_fs) {
        members_give_up(fs, n);
        return completed_fail(n, future_constant(EVPQ_INVALID), ret_fs);
    }
    evpq_loop *loop = members_loop(fs, n);
    if (!loop)
        return as_they_are(fs, n, ret_fs);
    if (loop_check(loop)) {
        evpq_future *refused = future_refused(loop);
        members_give_up(fs, n);
        return completed_fail(n, refused, ret_fs);
    }
    if (!members_all_on(loop, fs, n))
        return completed_fail(n, members_differ(loop, fs, n), ret_fs);
    struct order *o = order_new(loop, fs, n);
    if (!o)
        return completed_fail(n, future_nomem(members_give_up(fs, n)), ret_fs);
    for (size_t i = 0; i < n; i++)
        ret_fs[i] = &o->slots[i].place;
    return EVPQ_OK;
}
