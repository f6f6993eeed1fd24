/*
 * The watches over the loop's thread: see watch.h. The functions that replace the C library's pass
 * everything on; the record is the calling thread's own, so nothing here is shared.
 */
#undef _FORTIFY_SOURCE

#include "support/watch.h"

#include <dlfcn.h>
#include <poll.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/select.h>
#include <time.h>

#define INTERPOSE __attribute__((visibility("default")))

static _Thread_local struct {
    bool on;
    int paused;
    long calls;
    char first[80];
} record;

void watch_begin(void)
{
    record.on = true;
    record.paused = 0;
    record.calls = 0;
    record.first[0] = '\0';
}

long watch_end(void)
{
    record.on = false;
    return record.calls;
}

const char *watch_first(void)
{
    return record.first;
}

void watch_pause(void)
{
    record.paused++;
}

void watch_resume(void)
{
    record.paused--;
}

void watch_note(const char *format, ...)
{
    va_list args;

    if (!record.on || record.paused > 0)
        return;
    if (record.calls++ > 0)
        return;
    va_start(args, format);
    vsnprintf(record.first, sizeof record.first, format, args);
    va_end(args);
}

/* The function of this name that ours stands in front of. */
static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);

    if (!found)
        abort();
    return found;
}

static void note_timespec(const char *name, const struct timespec *t)
{
    if (!t)
        watch_note("%s(no timeout)", name);
    else if (t->tv_sec != 0 || t->tv_nsec != 0)
        watch_note("%s(timeout %ld.%09ld s)", name, (long)t->tv_sec, t->tv_nsec);
}

INTERPOSE int poll(struct pollfd *fds, nfds_t n, int timeout)
{
    int (*next)(struct pollfd *, nfds_t, int);

    *(void **)&next = real("poll");
    if (timeout != 0)
        watch_note("poll(timeout %d)", timeout);
    return next(fds, n, timeout);
}

INTERPOSE int ppoll(struct pollfd *fds, nfds_t n, const struct timespec *timeout,
                    const sigset_t *mask)
{
    int (*next)(struct pollfd *, nfds_t, const struct timespec *, const sigset_t *);

    *(void **)&next = real("ppoll");
    note_timespec("ppoll", timeout);
    return next(fds, n, timeout, mask);
}

INTERPOSE int select(int n, fd_set *in, fd_set *out, fd_set *except, struct timeval *timeout)
{
    int (*next)(int, fd_set *, fd_set *, fd_set *, struct timeval *);

    *(void **)&next = real("select");
    if (!timeout)
        watch_note("select(no timeout)");
    else if (timeout->tv_sec != 0 || timeout->tv_usec != 0)
        watch_note("select(timeout %ld.%06ld s)", (long)timeout->tv_sec, (long)timeout->tv_usec);
    return next(n, in, out, except, timeout);
}

INTERPOSE int pselect(int n, fd_set *in, fd_set *out, fd_set *except,
                      const struct timespec *timeout, const sigset_t *mask)
{
    int (*next)(int, fd_set *, fd_set *, fd_set *, const struct timespec *, const sigset_t *);

    *(void **)&next = real("pselect");
    note_timespec("pselect", timeout);
    return next(n, in, out, except, timeout, mask);
}

/* What a program built with _FORTIFY_SOURCE calls instead of poll. */
INTERPOSE int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size);

int __poll_chk(struct pollfd *fds, nfds_t n, int timeout, size_t size)
{
    return poll(fds, n, timeout);
}

/* ---- drift ---- */

static const double interval = 0.005;

static double now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static void drift_note(struct drift *d)
{
    double t = now();

    if (t - d->last - interval > d->longest)
        d->longest = t - d->last - interval;
    d->last = t;
}

static void drift_check(struct ev_loop *loop, ev_check *w, int events)
{
    drift_note(w->data);
}

static void drift_tick(struct ev_loop *loop, ev_timer *w, int events)
{
}

void drift_start(struct ev_loop *loop, struct drift *d)
{
    d->last = now();
    d->longest = 0;
    ev_timer_init(&d->timer, drift_tick, interval, interval);
    ev_timer_start(loop, &d->timer);
    ev_check_init(&d->check, drift_check);
    d->check.data = d;
    ev_check_start(loop, &d->check);
}

double drift_stop(struct ev_loop *loop, struct drift *d)
{
    drift_note(d);
    ev_timer_stop(loop, &d->timer);
    ev_check_stop(loop, &d->check);
    return d->longest;
}
