/* pooler.c - sessions, which a server process has for itself, or gets from a pooler for one
 * transaction at a time.
 *
 * As PgBouncer in transaction mode: a client waits when all are taken, what one has prepared is
 * there for the next that gets the session, and a session is closed when its client goes in the
 * midst of a transaction. */
#include "sim/memory.h"
#include "sim/server.h"

#include <stdlib.h>

static struct {
    unsigned sessions; /* all that there are */
    int last_pid;
    struct list idle, waiting;
    struct event serves;
} pooler;

static struct session *session_new(int pid)
{
    struct session *s = memory_new(sizeof *s);
    s->pid = pid;
    list_init(&s->node);
    return s;
}

static unsigned most(void)
{
    return server_faults()->pooled;
}

static struct session *some_idle(void)
{
    struct list *node = chance_of(&pooler.idle);
    return node ? container_of(node, struct session, node) : NULL;
}

bool pooler_lend(struct backend *b)
{
    if (b->session)
        return true;
    if (!most()) {
        b->session = session_new(b->pid);
        return true;
    }
    struct session *s = some_idle();
    if (!s && pooler.sessions < most()) {
        pooler.sessions++;
        s = session_new(++pooler.last_pid);
    }
    if (s)
        list_remove(&s->node);
    else if (!list_linked(&b->waits))
        list_append(&pooler.waiting, &b->waits);
    b->session = s;
    return s;
}

/* Somebody waits, and somebody has given one back. */
static void serve(struct event *e)
{
    struct list *node;
    (void)e;
    while ((!list_empty(&pooler.idle) || pooler.sessions < most()) &&
           (node = list_pop(&pooler.waiting)))
        backend_go_on(container_of(node, struct backend, waits));
}

static void serve_soon(void)
{
    if (!list_empty(&pooler.waiting))
        event_set(&pooler.serves, world_now());
}

void pooler_take_back(struct backend *b)
{
    if (!most())
        return;
    list_append(&pooler.idle, &b->session->node);
    b->session = NULL;
    serve_soon();
}

void pooler_lose(struct backend *b)
{
    list_remove(&b->waits);
    if (b->session && most())
        pooler.sessions--;
    free(b->session);
    b->session = NULL;
    serve_soon();
}

void pooler_begin(void)
{
    pooler.sessions = 0;
    pooler.last_pid = 10000;
    list_init(&pooler.idle);
    list_init(&pooler.waiting);
    event_init(&pooler.serves, serve);
}

void pooler_end(void)
{
    struct list *node;
    while ((node = list_pop(&pooler.idle)))
        free(container_of(node, struct session, node));
}
