/* loop_time.c - what time it is, and for how long code has not come back to the loop. */
#include "async/loop_impl.h"

__attribute__((noinline)) static double look_at_clock(evpq_loop *loop)
{
    if (!loop->standing)
        return clock_now();
    if (!loop->now)
        loop->now = clock_now();
    if (!loop->polled_at)
        loop->polled_at = loop->now;
    loop->timed = true;
    return loop->now;
}

double loop_time(evpq_loop *loop)
{
    return loop->standing && loop->timed ? loop->now : look_at_clock(loop);
}

void loop_time_passed(evpq_loop *loop)
{
    loop->now = 0;
    loop->timed = false;
}

double loop_time_polled(evpq_loop *loop)
{
    if (!loop->ticking || loop->ticking != ev_depth(loop->ev))
        return clock_now();
    if (!loop->polled_at)
        loop->polled_at = clock_now();
    return loop->polled_at;
}

/* ---- streaks ---- */

static const double STREAK_LASTS = 0.001; /* seconds */

bool streak_is_over(struct streak *s, double deadline)
{
    enum { MOST = 131072 };
    double now = clock_now();
    if (!s->since)
        s->since = now;
    if (s->n < MOST && now - s->since < STREAK_LASTS && now < deadline)
        return false;
    *s = (struct streak){0};
    return true;
}
