/* verbs.c - one call of each verb, with tokens of its own. Runs in a task. */
#include "torture.h"

#include <stdio.h>
#include <string.h>

enum { GROUP_MOST = 12 };

static const char insert[] = "insert into token values ($1)";
static const char refused[] = "insert into token values ($1), (null)";
static const char refused_late[] = "insert into token values ($1, 1)"; /* when it is committed */

/* Once in a while the server will not have it. */
static const char *insert_or(unsigned seldom)
{
    if (below(seldom))
        return insert;
    return below(2) ? refused : refused_late;
}

/* Some of the calls have a deadline that is likely to strike. */
static evpq_future *hurried(evpq_future *f)
{
    return below(8) ? f : evpq_timeout(f, below(30) / 1e3);
}

/* Takes f. */
static void note(enum verb verb, int64_t first, int n, evpq_future *f)
{
    evpq_await(f);
    ledger_note(verb, first, n, f);
    evpq_future_unref(f);
}

/* How many tokens go together. */
static int group(void)
{
    return 1 + (int)below(GROUP_MOST);
}

/* ---- one by one ---- */

static void query(void)
{
    int64_t token = ledger_take(VERB_QUERY, 1);
    note(VERB_QUERY, token, 1, hurried(evpq_pool_query(t.pool, insert_or(12), EVPQ_ARGS(token))));
}

static void check_answer(enum verb verb, const evpq_future *f, int64_t token)
{
    const evpq_result *r = evpq_future_result(f);
    if (evpq_future_status(f) == EVPQ_OK &&
        (evpq_result_rows(r) != 1 || evpq_result_int8(r, 0, 0) != token))
        ledger_note_wrong(verb, "another statement's answer");
}

static void returning(void)
{
    int64_t token = ledger_take(VERB_RETURNING, 1);
    evpq_future *f = hurried(evpq_pool_query(
        t.pool, "insert into token values ($1) returning t, 'returned'", EVPQ_ARGS(token)));
    evpq_await(f);
    check_answer(VERB_RETURNING, f, token);
    note(VERB_RETURNING, token, 1, f);
}

/* What was done is seen by a read. */
static void read_back(void)
{
    int64_t token = ledger_done();
    if (token < 0)
        return;
    evpq_future *f = hurried(
        evpq_pool_read(t.pool, "select count(*) from token where t = $1", EVPQ_ARGS(token)));
    if (evpq_await(f) == EVPQ_OK && evpq_result_int8(evpq_future_result(f), 0, 0) != 1)
        ledger_note_missing(token);
    evpq_future_unref(f);
}

/* NULL: there is none. */
static evpq_lease *borrow(void)
{
    evpq_future *got = evpq_pool_acquire(t.pool);
    evpq_await(got);
    evpq_lease *l = evpq_future_lease(got);
    evpq_future_unref(got);
    return l;
}

static void lease(void)
{
    evpq_future *fs[3];
    int64_t tokens[3];
    int n = 1 + (int)below(3);
    evpq_lease *l = borrow();
    if (!l)
        return;
    for (int i = 0; i < n; i++) {
        tokens[i] = ledger_take(VERB_LEASE, 1);
        fs[i] = hurried(evpq_lease_query(l, insert_or(12), EVPQ_ARGS(tokens[i])));
    }
    bool early = below(2);
    if (early)
        evpq_lease_release(l);
    for (int i = 0; i < n; i++)
        note(VERB_LEASE, tokens[i], 1, fs[i]);
    if (!early)
        evpq_lease_release(l);
}

/* ---- together ---- */

struct rows {
    evpq_statement statements[2 * GROUP_MOST];
    evpq_args args[2 * GROUP_MOST];
    evpq_arg values[2 * GROUP_MOST];
};

static void fill(struct rows *r, int64_t first, int n)
{
    for (int i = 0; i < n; i++) {
        r->values[i] = evpq_int(first + i);
        r->args[i] = (evpq_args){.v = &r->values[i], .n = 1};
        r->statements[i] = (evpq_statement){.sql = insert_or(60), .args = r->args[i]};
    }
}

static void batch(enum verb verb)
{
    struct rows r;
    int n = group();
    evpq_lease *l = verb == VERB_LEASE_BATCH ? borrow() : NULL;
    if (verb == VERB_LEASE_BATCH && !l)
        return;
    int64_t first = ledger_take(verb, n);
    fill(&r, first, n);
    note(verb, first, n,
         hurried(l ? evpq_lease_batch(l, r.statements, (size_t)n)
                   : evpq_pool_batch(t.pool, r.statements, (size_t)n)));
    evpq_lease_release(l);
}

static void many(enum verb verb)
{
    struct rows r;
    int n = 2 * group();
    const char *sql = insert_or(12);
    evpq_lease *l = verb == VERB_LEASE_MANY ? borrow() : NULL;
    if (verb == VERB_LEASE_MANY && !l)
        return;
    int64_t first = ledger_take(verb, n);
    fill(&r, first, n);
    note(verb, first, n,
         hurried(l ? evpq_lease_executemany(l, sql, r.args, (size_t)n)
                   : evpq_executemany(t.pool, sql, r.args, (size_t)n)));
    evpq_lease_release(l);
}

/* ---- transactions ---- */

/* One by one, as a batch, or by executemany: none of it is waited for, as a rule. */
static void insert_in(evpq_txn *x, int64_t first, int n)
{
    struct rows r;
    unsigned how = below(4);
    fill(&r, first, n);
    for (int i = 0; i < (how > 1 ? n : 1); i++) {
        evpq_future *f = how == 0   ? evpq_txn_batch(x, r.statements, (size_t)n)
                         : how == 1 ? evpq_txn_executemany(x, insert, r.args, (size_t)n)
                                    : evpq_txn_query(x, r.statements[i].sql, r.args[i]);
        if (!below(4))
            evpq_await(f);
        evpq_future_unref(f);
    }
}

static evpq_txn *begin(bool probe)
{
    evpq_txn_opts opts = {.size = sizeof opts, .probe = probe};
    evpq_future *got = evpq_pool_begin(t.pool, &opts);
    evpq_await(got);
    evpq_txn *x = evpq_future_txn(got);
    evpq_future_unref(got);
    return x;
}

/* Undone alone, or kept with all else. */
static void go_deeper(evpq_txn *x)
{
    int n = group();
    int64_t first = ledger_take(VERB_UNDONE, n);
    evpq_txn *inner = evpq_txn_savepoint(x);
    if (!inner) {
        ledger_note_undone(VERB_UNDONE, first, n);
        return;
    }
    insert_in(inner, first, n);
    evpq_future *f = evpq_txn_rollback(inner);
    if (below(2))
        evpq_await(f);
    evpq_future_unref(f);
    ledger_note_undone(VERB_UNDONE, first, n);
}

static void txn(enum verb verb)
{
    evpq_txn *x = begin(verb == VERB_PROBED);
    if (!x)
        return;
    int n = group();
    int64_t first = ledger_take(verb, n);
    insert_in(x, first, n);
    if (!below(3))
        go_deeper(x);
    note(verb, first, n, hurried(evpq_txn_commit(x)));
}

/* Rolled back, or dropped: whatever becomes of that, nothing is there. */
static void undo(void)
{
    evpq_txn *x = begin(false);
    if (!x)
        return;
    int n = group();
    int64_t first = ledger_take(VERB_UNDONE, n);
    insert_in(x, first, n);
    evpq_future *f = evpq_txn_rollback(x);
    if (below(2))
        evpq_await(f);
    evpq_future_unref(f);
    ledger_note_undone(VERB_UNDONE, first, n);
}

struct some {
    int64_t first;
    int n;
};

static evpq_future *insert_some(evpq_txn *x, void *arg)
{
    const struct some *s = arg;
    for (int i = 0; i + 1 < s->n; i++)
        evpq_future_unref(evpq_txn_query(x, insert, EVPQ_ARGS(s->first + i)));
    if (!below(3)) /* a race is lost, now and then: it is run again */
        evpq_future_unref(evpq_txn_query(x, "select lose_a_race()", EVPQ_ARGS()));
    return evpq_txn_query(x, insert_or(12), EVPQ_ARGS(s->first + s->n - 1));
}

static void transact(void)
{
    struct some s = {.n = group()};
    evpq_txn_opts opts = {.size = sizeof opts, .probe = below(2), .tries = 3, .timeout = 8};
    s.first = ledger_take(VERB_TRANSACT, s.n);
    note(VERB_TRANSACT, s.first, s.n, evpq_transact(t.pool, &opts, insert_some, &s));
}

/* ---- streams and COPY ---- */

static void copy(void)
{
    int n = 2 * group();
    int64_t first = ledger_take(VERB_COPY, n);
    bool late = !below(12);
    evpq_copy *c =
        evpq_pool_copy_in(t.pool, late ? "copy token from stdin" : "copy token (t) from stdin");
    for (int i = 0; i < n; i++) {
        char line[32];
        int length =
            snprintf(line, sizeof line, late ? "%lld\t1\n" : "%lld\n", (long long)(first + i));
        evpq_copy_write(c, line, (size_t)length);
        if (!below(30))
            pause_for(below(10) / 1e3);
    }
    note(VERB_COPY, first, n, hurried(evpq_copy_finish(c)));
}

static void copy_rows(void)
{
    int n = 2 * group();
    int64_t first = ledger_take(VERB_COPY_ROWS, n);
    static const char *const columns[] = {"t"};
    evpq_copy *c = evpq_pool_copy_rows_in(t.pool, "token", columns, 1);
    for (int i = 0; i < n; i++) {
        evpq_status status;
        while ((status = evpq_copy_row(c, EVPQ_ARGS(first + i))) == EVPQ_QUEUE_FULL) {
            evpq_future *room = evpq_copy_drain(c);
            status = evpq_await(room);
            evpq_future_unref(room);
            if (status)
                break;
        }
        if (status)
            break;
    }
    note(VERB_COPY_ROWS, first, n, hurried(evpq_copy_finish(c)));
}

static void stream(void)
{
    int n = 2 * group();
    int64_t first = ledger_take(VERB_STREAM, n), seen = 0;
    evpq_stream_opts opts = {.size = sizeof opts, .rows = 5};
    evpq_stream *s = evpq_pool_stream(
        t.pool,
        below(12)
            ? "insert into token select i from generate_series($1::int8, $2::int8) i returning t"
            : "insert into token select i, 1 from generate_series($1::int8, $2::int8) i"
              " returning t",
        EVPQ_ARGS(first, first + n - 1), &opts);
    for (const evpq_result *rows;;) {
        evpq_future *f = evpq_stream_next(s);
        evpq_await(f);
        rows = evpq_future_result(f);
        for (int i = 0; i < evpq_result_rows(rows); i++)
            if (evpq_result_int8(rows, i, 0) != first + seen++)
                ledger_note_wrong(VERB_STREAM, "another statement's row");
        if (!rows) {
            note(VERB_STREAM, first, n, f);
            break;
        }
        evpq_future_unref(f);
    }
    evpq_stream_close(s);
}

void verbs_call(void)
{
    switch (below(VERBS + 11)) {
    case VERB_LEASE:
        lease();
        break;
    case VERB_RETURNING:
        returning();
        break;
    case VERB_BATCH:
        batch(VERB_BATCH);
        break;
    case VERB_LEASE_BATCH:
        batch(VERB_LEASE_BATCH);
        break;
    case VERB_MANY:
        many(VERB_MANY);
        break;
    case VERB_LEASE_MANY:
        many(VERB_LEASE_MANY);
        break;
    case VERB_UNDONE:
        undo();
        break;
    case VERB_TXN:
        txn(VERB_TXN);
        break;
    case VERB_PROBED:
        txn(VERB_PROBED);
        break;
    case VERB_TRANSACT:
        transact();
        break;
    case VERB_COPY:
        copy();
        break;
    case VERB_COPY_ROWS:
        copy_rows();
        break;
    case VERB_STREAM:
        stream();
        break;
    case VERBS:
    case VERBS + 1:
        read_back();
        break;
    default:
        query();
    }
}
