/* thread.c - the only file that sees <pthread.h>.
 *
 * A thread a call: there are never more of them than connections being opened or canceled. What
 * a thread has done is put into the loop's mailbox, whose eventfd the loop watches; no thread ever
 * touches libev. The mailbox outlives the loop when threads are still out. */
#include "async/thread.h"

#include "async/loop.h"
#include "base/forked.h"
#include "base/mem.h"

#include <pthread.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

enum { STACK_SIZE = 512 * 1024 }; /* getaddrinfo and its plug-ins are known to want a lot */

struct mailbox {
    struct loop_data loop_data;
    pthread_mutex_t lock; /* guards the rest, but for `io` and `loop`, which are the loop's */
    unsigned refs;        /* the loop's, and one for each call under way */
    bool closed;
    int fd;
    struct list back;
    unsigned abandoned; /* the loop's, too */
    evpq_loop *loop;
    struct io io;
};

static void mailbox_unref(struct mailbox *m)
{
    pthread_mutex_lock(&m->lock);
    bool last = !--m->refs;
    pthread_mutex_unlock(&m->lock);
    if (!last)
        return;
    pthread_mutex_destroy(&m->lock);
    close(m->fd);
    mem_free(m);
}

static void deliver(struct io *io)
{
    struct mailbox *m = container_of(io, struct mailbox, io);
    struct list back, *node;
    uint64_t count;
    list_init(&back);
    if (read(m->fd, &count, sizeof count) < 0)
        count = 0; /* someone else's wake-up was enough */
    pthread_mutex_lock(&m->lock);
    list_splice(&back, &m->back);
    m->refs++;
    pthread_mutex_unlock(&m->lock);
    while ((node = list_pop(&back))) {
        struct thread_call *call = container_of(node, struct thread_call, node);
        m->abandoned -= call->abandoned;
        mailbox_unref(m);
        call->done(call);
    }
    mailbox_unref(m);
}

/* In a forked child, where its threads do not exist. One of them may have held the lock, which is
 * then never to be had. */
static void forget(struct mailbox *m)
{
    close(m->fd);
    if (pthread_mutex_trylock(&m->lock))
        return;
    pthread_mutex_unlock(&m->lock);
    pthread_mutex_destroy(&m->lock);
    mem_free(m);
}

/* The loop is going: what comes back from now on is delivered in its thread. */
static void mailbox_close(struct loop_data *data)
{
    struct mailbox *m = container_of(data, struct mailbox, loop_data);
    if (loop_forked(m->loop)) {
        forget(m);
        return;
    }
    loop_hold(m->loop);
    io_stop(&m->io);
    struct list back, *node;
    list_init(&back);
    pthread_mutex_lock(&m->lock);
    m->closed = true;
    list_splice(&back, &m->back);
    pthread_mutex_unlock(&m->lock);
    while ((node = list_pop(&back))) {
        struct thread_call *call = container_of(node, struct thread_call, node);
        mailbox_unref(m);
        call->done(call);
    }
    mailbox_unref(m);
}

static struct mailbox *mailbox_new(evpq_loop *loop)
{
    struct mailbox *m = mem_zalloc(sizeof *m);
    if (!m)
        return NULL;
    m->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
    if (m->fd < 0 || pthread_mutex_init(&m->lock, NULL)) {
        if (m->fd >= 0)
            close(m->fd);
        mem_free(m);
        return NULL;
    }
    m->refs = 1;
    m->loop_data.free = mailbox_close;
    m->loop = loop;
    list_init(&m->back);
    io_init(&m->io, loop, deliver);
    io_start(&m->io, m->fd, IO_READ);
    loop_release(loop); /* whoever sends a call keeps the loop running, not the mailbox */
    return m;
}

/* ---- the end of the process ---- */

/* exit() takes down what calls that compute are using (OpenSSL's tables), so it waits for them,
 * and for what a thread does as it ends: OpenSSL then frees what it keeps for the thread. Each such
 * thread joins the one that computed before it, and exit() the last, so that one at most is not
 * joined. One of that kind starts when OpenSSL is at work already: our handler is registered after
 * OpenSSL's, and runs before it. In a child of the process that registered it nothing is waited
 * for: the threads are not there. */
static struct {
    pthread_once_t once;
    pthread_mutex_t lock;
    pthread_cond_t none;
    struct fork_mark home;
    unsigned computing;
    pthread_t last; /* to join, where has_last */
    bool has_last;
} at_exit = {
    .once = PTHREAD_ONCE_INIT, .lock = PTHREAD_MUTEX_INITIALIZER, .none = PTHREAD_COND_INITIALIZER};

static void wait_for_computing(void)
{
    if (fork_mark_forked(&at_exit.home))
        return;
    pthread_mutex_lock(&at_exit.lock);
    while (at_exit.computing)
        pthread_cond_wait(&at_exit.none, &at_exit.lock);
    pthread_t last = at_exit.last;
    bool joins = at_exit.has_last;
    at_exit.has_last = false;
    pthread_mutex_unlock(&at_exit.lock);
    if (joins)
        pthread_join(last, NULL);
}

static void take_care_of_exit(void)
{
    fork_mark_make(&at_exit.home);
    atexit(wait_for_computing); /* where that fails there is no memory, and no more to be done */
}

/* False in a forked child. */
static bool computing_begins(void)
{
    pthread_once(&at_exit.once, take_care_of_exit);
    if (fork_mark_forked(&at_exit.home))
        return false;
    pthread_mutex_lock(&at_exit.lock);
    at_exit.computing++;
    pthread_mutex_unlock(&at_exit.lock);
    return true;
}

/* The last that a thread does, or in place of one that could not be started. */
static void computing_ends(bool started)
{
    pthread_mutex_lock(&at_exit.lock);
    pthread_t before = at_exit.last;
    bool joins = started && at_exit.has_last;
    if (started) {
        at_exit.last = pthread_self();
        at_exit.has_last = true;
    }
    if (!--at_exit.computing)
        pthread_cond_broadcast(&at_exit.none);
    pthread_mutex_unlock(&at_exit.lock);
    if (joins)
        pthread_join(before, NULL);
}

/* ---- the thread ---- */

static void hand_back(struct thread_call *call)
{
    struct mailbox *m = call->mailbox;

    pthread_mutex_lock(&m->lock);
    bool closed = m->closed;
    if (!closed) {
        list_append(&m->back, &call->node);
        uint64_t one = 1;
        if (write(m->fd, &one, sizeof one) < 0)
            one = 0; /* the counter is at its top: the loop is awake already */
    }
    m->refs++; /* the call's own reference goes when it is delivered, perhaps before the unlock
                  below returns */
    pthread_mutex_unlock(&m->lock);
    if (closed) {
        call->done(call);
        mailbox_unref(m);
    }
    mailbox_unref(m);
}

static void *thread_main(void *arg)
{
    struct thread_call *call = arg;
    const bool joined = call->joined; /* it may be gone soon */
    call->work(call);
    hand_back(call);
    if (joined)
        computing_ends(true);
    return NULL;
}

static bool start_thread(struct thread_call *call)
{
    pthread_attr_t attr;
    pthread_t thread;
    sigset_t all, before;
    if (pthread_attr_init(&attr))
        return false;
    if (!call->joined)
        pthread_attr_setdetachstate(&attr, PTHREAD_CREATE_DETACHED);
    pthread_attr_setstacksize(&attr, STACK_SIZE);
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool started = !pthread_create(&thread, &attr, thread_main, call);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    pthread_attr_destroy(&attr);
    return started;
}

void thread_call_abandon(struct thread_call *call)
{
    call->abandoned = true;
    call->mailbox->abandoned++;
}

/* NULL: it has none yet. */
static struct mailbox *mailbox_of(evpq_loop *loop)
{
    struct loop_data *data = *loop_mailbox(loop);
    return data ? container_of(data, struct mailbox, loop_data) : NULL;
}

unsigned thread_calls_abandoned(evpq_loop *loop)
{
    const struct mailbox *m = mailbox_of(loop);
    return m ? m->abandoned : 0;
}

bool thread_call_start(evpq_loop *loop, struct thread_call *call)
{
    struct mailbox *m = mailbox_of(loop);
    if (!m)
        m = mailbox_new(loop);
    if (!m)
        return false;
    *loop_mailbox(loop) = &m->loop_data;
    list_init(&call->node);
    call->mailbox = m;
    pthread_mutex_lock(&m->lock);
    m->refs++;
    pthread_mutex_unlock(&m->lock);
    call->joined = call->computes && computing_begins();
    if (start_thread(call))
        return true;
    if (call->joined)
        computing_ends(false);
    mailbox_unref(m);
    return false;
}
