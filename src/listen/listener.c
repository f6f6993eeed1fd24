/* listener.c - what a listener is to its other files: its memory, what is said of it, its end. */
#include "listen/listener.h"

#include "base/mem.h"
#include "libpq/conninfo.h"
#include "words/error.h"

/* ---- memory ---- */

void listener_ref(evpq_listener *l)
{
    l->refs++;
}

void listener_unref(evpq_listener *l)
{
    if (--l->refs)
        return;
    evpq_loop *loop = l->loop;
    map_free(&l->channels);
    conninfo_free(l->conninfo);
    evpq_error_unref(l->lost);
    mem_free(l);
    evpq_loop_unref(loop);
}

/* ---- what it waits for ---- */

void listener_why(const evpq_listener *l, struct why *why)
{
    if (l->open) {
        why_say(why, "server process %d has been listened to for %.3g s", conn_backend_pid(l->conn),
                loop_time(l->loop) - l->opened_at);
        return;
    }
    why_say(why, "the listener is not connected");
    if (l->conn) {
        why_say(why, ": ");
        conn_why(l->conn, NULL, why);
    }
    why_failed(why, "; the last connection failed: ", l->lost);
}

/* ---- the end ---- */

struct closing {
    struct evpq_future future;
    struct list node;
    evpq_listener *listener;
};

static void closing_cancel(evpq_future *f)
{
    list_remove(&container_of(f, struct closing, future)->node);
    future_settle_canceled(f, EVPQ_OUTCOME_NOT_SENT);
}

static void closing_free(evpq_future *f)
{
    struct closing *c = container_of(f, struct closing, future);
    listener_unref(c->listener);
    mem_free(c);
}

static const struct future_class closing_class = {
    .name = "listener", .cancel = closing_cancel, .free = closing_free};

evpq_future *listener_wait_closed(evpq_listener *l)
{
    struct closing *c = mem_alloc(sizeof *c);
    if (!c)
        return future_constant(EVPQ_NOMEM);
    future_init(&c->future, &closing_class, l->loop);
    c->listener = l;
    listener_ref(l);
    list_init(&c->node);
    list_append(&l->closings, &c->node);
    return &c->future;
}

evpq_error *listener_closed_error(void)
{
    return error_new(EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT, "the listener is closed");
}

void listener_conn_freed(evpq_listener *l)
{
    struct list *node;
    if (!l->closing || l->unfreed)
        return;
    while ((node = list_pop(&l->closings)))
        future_settle_value(&container_of(node, struct closing, node)->future, NULL, NULL);
    if (l->closed)
        return;
    l->closed = true;
    loop_release(l->loop);
    listener_unref(l);
}
