/* cancel.c - two ways to send the same request; configure chose, in libpq/pq_cancel.c. */
#include "wire/cancel.h"

#include "async/loop.h"
#include "async/thread.h"
#include "base/mem.h"
#include "libpq/pq.h"

struct cancel {
    struct pq_cancel *request;
    void (*done)(void *owner); /* NULL: abandoned */
    void *owner;
    struct io io;            /* without a thread */
    struct job failed_job;   /* likewise: it failed at once */
    struct thread_call call; /* with one */
};

static void cancel_free(struct cancel *k)
{
    pq_cancel_free(k->request);
    mem_free(k);
}

static void cancel_over(struct cancel *k)
{
    void (*done)(void *) = k->done;
    void *owner = k->owner;
    cancel_free(k);
    if (done)
        done(owner);
}

/* ---- libpq 17 and later ---- */

static void poll_request(struct cancel *k)
{
    io_stop(&k->io);
    switch (pq_cancel_poll(k->request)) {
    case PQ_POLL_READ:
        io_start(&k->io, pq_cancel_socket(k->request), IO_READ);
        break;
    case PQ_POLL_WRITE:
        io_start(&k->io, pq_cancel_socket(k->request), IO_WRITE);
        break;
    case PQ_POLL_DONE:
    case PQ_POLL_FAILED:
        cancel_over(k);
        break;
    }
}

static void request_ready(struct io *io)
{
    poll_request(container_of(io, struct cancel, io));
}

static void request_failed(struct job *job)
{
    cancel_over(container_of(job, struct cancel, failed_job));
}

static void start_request(struct cancel *k, evpq_loop *loop)
{
    if (pq_cancel_start(k->request) && pq_cancel_socket(k->request) >= 0)
        io_start(&k->io, pq_cancel_socket(k->request), IO_WRITE);
    else
        loop_defer(loop, &k->failed_job);
}

/* ---- before ---- */

static void send_in_thread(struct thread_call *call)
{
    pq_cancel_now(container_of(call, struct cancel, call)->request);
}

static void thread_returned(struct thread_call *call)
{
    cancel_over(container_of(call, struct cancel, call));
}

/* ---- either ---- */

struct cancel *cancel_start(evpq_loop *loop, struct pg_conn *c, void (*done)(void *owner),
                            void *owner)
{
    struct cancel *k = mem_zalloc(sizeof *k);
    if (!k)
        return NULL;
    k->request = pq_cancel_new(c);
    k->done = done;
    k->owner = owner;
    k->call = (struct thread_call){.work = send_in_thread, .done = thread_returned};
    io_init(&k->io, loop, request_ready);
    job_init(&k->failed_job, request_failed);
    if (k->request && pq_cancel_is_async()) {
        start_request(k, loop);
        return k;
    }
    if (k->request && thread_call_start(loop, &k->call))
        return k;
    cancel_free(k);
    return NULL;
}

void cancel_abandon(struct cancel *k)
{
    if (!k)
        return;
    k->done = NULL;
    if (!pq_cancel_is_async()) /* the thread still has it; it frees itself when it comes back */
        return;
    io_stop(&k->io);
    list_remove(&k->failed_job.node);
    cancel_free(k);
}
