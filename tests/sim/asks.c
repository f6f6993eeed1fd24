/* asks.c - see asks.h. */
#include "sim/asks.h"

#include "sim/sql.h"

#include <stdlib.h>

struct lease {
    struct list node;
    evpq_lease *is;    /* NULL: released */
    struct txn *begun; /* on it; NULL: none */
    uintptr_t number;
    bool opens; /* a transaction, by a statement of its own, and is left with it open */
};

struct txn {
    struct list node;
    evpq_txn *is;     /* NULL: not begun yet, or ended */
    struct lease *on; /* NULL: a connection of the pool's */
    struct list memory;
};

/* What evpq_transact is to do. */
struct work {
    struct list memory;
    int64_t first;
    int n;
    bool awaits, ends_badly;
};

static uintptr_t numbers;        /* of leases */
static struct list leases, txns; /* that are held */
static struct list works, ended; /* to be freed at the end */

static void *need(void *memory)
{
    if (!memory)
        abort();
    return memory;
}

/* ---- on the pool ---- */

static void ask_query(enum verb verb, const char *sql, int64_t token)
{
    evpq_future *f = verb == VERB_READ && chance_one_in(2)
                         ? evpq_pool_read(program.pool, sql, EVPQ_ARGS(token))
                         : evpq_pool_query(program.pool, sql, EVPQ_ARGS(token));
    ask(verb, f, token, 1, NULL);
}

static void ask_reads(void)
{
    for (int n = 1 + (int)chance_below(4); n; n--) {
        bool fails = chance_one_in(8);
        int64_t token = take_tokens(1);
        evpq_future *f =
            evpq_pool_read(program.pool, fails ? SQL_FAIL : SQL_ECHO, EVPQ_ARGS(token));
        ask(fails ? VERB_FAILS : VERB_READ, f, token, 1, NULL);
    }
}

enum { STATEMENTS_MOST = 5 };

static void ask_batch(struct lease *lease)
{
    evpq_arg args[STATEMENTS_MOST];
    evpq_statement v[STATEMENTS_MOST];
    int n = 1 + (int)chance_below(STATEMENTS_MOST);
    int64_t first = take_tokens(n);
    for (int i = 0; i < n; i++) {
        args[i] = evpq_int(first + i);
        v[i] = (evpq_statement){SQL_INSERT, {.n = 1, .v = &args[i]}};
    }
    evpq_future *f = lease ? evpq_lease_batch(lease->is, v, (size_t)n)
                           : evpq_pool_batch(program.pool, v, (size_t)n);
    ask(VERB_BATCH, f, first, n, NULL)->batch = evpq_future_ref(f);
}

static void ask_many(void)
{
    evpq_arg args[STATEMENTS_MOST];
    evpq_args rows[STATEMENTS_MOST];
    int n = 1 + (int)chance_below(STATEMENTS_MOST);
    int64_t first = take_tokens(n);
    for (int i = 0; i < n; i++) {
        args[i] = evpq_int(first + i);
        rows[i] = (evpq_args){.n = 1, .v = &args[i]};
    }
    ask(VERB_MANY, evpq_executemany(program.pool, SQL_INSERT, rows, (size_t)n), first, n, NULL);
}

/* ---- a function in a transaction ---- */

static evpq_future *do_work(evpq_txn *txn, void *arg)
{
    const struct work *w = arg;
    for (int i = 0;; i++) {
        bool last = i == w->n - 1;
        evpq_future *f = evpq_txn_query(txn, last && w->ends_badly ? SQL_FAIL : SQL_INSERT,
                                        EVPQ_ARGS(w->first + i));
        if (last || (w->awaits && evpq_await(f) != EVPQ_OK))
            return f;
        evpq_future_unref(f);
    }
}

static void ask_transact(void)
{
    struct work *w = need(malloc(sizeof *w));
    *w = (struct work){
        .n = 1 + (int)chance_below(4), .awaits = chance_one_in(2), .ends_badly = chance_one_in(5)};
    w->first = take_tokens(w->n);
    list_init(&w->memory);
    list_append(&works, &w->memory);
    evpq_future *f = evpq_transact(program.pool, NULL, do_work, w);
    ask(w->ends_badly ? VERB_FAILS : VERB_TRANSACT, f, w->first, w->n, NULL);
    if (w->ends_badly)
        oracle_absent(w->first, w->n);
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

static void ask_begin(struct lease *lease)
{
    struct txn *t = need(calloc(1, sizeof *t));
    list_init(&t->node);
    list_init(&t->memory);
    list_append(&ended, &t->memory);
    t->on = lease;
    if (lease)
        lease->begun = t;
    ask(VERB_BEGIN, lease ? evpq_lease_begin(lease->is, NULL) : evpq_pool_begin(program.pool, NULL),
        0, 0, t);
}

static void ask_part(struct txn *t)
{
    int64_t token = take_tokens(1);
    if (chance_one_in(10))
        ask(VERB_FAILS, evpq_txn_query(t->is, SQL_FAIL, EVPQ_ARGS(token)), token, 1, t);
    else
        ask(VERB_PART, evpq_txn_query(t->is, SQL_INSERT, EVPQ_ARGS(token)), token, 1, t);
}

static void end_txn(struct txn *t, bool commits)
{
    evpq_txn *is = t->is;
    t->is = NULL;
    list_remove(&t->node);
    ask(commits ? VERB_COMMIT : VERB_ROLLBACK,
        commits ? evpq_txn_commit(is) : evpq_txn_rollback(is), 0, 0, t);
}

static void use_txn(struct txn *t)
{
    for (int n = (int)chance_below(4); n; n--)
        ask_part(t);
    if (chance_one_in(2))
        end_txn(t, !chance_one_in(4));
}

/* ---- leases ---- */

static struct lease *some_lease(void)
{
    unsigned n = 0;
    struct lease *some = NULL;
    list_each(node, &leases)
        if (chance_one_in(++n))
            some = container_of(node, struct lease, node);
    return some;
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

static void leave_open(uintptr_t number, bool begun)
{
    list_each(node, &leases) {
        struct lease *lease = container_of(node, struct lease, node);
        if (lease->number != number)
            continue;
        int64_t token = take_tokens(1);
        if (begun) {
            ask(VERB_PART, evpq_lease_query(lease->is, SQL_INSERT, EVPQ_ARGS(token)), token, 1,
                NULL);
            oracle_absent(token, 1);
        }
        release(lease);
        return;
    }
}

static void use_lease(struct lease *lease)
{
    int64_t token = take_tokens(1);
    if (lease->opens)
        return;
    if (chance_one_in(3))
        release(lease);
    else if (lease->begun)
        ask(VERB_READ, evpq_lease_query(lease->is, SQL_ECHO, EVPQ_ARGS(token)), token, 1, NULL);
    else if (chance_one_in(3))
        ask_begin(lease);
    else if (chance_one_in(6))
        ask_begin_sql(lease);
    else if (chance_one_in(3))
        ask_batch(lease);
    else if (chance_one_in(4))
        ask(VERB_READ, evpq_lease_query(lease->is, SQL_SLOW, EVPQ_ARGS(token)), token, 1, NULL);
    else
        ask(VERB_INSERT, evpq_lease_query(lease->is, SQL_INSERT, EVPQ_ARGS(token)), token, 1, NULL);
}

/* ---- all ---- */

static void ask_about_old_token(void)
{
    int64_t token = oracle_some_present();
    if (token >= 0)
        ask(VERB_DELETE, evpq_pool_query(program.pool, SQL_DELETE, EVPQ_ARGS(token)), token, 1,
            NULL);
    token = chance_below((unsigned)program.next_token + 1);
    ask_query(VERB_SEE, SQL_SEE, token);
}

void ask_something(void)
{
    struct lease *lease = chance_one_in(2) ? some_lease() : NULL;
    struct txn *txn = chance_one_in(2) ? some_txn() : NULL;
    if (txn || lease) {
        if (txn)
            use_txn(txn);
        else
            use_lease(lease);
        return;
    }
    switch (chance_below(14)) {
    case 0:
    case 1:
    case 2:
        ask_query(VERB_INSERT, SQL_INSERT, take_tokens(1));
        break;
    case 3:
        ask_query(VERB_READ, SQL_ECHO, take_tokens(1));
        break;
    case 4:
        ask_reads();
        break;
    case 5:
        ask_query(VERB_READ, SQL_SLOW, take_tokens(1));
        break;
    case 6:
        ask_query(VERB_FAILS, chance_one_in(2) ? SQL_FAIL : SQL_DEFERRED, take_tokens(1));
        break;
    case 7:
        ask_about_old_token();
        break;
    case 8:
        ask_batch(NULL);
        break;
    case 9:
        ask_many();
        break;
    case 10:
        ask_transact();
        break;
    case 11:
        ask_begin(NULL);
        break;
    default:
        ask(VERB_ACQUIRE, evpq_pool_acquire(program.pool), 0, 0, NULL);
        break;
    }
}

static void take_lease(evpq_lease *is)
{
    if (!is)
        violation("a lease that is done is none");
    struct lease *lease = need(calloc(1, sizeof *lease));
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
    if (t->on)
        t->on->begun = NULL;
    t->on = NULL;
}

void asks_told(struct call *c)
{
    bool done = evpq_future_status(c->f) == EVPQ_OK;
    if (c->verb == VERB_ACQUIRE && done)
        take_lease(evpq_future_lease(c->f));
    if (c->verb == VERB_BEGIN && done)
        take_txn(c->owner, evpq_future_txn(c->f));
    if (c->verb == VERB_BEGIN_SQL)
        leave_open((uintptr_t)c->owner, done);
    if (c->verb == VERB_COMMIT || c->verb == VERB_ROLLBACK || (c->verb == VERB_BEGIN && !done))
        leave_lease(c->owner);
}

void asks_begin(void)
{
    numbers = 0;
    list_init(&leases);
    list_init(&txns);
    list_init(&works);
    list_init(&ended);
}

bool asks_hold_something(void)
{
    return !list_empty(&leases) || !list_empty(&txns);
}

void asks_give_back(void)
{
    while (some_txn())
        end_txn(some_txn(), chance_one_in(2));
    while (some_lease())
        release(some_lease());
}

void asks_end(void)
{
    struct list *node;
    while ((node = list_pop(&works)))
        free(container_of(node, struct work, memory));
    while ((node = list_pop(&ended)))
        free(container_of(node, struct txn, memory));
}
