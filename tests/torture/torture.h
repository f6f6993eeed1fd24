/* torture.h - a server that dies, hangs and is cut while tokens are inserted by every verb.
 *
 *   torture  the program: workers, the pace, and the comparison with the table
 *   verbs    one call of a verb with tokens of its own, and what it said
 *   ledger   what was said of each token, and what is so
 *   faults   what goes wrong, one thing after the other; faults.h names its parts
 *
 * A token is a number that is inserted once. Afterwards the table tells which are there, and how
 * often. */
#ifndef TESTS_TORTURE_H
#define TESTS_TORTURE_H

#include "support/proxy.h"

#include <evpq/evpq.h>
#include <stdbool.h>
#include <stdint.h>

enum verb {
    VERB_QUERY,
    VERB_RETURNING, /* the same, read with RETURNING */
    VERB_LEASE,
    VERB_BATCH,
    VERB_LEASE_BATCH,
    VERB_MANY,
    VERB_LEASE_MANY,
    VERB_TXN,
    VERB_PROBED,
    VERB_UNDONE, /* a transaction or savepoint that is rolled back */
    VERB_TRANSACT,
    VERB_COPY,
    VERB_COPY_ROWS,
    VERB_STREAM,
    VERBS,
};

struct torture {
    evpq_loop *loop;
    evpq_pool *pool;  /* through the proxy */
    evpq_pool *admin; /* straight to the server */
    struct proxy *proxy;
    uint64_t seed;
    int64_t tokens_most, tokens; /* to be inserted; handed out */
    int faults_most, faults;     /* to be caused; caused */
    double begun;                /* when */
    bool over;                   /* no more is begun */
    bool trace;
};

extern struct torture t;

unsigned below(unsigned n);
void pause_for(double seconds);

/* ---- verbs ---- */

/* One call of a random verb; returns when it has settled. */
void verbs_call(void);

/* ---- ledger ---- */

/* n tokens that stand or fall together; the first. */
int64_t ledger_take(enum verb verb, int n);

/* What was said of them. NULL: done. */
void ledger_note(enum verb verb, int64_t first, int n, const evpq_future *f);

/* They were not to be kept, whatever was said. */
void ledger_note_undone(enum verb verb, int64_t first, int n);

/* Another answer than was asked for. */
void ledger_note_wrong(enum verb verb, const char *what);

/* A token that was said to be there; -1: none yet. */
int64_t ledger_done(void);

/* It is not there though: seen while others went on. */
void ledger_note_missing(int64_t token);

/* Compares with the table, and prints the figures. The number of violations. */
long ledger_settle(void);

/* ---- faults ---- */

/* Causes one, and waits until it is over. */
void faults_cause(void);

/* All is well again, and nothing of before goes on. */
void faults_end(void);

void faults_print(void);

#endif
