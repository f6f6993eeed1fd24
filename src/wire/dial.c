/* dial.c - the state of one attempt to connect: which pass, which host, which address. */
#include "wire/dial.h"

#include "async/loop.h"
#include "base/mem.h"
#include "libpq/pq.h"
#include "wire/handshake.h"
#include "wire/resolve.h"
#include "words/error.h"

#include <stdio.h>
#include <string.h>

enum { WHY_SIZE = 1024 };

struct dial {
    evpq_loop *loop;
    const struct conninfo *ci;
    double timeout;
    struct rng *rng;
    struct dial_owner *owner;
    struct pq_listener listener;

    struct job start;
    struct timer timer;
    struct io io;
    struct resolve *resolve;
    struct pg_conn *c;
    struct handshake *step; /* a thread has the connection */
    double asked;           /* when the last wait began */
    double began;           /* with this address, or its look-up */

    int pass;     /* 1: the second, when a standby was only preferred */
    int turn;     /* index into order */
    bool by_name; /* the addresses of this host came from a look-up */
    int address;
    struct addresses addresses;

    char why[WHY_SIZE]; /* what went wrong so far */
    char sqlstate[6];
    int order[];
};

static void next_host(struct dial *d);

static const struct conninfo_host *host_of(const struct dial *d)
{
    return &d->ci->hosts[d->order[d->turn]];
}

/* ---- the end ---- */

static void hang_up(struct dial *d)
{
    timer_stop(&d->timer);
    io_stop(&d->io);
    resolve_abandon(d->resolve);
    d->resolve = NULL;
    if (d->step)
        handshake_abandon(d->step); /* which closes it */
    else
        pq_finish(d->c);
    d->step = NULL;
    d->c = NULL;
}

void dial_stop(struct dial *d)
{
    if (!d)
        return;
    hang_up(d);
    list_remove(&d->start.node);
    mem_free(d);
}

static void succeed(struct dial *d)
{
    struct dial_owner *owner = d->owner;
    struct pg_conn *c = d->c;
    double turnaround = loop_time(d->loop) - d->asked;
    d->c = NULL;
    dial_stop(d);
    owner->connected(owner, c, turnaround);
}

static void dial_fail(struct dial *d)
{
    struct dial_owner *owner = d->owner;
    evpq_error *error =
        error_build(&(struct error_fields){.status = EVPQ_CONNECT,
                                           .outcome = EVPQ_OUTCOME_NOT_SENT,
                                           .message = d->why[0] ? d->why : "no host to connect to",
                                           .sqlstate = d->sqlstate[0] ? d->sqlstate : NULL});
    dial_stop(d);
    owner->failed(owner, error);
}

/* ---- one address ---- */

static void remember(struct dial *d, const char *why, const char *sqlstate)
{
    size_t n = strlen(d->why);
    if (!strstr(d->why, why))
        snprintf(d->why + n, sizeof d->why - n, "%s%s", n ? "; " : "", why);
    if (sqlstate[0])
        memcpy(d->sqlstate, sqlstate, sizeof d->sqlstate);
}

static void dial_wait_for(struct dial *d, int event)
{
    d->asked = loop_time(d->loop);
    io_start(&d->io, pq_socket(d->c), event); /* the socket may be another one after each poll */
}

static void next_address(struct dial *d)
{
    hang_up(d);
    if (++d->address >= d->addresses.n) {
        d->turn++;
        next_host(d);
        return;
    }
    const char *attrs = !d->ci->prefer_standby ? NULL : d->pass ? "any" : "standby";
    const char *address = d->by_name ? d->addresses.is[d->address] : NULL;
    d->c = conninfo_connect(d->ci, host_of(d), address, attrs);
    if (!d->c) {
        remember(d, "out of memory", "");
        dial_fail(d);
        return;
    }
    pq_listen(d->c, &d->listener);
    timer_start(&d->timer, d->timeout);
    d->began = loop_time(d->loop);
    if (pq_socket(d->c) >= 0) {
        dial_wait_for(d, IO_WRITE);
        return;
    }
    evpq_error *error = pq_connect_error(d->c); /* it failed on the spot */
    remember(d, evpq_error_message(error), evpq_error_sqlstate(error));
    evpq_error_unref(error);
    next_address(d);
}

static void take_notice(struct pq_listener *listener, evpq_error *notice, bool fatal)
{
    struct dial *d = container_of(listener, struct dial, listener);
    (void)fatal;
    d->owner->notice(d->owner, notice);
}

static void address_failed(struct dial *d)
{
    evpq_error *error = pq_connect_error(d->c);
    remember(d, evpq_error_message(error), evpq_error_sqlstate(error));
    bool refused = !strncmp(evpq_error_sqlstate(error), "28", 2);
    evpq_error_unref(error);
    if (refused)
        dial_fail(d);
    else
        next_address(d);
}

static void step_taken(void *owner, enum pq_poll polled)
{
    struct dial *d = owner;
    d->step = NULL;
    switch (polled) {
    case PQ_POLL_READ:
        dial_wait_for(d, IO_READ);
        break;
    case PQ_POLL_WRITE:
        dial_wait_for(d, IO_WRITE);
        break;
    case PQ_POLL_DONE:
        succeed(d);
        break;
    case PQ_POLL_FAILED:
        address_failed(d);
        break;
    }
}

/* libpq computes no more than some milliseconds on the loop. */
static void poll_connection(struct io *io)
{
    struct dial *d = container_of(io, struct dial, io);
    long iterations;
    char why[160];
    io_stop(io); /* before libpq may close the descriptor */
    switch (handshake_cost(d->c, &iterations)) {
    case HANDSHAKE_CHEAP:
        step_taken(d, pq_connect_poll(d->c));
        return;
    case HANDSHAKE_COSTLY:
        d->step = handshake_start(d->loop, d->c, &d->listener, step_taken, d);
        if (d->step)
            return;
        snprintf(why, sizeof why,
                 "no thread could be had to compute what the server asks for (SCRAM)");
        break;
    case HANDSHAKE_ABSURD:
        snprintf(why, sizeof why,
                 "the server asks for %ld iterations of SCRAM: more than 10000000 are refused",
                 iterations);
        break;
    }
    remember(d, why, "");
    next_address(d);
}

static void took_too_long(struct timer *t)
{
    struct dial *d = container_of(t, struct dial, timer);
    if (timer_excuse(t, d->timeout))
        return;
    const struct conninfo_host *host = host_of(d);
    const char *name = host->host       ? host->host
                       : host->hostaddr ? host->hostaddr
                                        : "the local socket";
    const char *address = d->by_name && d->c ? d->addresses.is[d->address] : NULL;
    char why[320];
    snprintf(why, sizeof why, "%s%s%s%s: no %s within %.6g s", name, address ? " (" : "",
             address ? address : "", address ? ")" : "", d->c ? "connection" : "address found",
             d->timeout);
    remember(d, why, "");
    next_address(d);
}

/* ---- one host ---- */

static void have_addresses(struct dial *d, bool by_name)
{
    d->by_name = by_name;
    d->address = -1;
    next_address(d);
}

static void looked_up(void *owner, const struct addresses *found, const char *why)
{
    struct dial *d = owner;
    d->resolve = NULL;
    d->addresses = *found;
    if (why) {
        char text[320];
        snprintf(text, sizeof text, "could not look up host \"%s\": %s", host_of(d)->host, why);
        remember(d, text, "");
    }
    have_addresses(d, true);
}

static void next_host(struct dial *d)
{
    if (d->turn >= d->ci->n && d->ci->prefer_standby && !d->pass) {
        d->pass = 1;
        d->turn = 0;
    }
    if (d->turn >= d->ci->n) {
        dial_fail(d);
        return;
    }
    const struct conninfo_host *host = host_of(d);
    d->addresses.n = 1;
    if (host->hostaddr || !host->host || strchr("/@", host->host[0])) {
        have_addresses(d, false);
    } else if (resolve_literal(host->host, &d->addresses)) {
        have_addresses(d, true);
    } else {
        d->addresses.n = 0;
        d->address = 0;
        d->resolve = resolve_start(d->loop, host->host, looked_up, d);
        timer_start(&d->timer, d->resolve ? d->timeout : 0);
        d->began = loop_time(d->loop);
    }
}

/* ---- what it is at ---- */

void dial_why(const struct dial *d, struct why *why)
{
    if (d->turn >= d->ci->n || list_linked(&d->start.node)) {
        why_say(why, "it is about to connect");
        return;
    }
    const struct conninfo_host *host = host_of(d);
    const char *name = host->host ? host->host : host->hostaddr ? host->hostaddr : "local socket";
    const char *address = d->by_name && d->c ? d->addresses.is[d->address] : NULL;
    why_say(why, "%s %s", d->resolve ? "looking up" : "connecting to", name);
    if (address && strcmp(address, name) != 0)
        why_say(why, " (%s)", address);
    why_say(why, " port %s for %.3g s", host->port ? host->port : "5432",
            loop_time(d->loop) - d->began);
    if (d->why[0])
        why_say(why, ", after: %s", d->why);
    if (d->sqlstate[0])
        memcpy(why->sqlstate, d->sqlstate, sizeof d->sqlstate);
}

/* ---- life ---- */

static void dial_begin(struct job *job)
{
    next_host(container_of(job, struct dial, start));
}

static void set_order(struct dial *d)
{
    for (int i = 0; i < d->ci->n; i++)
        d->order[i] = i;
    for (int i = d->ci->n - 1; d->ci->shuffle && i > 0; i--) {
        int j = (int)(rng_next(d->rng) % (uint64_t)(i + 1));
        int swap = d->order[i];
        d->order[i] = d->order[j];
        d->order[j] = swap;
    }
}

struct dial *dial_start(evpq_loop *loop, const struct conninfo *ci, double timeout, struct rng *rng,
                        struct dial_owner *owner)
{
    struct dial *d = mem_zalloc(sizeof *d + (size_t)ci->n * sizeof *d->order);
    if (!d)
        return NULL;
    d->loop = loop;
    d->ci = ci;
    d->timeout = timeout;
    d->rng = rng;
    d->owner = owner;
    d->listener.notice = take_notice;
    job_init(&d->start, dial_begin);
    timer_init(&d->timer, loop, took_too_long);
    io_init(&d->io, loop, poll_connection);
    set_order(d);
    loop_defer(loop, &d->start);
    return d;
}
