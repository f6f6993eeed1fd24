/* group.c - tasks that end together.
 *
 * A group is the future of its join from the start; it settles when it has been joined and no task
 * of it is left. Each task holds a reference, so that the block outlives them all. */
#include "tasks/task.h"

#include "base/mem.h"
#include "words/opts_read.h"

#include <math.h>

struct evpq_group {
    struct evpq_future future;
    struct list waiting; /* not begun, for the limit */
    struct list begun;
    int n_begun, limit;
    double deadline;
    evpq_future *failed; /* the first that did */
    bool canceled;
    bool stopping; /* some of those begun are on another list */
    bool seen;     /* by group_is_behind, which goes in circles */
    bool joined;
    struct deferred guard; /* until joined, in the task that opened it */
};

static struct evpq_group *group_of(const evpq_future *f)
{
    return container_of(f, struct evpq_group, future);
}

static struct evpq_task *member_at(struct list *node)
{
    return container_of(node, struct evpq_task, in_group);
}

/* ---- its end ---- */

static void settle_when_empty(struct evpq_group *g)
{
    if (g->stopping || !g->joined || !future_pending(&g->future) || !list_empty(&g->begun) ||
        !list_empty(&g->waiting))
        return;
    if (g->failed)
        future_settle_follow(&g->future, g->failed);
    else if (g->canceled)
        future_settle_canceled(&g->future, EVPQ_OUTCOME_UNKNOWN);
    else
        future_settle_value(&g->future, NULL, NULL);
}

/* Stopping may call the program's functions (free_item), which may run the loop: tasks may end
 * meanwhile. */
static void stop_all(struct evpq_group *g, bool late)
{
    struct list asked, *node;
    if (g->canceled && (!late || g->future.expired))
        return; /* each task is told once */
    g->canceled = true;
    g->future.expired |= late; /* then CANCELED reads TIMEOUT */
    evpq_future_ref(&g->future);
    list_each(waiting, &g->waiting)
        task_stop(member_at(waiting), late);
    g->stopping = true;
    list_init(&asked);
    list_splice(&asked, &g->begun);
    while ((node = list_pop(&asked))) {
        list_append(&g->begun, node);
        task_stop(member_at(node), late);
    }
    g->stopping = false;
    settle_when_empty(g);
    evpq_future_unref(&g->future);
}

static void group_fail(struct evpq_group *g, evpq_future *why)
{
    if (g->failed)
        return;
    g->failed = evpq_future_ref(why);
    stop_all(g, false);
}

static void begin_next(struct evpq_group *g)
{
    while (!list_empty(&g->waiting) && (!g->limit || g->n_begun < g->limit)) {
        struct evpq_task *t = member_at(list_pop(&g->waiting));
        list_append(&g->begun, &t->in_group);
        g->n_begun++;
        t->counted = true;
        task_begin(t);
    }
}

static void member_over(struct evpq_task *t)
{
    struct evpq_group *g = t->group;
    evpq_status status = t->future.status;
    list_remove(&t->in_group);
    g->n_begun -= t->counted;
    if (status != EVPQ_OK && status != EVPQ_CANCELED)
        group_fail(g, &t->future);
    begin_next(g);
    settle_when_empty(g);
    evpq_future_unref(&g->future);
}

/* ---- the future ---- */

static void group_class_stop(evpq_future *f, bool late)
{
    stop_all(group_of(f), late);
}

static void group_class_cancel(evpq_future *f)
{
    evpq_future_ref(f);
    future_settle_canceled(f, EVPQ_OUTCOME_UNKNOWN);
    stop_all(group_of(f), false);
    evpq_future_unref(f);
}

static void group_class_free(evpq_future *f)
{
    evpq_future_unref(group_of(f)->failed);
    mem_free(group_of(f));
}

static void group_class_why(const evpq_future *f, struct why *why)
{
    const struct evpq_group *g = container_of(f, struct evpq_group, future);
    struct list *first = list_first(&g->begun);
    if (!first)
        first = list_first(&g->waiting);
    if (first)
        future_why(&member_at(first)->future, why);
}

static bool group_is_behind(const evpq_future *f, const struct evpq_task *t)
{
    struct evpq_group *g = group_of(f);
    if (t->group == g)
        return true;
    if (g->seen)
        return false;
    bool found = false;
    g->seen = true;
    list_each(node, &g->begun)
        found = found || task_is_behind(member_at(node)->awaits, t);
    g->seen = false;
    return found;
}

static const struct future_class group_class = {
    .is_behind = group_is_behind,
    .name = "group",
    .cancel = group_class_cancel,
    .free = group_class_free,
    .stop = group_class_stop,
    .why = group_class_why,
};

/* ---- what programs call ---- */

/* In the task that opened it, as it ends. */
static void join_forgotten(void *arg)
{
    struct evpq_group *g = arg;
    stop_all(g, false);
    evpq_future *join = evpq_group_join(g);
    evpq_await(join);
    evpq_future_unref(join);
}

evpq_group *evpq_group_open(evpq_loop *loop, const evpq_group_opts *opts)
{
    evpq_group_opts o;
    evpq_error *error = opts_read(OPTS_KIND(evpq_group_opts, limit), opts, &o);
    if (error) { /* there is no future to say it */
        evpq_error_unref(error);
        return NULL;
    }
    if (!loop || o.limit < 0 || isnan(o.deadline))
        return NULL;
    struct evpq_group *g = mem_zalloc(sizeof *g);
    if (!g)
        return NULL;
    struct evpq_task *opener = task_running(loop);
    future_init(&g->future, &group_class, loop);
    list_init(&g->waiting);
    list_init(&g->begun);
    g->limit = o.limit;
    g->deadline = task_bound(loop, o.deadline);
    g->guard = (struct deferred){.fn = join_forgotten, .arg = g};
    list_init(&g->guard.node);
    if (opener)
        list_append(&opener->deferred, &g->guard.node);
    return g;
}

evpq_future *evpq_group_spawn(evpq_group *g, evpq_task_fn *fn, void *arg,
                              const evpq_task_opts *opts)
{
    struct evpq_task *t;
    evpq_future *f =
        task_new(g ? g->future.loop : NULL, fn, arg, opts, g ? &g->deadline : NULL, &t);
    if (!t) {
        if (g && f->status == EVPQ_NOMEM)
            group_fail(g, f); /* the join must not say that all was done */
        return f;
    }
    t->group = g;
    t->on_over = member_over;
    evpq_future_ref(&g->future);
    list_append(&g->waiting, &t->in_group);
    if (g->canceled)
        task_stop(t, false);
    begin_next(g);
    return f;
}

void evpq_group_cancel(evpq_group *g)
{
    if (g && !loop_is_barred(g->future.loop))
        stop_all(g, false);
}

evpq_future *evpq_group_join(evpq_group *g)
{
    if (!g)
        return future_constant(EVPQ_INVALID);
    if (loop_elsewhere(g->future.loop))
        return future_refused(g->future.loop);
    list_remove(&g->guard.node);
    if (loop_forked(g->future.loop)) {
        evpq_future_unref(&g->future);
        return future_constant(EVPQ_FORKED);
    }
    g->joined = true;
    settle_when_empty(g);
    return &g->future;
}
