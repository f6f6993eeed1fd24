/* worker.c - see worker.h. */
#include "testing/worker.h"

#include <errno.h>
#include <math.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <time.h>
#include <unistd.h>

double testing_now(void)
{
    struct timespec t;

    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void testing_die(const char *what)
{
    fprintf(stderr, "evpq-test: %s: %s\n", what, strerror(errno));
    abort();
}

/* Without a free descriptor accept4 says so also where nobody waits. */
void worker_accepted_none(int listener)
{
    struct pollfd p = {.fd = listener, .events = POLLIN};
    int error = errno;

    if (error == EAGAIN || error == EINTR || error == ECONNABORTED || poll(&p, 1, 0) < 1)
        return;
    errno = error;
    testing_die("accept4");
}

/* ---- the thread ---- */

static void worker_turn(struct worker *w)
{
    w->class->turn(w);
    w->turns++;
    pthread_cond_broadcast(&w->turned);
}

/* Fills in polls; returns their number and the time to wait, in milliseconds or -1. */
static nfds_t prepare_polls(struct worker *w, int *ret_timeout)
{
    size_t need = 1 + w->class->count(w);

    if (need > w->polls_size) {
        w->polls_size = need * 2;
        w->polls = realloc(w->polls, w->polls_size * sizeof *w->polls);
        if (!w->polls)
            testing_die("realloc");
    }
    w->polls[0] = (struct pollfd){.fd = w->wake, .events = POLLIN};
    double soonest = w->class->fill(w, w->polls + 1);
    double wait = soonest - testing_now();
    *ret_timeout = soonest == 0 ? -1
                   : wait <= 0  ? 0
                   : wait > 1e6 ? 1000000000
                                : (int)ceil(wait * 1e3);
    return need;
}

static void *run(void *arg)
{
    struct worker *w = arg;
    uint64_t kicks;

    pthread_mutex_lock(&w->lock);
    while (!w->stop) {
        int timeout;

        worker_turn(w);
        nfds_t n = prepare_polls(w, &timeout);
        pthread_mutex_unlock(&w->lock);
        if (poll(w->polls, n, timeout) < 0 && errno != EINTR)
            testing_die("poll");
        if (w->polls[0].revents && read(w->wake, &kicks, sizeof kicks) < 0 && errno != EAGAIN)
            testing_die("read");
        pthread_mutex_lock(&w->lock);
    }
    pthread_mutex_unlock(&w->lock);
    return NULL;
}

/* ---- the other side ---- */

static void kick(struct worker *w)
{
    uint64_t one = 1;

    if (write(w->wake, &one, sizeof one) < 0 && errno != EAGAIN)
        testing_die("write");
}

void worker_begin(struct worker *w)
{
    pthread_mutex_lock(&w->lock);
}

void worker_end(struct worker *w)
{
    pthread_mutex_unlock(&w->lock);
}

/* The thread holds the lock except in poll(), so the next turn to end has seen the change. */
void worker_commit(struct worker *w)
{
    unsigned long before = w->turns;

    kick(w);
    while (w->turns == before)
        pthread_cond_wait(&w->turned, &w->lock);
    worker_end(w);
}

bool worker_wait(struct worker *w, bool (*holds)(const struct worker *w, const void *arg),
                 const void *arg, double seconds)
{
    struct timespec until;

    seconds = !(seconds > 0) ? 0 : seconds < 1e9 ? seconds : 1e9;
    clock_gettime(CLOCK_MONOTONIC, &until);
    seconds += (double)until.tv_nsec / 1e9;
    until.tv_sec += (time_t)seconds;
    until.tv_nsec = (long)((seconds - floor(seconds)) * 1e9);
    while (!holds(w, arg))
        if (pthread_cond_timedwait(&w->turned, &w->lock, &until) != 0)
            break;
    return holds(w, arg);
}

static void worker_free(struct worker *w)
{
    close(w->wake);
    pthread_cond_destroy(&w->turned);
    pthread_mutex_destroy(&w->lock);
    free(w->polls);
}

bool worker_start(struct worker *w, const struct worker_class *class)
{
    pthread_condattr_t attr;
    sigset_t all, old;

    memset(w, 0, sizeof *w);
    w->class = class;
    w->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (w->wake < 0)
        return false;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&w->turned, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&w->lock, NULL);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    int error = pthread_create(&w->thread, NULL, run, w);
    pthread_sigmask(SIG_SETMASK, &old, NULL);
    if (!error)
        return true;
    worker_free(w);
    errno = error;
    return false;
}

void worker_stop(struct worker *w)
{
    worker_begin(w);
    w->stop = true;
    kick(w);
    worker_end(w);
    pthread_join(w->thread, NULL);
    worker_free(w);
}
