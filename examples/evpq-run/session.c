/* session.c - see session.h. What takes one step is a query of the pool or the lease; what takes
 * several (a lease, the data of a COPY) is a task, whose future settles only when it has ended, so
 * that it can borrow the item. */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#define CHUNK ((size_t)64 << 10)

/* ---- in a task ---- */

static evpq_future *failure_of(evpq_future *f)
{
    return evpq_await(f) == EVPQ_OK ? evpq_future_unref(f) : f;
}

static evpq_future *awaited(evpq_future *f)
{
    evpq_await(f);
    return f;
}

static evpq_future *acquire(struct session *session, evpq_lease **ret_lease)
{
    evpq_future *f = evpq_pool_acquire(session->pool);

    if (evpq_await(f) != EVPQ_OK)
        return f;
    *ret_lease = evpq_future_lease(f);
    return evpq_future_unref(f);
}

static evpq_future *copy_in(const struct item *item, evpq_copy *copy)
{
    for (size_t done = 0; done < item->data_length;) {
        size_t left = item->data_length - done, n = left < CHUNK ? left : CHUNK;
        evpq_future *f = failure_of(evpq_copy_drain(copy));

        if (f) {
            evpq_copy_abort(copy, NULL);
            return f;
        }
        if (evpq_copy_write(copy, item->data + done, n) == EVPQ_OK)
            done += n;
    }
    return awaited(evpq_copy_finish(copy));
}

static evpq_future *copy_out(struct buf *to, evpq_copy *copy)
{
    for (;;) {
        evpq_future *f = evpq_copy_read(copy);
        size_t n = 0;
        const void *bytes = evpq_await(f) == EVPQ_OK ? evpq_future_bytes(f, &n) : NULL;

        if (!bytes) {
            evpq_copy_close(copy);
            return f;
        }
        buf_add(to, bytes, n);
        evpq_future_unref(f);
    }
}

static evpq_args args_of(const struct item *item)
{
    evpq_arg *values = alloc(item->count * sizeof *values);

    for (size_t i = 0; i < item->count; i++)
        values[i] = evpq_text(item->fields[i]);
    return (evpq_args){.n = item->count, .v = values};
}

static evpq_future *send_on(evpq_lease *lease, struct sending *s)
{
    const struct item *item = s->item;
    evpq_args args;
    evpq_future *f;

    if (item->copies_in)
        return copy_in(item, evpq_lease_copy_in(lease, item->sql));
    if (item->copies_out)
        return copy_out(&s->copied, evpq_lease_copy_out(lease, item->sql));
    args = args_of(item);
    f = evpq_lease_query(lease, item->sql, args);
    free((void *)args.v);
    return awaited(f);
}

static evpq_future *run(evpq_task *self, void *arg)
{
    struct sending *s = arg;
    struct session *session = s->session;
    evpq_lease *lease = session->lease;
    evpq_future *f = NULL;

    (void)self;
    if (!lease)
        f = acquire(session, &lease);
    if (f)
        return f;
    if (session->single)
        session->lease = lease;
    f = send_on(lease, s);
    if (!session->single)
        evpq_lease_release(lease);
    return f;
}

/* ---- from the runner ---- */

static bool is_simple(const struct session *session, const struct item *item)
{
    if (item->copies_in || item->copies_out)
        return false;
    return session->single ? session->lease != NULL : !item->calls_session;
}

static evpq_future *query(struct session *session, const struct item *item, double seconds)
{
    evpq_args args = args_of(item);
    evpq_future *f = session->single ? evpq_lease_query(session->lease, item->sql, args)
                                     : evpq_pool_query(session->pool, item->sql, args);

    free((void *)args.v);
    return seconds > 0 ? evpq_timeout(f, seconds) : f;
}

void sending_begin(struct sending *s, struct session *session, const struct item *item,
                   double seconds)
{
    evpq_task_opts opts = {.size = sizeof opts, .name = "statement", .deadline = seconds};

    evpq_future_unref(s->answer);
    s->session = session;
    s->item = item;
    s->is_task = !is_simple(session, item);
    buf_clear(&s->copied);
    if (session->single && (item->of_session || item->calls_session))
        session->touched = true;
    s->answer =
        s->is_task ? evpq_task_spawn(session->loop, run, s, &opts) : query(session, item, seconds);
}

void sending_cancel(struct sending *s)
{
    if (s->is_task)
        evpq_task_cancel(s->answer);
    else
        evpq_future_cancel(s->answer);
}

bool session_check(struct session *session)
{
    if (!session->lease || evpq_lease_backend_pid(session->lease) != 0)
        return true;
    session->lease = evpq_lease_release(session->lease);
    return !session->touched;
}

void session_close(struct session *session)
{
    session->lease = evpq_lease_release(session->lease);
}
