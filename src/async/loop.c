/* loop.c - making and running a loop; tick.c is what it does in a turn. */
#include "async/loop_impl.h"

#include "base/mem.h"

#include <math.h>

/* Before each poll, whoever runs `ev`: what other threads ask for while that lasts is refused. What
 * is pending when a run begins is called before this. */
static void on_turn(struct ev_loop *ev, ev_prepare *w, int events)
{
    (void)ev, (void)events;
    loop_adopt(w->data);
}

/* ---- life ---- */

static void on_leaving(struct ev_loop *ev, ev_prepare *w, int events)
{
    (void)w, (void)events;
    if (ev_depth(ev) == 1)
        ev_break(ev, EVBREAK_ONE);
}

evpq_loop *evpq_loop_new(struct ev_loop *ev)
{
    evpq_loop *loop = mem_zalloc(sizeof *loop);
    if (!loop)
        return NULL;
    loop->refs = 1;
    loop->owns_ev = !ev;
    loop->ev = ev ? ev : ev_loop_new(EVFLAG_AUTO);
    loop->blocks = recycler_new();
    if (!loop->ev || !loop->blocks) {
        if (loop->ev && loop->owns_ev)
            ev_loop_destroy(loop->ev);
        recycler_unref(loop->blocks);
        mem_free(loop);
        return NULL;
    }
    tick_init(loop);
    list_init(&loop->timers);
    loop->soonest = INFINITY;
    list_init(&loop->ios);
    list_init(&loop->deferred_free.dead);
    ev_prepare_init(&loop->leaving, on_leaving);
    loop->leaving.data = loop;
    fork_mark_make(&loop->birth);
    ev_fork_init(&loop->forked, loop_on_fork);
    loop->forked.data = loop;
    ev_fork_start(loop->ev, &loop->forked);
    ev_prepare_init(&loop->adopting, on_turn);
    loop->adopting.data = loop;
    ev_prepare_start(loop->ev, &loop->adopting);
    ev_unref(loop->ev); /* these keep no run from ending by itself */
    ev_unref(loop->ev);
    loop_adopt(loop);
    return loop;
}

struct ev_loop *evpq_loop_ev(evpq_loop *loop)
{
    return loop->ev;
}

void evpq_loop_run(evpq_loop *loop)
{
    loop_run(loop);
}

void evpq_loop_stop(evpq_loop *loop)
{
    if (!loop_elsewhere(loop))
        ev_break(loop->ev, EVBREAK_ONE);
}

/* A callback that comes later in this turn may run the loop within, which forgets the break: then
 * the watcher says it again. */
void loop_leave(evpq_loop *loop)
{
    if (ev_depth(loop->ev) <= 1)
        ev_break(loop->ev, EVBREAK_ONE);
    if (!ev_is_active(&loop->leaving)) {
        ev_prepare_start(loop->ev, &loop->leaving);
        ev_unref(loop->ev); /* it keeps no run from ending by itself */
    }
}

bool loop_run(evpq_loop *loop)
{
    if (loop_forked(loop) || loop_elsewhere(loop))
        return false;
    loop_adopt(loop);
    evpq_loop_ref(loop); /* a callback may let go of the last other one */
    loop->streak = (struct streak){0};
    bool alive = ev_run(loop->ev, 0);
    if (ev_is_active(&loop->leaving)) {
        ev_ref(loop->ev);
        ev_prepare_stop(loop->ev, &loop->leaving);
    }
    evpq_loop_unref(loop);
    return alive;
}

void loop_turn(evpq_loop *loop)
{
    if (loop_forked(loop) || loop_elsewhere(loop))
        return;
    loop_adopt(loop);
    evpq_loop_ref(loop);
    ev_run(loop->ev, EVRUN_NOWAIT);
    evpq_loop_unref(loop);
}

struct streak *loop_streak(evpq_loop *loop)
{
    return &loop->streak;
}

void loop_hold(evpq_loop *loop)
{
    loop->held++;
    ev_ref(loop->ev);
}

void loop_release(evpq_loop *loop)
{
    loop->held--;
    ev_unref(loop->ev);
}

struct coroutine *coroutine_enter(evpq_loop *loop, struct coroutine *coroutine)
{
    struct coroutine *outer = loop->coroutine;
    loop->coroutine = coroutine;
    if (coroutine)
        coroutine->depth = ev_depth(loop->ev);
    return outer;
}

void coroutine_leave(evpq_loop *loop, struct coroutine *outer)
{
    loop->coroutine = outer;
}

void loop_free_value(evpq_loop *loop, void (*free_value)(void *), void *value)
{
    if (!free_value || !loop || loop_elsewhere(loop)) {
        if (free_value)
            free_value(value);
        return;
    }
    evpq_loop_ref(loop); /* the function may let go of it */
    struct coroutine *coroutine = coroutine_enter(loop, NULL);
    free_value(value);
    coroutine_leave(loop, coroutine);
    evpq_loop_unref(loop);
}

struct coroutine *loop_coroutine(const evpq_loop *loop)
{
    struct coroutine *coroutine = loop->coroutine;
    return coroutine && coroutine->depth == ev_depth(loop->ev) ? coroutine : NULL;
}

struct loop_data **loop_data_of(evpq_loop *loop)
{
    return &loop->data;
}

struct recycler *loop_blocks(evpq_loop *loop)
{
    return loop->blocks;
}

struct sql_memo *loop_texts(evpq_loop *loop)
{
    return &loop->texts;
}

struct loop_data **loop_mailbox(evpq_loop *loop)
{
    return &loop->mailbox;
}

struct deferred_free *loop_deferred_free(evpq_loop *loop)
{
    return &loop->deferred_free;
}
