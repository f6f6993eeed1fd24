/* oracle.c - see oracle.h. */
#include "sim/oracle.h"

#include "sim/answer.h"
#include "sim/memory.h"
#include "sim/table.h"

#include <stdlib.h>
#include <string.h>

/* A wake-up that comes late, and a timer that libev rounds up to a millisecond. */
static const sim_time TURN = 6 * SIM_MS, LONG_TURN = 46 * SIM_MS;

/* Between a deadline as it was asked for and as it was set. */
static const sim_time MOMENT = SIM_MS;

enum claim { CLAIMS_NOTHING, CLAIMS_PRESENT, CLAIMS_ABSENT };

static struct {
    struct list calls;
    int numbers, pending;
    bool limited;  /* results are */
    sim_time turn; /* what one takes at most */
    unsigned char claims[TOKENS];
    void (*told)(struct call *);
} oracle;

static const char *const names[] = {
    [VERB_INSERT] = "insert", [VERB_BATCH] = "batch",       [VERB_MANY] = "executemany",
    [VERB_PART] = "part",     [VERB_TRANSACT] = "transact", [VERB_COMMIT] = "commit",
    [VERB_READ] = "read",     [VERB_ROLLBACK] = "rollback", [VERB_SEE] = "see",
    [VERB_FAILS] = "fails",   [VERB_ACQUIRE] = "acquire",   [VERB_BEGIN] = "begin",
    [VERB_DELETE] = "delete", [VERB_BEGIN_SQL] = "BEGIN",   [VERB_CLOSE] = "close",
    [VERB_DRAIN] = "drain",   [VERB_COPY] = "copy",         [VERB_NEXT] = "next",
    [VERB_COPIED] = "copied", [VERB_READY] = "ready",       [VERB_EVENT] = "event",
    [VERB_NOTIFY] = "notify", [VERB_HIDE] = "hide",         [VERB_FORGET] = "forget",
    [VERB_EAGER] = "eager",   [VERB_ROOM] = "room",         [VERB_SERIES] = "series",
    [VERB_TYPES] = "types",   [VERB_DONE] = "done",         [VERB_WRONG] = "wrong",
};

void oracle_begin(void)
{
    oracle.numbers = oracle.pending = 0;
    oracle.turn = TURN;
    oracle.limited = false;
    list_init(&oracle.calls);
    for (int i = 0; i < TOKENS; i++)
        oracle.claims[i] = CLAIMS_NOTHING;
}

void oracle_on_told(void (*told)(struct call *))
{
    oracle.told = told;
}

static const char *text_of(const struct call *c)
{
    static char text[400];
    const evpq_error *error = c->f ? evpq_future_error(c->f) : NULL;
    static const char *const outcomes[] = {"NOT_SENT", "REJECTED", "UNKNOWN"};
    snprintf(text, sizeof text, "call %d (%s %lld+%d) %s%s%s %s", c->number, names[c->verb],
             (long long)c->first, c->n, c->f ? evpq_status_name(evpq_future_status(c->f)) : "gone",
             error ? " " : "", error ? outcomes[evpq_error_outcome(error)] : "",
             error ? evpq_error_message(error) : "");
    return text;
}

/* ---- tokens ---- */

static void check_token(int64_t token)
{
    bool there = table_has(token);
    if (oracle.claims[token] == CLAIMS_PRESENT && !there)
        violation("token %lld was said to be committed, and is not there", (long long)token);
    if (oracle.claims[token] == CLAIMS_ABSENT && there)
        violation("token %lld was said to be rolled back or not sent, and is there",
                  (long long)token);
}

static void claim(int64_t first, int n, enum claim what)
{
    for (int64_t token = first; token < first + n; token++) {
        if (oracle.claims[token] && oracle.claims[token] != what)
            violation("token %lld is said to be there, and not to be there", (long long)token);
        oracle.claims[token] = (unsigned char)what;
        check_token(token);
    }
}

void oracle_absent(int64_t first, int n)
{
    claim(first, n, CLAIMS_ABSENT);
}

int64_t oracle_some_present(void)
{
    unsigned n = 0;
    int64_t some = -1;
    for (int64_t token = 0; token < TOKENS; token++)
        if (oracle.claims[token] == CLAIMS_PRESENT && chance_one_in(++n))
            some = token;
    if (some >= 0)
        oracle.claims[some] = CLAIMS_NOTHING;
    return some;
}

static const struct level *transaction_of(const struct level *level)
{
    while (level->outer)
        level = level->outer;
    return level;
}

static enum claim claim_of(const struct level *level)
{
    bool kept = true;
    for (; level; level = level->outer) {
        if (level->fate == FATE_UNDONE)
            return CLAIMS_ABSENT;
        kept &= level->fate == FATE_KEPT;
    }
    return kept ? CLAIMS_PRESENT : CLAIMS_NOTHING;
}

/* A statement of a transaction that has committed. One that was given up may have been run or not;
 * one that was not sent is no part of it. */
static void check_part(const struct call *part)
{
    const evpq_error *error = evpq_future_error(part->f);
    /* Without memory it may never have become part of it, and not have been told yet. */
    if (evpq_future_status(part->f) == EVPQ_PENDING && memory_has_failed())
        return;
    if (evpq_future_status(part->f) == EVPQ_PENDING)
        violation("a transaction is committed before its statement: %s", text_of(part));
    if (!error)
        claim(part->first, part->n, CLAIMS_PRESENT);
    else if (evpq_error_outcome(error) == EVPQ_OUTCOME_REJECTED && !part->of_lease)
        violation("a transaction is committed, and has failed: %s", text_of(part));
}

static void judge_parts(const struct level *transaction)
{
    list_each(node, &oracle.calls) {
        struct call *part = container_of(node, struct call, node);
        if (!part->level || !part->f || part->verb > VERB_FAILS || part->verb == VERB_COMMIT ||
            part->verb == VERB_ROLLBACK || transaction_of(part->level) != transaction)
            continue;
        enum claim what = part->judged ? CLAIMS_NOTHING : claim_of(part->level);
        part->judged |= what != CLAIMS_NOTHING;
        if (what == CLAIMS_PRESENT)
            check_part(part);
        else if (what == CLAIMS_ABSENT)
            claim(part->first, part->n, CLAIMS_ABSENT);
    }
}

void oracle_level_is(struct level *level, enum fate fate)
{
    level->fate = fate;
    judge_parts(transaction_of(level));
}

/* ---- what a future says ---- */

static void check_value(const struct call *c, evpq_future *f, int64_t token)
{
    const evpq_result *r = evpq_future_result(f);
    if (!r)
        violation("no result: %s", text_of(c));
    if (evpq_result_rows(r) != 1 && !(c->verb == VERB_SEE && !evpq_result_rows(r)))
        violation("%d rows: %s", evpq_result_rows(r), text_of(c));
    if (evpq_result_rows(r) && evpq_result_int8(r, 0, 0) != token)
        violation("the answer is %lld, another's: %s", (long long)evpq_result_int8(r, 0, 0),
                  text_of(c));
}

/* One that is part of a transaction may still be undone. */
static void claim_done(const struct call *c)
{
    if (!c->level)
        claim(c->first, c->n, CLAIMS_PRESENT);
}

static void check_done(const struct call *c)
{
    switch (c->verb) {
    case VERB_INSERT:
        claim_done(c);
        check_value(c, c->f, c->first);
        break;
    case VERB_COPY:
        claim_done(c);
        if (evpq_result_affected(evpq_future_result(c->f)) != c->n)
            violation("%lld rows: %s", (long long)evpq_result_affected(evpq_future_result(c->f)),
                      text_of(c));
        break;
    case VERB_BATCH:
        claim_done(c);
        for (int i = 0; i < c->n; i++)
            check_value(c, evpq_future_at(c->batch, (size_t)i), c->first + i);
        break;
    case VERB_DELETE:
        claim(c->first, c->n, CLAIMS_ABSENT);
        check_value(c, c->f, c->first);
        break;
    case VERB_MANY:
    case VERB_TRANSACT:
        claim_done(c);
        break;
    case VERB_PART:
    case VERB_READ:
    case VERB_SEE:
        check_value(c, c->f, c->first);
        break;
    case VERB_COMMIT:
        if (c->level->fate == FATE_UNDONE)
            violation("it was rolled back with what is around it: %s", text_of(c));
        oracle_level_is(c->level, FATE_KEPT);
        break;
    case VERB_SERIES:
        if (evpq_result_rows(evpq_future_result(c->f)) != c->n ||
            evpq_result_int8(evpq_future_result(c->f), c->n - 1, 0) != c->first + c->n - 1)
            violation("its rows are others: %s", text_of(c));
        break;
    case VERB_WRONG:
    case VERB_FAILS:
        violation("it must fail: %s", text_of(c));
    default:
        break;
    }
}

static void check_failed(const struct call *c)
{
    const evpq_error *error = evpq_future_error(c->f);
    if (!error)
        violation("it has failed without an error: %s", text_of(c));
    if (evpq_error_status(error) != evpq_future_status(c->f))
        violation("its error is of another status: %s", text_of(c));
    if (evpq_future_status(c->f) == EVPQ_NOMEM && memory_has_failed())
        ; /* it may be */
    else if (c->verb == VERB_WRONG && evpq_error_outcome(error) == EVPQ_OUTCOME_NOT_SENT)
        ; /* it was */
    else if (c->verb == VERB_SERIES && evpq_future_status(c->f) == EVPQ_INVALID && oracle.limited)
        ; /* the result is larger than the pool takes */
    else if (evpq_future_status(c->f) == EVPQ_INVALID || evpq_future_status(c->f) == EVPQ_NOMEM ||
             evpq_future_status(c->f) == EVPQ_DEADLOCK)
        violation("nothing was wrong with it: %s", text_of(c));
    if (evpq_future_status(c->f) == EVPQ_TYPE && c->verb != VERB_TYPES &&
        !(c->verb == VERB_COPIED && server_faults()->garbles))
        violation("nothing that came was wrong: %s", text_of(c));
    bool server = evpq_future_status(c->f) == EVPQ_SERVER;
    bool lone =
        !c->of_lease && (c->verb == VERB_INSERT || c->verb == VERB_SEE || c->verb == VERB_DELETE);
    if (server && lone && evpq_error_outcome(error) == EVPQ_OUTCOME_REJECTED &&
        !strcmp(evpq_error_sqlstate(error), says_plan_changed.sqlstate))
        violation("a plan that was left behind is told: %s", text_of(c));
    if (server && !server_faults()->pooled &&
        !strcmp(evpq_error_sqlstate(error), says_no_statement.sqlstate))
        violation("a prepared statement is taken to be there still: %s", text_of(c));
    if (c->alone && evpq_future_status(c->f) == EVPQ_TIMEOUT && !memory_has_failed() &&
        c->answered < c->limit - MOMENT)
        violation("its answer had come %.6f s before its time was over: %s",
                  (double)(c->limit - c->answered) * 1e-9, text_of(c));
    bool hit = server && evpq_error_outcome(error) != EVPQ_OUTCOME_NOT_SENT &&
               !strcmp(evpq_error_sqlstate(error), says_canceled.sqlstate);
    if (hit && !c->owner) /* a transaction may have had its BEGIN canceled with a statement */
        violation("a cancel request has hit what nobody has canceled: %s", text_of(c));
    if (evpq_error_outcome(error) == EVPQ_OUTCOME_UNKNOWN)
        return;
    if (c->verb == VERB_COMMIT)
        oracle_level_is(c->level, FATE_UNDONE);
    else if (c->verb == VERB_DELETE)
        claim(c->first, c->n, CLAIMS_PRESENT);
    else if (c->verb <= VERB_PART)
        claim(c->first, c->n, CLAIMS_ABSENT);
}

static void settled(evpq_future *f, void *arg)
{
    struct call *c = arg;
    trace("%s", text_of(c));
    if (c->told++)
        violation("it is told twice: %s", text_of(c));
    oracle.pending--;
    if (world_now() > c->due)
        violation("it is %.6f s late: %s", (double)(world_now() - c->due) * 1e-9, text_of(c));
    if (evpq_future_status(f) == EVPQ_OK)
        check_done(c);
    else
        check_failed(c);
    if (oracle.told)
        oracle.told(c);
    /* One that was canceled after it was done keeps its connection until it goes. */
    if (c->verb == VERB_ACQUIRE || c->verb == VERB_BEGIN)
        c->f = evpq_future_unref(c->f);
}

/* ---- calls ---- */

struct call *oracle_note(enum verb verb, evpq_future *f, int64_t first, int n, sim_time due,
                         void *owner)
{
    struct call *c = memory_new(sizeof *c);
    *c = (struct call){.number = ++oracle.numbers,
                       .verb = verb,
                       .f = f,
                       .first = first,
                       .n = n,
                       .due = due == SIM_NEVER ? due : due + oracle.turn,
                       .limit = due,
                       .answered = SIM_NEVER,
                       .owner = owner};
    list_append(&oracle.calls, &c->node);
    oracle.pending++;
    trace("call %d: %s %lld+%d", c->number, names[verb], (long long)first, n);
    bool scarce = memory_is_scarce(false);
    c->unheard = evpq_future_on_done(f, settled, c) != EVPQ_OK;
    memory_is_scarce(scarce);
    if (c->unheard)
        c->due = SIM_NEVER; /* it has settled in time */
    if (c->unheard && (!memory_has_failed() || evpq_future_status(f) != EVPQ_NOMEM))
        violation("nobody will be told: %s", text_of(c));
    return c;
}

struct call *oracle_some_pending(void)
{
    unsigned n = 0;
    struct call *some = NULL;
    list_each(node, &oracle.calls) {
        struct call *c = container_of(node, struct call, node);
        if (!c->told && chance_one_in(++n))
            some = c;
    }
    return some;
}

void oracle_results_are_limited(void)
{
    oracle.limited = true;
}

int oracle_pending(void)
{
    return oracle.pending;
}

void oracle_turns_are_long(void)
{
    if (oracle.turn == LONG_TURN)
        return;
    oracle.turn = LONG_TURN;
    list_each(node, &oracle.calls) {
        struct call *c = container_of(node, struct call, node);
        if (c->due != SIM_NEVER)
            c->due += LONG_TURN - TURN;
    }
}

void oracle_answered(int64_t token)
{
    list_each(node, &oracle.calls) {
        struct call *c = container_of(node, struct call, node);
        if (!c->told && c->alone && c->first == token && c->answered == SIM_NEVER)
            c->answered = world_now();
    }
}

/* What had come by then is taken first, for twice as long. */
void oracle_stalled(sim_time lasted)
{
    list_each(node, &oracle.calls) {
        struct call *c = container_of(node, struct call, node);
        if (c->due != SIM_NEVER)
            c->due += 3 * lasted + oracle.turn;
    }
}

/* Futures that are of no loop, as there was no memory for any. */
void oracle_hear(void)
{
    list_each(node, &oracle.calls) {
        struct call *c = container_of(node, struct call, node);
        if (!c->unheard)
            continue;
        c->unheard = false;
        settled(c->f, c);
    }
}

void oracle_turn(evpq_pool *pool, int most)
{
    evpq_pool_stats s = {.size = sizeof s};
    list_each(node, &oracle.calls) {
        const struct call *c = container_of(node, struct call, node);
        if (!c->told && world_now() > c->due)
            violation("it is pending, and was due: %s", text_of(c));
    }
    if (!pool || evpq_pool_get_stats(pool, &s) != EVPQ_OK)
        return;
    int total = s.connecting + s.idle + s.busy + s.leased + s.closing;
    if (s.idle && s.waiting)
        violation("%d connections are idle, and %d calls wait", s.idle, s.waiting);
    if (total > most)
        violation("%d connections, and %d are allowed", total, most);
}

void oracle_end(void)
{
    struct list *node;
    for (int token = 0; token < TOKENS; token++)
        check_token(token);
    while ((node = list_pop(&oracle.calls))) {
        struct call *c = container_of(node, struct call, node);
        if (!c->told && c->f)
            violation("it never settles: %s", text_of(c));
        evpq_future_unref(c->f);
        evpq_future_unref(c->batch);
        free(c);
    }
}
