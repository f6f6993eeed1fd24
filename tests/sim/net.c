/* net.c - see net.h. */
#include "sim/net.h"
#include "sim/memory.h"

#include "sim/oracle.h"
#include "sim/server.h"

#include <errno.h>

enum way { TO_SERVER, TO_PROGRAM };

/* What one end has sent: bytes, or its end. */
struct segment {
    struct list node; /* of the link's */
    struct event arrives;
    struct link *link;
    enum way way;
    enum content { BYTES, END, RESET } kind;
    size_t n;
    char bytes[];
};

/* The end of an answer. */
struct mark {
    struct list node; /* of the link's */
    int64_t at;
    int64_t token;
};

/* So long the kernel hears nothing of a peer before it gives it up: tcp_user_timeout, as the
 * library sets it. */
static const sim_time PATIENCE = 30 * SIM_S;

static struct {
    struct weather weather;
    struct list links;
    bool is_the_parents;
} net;

void net_begin(const struct weather *w)
{
    net.weather = *w;
    list_init(&net.links);
}

void net_is_the_parents(void)
{
    net.is_the_parents = true;
}

/* ---- segments ---- */

static void segment_free(struct segment *s)
{
    event_cancel(&s->arrives);
    list_remove(&s->node);
    free(s);
}

static void link_free(struct link *l)
{
    struct list *node;
    while ((node = list_first(&l->segments)))
        segment_free(container_of(node, struct segment, node));
    while ((node = list_pop(&l->marks)))
        free(container_of(node, struct mark, node));
    event_cancel(&l->handshake);
    event_cancel(&l->gives_up);
    list_remove(&l->node);
    buffer_free(&l->in);
    free(l);
}

static void free_if_unused(struct link *l)
{
    if (l->state == LINK_CLOSED && !l->backend && !l->in_use && list_empty(&l->segments))
        link_free(l);
}

static void tell_answered(struct link *l)
{
    struct list *node;
    while ((node = list_first(&l->marks)) &&
           container_of(node, struct mark, node)->at <= l->arrived) {
        struct mark *m = container_of(list_pop(&l->marks), struct mark, node);
        oracle_answered(m->token);
        free(m);
    }
}

static void arrive_at_program(struct link *l, const struct segment *s)
{
    if (l->state != LINK_OPEN)
        return;
    if (s->kind == BYTES) {
        buffer_put(&l->in, s->bytes, s->n);
        l->arrived += (int64_t)s->n;
        tell_answered(l);
        return;
    }
    l->state = s->kind == END ? LINK_FINISHED : LINK_RESET;
    l->error = ECONNRESET;
    trace("link %d: %s", l->fd, s->kind == END ? "the server has hung up" : "reset");
}

static void arrive_at_server(struct link *l, const struct segment *s)
{
    if (!l->backend)
        l->out -= s->n;
    else if (s->kind == BYTES)
        backend_receive(l->backend, s->bytes, s->n);
    else
        backend_eof(l->backend);
}

static void arrives(struct event *e)
{
    struct segment *s = container_of(e, struct segment, arrives);
    struct link *l = s->link;
    if (l->silent) /* until the link is given up */
        return;
    list_remove(&s->node);
    l->in_use = true;
    if (s->way == TO_PROGRAM)
        arrive_at_program(l, s);
    else
        arrive_at_server(l, s);
    l->in_use = false;
    segment_free(s);
    free_if_unused(l);
}

static void send_segment(struct link *l, enum way way, enum content kind, const void *bytes,
                         size_t n)
{
    struct segment *s = memory_new(sizeof *s + n);
    *s = (struct segment){.link = l, .way = way, .kind = kind, .n = n};
    if (n)
        memcpy(s->bytes, bytes, n);
    list_init(&s->node);
    list_append(&l->segments, &s->node);
    sim_time at = world_now() + l->delay + chance_time(0, l->delay);
    l->last[way] = at > l->last[way] ? at : l->last[way];
    event_init(&s->arrives, arrives);
    event_set(&s->arrives, l->last[way]);
}

/* In one piece, or in several with pauses between them. */
static void send_bytes(struct link *l, enum way way, const char *bytes, size_t n)
{
    while (n > 1 && chance_one_in(net.weather.splits)) {
        size_t piece = 1 + chance_below((unsigned)n - 1);
        send_segment(l, way, BYTES, bytes, piece);
        l->last[way] += chance_time(0, 20 * SIM_MS);
        bytes += piece;
        n -= piece;
    }
    send_segment(l, way, BYTES, bytes, n);
}

/* ---- the program's end ---- */

static void answer_connect(struct event *e)
{
    struct link *l = container_of(e, struct link, handshake);
    l->backend = l->host != 1 || chance_one_in(net.weather.refuses) ? NULL : server_accept(l);
    l->state = l->backend ? LINK_OPEN : LINK_REFUSED;
    trace("link %d: %s", l->fd, l->backend ? "connected" : "refused");
}

struct link *net_connect(int fd, unsigned host)
{
    struct link *l = memory_new(sizeof *l);
    l->fd = fd;
    l->host = host;
    l->delay = chance_time(10 * SIM_US, net.weather.delay_most);
    l->room = chance_one_in(net.weather.small_rooms) ? 1024 + chance_below(2048) : 1 << 17;
    list_init(&l->segments);
    list_init(&l->marks);
    list_append(&net.links, &l->node);
    event_init(&l->handshake, answer_connect);
    event_init(&l->gives_up, NULL);
    if (chance_one_in(net.weather.silent_connects) || (host != 1 && chance_one_in(2)))
        net_silence(l);
    else
        event_set(&l->handshake, world_now() + 2 * l->delay);
    return l;
}

bool net_readable(const struct link *l)
{
    return buffer_size(&l->in) || l->state == LINK_FINISHED || l->state == LINK_RESET ||
           l->state == LINK_REFUSED;
}

bool net_writable(const struct link *l)
{
    return l->state != LINK_CONNECTING && (l->state != LINK_OPEN || l->out < l->room);
}

ssize_t net_recv(struct link *l, void *bytes, size_t n, bool peek)
{
    size_t there = buffer_size(&l->in);
    if (there) {
        n = n < there ? n : there;
        memcpy(bytes, l->in.bytes + l->in.from, n);
        if (!peek)
            buffer_take(&l->in, n);
        return (ssize_t)n;
    }
    if (l->state == LINK_FINISHED)
        return 0;
    errno = l->state == LINK_OPEN ? EAGAIN : l->state == LINK_RESET ? l->error : ENOTCONN;
    return -1;
}

ssize_t net_send(struct link *l, const void *bytes, size_t n)
{
    if (net.is_the_parents)
        violation("a child sends %zu bytes to its parent's server", n);
    if (l->state == LINK_RESET || l->state == LINK_FINISHED) {
        errno = l->state == LINK_RESET ? l->error : EPIPE;
        return -1;
    }
    if (l->state != LINK_OPEN || l->out >= l->room) {
        errno = EAGAIN;
        return -1;
    }
    n = n < l->room - l->out ? n : l->room - l->out;
    l->out += n;
    send_bytes(l, TO_SERVER, bytes, n);
    return (ssize_t)n;
}

void net_close(struct link *l)
{
    bool open = l->state == LINK_OPEN && !l->silent;
    l->state = LINK_CLOSED;
    event_cancel(&l->handshake);
    if (open && l->backend)
        send_segment(l, TO_SERVER, END, NULL, 0);
    free_if_unused(l);
}

/* ---- the server's end ---- */

void net_answer(struct link *l, const void *bytes, size_t n)
{
    if (!n)
        return;
    l->sent += (int64_t)n;
    send_bytes(l, TO_PROGRAM, bytes, n);
}

void net_mark(struct link *l, size_t behind, int64_t token)
{
    struct mark *m = memory_new(sizeof *m);
    *m = (struct mark){.at = l->sent + (int64_t)behind, .token = token};
    list_init(&m->node);
    list_append(&l->marks, &m->node);
}

void net_taken(struct link *l, size_t n)
{
    l->out -= n;
}

void net_hang_up(struct link *l, bool reset)
{
    l->backend = NULL;
    if (l->state == LINK_OPEN)
        send_segment(l, TO_PROGRAM, reset ? RESET : END, NULL, 0);
    free_if_unused(l);
}

/* ---- faults ---- */

/* Both ends are told; and what was on the way is lost. */
static void give_up(struct event *e)
{
    struct link *l = container_of(e, struct link, gives_up);
    struct list *node;
    while ((node = list_first(&l->segments)))
        segment_free(container_of(node, struct segment, node));
    trace("link %d: given up", l->fd);
    if (l->state == LINK_CONNECTING || l->state == LINK_OPEN) {
        l->state = LINK_RESET;
        l->error = ETIMEDOUT;
    }
    if (l->backend)
        backend_eof(l->backend);
    else
        free_if_unused(l);
}

void net_silence(struct link *l)
{
    if (l->silent)
        return;
    trace("link %d: silent", l->fd);
    l->silent = true;
    event_init(&l->gives_up, give_up);
    event_set(&l->gives_up, world_now() + PATIENCE);
}

/* The program learns of it at once, the server now or when it has nothing left to do. */
void net_cut(struct link *l, bool server_knows)
{
    trace("link %d: cut", l->fd);
    struct list *node;
    while ((node = list_first(&l->segments)))
        segment_free(container_of(node, struct segment, node));
    if (l->state == LINK_OPEN) {
        l->state = LINK_RESET;
        l->error = ECONNRESET;
    }
    if (l->backend && server_knows)
        backend_die(l->backend);
    else if (l->backend)
        backend_eof(l->backend);
}

struct link *net_some_link(void)
{
    int n = 0;
    struct link *some = NULL;
    list_each(node, &net.links) {
        struct link *l = container_of(node, struct link, node);
        if (l->state == LINK_OPEN && chance_one_in((unsigned)++n))
            some = l;
    }
    return some;
}

int net_links(void)
{
    int n = 0;
    list_each(node, &net.links)
        n++;
    return n;
}
