/* handshake.c - see handshake.h. */
#include "wire/handshake.h"

#include "async/thread.h"
#include "base/big_endian.h"
#include "base/mem.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

enum {
    LOOP_ITERATIONS = 4096, /* PostgreSQL's own number, and the least of RFC 7677 */
    MOST_ITERATIONS = 10 * 1000 * 1000,
    MOST_ABANDONED = 4,
    MOST_NOTICES = 16,
};

/* ---- what a step may cost ---- */

enum { AUTH_OK = 0, AUTH_SASL_CONTINUE = 11, HEAD = 5 };

/* Of "r=...,s=...,i=4096"; 0: none is there, which libpq refuses. */
static long iterations_of(const unsigned char *text, size_t n)
{
    char copy[1024];
    if (n >= sizeof copy)
        return LONG_MAX;
    memcpy(copy, text, n);
    copy[n] = '\0';
    const char *at = strstr(copy, ",i=");
    return at ? strtol(at + 3, NULL, 10) : 0;
}

static enum handshake_cost cost_of(long iterations)
{
    if (iterations > MOST_ITERATIONS)
        return HANDSHAKE_ABSURD;
    return iterations > LOOP_ITERATIONS ? HANDSHAKE_COSTLY : HANDSHAKE_CHEAP;
}

/* The messages that are there. The server's part of the exchange depends on a random number of
 * ours, so that it can only come in answer to what an earlier step has sent: nothing that arrives
 * after this look can make the step costly. */
static enum handshake_cost cost_of_messages(const unsigned char *p, size_t n, long *ret_iterations)
{
    while (n >= HEAD && *p == 'R') {
        uint32_t length = bytes_uint4((const char *)p + 1);
        if (length < 8 || n < HEAD + 4)
            return HANDSHAKE_COSTLY;
        uint32_t code = bytes_uint4((const char *)p + HEAD);
        if (code == AUTH_OK)
            return HANDSHAKE_CHEAP;
        if (n < 1 + (size_t)length)
            return HANDSHAKE_COSTLY;
        if (code == AUTH_SASL_CONTINUE) {
            *ret_iterations = iterations_of(p + HEAD + 4, length - 8);
            return cost_of(*ret_iterations);
        }
        p += 1 + (size_t)length;
        n -= 1 + (size_t)length;
    }
    return n && *p == 'R' ? HANDSHAKE_COSTLY : HANDSHAKE_CHEAP;
}

enum handshake_cost handshake_cost(struct pg_conn *c, long *ret_iterations)
{
    unsigned char bytes[2048];
    *ret_iterations = 0;
    if (!pq_may_compute(c))
        return HANDSHAKE_CHEAP;
    if (pq_is_encrypted(c))
        return HANDSHAKE_COSTLY;
    ssize_t n = recv(pq_socket(c), bytes, sizeof bytes, MSG_PEEK | MSG_DONTWAIT);
    return n > 0 ? cost_of_messages(bytes, (size_t)n, ret_iterations) : HANDSHAKE_CHEAP;
}

/* ---- taking it in a thread ---- */

struct handshake {
    struct thread_call call;
    struct pg_conn *c;
    enum pq_poll result;
    struct pq_listener collector; /* while the thread runs */
    evpq_error *notices[MOST_NOTICES];
    int n_notices;
    struct pq_listener *listener; /* NULL: abandoned */
    void (*done)(void *owner, enum pq_poll);
    void *owner;
};

static void collect(struct pq_listener *listener, evpq_error *notice, bool fatal)
{
    struct handshake *h = container_of(listener, struct handshake, collector);
    (void)fatal;
    if (h->n_notices < MOST_NOTICES)
        h->notices[h->n_notices++] = notice;
    else
        evpq_error_unref(notice);
}

static void take_step(struct thread_call *call)
{
    struct handshake *h = container_of(call, struct handshake, call);
    h->result = pq_connect_poll(h->c);
}

static void tell_notices(struct handshake *h)
{
    for (int i = 0; i < h->n_notices; i++) {
        if (h->listener)
            h->listener->notice(h->listener, h->notices[i], false);
        else
            evpq_error_unref(h->notices[i]);
    }
}

static void step_taken(struct thread_call *call)
{
    struct handshake h = *container_of(call, struct handshake, call);
    mem_free(container_of(call, struct handshake, call));
    if (!h.listener) {
        tell_notices(&h);
        pq_finish(h.c);
        return;
    }
    pq_listen(h.c, h.listener);
    tell_notices(&h);
    h.done(h.owner, h.result);
}

struct handshake *handshake_start(evpq_loop *loop, struct pg_conn *c, struct pq_listener *listener,
                                  void (*done)(void *owner, enum pq_poll), void *owner)
{
    struct handshake *h =
        thread_calls_abandoned(loop) < MOST_ABANDONED ? mem_zalloc(sizeof *h) : NULL;
    if (!h)
        return NULL;
    h->call = (struct thread_call){.work = take_step, .done = step_taken, .computes = true};
    h->c = c;
    h->collector.notice = collect;
    h->listener = listener;
    h->done = done;
    h->owner = owner;
    pq_listen(c, &h->collector);
    if (thread_call_start(loop, &h->call))
        return h;
    pq_listen(c, listener);
    mem_free(h);
    return NULL;
}

void handshake_abandon(struct handshake *h)
{
    if (!h)
        return;
    h->listener = NULL;
    thread_call_abandon(&h->call);
}
