/* member.c - what becomes of a connection between one use and the next: the table that connections
 * call. */
#include "pool/member.h"

#include "pool/close.h"
#include "pool/keeper.h"
#include "pool/lanes.h"
#include "pool/lease.h"
#include "pool/notice.h"
#include "pool/wish.h"
#include "words/error.h"

static void conn_opened(struct conn *c)
{
    lease_set_up(pool_of(c), c);
}

static void conn_made_room(struct conn *c)
{
    keeper_answered(pool_of(c), c);
    lanes_made_room(pool_of(c), c);
}

static void make_idle(evpq_pool *pool, struct conn *c)
{
    lanes_move(pool, c, USE_IDLE);
    keeper_idle(pool, c);
    lanes_serve_idle(pool);
}

void member_settle(evpq_pool *pool, struct conn *c)
{
    if (c->use == USE_SHARED && pool->n_waiting && !c->dirty && !conn_in_transaction(c))
        lanes_serve(pool, c); /* without a detour over the idle */
    if (!conn_at_rest(c))
        return;
    if (c->dirty || conn_in_transaction(c)) {
        member_reset(pool, c, c->dirty);
    } else if (c->renew && pool->opts.after_connect) {
        c->renew = false;
        lease_set_up(pool, c);
    } else if (keeper_retires(pool, c)) {
        member_retire(c);
    } else {
        make_idle(pool, c);
    }
    wish_check(pool);
}

static enum conn_clean cleaning(const evpq_pool *pool)
{
    switch (pool->opts.reset) {
    case EVPQ_RESET_DEFAULT:
        return CLEAN_OURS;
    case EVPQ_RESET_FULL:
        return CLEAN_ALWAYS;
    default:
        return CLEAN_NOTHING;
    }
}

void member_reset(evpq_pool *pool, struct conn *c, bool session)
{
    bool has_marks = c->dirty;
    c->dirty = false;
    conn_reset(c, session ? cleaning(pool) : CLEAN_NOTHING, has_marks);
}

static void conn_is_quiet(struct conn *c)
{
    keeper_answered(pool_of(c), c);
    if (c->user)
        lease_quiet(c);
    else if (c->use != USE_IDLE)
        member_settle(pool_of(c), c);
}

static void conn_is_canceling(struct conn *c)
{
    if (c->use == USE_SHARED)
        lanes_move(pool_of(c), c, USE_CLOSING);
    pool_of(c)->done.cancels++;
}

static void conn_died(struct conn *c, const evpq_error *why)
{
    evpq_pool *pool = pool_of(c);
    bool was_new = c->use == USE_CONNECTING;
    lanes_move(pool, c, USE_DEAD);
    lease_lost(c, why);
    if (c->retired || evpq_error_status(why) == EVPQ_CLOSED)
        pool->done.retired++;
    else if (was_new)
        keeper_failed(pool, why);
    else
        keeper_lost(pool, c, why);
    if (!pool->out_of_time)
        lanes_serve_idle(pool); /* who was about to get it has come back to the queue */
    keeper_tend(pool, false);
}

/* What it had not sent is back in the queue by now, or has failed. */
static void conn_freeing(struct conn *c)
{
    evpq_pool *pool = pool_of(c);
    pool->count[USE_DEAD]--;
    wish_check(pool);
    close_if_empty(pool);
}

static struct notice_fn pool_listens(void *pool)
{
    const evpq_pool_opts *o = &((evpq_pool *)pool)->opts;
    return (struct notice_fn){.fn = o->on_notice, .arg = o->notice_arg};
}

static void let_go_of_pool(void *pool)
{
    pool_unref(pool);
}

static struct notice_fn lease_listens(void *lease)
{
    struct notice_fn own = lease_notice_fn(lease);
    return own.fn ? own : pool_listens(lease_pool(lease));
}

static void let_go_of_lease(void *lease)
{
    lease_unref(lease);
}

static void conn_noticed(struct conn *c, evpq_error *notice)
{
    evpq_pool *pool = pool_of(c);
    if (c->user) {
        lease_ref(c->user);
        notice_tell_later(c->loop, notice, lease_listens, let_go_of_lease, c->user);
    } else {
        pool_ref(pool);
        notice_tell_later(c->loop, notice, pool_listens, let_go_of_pool, pool);
    }
}

static const struct conn_owner conn_owner = {
    .opened = conn_opened,
    .room = conn_made_room,
    .quiet = conn_is_quiet,
    .dead = conn_died,
    .freeing = conn_freeing,
    .notice = conn_noticed,
    .canceling = conn_is_canceling,
};

struct conn *member_dial(evpq_pool *pool)
{
    struct conn *c = conn_new(&pool->config, &conn_owner);
    if (!c)
        return NULL;
    c->use = USE_CONNECTING;
    pool->count[USE_CONNECTING]++;
    pool->total++;
    list_append(&pool->conns[USE_CONNECTING], &c->node);
    return c;
}

void member_retire(struct conn *c)
{
    evpq_error *why =
        error_new(EVPQ_CLOSED, EVPQ_OUTCOME_NOT_SENT, "the pool has retired the connection");
    c->retired = true;
    conn_kill(c, why);
    evpq_error_unref(why);
}
