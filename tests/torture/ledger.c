/* ledger.c - what was said of each token, and what the table says. */
#include "torture.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

struct entry {
    int64_t first;
    int n;
    enum verb verb;
    int said; /* enum said */
};

enum said { SAID_NOTHING, SAID_DONE, SAID_REJECTED, SAID_NOT_SENT, SAID_UNKNOWN };

static struct entry *entries;
static size_t count, room;
static int64_t done = -1;
static long wrong;

static const char *const names[VERBS] = {
    [VERB_QUERY] = "query",
    [VERB_RETURNING] = "returning",
    [VERB_LEASE] = "lease",
    [VERB_BATCH] = "batch",
    [VERB_LEASE_BATCH] = "lease batch",
    [VERB_MANY] = "executemany",
    [VERB_LEASE_MANY] = "lease many",
    [VERB_TXN] = "transaction",
    [VERB_PROBED] = "with a probe",
    [VERB_UNDONE] = "rolled back",
    [VERB_TRANSACT] = "transact",
    [VERB_COPY] = "copy in",
    [VERB_COPY_ROWS] = "copy rows in",
    [VERB_STREAM] = "stream",
};

int64_t ledger_take(enum verb verb, int n)
{
    (void)verb;
    int64_t first = t.tokens;
    t.tokens += n;
    return first;
}

static enum said said_by(const evpq_future *f)
{
    if (evpq_future_status(f) == EVPQ_OK)
        return SAID_DONE;
    switch (evpq_error_outcome(evpq_future_error(f))) {
    case EVPQ_OUTCOME_REJECTED:
        return SAID_REJECTED;
    case EVPQ_OUTCOME_NOT_SENT:
        return SAID_NOT_SENT;
    default:
        return SAID_UNKNOWN;
    }
}

static void keep(enum verb verb, int64_t first, int n, enum said said)
{
    if (count == room) {
        room = room ? 2 * room : 1024;
        entries = realloc(entries, room * sizeof *entries);
        if (!entries)
            abort();
    }
    entries[count++] = (struct entry){.first = first, .n = n, .verb = verb, .said = said};
}

void ledger_note_undone(enum verb verb, int64_t first, int n)
{
    keep(verb, first, n, SAID_REJECTED);
}

void ledger_note(enum verb verb, int64_t first, int n, const evpq_future *f)
{
    enum said said = said_by(f);
    keep(verb, first, n, said);
    if (said == SAID_DONE)
        done = first;
    if (t.trace) {
        const evpq_error *error = evpq_future_error(f);
        fprintf(stderr, "# token %lld +%d %s: said %d, %s [%s]: %s\n", (long long)first, n,
                names[verb], said, evpq_status_name(evpq_future_status(f)),
                evpq_error_sqlstate(error), evpq_error_message(error));
    }
}

void ledger_note_wrong(enum verb verb, const char *what)
{
    wrong++;
    printf("# VIOLATION %s: %s\n", names[verb], what);
}

int64_t ledger_done(void)
{
    return done;
}

void ledger_note_missing(int64_t token)
{
    wrong++;
    printf("# VIOLATION token %lld was said to be there, and a read does not see it\n",
           (long long)token);
}

/* ---- the end ---- */

/* How often each is there. Given: free. */
static unsigned char *read_table(void)
{
    unsigned char *there = calloc((size_t)t.tokens + 1, 1);
    evpq_stream *s = evpq_pool_stream(t.admin, "select t from token", EVPQ_ARGS(), NULL);
    for (const evpq_result *rows;;) {
        evpq_future *f = evpq_stream_next(s);
        if (evpq_await(f) != EVPQ_OK) {
            fprintf(stderr, "torture: %s\n", evpq_error_message(evpq_future_error(f)));
            exit(2);
        }
        rows = evpq_future_result(f);
        for (int i = 0; i < evpq_result_rows(rows); i++) {
            int64_t token = evpq_result_int8(rows, i, 0);
            if (token >= 0 && token < t.tokens && there[token] < 255)
                there[token]++;
        }
        evpq_future_unref(f);
        if (!rows)
            break;
    }
    evpq_stream_close(s);
    return there;
}

struct figures {
    long done, rejected, not_sent, with, without, in_part, violations;
};

static long judge(const struct entry *e, const unsigned char *there, struct figures *fig)
{
    static const char *const words[] = {"nothing", "done", "REJECTED", "NOT_SENT", "UNKNOWN"};
    int rows = 0, twice = 0;
    for (int64_t i = e->first; i < e->first + e->n; i++) {
        rows += there[i] > 0;
        twice += there[i] > 1;
    }
    const char *how = NULL;
    if (twice)
        how = "twice";
    else if (e->said == SAID_DONE && !rows)
        how = "not there";
    else if ((e->said == SAID_REJECTED || e->said == SAID_NOT_SENT) && rows)
        how = rows == e->n ? "there" : "there in part";
    else if (rows != 0 && rows != e->n && !getenv("PGPOOL_HOST")) /* it splits what goes together */
        how = "there in part";
    fig->done += e->said == SAID_DONE;
    fig->rejected += e->said == SAID_REJECTED;
    fig->not_sent += e->said == SAID_NOT_SENT;
    fig->with += e->said == SAID_UNKNOWN && rows;
    fig->without += e->said == SAID_UNKNOWN && !rows;
    fig->in_part += e->said == SAID_UNKNOWN && rows && rows != e->n;
    fig->violations += how != NULL;
    if (how)
        printf("# VIOLATION %s: said %s, and tokens %lld +%d are %s\n", names[e->verb],
               words[e->said], (long long)e->first, e->n, how);
    return how != NULL;
}

long ledger_settle(void)
{
    struct figures fig[VERBS] = {0}, sum = {0};
    unsigned char *there = read_table();
    long violations = wrong;
    for (size_t i = 0; i < count; i++)
        violations += judge(&entries[i], there, &fig[entries[i].verb]);
    printf("# %-14s %8s %8s %8s %12s %12s %8s %10s\n", "calls", "OK", "REJECTED", "NOT_SENT",
           "UNKNOWN with", "UNKNOWN w/o", "in part", "violations");
    for (int v = 0; v <= VERBS; v++) {
        const struct figures *f = v < VERBS ? &fig[v] : &sum;
        printf("# %-14s %8ld %8ld %8ld %12ld %12ld %8ld %10ld\n", v < VERBS ? names[v] : "all",
               f->done, f->rejected, f->not_sent, f->with, f->without, f->in_part, f->violations);
        sum.done += f->done, sum.rejected += f->rejected, sum.not_sent += f->not_sent;
        sum.with += f->with, sum.without += f->without, sum.in_part += f->in_part;
        sum.violations += f->violations;
    }
    free(there);
    free(entries);
    return violations;
}
