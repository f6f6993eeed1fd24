/* verdict.h - what became of an operation's statements: the one place that decides between OK,
 * REJECTED, UNKNOWN and NOT_SENT. The rule is the table in verdict.c, which evpq_error(3) prints
 * and tests/test_outcome walks.
 *
 * An operation that runs statements embeds a struct verdict. It notes what comes, and at the Sync,
 * or when the link is lost, asks what to say. */
#ifndef OPS_VERDICT_H
#define OPS_VERDICT_H

#include "ops/stmt_run.h"
#include "words/sql.h"

/* The worst that came, in rising order. */
enum came { CAME_NOTHING, CAME_RESULT, CAME_ABORTED, CAME_ERROR };

/* How it stands to the transaction that it is run in. */
enum role {
    ROLE_ALONE,  /* the server ends it by itself; or it is what a program asks of its lease */
    ROLE_WITHIN, /* a part of a transaction of ours: never run again by itself */
    ROLE_COMMIT, /* ends a transaction of ours */
};

/* What is known when nothing more will come. */
struct evidence {
    bool sent;   /* a part of it may have reached the server */
    bool synced; /* the server said that it is ready again (ReadyForQuery) */
    enum came came;
    bool doubt; /* an error came that is not the server's own word */
    bool split; /* of several under one Sync, of which nobody knows that they share a transaction */
    enum role role;
    bool began;                        /* BEGIN shares its Sync */
    enum pq_transaction before, after; /* UNKNOWN: more was in flight, and libpq does not tell */
    enum sql_scope scope;
};

enum fate {
    FATE_DONE,
    FATE_LEFT_OPEN, /* carried out, in a transaction that is still open, and should not be */
    FATE_REJECTED,
    FATE_UNKNOWN,
    FATE_NOT_SENT,
};
enum fate fate_of(const struct evidence *e);

/* Whether it was not a part of a transaction of ours, and has left one open that it did not
 * begin. */
bool verdict_is_stray(const struct evidence *e);
/* Given: what is said of one that was carried out in such a transaction. UNKNOWN until that has
 * been rolled back. */
evpq_error *verdict_left_open(const char *sql);

struct verdict {
    evpq_error *error; /* the first; its outcome is decided at the end */
    enum came came;
    bool doubt; /* an error of its own came that is not the server's own word */
    enum role role;
    bool several; /* more than one under one Sync */
    bool healed;  /* it was run again after a prepared statement had failed */
    bool undoing; /* ROLLBACK is in the pipeline in its place */
    bool rolled_back;
    uint8_t aborts; /* how often others in its segment have failed before it */
    enum fate fate;
};

/* Before each time that it is submitted. */
static inline void verdict_begin(struct verdict *v)
{
    if (v->error)
        v->error = evpq_error_unref(v->error);
    v->came = CAME_NOTHING;
    v->doubt = false;
}

/* The same for so many statements that stand or fall together, about to be submitted: the
 * verdict rests on their sharing a transaction, which is asked ahead of them. */
void verdict_begin_several(struct verdict *v, struct pipeline *pipeline, size_t n);
void verdict_free(struct verdict *v);

/* Takes the error, of which the first is kept. */
void verdict_fails(struct verdict *v, evpq_error *error);
static inline void verdict_notes(struct verdict *v, enum came came)
{
    if (came > v->came)
        v->came = came;
}

/* An error that came for it. */
void verdict_notes_error(struct verdict *v, const struct pg_result *r);

/* In send, feed and so on, where it stands in for the operation while the transaction that it left
 * open is rolled back. */
bool verdict_send_rollback(struct verdict *v, struct op *op, struct pg_conn *c);
void verdict_take_rollback(struct verdict *v, enum pq_kind kind, struct pg_result *r);

enum verdict_next {
    NEXT_TELL,  /* it is over: verdict_error says how it ended */
    NEXT_AGAIN, /* submit it once more: it was not carried out, and nobody can tell the difference */
    NEXT_UNDO,  /* submit it once more: ROLLBACK goes instead */
};
/* At the Sync: whether it simply succeeded, as most do. verdict_at_sync would say the same, at more
 * cost. */
static inline bool verdict_is_done(struct verdict *v, const struct pipeline *pipeline)
{
    if (v->came != CAME_RESULT || v->role != ROLE_ALONE || v->undoing ||
        pipeline->sync.before != PQ_TXN_IDLE || pipeline->sync.after != PQ_TXN_IDLE)
        return false;
    v->fate = FATE_DONE;
    return true;
}

/* At the Sync. `movable`: order does not matter, as each statement is on its own. `stale`: a
 * prepared statement may be to blame. */
enum verdict_next verdict_at_sync(struct verdict *v, struct op *op, struct conn *c, const char *sql,
                                  bool movable, bool stale);

/* After NEXT_TELL: NULL, it was done; or the error, given, with the outcome that is so. */
evpq_error *verdict_why(struct verdict *v, const char *sql);
static inline evpq_error *verdict_error(struct verdict *v, const char *sql)
{
    bool done = !v->error && v->came == CAME_RESULT && v->fate != FATE_UNKNOWN;
    return done ? NULL : verdict_why(v, sql);
}

/* The link is lost for the reason `why` (borrowed), before the Sync. Given. */
evpq_error *verdict_at_loss(struct verdict *v, const evpq_error *why, bool sent, const char *sql);

#endif
