/* asks.c - see asks.h. */
#include "sim/asks.h"

#include "sim/eager.h"
#include "sim/flows.h"
#include "sim/holdings.h"
#include "sim/listening.h"
#include "sim/memory.h"
#include "sim/misuse.h"
#include "sim/sql.h"

#include <stdlib.h>

/* What evpq_transact is to do. */
struct work {
    struct list memory;
    int64_t first;
    int n;
    /* each: one that is not sent is no part of the transaction, which nobody else would notice */
    bool awaits;
    bool ends_badly;
};

static struct list works; /* to be freed at the end */

/* ---- on the pool ---- */

/* The same in another text, which may be one that is too long to be kept. */
static const char *commented(const char *sql)
{
    enum { LONG = 70 * 1024 };
    static char text[LONG + 200];
    if (!chance_one_in(8))
        return sql;
    int width = chance_one_in(12) ? LONG : 1;
    snprintf(text, sizeof text, "%s /* %0*u */", sql, width, chance_below(8));
    return text;
}

/* Of a type that is declared, now and then. */
static void ask_query(enum verb verb, const char *sql, int64_t token)
{
    enum { INT8 = 20 };
    char text[24];
    snprintf(text, sizeof text, "%lld", (long long)token);
    const evpq_arg arg = chance_one_in(6) ? evpq_param(INT8, text) : evpq_int(token);
    const evpq_args args = {.n = 1, .v = &arg};
    sql = commented(sql);
    evpq_future *f = verb == VERB_READ && chance_one_in(2)
                         ? evpq_pool_read(program.pool, sql, args)
                         : evpq_pool_query(program.pool, sql, args);
    ask(verb, f, token, 1, NULL)->alone = verb == VERB_INSERT || verb == VERB_READ;
}

static void ask_reads(void)
{
    for (int n = 1 + (int)chance_below(4); n; n--) {
        bool fails = chance_one_in(8);
        int64_t token = take_tokens(1);
        evpq_future *f =
            evpq_pool_read(program.pool, fails ? SQL_FAIL : SQL_ECHO, EVPQ_ARGS(token));
        ask(fails ? VERB_FAILS : VERB_READ, f, token, 1, NULL)->alone = !fails;
    }
}

enum { STATEMENTS_MOST = 5 };

struct call *ask_batch(evpq_lease *lease, evpq_txn *txn, void *owner)
{
    evpq_arg args[STATEMENTS_MOST];
    evpq_statement v[STATEMENTS_MOST];
    int n = 1 + (int)chance_below(STATEMENTS_MOST);
    int64_t first = take_tokens(n);
    for (int i = 0; i < n; i++) {
        args[i] = evpq_int(first + i);
        v[i] = (evpq_statement){SQL_INSERT, {.n = 1, .v = &args[i]}};
    }
    evpq_future *f = txn     ? evpq_txn_batch(txn, v, (size_t)n)
                     : lease ? evpq_lease_batch(lease, v, (size_t)n)
                             : evpq_pool_batch(program.pool, v, (size_t)n);
    struct call *c = ask(VERB_BATCH, f, first, n, owner);
    c->batch = evpq_future_ref(f);
    return c;
}

/* So long that a few of them are more than is sent at once. */
enum { WIDE = 30 * 1024 };

static evpq_arg wide_text(char text[WIDE + 1], int64_t number)
{
    snprintf(text, WIDE + 1, "%0*lld", WIDE, (long long)number);
    return evpq_text(text);
}

struct call *ask_many(evpq_lease *lease, evpq_txn *txn, void *owner)
{
    evpq_arg args[STATEMENTS_MOST];
    evpq_args rows[STATEMENTS_MOST];
    int n = 1 + (int)chance_below(STATEMENTS_MOST);
    int64_t first = take_tokens(n);
    char *wide = chance_one_in(8) ? memory_new(STATEMENTS_MOST * (WIDE + 1)) : NULL;
    for (int i = 0; i < n; i++) {
        args[i] = wide ? wide_text(wide + (size_t)i * (WIDE + 1), first + i) : evpq_int(first + i);
        rows[i] = (evpq_args){.n = 1, .v = &args[i]};
    }
    evpq_future *f = txn     ? evpq_txn_executemany(txn, SQL_INSERT, rows, (size_t)n)
                     : lease ? evpq_lease_executemany(lease, SQL_INSERT, rows, (size_t)n)
                             : evpq_executemany(program.pool, SQL_INSERT, rows, (size_t)n);
    free(wide);
    return ask(VERB_MANY, f, first, n, owner);
}

/* ---- what changes the session ---- */

static evpq_future *query_on(evpq_lease *lease, const char *sql, evpq_args args)
{
    return lease ? evpq_lease_query(lease, sql, args) : evpq_pool_query(program.pool, sql, args);
}

void ask_hide(evpq_lease *lease)
{
    static const char *const texts[] = {SQL_INTO, SQL_CREATE, SQL_PATH};
    unsigned which = chance_below(3);
    int64_t token = take_tokens(1);
    evpq_args one = EVPQ_ARGS(token), none = EVPQ_ARGS();
    ask(VERB_HIDE, query_on(lease, texts[which], which ? none : one), token, 1, NULL);
}

/* With company before it and behind it. */
static void ask_hide_among_others(void)
{
    for (unsigned n = chance_below(3); n; n--)
        ask_query(VERB_INSERT, SQL_INSERT, take_tokens(1));
    ask_hide(NULL);
    for (unsigned n = chance_below(3); n; n--)
        ask_query(VERB_INSERT, SQL_INSERT, take_tokens(1));
}

/* Nobody waits for less long than it takes: what is asked behind it finds it done. */
void ask_forget(evpq_lease *lease, void *owner)
{
    const evpq_args none[] = {EVPQ_ARGS(), EVPQ_ARGS()};
    const evpq_statement twice[] = {{.sql = SQL_FORGET}, {.sql = SQL_FORGET}};
    size_t n = 1 + chance_below(2);
    evpq_future *f;
    switch (chance_below(3)) {
    case 0:
        f = query_on(lease, chance_one_in(2) ? SQL_FORGET : SQL_DISCARD, none[0]);
        break;
    case 1:
        f = lease ? evpq_lease_batch(lease, twice, n) : evpq_pool_batch(program.pool, twice, n);
        break;
    default:
        f = lease ? evpq_lease_executemany(lease, SQL_FORGET, none, n)
                  : evpq_executemany(program.pool, SQL_FORGET, none, n);
        break;
    }
    oracle_note(VERB_FORGET, f, 0, 0, SIM_NEVER, owner);
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

/* What it returns is what is done in the transaction, or nothing. */
static evpq_future *do_nothing(evpq_txn *txn, void *arg)
{
    (void)txn, (void)arg;
    return NULL;
}

/* With a savepoint, or a batch, or an executemany, which are undone or kept with the rest. */
static evpq_future *do_work_within(evpq_txn *txn, void *arg)
{
    const struct work *w = arg;
    evpq_txn *inner = evpq_txn_savepoint(txn);
    if (!inner)
        return evpq_future_failed(program.loop, EVPQ_NOMEM, "no savepoint");
    for (int i = 0; i < w->n; i++)
        evpq_future_unref(evpq_txn_query(inner, SQL_INSERT, EVPQ_ARGS(w->first + i)));
    if (w->ends_badly && chance_one_in(2)) {
        evpq_future_unref(evpq_txn_rollback(inner));
        return evpq_txn_query(txn, SQL_FAIL, EVPQ_ARGS(w->first));
    }
    evpq_future *f = evpq_txn_commit(inner);
    if (!w->ends_badly)
        return f;
    evpq_await(f);
    evpq_future_unref(f);
    return evpq_txn_query(txn, SQL_FAIL, EVPQ_ARGS(w->first));
}

static void ask_nothing_done(void)
{
    sim_time due;
    evpq_txn_opts opts = draw_txn_opts(&due);
    opts.read_only = chance_one_in(2);
    evpq_pool_unref(evpq_pool_ref(program.pool));
    ask_by(VERB_DONE, evpq_transact(program.pool, &opts, do_nothing, NULL), 0, 0, NULL, due);
}

static void ask_transact(void)
{
    struct work *w = memory_new(sizeof *w);
    *w = (struct work){.n = 1 + (int)chance_below(4),
                       .awaits = memory_may_fail() || chance_one_in(2),
                       .ends_badly = chance_one_in(5)};
    w->first = take_tokens(w->n);
    list_init(&w->memory);
    list_append(&works, &w->memory);
    sim_time due;
    const evpq_txn_opts opts = draw_txn_opts(&due);
    /* A statement that is not sent is no part of it, and within a savepoint nobody looks at them. */
    bool within = !memory_may_fail() && chance_one_in(4);
    evpq_txn_fn *fn = within ? do_work_within : do_work;
    evpq_future *f = evpq_transact(program.pool, &opts, fn, w);
    ask_by(w->ends_badly ? VERB_FAILS : VERB_TRANSACT, f, w->first, w->n, NULL, due);
    if (w->ends_badly)
        oracle_absent(w->first, w->n);
}

/* ---- others ---- */

static void ask_series(void)
{
    int64_t first = take_tokens(SERIES);
    evpq_future *f = evpq_pool_query(program.pool, SQL_SERIES, EVPQ_ARGS(first));
    ask(VERB_SERIES, f, first, SERIES, NULL);
}

/* The type is there, or it is not. */
static void ask_types(void)
{
    evpq_types *types = evpq_types_new();
    const evpq_codec codec = {.size = sizeof codec, .name = TYPE_NAME};
    if (types && evpq_types_add(types, &codec) == EVPQ_OK)
        ask(VERB_TYPES, evpq_types_resolve(types, program.pool), 0, 0, NULL);
    evpq_types_unref(types);
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

/* What nothing else depends on. */
static void ask_seldom(void)
{
    switch (chance_below(4)) {
    case 0:
        ask_series();
        break;
    case 1:
        ask_types();
        break;
    case 2:
        ask_nothing_done();
        break;
    default:
        ask(VERB_DONE, evpq_pool_connect(program.pool), 0, 0, NULL);
        break;
    }
}

static void ask_pool(void)
{
    switch (chance_below(15)) {
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
        ask_batch(NULL, NULL, NULL);
        break;
    case 9:
        ask_many(NULL, NULL, NULL);
        break;
    case 10:
        ask_transact();
        break;
    case 11:
        begin_txn(NULL);
        break;
    case 12:
        ask_seldom();
        break;
    default:
        ask(VERB_ACQUIRE, evpq_pool_acquire(program.pool), 0, 0, NULL);
        break;
    }
}

void ask_something(void)
{
    if (chance_one_in(program.flows) && use_flows())
        return;
    if (chance_one_in(program.listens) && use_listening())
        return;
    if (chance_one_in(program.eager) && use_eager())
        return;
    if (chance_one_in(program.misuses)) {
        struct lease *lease = free_lease();
        struct txn *txn = open_txn();
        misuse(lease ? lease->is : NULL, txn ? txn->is : NULL);
        return;
    }
    if (use_holdings())
        return;
    if (chance_one_in(program.hides))
        ask_hide_among_others();
    else if (chance_one_in(program.forgets))
        ask_forget(NULL, NULL);
    else
        ask_pool();
}

void asks_told(struct call *c)
{
    holdings_told(c);
    flows_told(c);
    listening_told(c);
    eager_told(c);
}

void asks_begin(void)
{
    list_init(&works);
    holdings_begin();
    flows_begin();
    eager_begin();
}

bool asks_hold_something(void)
{
    return holdings_left() || flows_left() || eager_left();
}

void asks_give_back(void)
{
    flows_give_back();
    holdings_give_back();
}

void asks_end(void)
{
    struct list *node;
    while ((node = list_pop(&works)))
        free(container_of(node, struct work, memory));
    holdings_end();
}
