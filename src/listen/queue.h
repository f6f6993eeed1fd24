/* queue.h - a subscription's events on their way to those who wait for them. */
#ifndef LISTEN_QUEUE_H
#define LISTEN_QUEUE_H

#include "listen/event.h"

/* Hands out what can be. To be called whenever something has come. */
void queue_serve(evpq_subscription *s);

/* The catch-up has ended: `n` (taken) is what comes next. */
void queue_found(evpq_subscription *s, struct evpq_notification *n);

/* LISTEN is in force: tells those who wait for that. */
void queue_ready(evpq_subscription *s);

/* Those who wait fail with `why` (borrowed). */
void queue_refuse(struct list *waiting, const evpq_error *why);
/* The same when nothing can come any more. */
void queue_refuse_if_over(evpq_subscription *s);

/* Gives back a reference to it. */
void subscription_release(evpq_subscription *s);

#endif
