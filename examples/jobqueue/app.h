/* app.h - what the commands share. Each is run in a task, and gives the future with which it ended,
 * done or failed. */
#ifndef JOBQUEUE_APP_H
#define JOBQUEUE_APP_H

#include "opts.h"

#include <evpq/evpq.h>

struct app {
    struct opts opts;
    evpq_loop *loop;
    evpq_pool *pool;
    evpq_future *command; /* the task */
};

/* The channel on which those who work are woken. */
#define CHANNEL "jobqueue"

evpq_future *setup(evpq_task *self, void *app);
evpq_future *produce(evpq_task *self, void *app);
evpq_future *work(evpq_task *self, void *app);
evpq_future *status(evpq_task *self, void *app);

/* Whether trying again may help: the server, or the way to it, is down or was. */
bool is_passing(const evpq_future *f);

/* Says what is wrong, unless --quiet. */
void complain(const struct app *app, const char *who, const evpq_future *f);

#endif
