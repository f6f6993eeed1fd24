/* wire.c - a socket's two watchers and what they do. */
#include "wire/wire.h"

#include "words/error.h"

#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>

/* Given: the server's last words, or what libpq says. */
static evpq_error *reason_lost(const struct wire *w)
{
    if (w->farewell)
        return error_about(w->farewell, EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, NULL);
    return w->broken ? evpq_error_ref(w->broken) : pq_lost_error(w->c);
}

void wire_close(struct wire *w)
{
    if (!w->c)
        return;
    io_stop(&w->reader);
    io_stop(&w->writer);
    list_remove(&w->input.node);
    list_remove(&w->flusher.node);
    struct pg_conn *c = w->c;
    w->c = NULL;
    pq_finish(c);
    w->farewell = evpq_error_unref(w->farewell);
    w->broken = evpq_error_unref(w->broken);
}

void wire_break(struct wire *w, evpq_error *why)
{
    loop_time_passed(w->loop);
    wire_close(w);
    w->class->lost(w, why);
}

/* ---- reading ---- */

static bool send_new(struct wire *w);

/* libpq takes what its buffer has room for, which is this much at least; encrypted, a record. */
enum { TAKEN_LEAST = 8192, RECORD_LEAST = 2048 };

static size_t waiting(const struct wire *w)
{
    int n;
    return !ioctl(pq_socket(w->c), FIONREAD, &n) && n > 0 ? (size_t)n : 0;
}

/* What was taken in, and rather less than more: what is left is seen again, and what has come
 * meanwhile is not seen. */
static void count(struct wire *w, size_t before)
{
    size_t after = waiting(w);
    size_t least = pq_is_encrypted(w->c) ? RECORD_LEAST : TAKEN_LEAST;
    size_t gone = before > after ? before - after : 0;
    if (least > before || !after)
        least = before;
    w->coming += gone > least ? gone : least;
}

static void take_in(struct wire *w)
{
    w->readable = false;
    size_t before = w->counts ? waiting(w) : 0;
    loop_time_passed(w->loop);
    bool whole = pq_consume(w->c);
    if (whole && before)
        count(w, before);
    if (whole || w->broken)
        return;
    w->broken = pq_lost_error(w->c); /* now: libpq would add to its words */
    io_stop(&w->reader);             /* it may have closed the descriptor */
}

/* What is to be sent may go all the same. */
static bool stay_paused(struct wire *w)
{
    if (list_linked(&w->flusher.node) && !loop_awaits_timers(w->loop))
        send_new(w);
    return false;
}

/* Only here, when all answers have been taken: libpq looks no further than to the next answer, and
 * would keep what came behind it until something else comes. So a notification may be told after
 * answers that it came before, and never before one that it came after. */
static void tell_notifications(struct wire *w)
{
    struct pq_notification n = {.handle = NULL};
    while (pq_notified(w->c, &n))
        w->class->notified(w, &n);
}

/* Whether the socket has something: answers, or the end of the link. */
__attribute__((noinline)) static bool has_more(const struct wire *w)
{
    char byte;
    ssize_t n = recv(pq_socket(w->c), &byte, 1, MSG_PEEK | MSG_DONTWAIT);
    return n >= 0 || (errno != EAGAIN && errno != EINTR);
}

/* libpq has nothing more to give, or we want no more. Whether there is more to take in. */
static bool run_dry(struct wire *w)
{
    tell_notifications(w);
    if (!w->broken && (pq_tls_has_bytes(&w->tls) || (loop_catches_up(w->loop) && has_more(w)))) {
        w->readable = true;
        return true;
    }
    if (w->broken || w->farewell || !pq_is_whole(w->c))
        wire_break(w, reason_lost(w));
    else if (list_linked(&w->flusher.node) && !loop_awaits_timers(w->loop))
        return send_new(w); /* the server goes on while we read from others */
    return false;
}

enum wire_step { GO_ON, RAN_DRY, TELL };

/* Before the next thing is read. */
__attribute__((noinline)) static enum wire_step heed_mode(struct wire *w)
{
    enum wire_step step = w->mode & WIRE_PAUSED ? TELL : GO_ON;
    if (!(w->mode & (WIRE_YIELDS | WIRE_PAUSED)) && !w->class->pull(w))
        step = RAN_DRY;
    if (w->mode & WIRE_YIELDS)
        step = TELL;
    w->mode &= (unsigned char)~WIRE_YIELDS;
    return step;
}

__attribute__((noinline)) static void hear_farewell(struct wire *w, const struct pg_result *result)
{
    if (pq_is_fatal(result) && !w->farewell)
        w->farewell = pq_result_error(result, NULL);
}

/* Until somebody is told, at the next Sync as a rule. Also what came before the end of a broken
 * link. */
static bool read_some(struct reader *input)
{
    struct wire *w = container_of(input, struct wire, input);
    if (w->mode & WIRE_PAUSED)
        return stay_paused(w);
    if (w->readable)
        take_in(w);
    for (bool more = true; w->c && more;) {
        enum wire_step step = w->mode ? heed_mode(w) : GO_ON;
        if (step == TELL)
            return w->c;
        struct pg_result *result;
        enum pq_kind kind = step == GO_ON ? pq_next(w->c, &result) : PQ_NOTHING;
        if (kind == PQ_NOTHING) {
            if (w->counts)
                w->class->grew(w);
            break;
        }
        w->coming = 0;
        if (kind == PQ_ERROR)
            hear_farewell(w, result);
        more = w->class->arrived(w, kind, result);
        if (kind == PQ_SYNC && w->c && more)
            return true;
    }
    return w->c && run_dry(w);
}

static void read_all(struct wire *w)
{
    wire_pause(w, false);
    w->readable = true;
    while (read_some(&w->input))
        continue;
}

static void readable(struct io *io)
{
    struct wire *w = container_of(io, struct wire, reader);
    w->readable = true;
    loop_read_soon(w->loop, &w->input);
}

void wire_pause(struct wire *w, bool paused)
{
    if (!w->c || paused == (w->mode & WIRE_PAUSED))
        return;
    w->mode ^= WIRE_PAUSED;
    if (paused) {
        io_stop(&w->reader);
        return;
    }
    if (!w->broken)
        io_start(&w->reader, pq_socket(w->c), IO_READ);
    loop_read_soon(w->loop, &w->input);
}

bool wire_look(struct wire *w)
{
    if (has_more(w))
        read_all(w);
    return w->c != NULL;
}

/* libpq's own word, which has no SQLSTATE, that an answer came to no question ("message type 0x43
 * arrived from server while idle", fe-protocol3.c). It drops the answer: whoever it belongs to would
 * get the next one. */
static bool is_out_of_step(const evpq_error *notice)
{
    return !*evpq_error_sqlstate(notice) && strstr(evpq_error_message(notice), " 0x");
}

static void take_notice(struct pq_listener *listener, evpq_error *notice, bool fatal)
{
    struct wire *w = container_of(listener, struct wire, listener);
    if (is_out_of_step(notice)) {
        if (!w->broken)
            w->broken = error_about(notice, EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, NULL);
        evpq_error_unref(notice);
    } else if (fatal) {
        evpq_error_unref(w->farewell);
        w->farewell = notice;
    } else {
        w->class->notice(w, notice);
    }
}

/* ---- writing ---- */

void wire_send_failed(struct wire *w)
{
    if (!pq_is_whole(w->c)) {
        if (!w->broken)
            w->broken = pq_lost_error(w->c); /* and libpq has closed the descriptor */
        read_all(w);
    }
    if (w->c)
        wire_break(w, reason_lost(w));
}

bool wire_flush(struct wire *w)
{
    switch (pq_flush(w->c)) {
    case 0:
        io_stop(&w->writer);
        return true;
    case 1:
        if (!io_active(&w->writer))
            io_start(&w->writer, pq_socket(w->c), IO_WRITE);
        return false;
    default:
        wire_send_failed(w);
        return false;
    }
}

static void set_cork(struct wire *w, int on)
{
    if (w->corks && setsockopt(pq_socket(w->c), IPPROTO_TCP, TCP_CORK, &on, sizeof on))
        w->corks = false; /* a Unix socket */
}

void wire_cork(struct wire *w)
{
    set_cork(w, 1);
}

void wire_uncork(struct wire *w)
{
    set_cork(w, 0);
}

bool wire_is_blocked(const struct wire *w)
{
    return io_active(&w->writer);
}

/* Whether it is still open: then there may be something to read. When a send would block, libpq
 * reads instead, so that both sides cannot wait for each other: what came in so is not announced by
 * the socket any more. */
static bool send_new(struct wire *w)
{
    list_remove(&w->flusher.node);
    loop_time_passed(w->loop);
    if (w->c && !wire_is_blocked(w))
        w->class->send(w);
    if (w->c && !wire_is_blocked(w)) /* else the writer flushes, and asks for what had to wait */
        wire_flush(w);
    loop_time_passed(w->loop);
    return w->c != NULL;
}

static void writable(struct io *io)
{
    struct wire *w = container_of(io, struct wire, writer);
    if (wire_flush(w))
        wire_send_later(w); /* what had to wait */
    if (w->c)
        loop_read_soon(w->loop, &w->input);
}

static void flush_new(struct flusher *flusher)
{
    struct wire *w = container_of(flusher, struct wire, flusher);
    if (wire_is_being_read(w))
        wire_send_later(w); /* or sooner, when it is read dry */
    else if (send_new(w))
        loop_read_soon(w->loop, &w->input);
}

void wire_send_later(struct wire *w)
{
    if (w->c)
        loop_flush_later(w->loop, &w->flusher);
}

/* ---- life ---- */

void wire_init(struct wire *w, evpq_loop *loop, const struct wire_class *class)
{
    *w = (struct wire){.class = class, .loop = loop};
    w->input.read = read_some;
    list_init(&w->input.node);
    w->flusher.flush = flush_new;
    list_init(&w->flusher.node);
    w->listener.notice = take_notice;
    io_init(&w->reader, loop, readable);
    io_init(&w->writer, loop, writable);
}

bool wire_open(struct wire *w, struct pg_conn *c)
{
    if (!pq_enter_pipeline(c)) {
        pq_finish(c);
        return false;
    }
    w->c = c;
    w->tls = pq_tls(c);
    w->corks = pq_sync_flushes();
    pq_listen(c, &w->listener);
    io_start(&w->reader, pq_socket(c), IO_READ);
    return true;
}
