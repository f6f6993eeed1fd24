/* session.c - what a server process does: reads messages, runs statements, ends transactions.
 *
 * As PostgreSQL has it (documentation, "Extended Query" and "Pipelining"): what comes between two
 * Syncs is one transaction, unless BEGIN makes a block of it; after an error all is skipped up to
 * the next Sync. */
#include "sim/server.h"

#include "sim/answer.h"
#include "sim/copying.h"
#include "sim/net.h"
#include "sim/notify.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static bool is_change(enum statement s)
{
    return s == INSERT || s == DELETE || s == INSERT_DEFERRED || s == COPY_IN || s == COPY_ROWS_IN;
}

/* ---- transactions ---- */

static void forget_transaction(struct backend *b)
{
    b->changes.n = 0;
    xact_end(b->xact, false);
    b->xact = 0;
    b->deferred = b->together = b->reads_only = b->hides = false;
    b->notices.n = 0;
    b->notices.will_listen = b->notices.listens;
}

static void roll_back(struct backend *b)
{
    forget_transaction(b);
    b->n_savepoints = 0;
    b->status = 'I';
}

static void ready(struct backend *b)
{
    b->between = b->status == 'I';
    if (b->between)
        answer_heard(b);
    answer_ready(b);
    for (int i = 0; b->link && b->between && i < b->n_done; i++)
        net_mark(b->link, buffer_size(&b->out), b->done[i]);
    b->n_done = 0;
    if (b->between)
        pooler_take_back(b);
}

/* By a pooler, though no statement has asked for it. */
static bool is_left_open(const struct backend *b)
{
    return b->status == 'I' && b->at == AT_EXECUTE && is_change(b->portal->is) &&
           chance_one_in(server_faults()->left_open);
}

static void fail(struct backend *b, const struct server_error *error)
{
    trace("backend %d: ERROR %s", b->pid, error->sqlstate);
    answer_error(b, "ERROR", error);
    b->n_done = 0;
    b->skips = !b->simple;
    if (b->status == 'I' && !is_left_open(b))
        forget_transaction(b);
    else
        b->status = 'E';
    b->at = AT_NOTHING;
    if (b->simple)
        ready(b);
    b->simple = b->copies = false;
}

/* At COMMIT, or at the Sync that ends what was no block. */
static bool commit(struct backend *b)
{
    if (b->deferred) {
        roll_back(b);
        fail(b, &says_deferred);
        return false;
    }
    changes_commit(&b->changes);
    xact_end(b->xact, true);
    b->xact = 0;
    b->session->hides |= b->hides;
    b->notices.listens = b->notices.will_listen;
    for (int i = 0; i < b->notices.n; i++)
        notify_commit(b->notices.sends[i].channel, b->notices.sends[i].number);
    roll_back(b);
    return true;
}

/* ---- statements ---- */

static const struct savepoint *find_savepoint(const struct backend *b)
{
    const struct savepoint *s = b->savepoints + b->n_savepoints;
    while (s-- > b->savepoints)
        if (!strcmp(s->name, b->portal->argument))
            return s;
    return NULL;
}

/* The token is one of another table, which is as well as empty. */
static bool is_hidden(const struct backend *b)
{
    return b->hides || b->session->hides;
}

/* NULL: nothing speaks against it. */
static const struct server_error *objection(const struct backend *b)
{
    enum statement s = b->portal->is;
    if (b->status == 'E' && !statement_runs_in_failed(s))
        return &says_in_failed;
    if ((s == SAVEPOINT || s == RELEASE || s == ROLLBACK_TO) && b->status == 'I')
        return &says_no_block;
    if ((s == RELEASE || s == ROLLBACK_TO) && !find_savepoint(b))
        return &says_no_savepoint;
    if (is_change(s) && b->reads_only)
        return &says_read_only;
    if (s == FAIL)
        return &says_division;
    if ((s == DISCARD_ALL || s == DISCARD) && b->status != 'I')
        return &says_in_block;
    if ((s == INTO || s == CREATE) && is_hidden(b))
        return &says_table_exists;
    if (s == COLUMNS ? strcmp(b->texts[0], TABLE_TOKENS) : s == COPY_ROWS_HIDDEN && !is_hidden(b))
        return &says_no_table;
    if (!statement_runs_in_failed(s) && chance_one_in(server_faults()->errors))
        return chance_one_in(2) ? &says_serialization : &says_resources;
    return NULL;
}

static void deallocate(struct backend *b, const char *name)
{
    for (int i = 1; i < PREPARED_MOST; i++)
        if (!strcmp(b->session->prepared[i].name, name))
            b->session->prepared[i].name[0] = '\0';
}

static void forget_prepared(struct backend *b)
{
    for (int i = 1; i < PREPARED_MOST; i++)
        b->session->prepared[i].name[0] = '\0';
}

static void change(struct backend *b, enum statement s)
{
    int rows = 1;
    if (is_hidden(b))
        rows = s == INSERT;
    else if (s == INSERT)
        changes_add(&b->changes, b->token, false);
    else if (changes_have(&b->changes, b->token))
        changes_add(&b->changes, b->token, true);
    else
        rows = 0;
    if (rows)
        answer_row(b, s);
    answer_complete(b, s == INSERT ? "INSERT 0 1" : rows ? "DELETE 1" : "DELETE 0");
}

static void look(struct backend *b, enum statement s)
{
    bool there = s != SEE || (!is_hidden(b) && changes_have(&b->changes, b->token));
    b->together |= s == WHO;
    b->reads_only |= s == GUARD;
    if (there)
        answer_row(b, s);
    answer_complete(b, there ? "SELECT 1" : "SELECT 0");
}

static void end_block(struct backend *b, enum statement s)
{
    if (b->status == 'I' && b->changes.n == 0)
        answer_warning(b, "there is no transaction in progress");
    if (s == ROLLBACK || b->status == 'E') {
        roll_back(b);
        answer_complete(b, "ROLLBACK");
    } else if (commit(b)) {
        answer_complete(b, "COMMIT");
    }
}

static void use_notices(struct backend *b, enum statement s)
{
    char name[8] = "";
    if (s == NOTIFY) {
        if (b->notices.n == NOTIFIES_MOST)
            violation("backend %d: more than %d notifications", b->pid, NOTIFIES_MOST);
        b->notices.sends[b->notices.n].channel = notify_channel_of(b->texts[0]);
        b->notices.sends[b->notices.n++].number = b->token;
        answer_row(b, s);
        answer_complete(b, "SELECT 1");
        return;
    }
    sscanf(b->portal->argument, "%7[^\"]", name);
    unsigned bit = 1U << notify_channel_of(name);
    if (s == LISTEN)
        b->notices.will_listen |= bit;
    else
        b->notices.will_listen &= ~bit;
    answer_complete(b, statement_name(s));
}

static void use_savepoint(struct backend *b, enum statement s)
{
    if (s == SAVEPOINT) {
        if (b->n_savepoints == SAVEPOINTS_MOST)
            violation("backend %d: more than %d savepoints", b->pid, SAVEPOINTS_MOST);
        struct savepoint *new = &b->savepoints[b->n_savepoints++];
        *new = (struct savepoint){.changes = b->changes.n, .deferred = b->deferred};
        snprintf(new->name, sizeof new->name, "%s", b->portal->argument);
        answer_complete(b, "SAVEPOINT");
        return;
    }
    const struct savepoint *found = find_savepoint(b);
    b->n_savepoints = (int)(found - b->savepoints);
    if (s == ROLLBACK_TO) { /* which stays */
        b->n_savepoints++;
        b->changes.n = found->changes;
        b->deferred = found->deferred;
        b->status = 'T';
    }
    answer_complete(b, s == RELEASE ? "RELEASE" : "ROLLBACK");
}

/* A name that was looked up before means what it meant then. */
static bool copies_to_table(const struct backend *b)
{
    return b->portal->is == COPY_ROWS_IN || (b->portal->is == COPY_IN && !is_hidden(b));
}

static void copy_in(struct backend *b)
{
    char tag[24];
    int64_t tokens[COPIED_MOST];
    int n = copying_numbers(&b->copied, statement_copies_binary(b->portal->is), tokens);
    for (int i = 0; i < n && copies_to_table(b); i++)
        changes_add(&b->changes, tokens[i], false);
    snprintf(tag, sizeof tag, "COPY %d", n);
    answer_complete(b, tag);
}

static void carry_out(struct backend *b)
{
    enum statement s = b->portal->is;
    switch (s) {
    case INSERT:
    case DELETE:
        change(b, s);
        break;
    case INSERT_DEFERRED:
        b->deferred = true;
        answer_complete(b, "INSERT 0 1");
        break;
    case ROWS:
        answer_complete(b, "SELECT 20");
        break;
    case NUMBERS:
    case SPOILED:
        violation("backend %d: what is not to be run is run", b->pid);
    case COLUMNS:
        answer_columns(b, is_hidden(b));
        answer_complete(b, "SELECT 1");
        break;
    case TYPES:
        answer_types(b);
        answer_complete(b, "SELECT 1");
        break;
    case XACT:
        if (b->changes.n && !b->xact)
            b->xact = xact_new();
        answer_xact(b);
        answer_complete(b, "SELECT 1");
        break;
    case XACT_STATUS:
        answer_xact_status(b, chance_one_in(server_faults()->standbys));
        answer_complete(b, "SELECT 1");
        break;
    case COPY_IN:
    case COPY_ROWS_IN:
    case COPY_ROWS_HIDDEN:
        copy_in(b);
        break;
    case COPY_OUT:
    case COPY_ROWS_OUT:
        answer_copy_end(b);
        answer_complete(b, "COPY 20");
        break;
    case LISTEN:
    case UNLISTEN:
    case NOTIFY:
        use_notices(b, s);
        break;
    case SAVEPOINT:
    case RELEASE:
    case ROLLBACK_TO:
        use_savepoint(b, s);
        break;
    case SEE:
    case ECHO:
    case SLOW:
    case FAIL:
    case WHO:
    case TOGETHER:
    case GUARD:
        look(b, s);
        break;
    case BEGIN:
        if (b->status == 'I')
            b->status = 'T';
        else
            answer_warning(b, "there is already a transaction in progress");
        b->reads_only |= strstr(b->portal->argument, "READ ONLY") != NULL;
        answer_complete(b, "BEGIN");
        break;
    case COMMIT:
    case ROLLBACK:
        end_block(b, s);
        break;
    case DISCARD_ALL:
    case DISCARD:
        b->notices.will_listen = 0;
        b->session->hides = false;
        forget_prepared(b);
        answer_complete(b, "DISCARD ALL");
        break;
    case FORGET:
        forget_prepared(b);
        answer_complete(b, "DEALLOCATE ALL");
        break;
    case INTO:
    case CREATE:
    case PATH:
        b->hides = true;
        answer_complete(b, s == INTO ? "SELECT 1" : s == CREATE ? "CREATE TABLE" : "SET");
        break;
    case DEALLOCATE:
        deallocate(b, b->portal->argument);
        answer_complete(b, "DEALLOCATE");
        break;
    case NOTHING:
        answer_empty(b);
        break;
    }
}

/* ---- what takes time ---- */

static void take_time(struct backend *b, enum activity at, sim_time takes)
{
    b->at = at;
    event_set(&b->step, world_now() + takes);
}

static sim_time duration(const struct backend *b)
{
    if (b->portal->is == SLOW)
        return chance_time(20 * SIM_MS, 5 * SIM_S);
    if (chance_one_in(server_faults()->slow))
        return chance_time(SIM_MS, 2 * SIM_S);
    return chance_time(10 * SIM_US, 400 * SIM_US);
}

/* What was done may wait to be told; it can die meanwhile. */
static void done(struct backend *b)
{
    if (chance_one_in(server_faults()->slow_ends))
        take_time(b, AT_DONE, chance_time(10 * SIM_US, 500 * SIM_MS));
    else
        b->at = AT_NOTHING;
}

/* Some at a time. False: all have been sent. */
static bool send_rows(struct backend *b)
{
    bool copies = statement_copies_out(b->portal->is);
    if (copies && !b->rows)
        answer_copy_out(b);
    for (int n = 1 + (int)chance_below(SERIES); n && b->rows < SERIES; n--, b->rows++) {
        if (copies)
            answer_copy_row(b, b->rows + 1);
        else
            answer_row(b, ROWS);
    }
    if (b->rows == SERIES)
        return false;
    if (chance_one_in(2))
        answer_flush(b);
    take_time(b, AT_EXECUTE, duration(b));
    return true;
}

/* Before the Sync: see server_faults. A constraint that fails when the transaction ends leaves that to
 * the Sync. */
static void end_apart(struct backend *b)
{
    if (!server_faults()->apart || b->status != 'I' || b->deferred)
        return;
    if (is_left_open(b))
        b->status = 'T';
    else
        commit(b);
}

/* A simple query ends its own transaction, and says so. */
static void end_simple(struct backend *b)
{
    if (b->status == 'I' && !commit(b))
        return;
    b->simple = b->copies = false;
    ready(b);
    done(b);
}

/* By its token, which no other has. */
static bool is_told_apart(enum statement s)
{
    return s == INSERT || s == ECHO || s == SLOW;
}

static void executed(struct backend *b)
{
    const struct server_error *error = objection(b);
    if (error) {
        fail(b, error);
        return;
    }
    if ((b->portal->is == ROWS || statement_copies_out(b->portal->is)) && send_rows(b))
        return;
    carry_out(b);
    if (is_told_apart(b->portal->is) && b->status == 'I' && b->n_done < DONE_MOST)
        b->done[b->n_done++] = b->token;
    if (!b->skips)
        end_apart(b);
    if (b->at == AT_EXECUTE && b->simple)
        end_simple(b);
    else if (!b->skips && b->at == AT_EXECUTE)
        done(b);
}

static void synced(struct backend *b)
{
    b->at = AT_NOTHING;
    if (b->status == 'I' && !b->skips)
        commit(b);
    b->skips = false;
    ready(b);
    done(b);
}

static void step(struct event *e)
{
    struct backend *b = container_of(e, struct backend, step);
    if (b->at == AT_EXECUTE)
        executed(b);
    else if (b->at == AT_SYNC)
        synced(b);
    else
        b->at = AT_NOTHING;
    backend_go_on(b);
}

void backend_execute(struct backend *b)
{
    trace("backend %d: runs %s %lld", b->pid, statement_name(b->portal->is), (long long)b->token);
    bool canceled = b->signaled && chance_one_in(2); /* or it was noticed while it read */
    b->signaled = false;
    b->rows = 0;
    if (canceled)
        fail(b, &says_canceled);
    else
        take_time(b, AT_EXECUTE, duration(b));
}

void backend_query(struct backend *b)
{
    b->simple = true;
    if (!statement_copies_in(b->portal->is)) {
        backend_execute(b);
        return;
    }
    const struct server_error *error = objection(b);
    if (error) {
        fail(b, error);
        return;
    }
    trace("backend %d: copies", b->pid);
    b->copies = true;
    buffer_take(&b->copied, buffer_size(&b->copied));
    answer_copy_in(b);
    answer_flush(b);
}

/* `whole`: the program has not given it up. */
void backend_copied(struct backend *b, bool whole)
{
    b->copies = false;
    if (whole)
        backend_execute(b);
    else
        fail(b, &says_copy_failed);
}

void backend_sync(struct backend *b)
{
    bool slow = b->changes.n && chance_one_in(server_faults()->slow_ends);
    take_time(b, AT_SYNC, slow ? chance_time(10 * SIM_US, SIM_S) : chance_time(0, 20 * SIM_US));
}

void backend_fail(struct backend *b, const struct server_error *error)
{
    fail(b, error);
}

/* ---- faults ---- */

void backend_cancel(struct backend *b)
{
    bool hits = b->at == AT_EXECUTE && b->portal->is != COMMIT && b->portal->is != ROLLBACK;
    trace("cancel of %d: %s", b->pid, hits ? statement_name(b->portal->is) : "nothing runs");
    if (b->copies || chance_one_in(server_faults()->late_signals)) {
        b->signaled = true;
        return;
    }
    if (!hits)
        return;
    event_cancel(&b->step);
    b->signaled = false;
    fail(b, &says_canceled);
    backend_go_on(b);
}

/* The process behind a pooler has gone; what it was at may have been done. The pooler goes on with
 * another, where no block was open. */
static void lose_session(struct backend *b)
{
    bool ends = b->at == AT_SYNC;
    bool told = ends && chance_one_in(2) && !commit(b);
    event_cancel(&b->step);
    pooler_lose(b);
    roll_back(b);
    b->at = AT_NOTHING; /* its portal has gone, too */
    if (!told)
        fail(b, &says_crashed);
    if (ends) {
        b->skips = false;
        b->between = true;
        answer_ready(b);
    }
    backend_go_on(b);
}

void backend_terminate(struct backend *b)
{
    bool pooled = server_faults()->pooled, works = b->at == AT_SYNC || b->at == AT_EXECUTE;
    trace("backend %d: terminated", b->pid);
    if (pooled && works && b->status == 'I' && !b->skips && !b->simple && chance_one_in(2)) {
        lose_session(b);
        return;
    }
    if (b->started && (b->at != AT_DONE || chance_one_in(2))) {
        answer_error(b, "FATAL", pooled ? &says_crashed : &says_terminated);
        answer_flush(b);
    }
    backend_die(b);
}

/* ---- life ---- */

void backend_go_on(struct backend *b)
{
    enum taken taken = TAKEN;
    while (taken == TAKEN && b->at == AT_NOTHING)
        taken = message_take(b);
    if (taken == ENDED)
        return;
    if (b->at == AT_NOTHING || (b->at == AT_EXECUTE && chance_one_in(2)))
        answer_flush(b);
    if (b->at == AT_NOTHING && b->eof)
        backend_die(b);
}

void backend_receive(struct backend *b, const char *bytes, size_t n)
{
    buffer_put(&b->in, bytes, n);
    if (b->at == AT_NOTHING)
        backend_go_on(b);
}

void backend_init(struct backend *b)
{
    b->status = 'I';
    b->between = true;
    list_init(&b->waits);
    event_init(&b->step, step);
}
