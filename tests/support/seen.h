/* seen.h - a callback that remembers: how often it was called, with what, and in which place among
 * its like. */
#ifndef TESTS_SUPPORT_SEEN_H
#define TESTS_SUPPORT_SEEN_H

#include "support/check.h"

struct seen {
    int calls;
    evpq_status status;
    evpq_future *f;
    int place; /* the program's first is 1 */
};

static int seen_places;

static inline void seen_done(evpq_future *f, void *arg)
{
    struct seen *s = arg;
    s->calls++;
    s->status = evpq_future_status(f);
    s->f = f;
    s->place = ++seen_places;
}

static inline void seen_watch(evpq_future *f, struct seen *s)
{
    *s = (struct seen){.status = EVPQ_PENDING};
    ck_assert_int_eq(evpq_future_on_done(f, seen_done, s), EVPQ_OK);
}

/* A value's free function that counts its calls. */
static int seen_freed;

static inline void seen_free(void *value)
{
    (void)value;
    seen_freed++;
}

#endif
