/* server.c - see server.h. */
#include "sim/server.h"

#include "sim/answer.h"
#include "sim/memory.h"
#include "sim/net.h"

static struct {
    struct server_faults faults;
    struct list backends;
    int last_pid, schema, starts, recoveries;
    bool down;
    struct event comes_up;
} server;

static void come_up(struct event *e)
{
    (void)e;
    trace("server: up");
    server.down = false;
}

void server_begin(const struct server_faults *f)
{
    server.faults = *f;
    list_init(&server.backends);
    server.last_pid = 100;
    server.schema = 0;
    server.starts = 1;
    server.recoveries = 0;
    server.down = false;
    event_init(&server.comes_up, come_up);
    pooler_begin();
}

const struct server_faults *server_faults(void)
{
    return &server.faults;
}

bool server_is_up(void)
{
    return !server.down;
}

/* ---- processes ---- */

struct backend *server_accept(struct link *l)
{
    if (server.down)
        return NULL;
    struct backend *b = memory_new(sizeof *b);
    b->link = l;
    b->pid = ++server.last_pid;
    b->key = 0x5eed0000 + chance_below(65536);
    list_append(&server.backends, &b->node);
    backend_init(b);
    return b;
}

static void backend_end(struct backend *b, bool reset)
{
    struct link *l = b->link;
    trace("backend %d: ends", b->pid);
    event_cancel(&b->step);
    list_remove(&b->node);
    pooler_lose(b);
    xact_end(b->xact, false);
    buffer_free(&b->in);
    buffer_free(&b->out);
    buffer_free(&b->copied);
    buffer_free(&b->heard);
    free(b);
    net_hang_up(l, reset);
}

/* What it has said and not sent goes first, or is lost with it. */
void backend_die(struct backend *b)
{
    backend_end(b, chance_one_in(2));
}

void backend_eof(struct backend *b)
{
    b->eof = true;
    if (b->at == AT_NOTHING || chance_one_in(4))
        backend_end(b, false);
}

struct backend *server_some_backend(void)
{
    struct list *node = chance_of(&server.backends);
    return node ? container_of(node, struct backend, node) : NULL;
}

int server_backends(void)
{
    int n = 0;
    list_each(node, &server.backends)
        n++;
    return n;
}

void server_change_schema(void)
{
    trace("the schema changes");
    server.schema++;
}

int server_starts(void)
{
    return server.starts;
}

int server_recoveries(void)
{
    return server.recoveries;
}

int server_schema(void)
{
    return server.schema;
}

void server_notify(int channel, int64_t number)
{
    list_each(node, &server.backends) {
        struct backend *b = container_of(node, struct backend, node);
        if (!(b->notices.listens & 1U << channel))
            continue;
        answer_notification(b, channel, number);
        if (b->between && b->at == AT_NOTHING)
            answer_heard(b);
        if (b->between && b->at == AT_NOTHING)
            answer_flush(b);
    }
}

void server_crash(sim_time down)
{
    struct list *node;
    trace("server: down");
    server.starts += chance_one_in(2); /* or it goes on, and only its processes are new */
    server.recoveries++;
    while ((node = list_first(&server.backends)))
        backend_die(container_of(node, struct backend, node));
    server.down = true;
    event_set(&server.comes_up, world_now() + down);
}

/* ---- cancel requests ---- */

static uint32_t get32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

void server_cancel(const void *packet, size_t n)
{
    const unsigned char *p = packet;
    if (n != 16)
        violation("a cancel request of %zu bytes", n);
    int pid = (int)get32(p + 8);
    if (chance_one_in(server.faults.cancel_misses)) {
        trace("cancel of %d: lost", pid);
        return;
    }
    list_each(node, &server.backends) {
        struct backend *b = container_of(node, struct backend, node);
        if (b->pid == pid && b->key == get32(p + 12)) {
            backend_cancel(b);
            return;
        }
    }
    trace("cancel of %d: nobody is there", pid);
}
