/*
 * A thread that takes turns: what the proxy and the scripted server run in. It holds the lock for a
 * whole turn and gives it up only to poll(), so that a control is in force once a turn that began
 * after it is over. It takes no signal: they are for the program that is tested.
 */
#ifndef TESTING_WORKER_H
#define TESTING_WORKER_H

#include <poll.h>
#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

struct worker;

struct worker_class {
    void (*turn)(struct worker *w);          /* does all that can be done now */
    size_t (*count)(const struct worker *w); /* how many entries it polls */
    double (*fill)(struct worker *w,         /* which, and when it wants a turn anyway, or 0 */
                   struct pollfd *polls);
};

struct worker {
    const struct worker_class *class;
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t turned;
    unsigned long turns;
    int wake;
    bool stop;
    struct pollfd *polls;
    size_t polls_size;
};

/* False, with errno, and nothing is left of it. */
bool worker_start(struct worker *w, const struct worker_class *class);

/* Around what another thread reads or writes; with commit, the thread has seen it on return. */
void worker_begin(struct worker *w);
void worker_end(struct worker *w);
void worker_commit(struct worker *w);

/* Within begin and end: waits until holds(w, arg); false when that takes longer. */
bool worker_wait(struct worker *w, bool (*holds)(const struct worker *w, const void *arg),
                 const void *arg, double seconds);

/* Joins the thread; what it worked on is the caller's from then on. */
void worker_stop(struct worker *w);

/* Seconds on a clock that never jumps. */
double testing_now(void);

/* accept4 gave no socket: dies where somebody waits and there is none to be had. */
void worker_accepted_none(int listener);

/* For a fault of the machinery itself: nothing a test could go on from. Says errno, aborts. */
void testing_die(const char *what) __attribute__((noreturn));

#endif
