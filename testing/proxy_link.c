/*
 * One connection through the proxy: two sockets, and a queue of bytes for each direction. Owned by
 * the proxy's list; everything happens in link_turn(), which never waits. It does not look at what
 * poll() found but tries everything, so that a control takes hold whatever woke the thread.
 */
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "testing/proxy_impl.h"

enum {
    READ_MAX = 16 << 10,
    QUEUE_MAX = 256 << 10, /* beyond this the source is not read: it feels the reader's pace */
    READS_A_TURN = 8,
};

static const double connect_again = 0.005;

struct link *link_new(int client, bool silent)
{
    struct link *l = calloc(1, sizeof *l);

    if (!l)
        testing_die("calloc");
    l->fd[PROXY_TO_CLIENT] = client;
    l->fd[PROXY_TO_SERVER] = -1;
    l->silent = silent;
    l->connecting = !silent;
    proxy_scan_init(&l->scan);
    for (int dir = 0; dir < 2; dir++)
        l->flow[dir].tail = &l->flow[dir].head;
    return l;
}

static void flow_drop(struct flow *f)
{
    while (f->head) {
        struct chunk *c = f->head;
        f->head = c->next;
        free(c);
    }
    f->tail = &f->head;
    f->queued = 0;
}

/* A shorter delay than before never lets bytes overtake. */
static void flow_add(struct flow *f, const void *bytes, size_t n, int delay)
{
    struct chunk *c = calloc(1, sizeof *c + n);

    if (!c)
        testing_die("calloc");
    memcpy(c->data, bytes, n);
    c->end = n;
    c->due = testing_now() + delay / 1e3;
    if (c->due < f->last_due)
        c->due = f->last_due;
    f->last_due = c->due;
    *f->tail = c;
    f->tail = &c->next;
    f->queued += n;
}

static void flow_pop(struct flow *f)
{
    struct chunk *c = f->head;

    f->head = c->next;
    if (!f->head)
        f->tail = &f->head;
    free(c);
}

static long segments_now(int client)
{
    struct tcp_info info;
    socklen_t size = sizeof info;

    if (client < 0 || getsockopt(client, IPPROTO_TCP, TCP_INFO, &info, &size) != 0)
        return 0;
    return (long)info.tcpi_data_segs_in;
}

long link_segments(const struct link *l)
{
    return l->segments + segments_now(l->fd[PROXY_TO_CLIENT]);
}

/* An orderly end needs an empty receive buffer: with bytes in it, close() would send a reset. */
static void end_side(struct link *l, enum proxy_dir side, bool reset)
{
    int fd = l->fd[side];
    char sink[4096];

    if (fd < 0)
        return;
    if (side == PROXY_TO_CLIENT)
        l->segments = segments_now(fd);
    if (reset) {
        struct linger hard = {.l_onoff = 1, .l_linger = 0};
        setsockopt(fd, SOL_SOCKET, SO_LINGER, &hard, sizeof hard);
    } else {
        for (int i = 0; i < 1024 && recv(fd, sink, sizeof sink, MSG_DONTWAIT) > 0; i++)
            ;
        shutdown(fd, SHUT_RDWR);
    }
    close(fd);
    l->fd[side] = -1;
}

void link_end(struct link *l, bool reset)
{
    end_side(l, PROXY_TO_CLIENT, reset);
    end_side(l, PROXY_TO_SERVER, reset);
    l->dead = true;
}

void link_free(struct link *l)
{
    link_end(l, false);
    flow_drop(&l->flow[PROXY_TO_SERVER]);
    flow_drop(&l->flow[PROXY_TO_CLIENT]);
    free(l);
}

/* A TCP connect goes on by itself; a unix socket whose backlog is full is tried again next turn. */
static void link_connect(struct link *l, const struct controls *c)
{
    int *fd = &l->fd[PROXY_TO_SERVER];
    int one = 1;

    if (*fd < 0) {
        *fd = socket(c->target.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
        if (*fd < 0)
            testing_die("socket");
        if (c->target.ss_family == AF_INET)
            setsockopt(*fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    }
    if (connect(*fd, (const struct sockaddr *)&c->target, c->target_size) == 0 ||
        errno == EINPROGRESS)
        l->connecting = false;
    else if (errno != EAGAIN)
        link_end(l, false);
}

static void link_act(struct link *l, enum proxy_act act)
{
    switch (act) {
    case PROXY_SPOIL: /* done when it was seen */
        break;
    case PROXY_CUT:
        link_end(l, false);
        break;
    case PROXY_RESET:
        link_end(l, true);
        break;
    case PROXY_STALL:
        l->stalled = true;
        break;
    case PROXY_SWALLOW:
        /* The server finishes what it was asked, and then reads the end of the connection. */
        end_side(l, PROXY_TO_CLIENT, false);
        shutdown(l->fd[PROXY_TO_SERVER], SHUT_WR);
        break;
    }
}

/* The first packet of a client is whole. Returns what its delay is to be, or -1 to drop it. */
static int link_admit(struct link *l, const struct controls *c, struct proxy_stats *stats)
{
    l->decided = true;
    if (proxy_scan_first_packet(l->first, l->first_size) != SCAN_CANCEL)
        return c->delay[PROXY_TO_SERVER];
    stats->cancels++;
    if (c->cancel == PROXY_CANCEL_PASS)
        return c->delay[PROXY_TO_SERVER] + c->cancel_delay;
    if (c->cancel == PROXY_CANCEL_STALL)
        l->stalled = true;
    else
        link_end(l, false);
    return -1;
}

/* Bytes from the client before it is known what it wants. */
static void link_first(struct link *l, const unsigned char *bytes, size_t n, bool eof,
                       const struct controls *c, struct proxy_stats *stats)
{
    struct flow *f = &l->flow[PROXY_TO_SERVER];

    memcpy(l->first + l->first_size, bytes, n);
    l->first_size += n;
    if (!eof && proxy_scan_first_packet(l->first, l->first_size) == SCAN_UNDECIDED)
        return;
    int delay = link_admit(l, c, stats);
    if (delay >= 0 && l->first_size > 0)
        flow_add(f, l->first, l->first_size, delay);
}

static bool flow_wants(const struct link *l, const struct controls *c, enum proxy_dir dir)
{
    const struct flow *f = &l->flow[dir];

    if (l->silent || l->stalled || c->stall[dir] || (l->connecting && dir == PROXY_TO_CLIENT))
        return false;
    return l->fd[!dir] >= 0 && !f->eof && !f->acts && f->queued < QUEUE_MAX;
}

/* Returns false when there is nothing more to read now. */
static bool flow_read(struct link *l, const struct controls *c, enum proxy_dir dir,
                      struct proxy_stats *stats)
{
    unsigned char buffer[READ_MAX];
    struct flow *f = &l->flow[dir];
    bool first = dir == PROXY_TO_SERVER && !l->decided;
    size_t most = first ? sizeof l->first - l->first_size : sizeof buffer;
    ssize_t n = recv(l->fd[!dir], buffer, most, MSG_DONTWAIT);

    if (n < 0 && (errno == EAGAIN || errno == EINTR || errno == ENOTCONN))
        return false;
    if (n < 0) {
        link_end(l, errno == ECONNRESET);
        return false;
    }
    f->eof = n == 0;
    if (first)
        link_first(l, buffer, (size_t)n, f->eof, c, stats);
    else if (n > 0 && l->fd[dir] >= 0)
        flow_add(f, buffer, (size_t)n, c->delay[dir]);
    return !l->dead && !f->eof;
}

/*
 * Bytes that the network is not ready for would join in one segment. With a low-water mark of one,
 * the socket takes a byte only when the one before has left.
 */
static void flow_split(struct link *l, enum proxy_dir dir, bool split)
{
    int mark = split ? 1 : 0; /* 0: the system's */

    if (l->flow[dir].split == split)
        return;
    l->flow[dir].split = split;
    setsockopt(l->fd[dir], IPPROTO_TCP, TCP_NOTSENT_LOWAT, &mark, sizeof mark);
}

/* Send from a chunk. Returns false when it is not through yet. */
static bool flow_send(struct link *l, const struct controls *c, enum proxy_dir dir,
                      struct proxy_stats *stats)
{
    struct flow *f = &l->flow[dir];
    struct chunk *chunk = f->head;
    size_t n = chunk->end - chunk->start;
    ssize_t sent;

    if (n == 0)
        return true;
    flow_split(l, dir, c->split);
    sent =
        send(l->fd[dir], chunk->data + chunk->start, c->split ? 1 : n, MSG_DONTWAIT | MSG_NOSIGNAL);
    if (sent < 0) {
        if (errno != EAGAIN && errno != EINTR && errno != ENOTCONN)
            link_end(l, false);
        return false;
    }
    chunk->start += (size_t)sent;
    f->queued -= (size_t)sent;
    stats->bytes[dir] += (uint64_t)sent;
    return (size_t)sent == n;
}

/* Returns false when nothing more can be forwarded now; a split stream gives one byte a turn. */
static bool flow_write(struct link *l, struct controls *c, enum proxy_dir dir,
                       struct proxy_stats *stats)
{
    struct flow *f = &l->flow[dir];

    if (l->fd[dir] < 0)
        flow_drop(f);
    if (!f->head || f->head->due > testing_now())
        return false;
    if (!f->head->seen)
        link_inspect(l, c, dir, stats);
    if (!flow_send(l, c, dir, stats))
        return false;
    flow_pop(f);
    if (f->acts) {
        flow_drop(f);
        link_act(l, f->act);
        stats->fired++;
        return false;
    }
    return !c->split;
}

static void flow_turn(struct link *l, struct controls *c, enum proxy_dir dir,
                      struct proxy_stats *stats)
{
    struct flow *f = &l->flow[dir];

    for (int i = 0; i < READS_A_TURN && flow_wants(l, c, dir); i++)
        if (!flow_read(l, c, dir, stats))
            break;
    if (l->connecting || l->stalled || c->stall[dir])
        return;
    while (!l->dead && flow_write(l, c, dir, stats))
        ;
    if (!l->dead && f->eof && !f->head && !f->shut && l->fd[dir] >= 0) {
        shutdown(l->fd[dir], SHUT_WR);
        f->shut = true;
    }
}

void link_turn(struct link *l, struct controls *c, struct proxy_stats *stats)
{
    if (l->silent || l->dead)
        return;
    if (l->connecting)
        link_connect(l, c);
    for (int dir = 0; dir < 2 && !l->dead; dir++)
        flow_turn(l, c, (enum proxy_dir)dir, stats);
    if (l->dead)
        return;
    bool client_gone = l->fd[PROXY_TO_CLIENT] < 0 || l->flow[PROXY_TO_SERVER].shut;
    bool server_gone = l->flow[PROXY_TO_CLIENT].shut ||
                       (l->fd[PROXY_TO_CLIENT] < 0 && l->flow[PROXY_TO_CLIENT].eof);
    if (client_gone && server_gone)
        link_end(l, false);
}

/* poll() reports hang-ups even where nothing is asked for: such a socket is left out instead. */
static void want(struct pollfd *p, int fd, short events)
{
    p->fd = events ? fd : -1;
    p->events = events;
    p->revents = 0;
}

double link_poll(const struct link *l, const struct controls *c, struct pollfd polls[2])
{
    short events[2] = {0, 0};
    double soonest = 0;

    for (int dir = 0; dir < 2; dir++) {
        const struct chunk *head = l->flow[dir].head;

        if (flow_wants(l, c, (enum proxy_dir)dir))
            events[!dir] |= POLLIN;
        if (!head || l->stalled || c->stall[dir] || l->connecting)
            continue;
        if (head->due <= testing_now())
            events[dir] |= POLLOUT;
        else if (soonest == 0 || head->due < soonest)
            soonest = head->due;
    }
    if (l->connecting && !l->dead)
        soonest = testing_now() + connect_again;
    for (int dir = 0; dir < 2; dir++)
        want(&polls[dir], l->fd[dir], events[dir]);
    return soonest;
}
