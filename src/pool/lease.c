/* lease.c - see lease.h for the phases. */
#include "pool/lease.h"

#include "base/mem.h"
#include "pool/keeper.h"
#include "pool/lanes.h"
#include "pool/pool_conn.h"
#include "words/error.h"

#include <assert.h>

enum phase { SETUP, GREETING, OUT, RETURNED, FAREWELL, RESETTING };

struct acquire {
    struct evpq_future future;
    struct queue_place place;
    evpq_pool *pool;
    evpq_lease *lease;           /* while its before_acquire runs */
    const struct lease_use *use; /* NULL: the program's own */
    void *arg;
};

struct evpq_lease {
    unsigned refs; /* the life of the lease, a hook that is being called, and flows */
    evpq_pool *pool;
    struct pool_conn *conn;
    evpq_error *gone;
    enum phase phase;
    bool session;            /* the program may do with it what it likes */
    struct acquire *acquire; /* GREETING: for whom */
    double since;
    struct notice_fn notice;
    evpq_hook_fn *hook;
    struct job call;
    evpq_future *hook_future;
    struct waiter hook_done;
};

static void reset(evpq_lease *lease);

/* ---- memory ---- */

void lease_ref(evpq_lease *lease)
{
    lease->refs++;
}

void lease_unref(evpq_lease *lease)
{
    if (--lease->refs)
        return;
    evpq_pool *pool = lease->pool;
    evpq_error_unref(lease->gone);
    mem_free(lease);
    pool_unref(pool);
}

/* The end of a lease; its connection, if it still has one, is somebody else's by now. */
static void lease_end(evpq_lease *lease)
{
    list_remove(&lease->call.node);
    list_remove(&lease->hook_done.job.node);
    evpq_future *hook = lease->hook_future;
    lease->hook_future = NULL;
    if (lease->conn)
        lease->conn->lease = NULL;
    lease->conn = NULL;
    evpq_future_cancel(hook);
    evpq_future_unref(hook);
    lease_unref(lease);
}

static evpq_lease *lease_new(evpq_pool *pool, struct pool_conn *c, enum phase phase)
{
    evpq_lease *lease = mem_zalloc(sizeof *lease);
    if (!lease)
        return NULL;
    lease->refs = 1;
    lease->pool = pool;
    pool_ref(pool);
    lease->conn = c;
    lease->phase = phase;
    lease->since = loop_time(lease->pool->loop);
    list_init(&lease->call.node);
    list_init(&lease->hook_done.job.node);
    c->lease = lease;
    return lease;
}

static void kill_for_memory(struct pool_conn *c)
{
    conn_kill(&c->conn, error_nomem());
}

/* ---- the future of evpq_pool_acquire ---- */

static void release_value(void *value)
{
    evpq_lease_release(value);
}

static const struct value_class lease_class = {.free = release_value};

evpq_lease *evpq_future_lease(evpq_future *f)
{
    return future_take_value(f, &lease_class);
}

static void acquire_cancel(evpq_future *f)
{
    struct acquire *a = container_of(f, struct acquire, future);
    lanes_withdraw(a->pool, &a->place);
    if (a->lease) {
        a->lease->acquire = NULL; /* when the hook is done, nobody is there to take the lease */
        a->lease = NULL;
    }
    future_settle_canceled(f, EVPQ_OUTCOME_NOT_SENT);
}

static void acquire_free(evpq_future *f)
{
    struct acquire *a = container_of(f, struct acquire, future);
    pool_unref(a->pool);
    mem_free(a);
}

static const char *acquire_detail(const evpq_future *f)
{
    const struct lease_use *use = container_of(f, struct acquire, future)->use;
    return use ? use->name : NULL;
}

static void acquire_why(const evpq_future *f, struct why *why)
{
    const struct acquire *a = container_of(f, struct acquire, future);
    const evpq_lease *lease = a->lease;
    if (!lease) {
        lanes_why(a->pool, &a->place, why);
        return;
    }
    why_say(why, "before_acquire has run for %.3g s on server process %d",
            loop_time(a->pool->loop) - lease->since,
            lease->conn ? conn_backend_pid(&lease->conn->conn) : 0);
    if (lease->hook_future)
        future_add_why(lease->hook_future, why);
}

static const struct future_class acquire_class = {.name = "lease",
                                                  .detail = acquire_detail,
                                                  .cancel = acquire_cancel,
                                                  .free = acquire_free,
                                                  .why = acquire_why};

evpq_future *lease_ask_for(evpq_pool *pool, const struct lease_use *use, void *arg)
{
    struct acquire *a = mem_zalloc(sizeof *a);
    if (!a)
        return future_constant(EVPQ_NOMEM);
    future_init(&a->future, &acquire_class, pool->loop);
    list_init(&a->place.node);
    a->place.for_lease = true;
    a->pool = pool;
    a->use = use;
    a->arg = arg;
    pool_ref(pool);
    if (lanes_add_place(pool, &a->place))
        lanes_serve_idle(pool);
    else
        lease_refuse(&a->place,
                     error_new(EVPQ_QUEUE_FULL, EVPQ_OUTCOME_NOT_SENT,
                               "max_waiting calls are waiting for a connection already"));
    return &a->future;
}

evpq_future *lease_ask(evpq_pool *pool)
{
    return lease_ask_for(pool, NULL, NULL);
}

void lease_refuse(struct queue_place *place, evpq_error *why)
{
    struct acquire *a = container_of(place, struct acquire, place);
    future_settle_error(&a->future, why);
}

/* ---- hooks ---- */

static void end_setup(evpq_lease *lease)
{
    struct pool_conn *c = lease->conn;
    evpq_pool *pool = lease->pool;
    c->conn.dirty = false; /* what after_connect has done is to stay */
    lease_end(lease);
    if (c->use == USE_CONNECTING)
        keeper_connected(pool, c);
    pool_conn_settle(pool, c);
    keeper_tend(pool, false); /* more may follow this one */
}

static void hand_over(evpq_lease *lease)
{
    struct acquire *a = lease->acquire;
    lease->acquire = NULL;
    lease->phase = OUT;
    lease->since = loop_time(lease->pool->loop);
    if (!a) {
        evpq_lease_release(lease);
        return;
    }
    a->lease = NULL;
    lease->pool->done.leases++;
    if (!a->use) {
        future_settle_value(&a->future, &lease_class, lease);
        return;
    }
    void *value = a->use->wrap(lease, a->arg);
    if (value)
        future_settle_value(&a->future, a->use->class, value);
    else
        future_settle_error(&a->future, evpq_error_ref(error_nomem()));
}

static void after_hook(evpq_lease *lease)
{
    switch (lease->phase) {
    case SETUP:
        end_setup(lease);
        break;
    case GREETING:
        keeper_check_passed(lease->pool, lease->conn);
        hand_over(lease);
        break;
    default:
        reset(lease);
        break;
    }
}

/* How long a hook may take before it counts as failed, and then what it has sent and not awaited.
 */
static double hook_limit(const evpq_lease *lease)
{
    const evpq_pool_opts *o = &lease->pool->opts;
    switch (lease->phase) {
    case SETUP:
        return o->connect_timeout;
    case GREETING:
        return o->acquire_timeout > 0 ? o->acquire_timeout : o->connect_timeout;
    default:
        return o->cancel_timeout;
    }
}

/* The hook's future is done: the phase is over once its connection has nothing in flight. */
static void hook_settled(struct job *job)
{
    evpq_lease *lease = container_of(job, evpq_lease, hook_done.job);
    evpq_future *hook = lease->hook_future;
    lease->hook_future = NULL;
    lease->hook = NULL;
    const evpq_error *failed = evpq_future_error(hook);
    if (failed) {
        conn_kill(&lease->conn->conn, failed); /* who waits gets another: lease_lost */
    } else if (conn_at_rest(&lease->conn->conn)) {
        after_hook(lease);
    } else {
        conn_hurry(&lease->conn->conn, hook_limit(lease));
    }
    evpq_future_unref(hook);
}

/* Takes what the hook returned, gives what to wait for. */
static evpq_future *limit_hook(evpq_lease *lease, evpq_future *f)
{
    evpq_loop *loop = lease->pool->loop;
    if (!f)
        return evpq_future_ok(loop, NULL, NULL);
    if (f->loop && f->loop != loop) {
        evpq_future_unref(f);
        return evpq_future_failed(loop, EVPQ_INVALID, "a hook returned a future of another loop");
    }
    return evpq_timeout(f, hook_limit(lease));
}

static void call_hook(struct job *job)
{
    evpq_lease *lease = container_of(job, evpq_lease, call);
    lease->refs++;
    evpq_future *f = lease->hook(lease, lease->pool->opts.hook_arg);
    if (!lease->conn) { /* lost meanwhile, or the pool was closed */
        evpq_future_cancel(f);
        evpq_future_unref(f);
    } else {
        lease->hook_future = limit_hook(lease, f);
        future_watch(lease->hook_future, lease->pool->loop, &lease->hook_done, hook_settled);
    }
    lease_unref(lease);
}

static void run_hook(evpq_lease *lease, evpq_hook_fn *hook)
{
    if (!hook) {
        after_hook(lease);
        return;
    }
    lease->hook = hook;
    job_init(&lease->call, call_hook);
    loop_defer(lease->pool->loop, &lease->call);
}

/* ---- the way out ---- */

void lease_set_up(evpq_pool *pool, struct pool_conn *c)
{
    evpq_lease *lease = lease_new(pool, c, SETUP);
    if (lease)
        run_hook(lease, pool->opts.after_connect);
    else
        kill_for_memory(c);
}

void lease_begin(evpq_pool *pool, struct pool_conn *c, struct queue_place *place)
{
    struct acquire *a = container_of(place, struct acquire, place);
    evpq_lease *lease = lease_new(pool, c, GREETING);
    if (!lease) {
        lease_refuse(place, evpq_error_ref(error_nomem()));
        return;
    }
    lanes_move(pool, c, USE_LEASED);
    lease->acquire = a;
    lease->session = !a->use;
    a->lease = lease;
    run_hook(lease, pool->opts.before_acquire);
}

struct conn *lease_conn(const evpq_lease *lease)
{
    return lease->conn ? &lease->conn->conn : NULL;
}

bool lease_is_out(const evpq_lease *lease)
{
    return lease->phase == OUT;
}

evpq_pool *lease_pool(const evpq_lease *lease)
{
    return lease->pool;
}

evpq_error *lease_refusal(const evpq_lease *lease, const char *sql)
{
    if (lease->conn)
        return NULL;
    if (!lease->gone)
        return error_new(EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT, "the lease was released");
    return error_about(lease->gone, EVPQ_OK, EVPQ_OUTCOME_NOT_SENT, sql);
}

static evpq_future *send_query(evpq_lease *lease, const char *sql, evpq_args args)
{
    evpq_error *refusal = lease_refusal(lease, sql);
    if (refusal)
        return future_failed(lease->pool->loop, refusal);
    evpq_future *f = query_new(lease->pool->loop, sql, &args, NULL);
    struct query *q = query_of_new(f);
    if (!q)
        return f;
    lease->pool->done.queries++;
    lease->conn->conn.dirty |= !q->preparable;
    query_submit(q, &lease->conn->conn);
    return f;
}

evpq_future *evpq_lease_query(evpq_lease *lease, const char *sql, evpq_args args)
{
    if (!lease || pool_check(lease->pool))
        return pool_refused(lease ? lease->pool : NULL);
    evpq_future *f = send_query(lease, sql, args);
    return pool_limit(lease->pool, f, lease->pool->opts.query_timeout);
}

int evpq_lease_backend_pid(const evpq_lease *lease)
{
    return lease && lease->conn ? conn_backend_pid(&lease->conn->conn) : 0;
}

struct notice_fn lease_notice_fn(const evpq_lease *lease)
{
    return lease->phase <= OUT ? lease->notice : (struct notice_fn){.fn = NULL};
}

evpq_status evpq_lease_on_notice(evpq_lease *lease, evpq_notice_fn *fn, void *arg)
{
    evpq_status status = lease ? pool_check(lease->pool) : EVPQ_INVALID;
    if (status)
        return status;
    if (lease->phase > OUT)
        return EVPQ_INVALID;
    lease->notice = (struct notice_fn){.fn = fn, .arg = arg};
    return EVPQ_OK;
}

int lease_longest(const evpq_pool *pool, double *ret_seconds)
{
    const evpq_lease *longest = NULL;
    list_each(node, (struct list *)&pool->conns[USE_LEASED]) {
        const evpq_lease *lease = container_of(node, struct pool_conn, node)->lease;
        if (lease && lease->phase == OUT && (!longest || lease->since < longest->since))
            longest = lease;
    }
    *ret_seconds = longest ? loop_time(pool->loop) - longest->since : 0;
    return evpq_lease_backend_pid(longest);
}

/* ---- the way back ---- */

static void end_reset(evpq_lease *lease)
{
    struct pool_conn *c = lease->conn;
    evpq_pool *pool = lease->pool;
    lease_end(lease);
    pool_conn_settle(pool, c);
}

static void reset(evpq_lease *lease)
{
    lease->phase = RESETTING;
    pool_conn_reset(lease->pool, lease->conn, lease->session || lease->conn->conn.dirty);
}

static void say_farewell(evpq_lease *lease)
{
    lease->phase = FAREWELL;
    run_hook(lease, lease->pool->opts.after_release);
}

evpq_lease *evpq_lease_release(evpq_lease *lease)
{
    if (!lease || lease->phase != OUT || loop_is_barred(lease->pool->loop))
        return NULL;
    lease->phase = RETURNED;
    if (!lease->conn)
        lease_end(lease);
    else if (conn_at_rest(&lease->conn->conn))
        say_farewell(lease);
    return NULL;
}

void lease_quiet(struct pool_conn *c)
{
    evpq_lease *lease = c->lease;
    if (!lease)
        return;
    switch (lease->phase) {
    case SETUP:
    case GREETING:
    case FAREWELL:
        if (!lease->hook && !lease->hook_future)
            after_hook(lease);
        break;
    case RETURNED:
        say_farewell(lease);
        break;
    case RESETTING:
        end_reset(lease);
        break;
    case OUT:
        break;
    }
}

/* ---- accidents ---- */

void lease_lost(struct pool_conn *c, const evpq_error *why)
{
    evpq_lease *lease = c->lease;
    if (!lease)
        return;
    c->lease = NULL;
    lease->conn = NULL;
    lease->gone = evpq_error_ref(why);
    if (lease->phase == OUT)
        return; /* the program still has it */
    struct acquire *a = lease->acquire;
    evpq_pool *pool = lease->pool;
    if (lease->phase == GREETING)
        keeper_check_failed(pool, c, why);
    if (a) { /* not yet handed over: another connection may serve */
        lease->acquire = NULL;
        a->lease = NULL;
        lanes_return(pool, &a->place);
    }
    lease_end(lease);
}
