/* run.c - statements: which line of the script answers, when, and what becomes of the transaction
 * (PostgreSQL documentation, "Extended Query" and "Pipelining"). */
#include "testing/server_impl.h"
#include "testing/types.h"

#include <math.h>
#include <stdio.h>

/* As the server's sources have them: a client may look at the function that raised an error. */
static const struct fault in_failed = {
    .severity = "ERROR",
    .sqlstate = "25P02",
    .message = "current transaction is aborted, commands ignored until end of transaction block",
    .function = "exec_execute_message"};
static const struct fault canceled = {.severity = "ERROR",
                                      .sqlstate = "57014",
                                      .message = "canceling statement due to user request",
                                      .function = "ProcessInterrupts"};
static const struct fault no_block = {.severity = "ERROR",
                                      .sqlstate = "25P01",
                                      .message = "this can only be used in transaction blocks",
                                      .function = "CheckTransactionBlock"};

/* ---- ends ---- */

/* A COMMIT that fails has rolled back. */
static void fail(struct backend *b, const struct fault *f)
{
    answer_fault(b, 'E', f);
    backend_flush(b); /* as a server does: a Flush behind it will be skipped */
    if (b->status != 'I')
        b->status = verb_of(b->portal.sql) == VERB_COMMIT ? 'I' : 'E';
    b->skips = !b->simple;
}

static void ready(struct backend *b)
{
    b->simple = b->skips = false;
    if (b->cut == EVPQ_TEST_THEN_CUT_WITHIN) {
        backend_flush(b);
        backend_end(b);
        return;
    }
    if (b->status == 'I' && bytes_size(&b->heard)) {
        bytes_put(&b->out, bytes_begin(&b->heard), bytes_size(&b->heard));
        bytes_take(&b->heard, bytes_size(&b->heard));
    }
    answer_ready(b);
    if (b->cut == EVPQ_TEST_THEN_CUT_AFTER)
        backend_end(b);
}

void run_sync(struct backend *b)
{
    ready(b);
}

/* ---- answers ---- */

const struct line *run_line(struct backend *b)
{
    struct portal *p = &b->portal;
    if (p->decided)
        return p->line;
    p->decided = true;
    if (!own_is(p->sql) && (b->status != 'E' || verb_ends(verb_of(p->sql))))
        p->line = script_take(&b->server->script, p->sql);
    return p->line;
}

static void say_fault(struct backend *b, const evpq_test_answer *a)
{
    char message[64];
    struct fault f = {
        .severity = a->severity ? a->severity : "ERROR",
        .sqlstate = a->sqlstate,
        .message = a->message ? a->message : message,
        .detail = a->detail,
        .hint = a->hint,
        .constraint = a->constraint,
        .function = "evpq_test_server_answer",
    };
    snprintf(message, sizeof message, "the script says SQLSTATE %s", a->sqlstate);
    fail(b, &f);
    if (strcmp(f.severity, "FATAL"))
        return;
    backend_flush(b);
    backend_end(b);
}

/* NULL: each column can be had in the format that it is asked for. */
static const struct column *unwritable(const struct backend *b, const struct line *l)
{
    for (size_t i = 0; i < l->n_columns; i++)
        if (portal_format(&b->portal, i) && !type_has_binary(l->columns[i].type))
            return &l->columns[i];
    return NULL;
}

static void say_result(struct backend *b, const struct line *l)
{
    const struct column *bad = unwritable(b, l);
    char tag[TAG_SIZE], message[160];
    if (bad) {
        snprintf(message, sizeof message,
                 "the scripted server has no binary format of %s (column %.60s): ask for text",
                 type_name(bad->type), bad->name);
        fail(b, &(struct fault){.severity = "ERROR",
                                .sqlstate = "0A000",
                                .message = message,
                                .function = "evpq_test_server_answer"});
        return;
    }
    if (b->simple && l->n_columns)
        answer_columns(b, l->columns, l->n_columns, true);
    for (size_t i = 0; i < l->is.rows; i++)
        answer_row(b, l->columns, l->n_columns, (const char *const *)l->cells + i * l->n_columns);
    verb_do(b, b->portal.sql, l->n_columns ? l->is.rows : NO_RESULT, tag);
    answer_complete(b, l->is.tag ? l->is.tag : tag);
}

static void say(struct backend *b, const struct line *l)
{
    if (l->is.then == EVPQ_TEST_THEN_CUT_BEFORE) {
        backend_end(b);
        return;
    }
    if (l->is.then != EVPQ_TEST_THEN_GO_ON)
        b->cut = l->is.then;
    if (l->is.notice)
        answer_fault(b, 'N',
                     &(struct fault){.severity = "WARNING",
                                     .sqlstate = "01000",
                                     .message = l->is.notice,
                                     .function = "evpq_test_server_answer"});
    if (l->is.sqlstate)
        say_fault(b, &l->is);
    else
        say_result(b, l);
}

/* ---- without a line ---- */

static void say_unscripted(struct backend *b, struct entry *e)
{
    struct bytes message = {0};
    e->unscripted = true;
    b->server->journal.unscripted++;
    bytes_print(&message, "no answer is scripted for: ");
    entry_print(e, &message);
    bytes_put_int(&message, 1, 0);
    fail(b, &(struct fault){.severity = "ERROR",
                            .sqlstate = "58000",
                            .message = bytes_begin(&message),
                            .hint = "evpq_test_server_answer adds one.",
                            .function = "evpq_test_server_answer"});
    bytes_free(&message);
}

static void say_verb(struct backend *b, struct entry *e)
{
    enum verb verb = verb_of(e->sql);
    bool inside = verb == VERB_SAVEPOINT || verb == VERB_RELEASE || verb == VERB_ROLLBACK_TO ||
                  verb_chains(e->sql);
    char tag[TAG_SIZE];
    if (verb == VERB_NONE) {
        say_unscripted(b, e);
    } else if (inside && b->status == 'I') {
        fail(b, &no_block);
    } else {
        verb_do(b, e->sql, NO_RESULT, tag);
        answer_complete(b, tag);
    }
}

/* ---- running ---- */

static void run(struct backend *b)
{
    struct portal *p = &b->portal;
    if (own_is(p->sql) && (b->status != 'E' || own_runs_in_failed(p->sql))) {
        own_answer(b, p->sql);
        return;
    }
    struct entry *e = NULL;
    if (!own_is(p->sql))
        e = journal_add(&b->server->journal, p->sql, p->n, p->parameters);
    const struct line *l = run_line(b);
    if (b->status == 'E' && !verb_ends(verb_of(p->sql))) {
        fail(b, &in_failed);
    } else if (!l) {
        say_verb(b, e);
    } else if (l->is.then == EVPQ_TEST_THEN_NEVER || l->is.delay > 0) {
        bool never = l->is.then == EVPQ_TEST_THEN_NEVER;
        b->at = AT_WAIT;
        b->due = never ? INFINITY : testing_now() + l->is.delay * b->server->second;
    } else {
        say(b, l);
    }
}

void run_portal(struct backend *b)
{
    run(b);
}

static void end_query(struct backend *b)
{
    if (b->simple && b->at == AT_MESSAGES)
        ready(b);
}

void run_query(struct backend *b)
{
    b->simple = true;
    run(b);
    end_query(b);
}

void run_waited(struct backend *b)
{
    b->at = AT_MESSAGES;
    say(b, b->portal.line);
    end_query(b);
}

void run_canceled(struct backend *b)
{
    if (b->at != AT_WAIT)
        return;
    b->at = AT_MESSAGES;
    fail(b, &canceled);
    end_query(b);
}
