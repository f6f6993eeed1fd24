/* txn_begin.c - BEGIN: the options of a transaction, and the lease that it begins on. */
#include "base/mem.h"
#include "flows/borrow.h"
#include "flows/txn.h"
#include "flows/txn_end.h"
#include "words/error.h"
#include "words/opts_read.h"

#include <stdint.h>

struct outermost {
    struct evpq_txn txn;
    struct session session;
};

/* ---- modes ---- */

enum { READ_ONLY = 4, DEFERRABLE = 8, PROBES = 16, MODES = 16 };

static const char *const openings[MODES] = {
#define OPENINGS(how)                                     \
 "BEGIN" how, "BEGIN ISOLATION LEVEL READ COMMITTED" how, \
     "BEGIN ISOLATION LEVEL REPEATABLE READ" how, "BEGIN ISOLATION LEVEL SERIALIZABLE" how
    OPENINGS(""),
    OPENINGS(" READ ONLY"),
    OPENINGS(" DEFERRABLE"),
    OPENINGS(" READ ONLY DEFERRABLE"),
#undef OPENINGS
};

evpq_error *txn_modes(const evpq_txn_opts *opts, evpq_txn_opts *ret_opts, unsigned *ret_modes)
{
    evpq_txn_opts *o = ret_opts;
    evpq_error *error = opts_read(OPTS_KIND(evpq_txn_opts, isolation), opts, o);
    if (error)
        return error;
    if ((unsigned)o->isolation > EVPQ_ISOLATION_SERIALIZABLE)
        return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                         "the isolation level is none of evpq_isolation");
    *ret_modes = (unsigned)o->isolation | (o->read_only ? READ_ONLY : 0) |
                 (o->deferrable ? DEFERRABLE : 0) | (o->probe ? PROBES : 0);
    return NULL;
}

/* ---- beginning ---- */

static evpq_txn *txn_new(evpq_lease *lease, bool borrowed, unsigned modes)
{
    struct outermost *o = mem_zalloc(sizeof *o);
    if (!o)
        return NULL;
    o->txn.refs = 1;
    o->txn.session = &o->session;
    o->txn.probes = modes & PROBES;
    list_init(&o->txn.statements);
    session_init(&o->session, lease, borrowed, openings[modes % MODES]);
    return &o->txn;
}

static void drop_value(void *value)
{
    txn_drop(value);
}

static const struct value_class txn_class = {.free = drop_value};

static void *wrap_lease(evpq_lease *lease, void *modes)
{
    evpq_txn *txn = txn_new(lease, false, (unsigned)(uintptr_t)modes);
    if (!txn)
        evpq_lease_release(lease);
    return txn;
}

evpq_future *txn_ask(evpq_pool *pool, unsigned modes)
{
    static const struct lease_use use = {
        .wrap = wrap_lease, .class = &txn_class, .name = "transaction"};
    return lease_ask(pool, &use, (void *)(uintptr_t)modes);
}

evpq_future *evpq_pool_begin(evpq_pool *pool, const evpq_txn_opts *opts)
{
    evpq_txn_opts read;
    unsigned modes = 0;
    if (pool_check(pool))
        return pool_refused(pool);
    evpq_error *error = txn_modes(opts, &read, &modes);
    return error ? future_failed(pool->loop, error) : pool_limit(pool, txn_ask(pool, modes), 0);
}

static void begun_free(evpq_future *f)
{
    mem_free(f);
}

evpq_future *evpq_lease_begin(evpq_lease *lease, const evpq_txn_opts *opts)
{
    static const struct future_class class = {.name = "transaction", .free = begun_free};
    evpq_txn_opts read;
    unsigned modes = 0;
    if (!lease || pool_check(lease_pool(lease)))
        return pool_refused(lease ? lease_pool(lease) : NULL);
    evpq_loop *loop = lease_pool(lease)->loop;
    evpq_error *refusal = txn_modes(opts, &read, &modes);
    if (!refusal)
        refusal = lease_refusal(lease, NULL);
    if (refusal)
        return future_failed(loop, refusal);
    evpq_future *f = mem_alloc(sizeof *f);
    evpq_txn *txn = f ? txn_new(lease, true, modes) : NULL;
    if (!txn) {
        mem_free(f);
        return future_constant(EVPQ_NOMEM);
    }
    future_init(f, &class, loop);
    future_settle_value(f, &txn_class, txn);
    return f;
}

evpq_txn *evpq_future_txn(evpq_future *f)
{
    return future_take_value(f, &txn_class);
}
