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

static void add_watchers(evpq_loop *loop)
{
    tick_init(loop);
    watch_init(loop);
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
}

/* Of a libev loop (borrowed, or taken with `owns_ev`; NULL: there was no memory for it). */
static evpq_loop *loop_make(struct ev_loop *ev, bool owns_ev, bool embeds)
{
    evpq_loop *loop = ev ? mem_zalloc(sizeof *loop) : NULL;
    struct recycler *blocks = loop ? recycler_new() : NULL;
    struct embedding *embedding = blocks && embeds ? embedding_new(ev) : NULL;
    if (!blocks || (embeds && !embedding)) {
        recycler_unref(blocks);
        mem_free(loop);
        if (ev && owns_ev)
            ev_loop_destroy(ev);
        return NULL;
    }
    loop->refs = 1;
    loop->owns_ev = owns_ev;
    loop->ev = ev;
    loop->embedding = embedding;
    loop->blocks = blocks;
    add_watchers(loop);
    loop_adopt(loop);
    return loop;
}

evpq_loop *evpq_loop_new(struct ev_loop *ev)
{
    return loop_make(ev ? ev : ev_loop_new(EVFLAG_AUTO), !ev, false);
}

evpq_loop *evpq_loop_new_embedded(void)
{
    return loop_make(ev_loop_new(EVBACKEND_EPOLL | EVFLAG_NOENV), true, true);
}

/* What is started on an embedded one without our knowing would never wake the host. */
struct ev_loop *evpq_loop_ev(evpq_loop *loop)
{
    return loop->embedding ? NULL : loop->ev;
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
    embed_begin(loop);
    bool alive = ev_run(loop->ev, 0);
    if (ev_is_active(&loop->leaving) && !ev_depth(loop->ev)) {
        ev_ref(loop->ev);
        ev_prepare_stop(loop->ev, &loop->leaving);
    }
    embed_settle(loop);
    evpq_loop_unref(loop);
    return alive;
}

bool loop_turn(evpq_loop *loop)
{
    if (loop_forked(loop) || loop_elsewhere(loop))
        return false;
    loop_adopt(loop);
    evpq_loop_ref(loop);
    embed_begin(loop);
    bool alive = embed_run_more(loop, ev_run(loop->ev, EVRUN_NOWAIT));
    embed_settle(loop);
    evpq_loop_unref(loop);
    return alive;
}

bool evpq_loop_turn(evpq_loop *loop)
{
    if (!loop_running(loop))
        loop->streak = (struct streak){0};
    return loop_turn(loop);
}

struct streak *loop_streak(evpq_loop *loop)
{
    return &loop->streak;
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
