/* patience.h - how long clients are waited for: a list in the order of their turns' beginnings, and
 * one timer for the oldest. Starting and stopping a turn costs the same, however many there are. */
#ifndef WEB_PATIENCE_H
#define WEB_PATIENCE_H

#include <ev.h>

/* One client's. Zeroed is stopped. */
struct turn {
    struct turn *next, *previous; /* NULL: stopped */
    double begun;
};

typedef void expired_fn(struct turn *turn);

struct patience {
    struct ev_loop *ev;
    struct turn all; /* its neighbours are the oldest and the newest */
    ev_timer timer;
    double seconds; /* for each turn */
    expired_fn *expired;
};

/* `expired` is called from the loop for a turn that has lasted that long, and is stopped by then.
 */
void patience_open(struct patience *p, struct ev_loop *ev, double seconds, expired_fn *expired);

/* Begins a turn, or begins it anew. */
void patience_start(struct patience *p, struct turn *turn);
void patience_stop(struct turn *turn);

/* The turns that are left are not stopped, and never expire. */
void patience_close(struct patience *p);

#endif
