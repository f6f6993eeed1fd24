/* holdings.c - see holdings.h. */
#include "sim/holdings.h"

#include "sim/memory.h"
#include "sim/sql.h"

static uintptr_t numbers;        /* of leases */
static struct list leases, txns; /* that are held; savepoints are reached from what they are in */
static struct list memory;       /* of transactions, to be freed at the end */

static bool in_a_hurry(void)
{
    return chance_one_in(program.hurries);
}

/* ---- transactions ---- */

static struct txn *some_txn(void)
{
    unsigned n = 0;
    struct txn *some = NULL;
    list_each(node, &txns) {
        struct txn *t = container_of(node, struct txn, node);
        if (t->is && chance_one_in(++n))
            some = t;
    }
    return some;
}

static struct txn *innermost(struct txn *t)
{
    while (t && t->inner)
        t = t->inner;
    return t;
}

struct txn *open_txn(void)
{
    return innermost(some_txn());
}

static struct txn *txn_new(void)
{
    struct txn *t = memory_new(sizeof *t);
    list_init(&t->node);
    list_init(&t->memory);
    list_append(&memory, &t->memory);
    return t;
}

void begin_txn(struct lease *lease)
{
    struct txn *t = txn_new();
    t->on = lease;
    if (lease)
        lease->begun = t;
    sim_time none;
    const evpq_txn_opts drawn = draw_txn_opts(&none), *opts = chance_one_in(2) ? &drawn : NULL;
    ask(VERB_BEGIN, lease ? evpq_lease_begin(lease->is, opts) : evpq_pool_begin(program.pool, opts),
        0, 0, t);
}

static void open_savepoint(struct txn *t)
{
    evpq_txn *is = evpq_txn_savepoint(t->is);
    if (!is && memory_has_failed())
        return;
    if (!is)
        violation("a transaction can have no savepoint");
    struct txn *inner = txn_new();
    trace("savepoint");
    inner->level.outer = &t->level;
    inner->within = t;
    inner->is = is;
    t->inner = inner;
}

/* By the lease that the transaction hands out. */
static struct call *ask_part_of_lease(struct txn *t, int64_t token)
{
    evpq_lease *lease = evpq_txn_lease(t->is);
    if (!lease)
        return NULL;
    struct call *c =
        ask(VERB_PART, evpq_lease_query(lease, SQL_INSERT, EVPQ_ARGS(token)), token, 1, t);
    c->of_lease = true;
    return c;
}

static void ask_failing_part(struct txn *t)
{
    int64_t token = take_tokens(1);
    ask(VERB_FAILS, evpq_txn_query(t->is, SQL_FAIL, EVPQ_ARGS(token)), token, 1, t)->level =
        &t->level;
}

static void ask_part(struct txn *t)
{
    if (chance_one_in(10)) {
        ask_failing_part(t);
        return;
    }
    int64_t token = take_tokens(1);
    struct call *c = NULL;
    if (chance_one_in(12))
        c = ask_batch(NULL, t->is, t);
    else if (chance_one_in(12))
        c = ask_many(NULL, t->is, t);
    else if (chance_one_in(8))
        c = ask_part_of_lease(t, token);
    else
        c = ask(VERB_PART, evpq_txn_query(t->is, SQL_INSERT, EVPQ_ARGS(token)), token, 1, t);
    if (c)
        c->level = &t->level;
}

static void leave_lease(struct txn *t);

/* Levels within are handed back, too, after it. Now and then the program goes on with its lease before the
 * end is known. */
static void end_txn(struct txn *t, bool commits)
{
    evpq_txn *is = t->is;
    struct txn *inner = t->inner;
    t->is = NULL;
    list_remove(&t->node);
    if (t->within)
        t->within->inner = NULL;
    if (!commits)
        oracle_level_is(&t->level, FATE_UNDONE);
    struct call *c = ask(commits ? VERB_COMMIT : VERB_ROLLBACK,
                         commits ? evpq_txn_commit(is) : evpq_txn_rollback(is), 0, 0, t);
    c->level = &t->level;
    for (; inner; inner = inner->inner) {
        evpq_future_unref(evpq_txn_rollback(inner->is));
        inner->is = NULL;
    }
    if (!t->within && in_a_hurry())
        leave_lease(t);
    if (commits && in_a_hurry() && chance_one_in(3))
        evpq_future_cancel(c->f);
}

static void step_txn(struct txn *t)
{
    struct txn *in = innermost(t);
    for (int n = (int)chance_below(4); n; n--)
        ask_part(in);
    if (chance_one_in(6))
        open_savepoint(in);
    else if (in != t && chance_one_in(2))
        end_txn(in, !chance_one_in(3));
    else if (in == t && chance_one_in(2))
        end_txn(t, !chance_one_in(4));
    else if (chance_one_in(12))
        end_txn(t, false);
}

/* What comes behind a savepoint that fails is asked for before that is known. */
static void fail_within(struct txn *t)
{
    open_savepoint(t);
    if (!t->inner)
        return;
    ask_failing_part(t->inner);
    end_txn(t->inner, true);
    ask_part(t);
}

/* Savepoints one after the other, in one go: each is asked for before it is known what became of those
 * before it. */
static void rush(struct txn *t)
{
    for (unsigned n = 2 + chance_below(5); n; n--) {
        struct txn *in = innermost(t);
        for (unsigned parts = chance_below(3); parts; parts--)
            ask_part(in);
        if (in != t && chance_one_in(4))
            ask_failing_part(in);
        if (in == t)
            open_savepoint(t);
        else if (!chance_one_in(4))
            end_txn(in, !chance_one_in(3));
    }
    if (!t->inner && chance_one_in(3)) {
        fail_within(t);
        return;
    }
    if (chance_one_in(3))
        return;
    ask_part(innermost(t));
    end_txn(t, !t->inner);
}

static void use_txn(struct txn *t)
{
    if (in_a_hurry())
        rush(t);
    else
        step_txn(t);
}

/* ---- leases ---- */

static struct lease *some_lease(void)
{
    struct list *node = chance_of(&leases);
    return node ? container_of(node, struct lease, node) : NULL;
}

struct lease *free_lease(void)
{
    struct lease *lease = some_lease();
    return lease && !lease->begun && !lease->opens && !lease->waits ? lease : NULL;
}

/* The transaction on it goes on to be held, and has lost its connection. */
static void release(struct lease *lease)
{
    trace("release");
    list_remove(&lease->node);
    if (lease->begun)
        lease->begun->on = NULL;
    evpq_lease_release(lease->is);
    free(lease);
}

/* It is released within a transaction, so that this is rolled back. */
static void ask_begin_sql(struct lease *lease)
{
    lease->opens = true;
    ask(VERB_BEGIN_SQL, evpq_lease_query(lease->is, SQL_BEGIN, EVPQ_ARGS()), 0, 0,
        (void *)lease->number);
}

/* NULL: it is released. */
static struct lease *lease_of(uintptr_t number)
{
    list_each(node, &leases) {
        struct lease *lease = container_of(node, struct lease, node);
        if (lease->number == number)
            return lease;
    }
    return NULL;
}

static void leave_open(struct lease *lease, bool begun)
{
    if (!lease)
        return;
    int64_t token = take_tokens(1);
    if (begun) {
        ask(VERB_PART, evpq_lease_query(lease->is, SQL_INSERT, EVPQ_ARGS(token)), token, 1, NULL);
        oracle_absent(token, 1);
    }
    release(lease);
}

/* The session that it has changed is to be nobody else's. */
static void hide_and_release(struct lease *lease)
{
    ask_hide(lease->is);
    release(lease);
}

static void forget_on(struct lease *lease)
{
    lease->waits = true;
    ask_forget(lease->is, (void *)lease->number);
}

static void use_lease(struct lease *lease)
{
    int64_t token = take_tokens(1);
    if (evpq_lease_backend_pid(lease->is) < 0)
        violation("a lease has the process %d", evpq_lease_backend_pid(lease->is));
    if (lease->opens || lease->waits)
        return;
    if (chance_one_in(8) && evpq_lease_on_notice(lease->is, program_noticed, NULL) != EVPQ_OK)
        violation("nobody can hear the notices of a lease");
    if (chance_one_in(3))
        release(lease);
    else if (lease->begun)
        ask(VERB_READ, evpq_lease_query(lease->is, SQL_ECHO, EVPQ_ARGS(token)), token, 1, NULL);
    else if (chance_one_in(program.hides))
        hide_and_release(lease);
    else if (chance_one_in(program.forgets))
        forget_on(lease);
    else if (chance_one_in(3))
        begin_txn(lease);
    else if (chance_one_in(6))
        ask_begin_sql(lease);
    else if (chance_one_in(6))
        ask_many(lease->is, NULL, NULL);
    else if (chance_one_in(3))
        ask_batch(lease->is, NULL, NULL);
    else if (chance_one_in(4))
        ask(VERB_READ, evpq_lease_query(lease->is, SQL_SLOW, EVPQ_ARGS(token)), token, 1, NULL);
    else
        ask(VERB_INSERT, evpq_lease_query(lease->is, SQL_INSERT, EVPQ_ARGS(token)), token, 1, NULL)
            ->of_lease = true;
}

/* What is around a savepoint whose end has failed is ended at once, whatever else is under way. */
static void lose_savepoint(struct txn *t)
{
    struct txn *outer = t->within;
    if (outer && outer->is && !outer->inner && program.hurries)
        end_txn(outer, true);
}

static void has_forgotten(struct lease *lease)
{
    if (!lease)
        return;
    lease->waits = false;
    if (program.forgets)
        use_lease(lease);
}

/* ---- both ---- */

bool use_holdings(void)
{
    struct lease *lease = chance_one_in(2) ? some_lease() : NULL;
    struct txn *txn = chance_one_in(2) ? some_txn() : NULL;
    if (txn)
        use_txn(txn);
    else if (lease)
        use_lease(lease);
    return txn || lease;
}

static void take_lease(evpq_lease *is)
{
    if (!is)
        violation("a lease that is done is none");
    struct lease *lease = memory_new(sizeof *lease);
    lease->is = is;
    lease->number = ++numbers;
    list_init(&lease->node);
    list_append(&leases, &lease->node);
}

static void take_txn(struct txn *t, evpq_txn *is)
{
    if (!is)
        violation("a transaction that is done is none");
    t->is = is;
    list_append(&txns, &t->node);
}

/* The transaction has ended, and what it began on can be used again. */
static void leave_lease(struct txn *t)
{
    struct lease *lease = t->on;
    t->on = NULL;
    if (!lease)
        return;
    lease->begun = NULL;
    if (in_a_hurry())
        use_lease(lease);
}

void holdings_told(struct call *c)
{
    bool done = evpq_future_status(c->f) == EVPQ_OK;
    if (c->verb == VERB_ACQUIRE && evpq_future_status(c->f) == EVPQ_SERVER &&
        !program.after_connect)
        violation("call %d: before_acquire's failure is told to who waits", c->number);
    if (c->verb == VERB_ACQUIRE && done)
        take_lease(evpq_future_lease(c->f));
    if (c->verb == VERB_BEGIN && done)
        take_txn(c->owner, evpq_future_txn(c->f));
    if (c->verb == VERB_BEGIN_SQL)
        leave_open(lease_of((uintptr_t)c->owner), done);
    if (c->verb == VERB_FORGET)
        has_forgotten(lease_of((uintptr_t)c->owner));
    if (c->verb == VERB_COMMIT || c->verb == VERB_ROLLBACK || (c->verb == VERB_BEGIN && !done))
        leave_lease(c->owner);
    if (c->verb == VERB_COMMIT && !done)
        lose_savepoint(c->owner);
}

void holdings_begin(void)
{
    numbers = 0;
    list_init(&leases);
    list_init(&txns);
    list_init(&memory);
}

bool holdings_left(void)
{
    return !list_empty(&leases) || !list_empty(&txns);
}

void holdings_give_back(void)
{
    struct txn *t;
    while ((t = some_txn()))
        end_txn(t, !t->inner && chance_one_in(2));
    while (some_lease())
        release(some_lease());
}

void holdings_end(void)
{
    struct list *node;
    while ((node = list_pop(&memory)))
        free(container_of(node, struct txn, memory));
}
