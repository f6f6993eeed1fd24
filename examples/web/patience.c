/* patience.c - see patience.h. The timer is started for the oldest turn and not moved when that
 * ends: it then finds the next one to wait for. */
#include "patience.h"

#include <stddef.h>

static void wait_for_oldest(struct patience *p)
{
    double left = p->all.next->begun + p->seconds - ev_now(p->ev);
    ev_timer_set(&p->timer, left > 0 ? left : 0., 0.);
    ev_timer_start(p->ev, &p->timer);
}

static void on_timer(struct ev_loop *ev, ev_timer *w, int events)
{
    struct patience *p = w->data;
    while (p->all.next != &p->all && p->all.next->begun + p->seconds <= ev_now(ev)) {
        struct turn *turn = p->all.next;
        patience_stop(turn);
        p->expired(turn);
    }
    if (p->all.next != &p->all)
        wait_for_oldest(p);
}

void patience_open(struct patience *p, struct ev_loop *ev, double seconds, expired_fn *expired)
{
    *p = (struct patience){.ev = ev, .seconds = seconds, .expired = expired};
    p->all.next = p->all.previous = &p->all;
    ev_timer_init(&p->timer, on_timer, 0., 0.);
    p->timer.data = p;
}

void patience_start(struct patience *p, struct turn *turn)
{
    patience_stop(turn);
    turn->begun = ev_now(p->ev);
    turn->previous = p->all.previous;
    turn->next = &p->all;
    turn->previous->next = p->all.previous = turn;
    if (!ev_is_active(&p->timer))
        wait_for_oldest(p);
}

void patience_stop(struct turn *turn)
{
    if (!turn->next)
        return;
    turn->next->previous = turn->previous;
    turn->previous->next = turn->next;
    turn->next = turn->previous = NULL;
}

void patience_close(struct patience *p)
{
    ev_timer_stop(p->ev, &p->timer);
}
