/* ask.h - asking for a turn of the loop, for the files that make up its turns. */
#ifndef ASYNC_ASK_H
#define ASYNC_ASK_H

#include "async/loop_impl.h"

static inline void loop_want_turn(evpq_loop *loop)
{
    if (loop->embedding)
        embed_wake(loop);
}

/* libev is to call the tick at the end of this turn. */
static inline void loop_ask_for_tick(evpq_loop *loop)
{
    if (ev_is_pending(&loop->tick) || loop_forked(loop))
        return;
    loop->unpolled |= !loop_running(loop);
    ev_feed_event(loop->ev, &loop->tick, EV_CUSTOM);
    loop_want_turn(loop);
}

/* The next turn is to come at once, so that the sockets are looked at again. */
static inline void loop_ask_for_look(evpq_loop *loop)
{
    ev_check_start(loop->ev, &loop->looked);
    ev_idle_start(loop->ev, &loop->more); /* so that libev does not wait for anything */
    loop_want_turn(loop);
}

#endif
