/* probe.c - see probe.h. */
#include "flows/probe.h"

#include "base/backoff.h"
#include "base/mem.h"
#include "words/error.h"

#include <string.h>

#define FIRST_PAUSE 0.01
#define LONGEST_PAUSE 0.5
#define LONGEST 30.0

/* Names are spelled out: a function of the same name in another schema is nobody's server. */
#define SERVER                                 \
 "pg_catalog.concat(c.system_identifier, ' '," \
 " extract(epoch from pg_catalog.pg_postmaster_start_time()))"
#define MARK "extract(epoch from pg_catalog.pg_stat_get_bgwriter_stat_reset_time())"

static const char number_sql[] =
    "select pg_catalog.pg_current_xact_id_if_assigned()::pg_catalog.text, " SERVER
    ", pg_catalog.concat(" MARK "), pg_catalog.pg_current_wal_insert_lsn()::pg_catalog.text"
    " from pg_catalog.pg_control_system() c";

enum { NUMBER, SERVER_ID, CRASH_MARK, PLACE }; /* its columns */

/* What is compared stands beside what is concluded from it, in one statement: a pooler cannot send
 * them to two servers. The status is asked for only where it means something. */
static const char status_sql[] =
    "select case when s.same and (s.ahead or not s.whole)"
    " then pg_catalog.pg_xact_status($1::pg_catalog.text::pg_catalog.xid8) end,"
    " s.same, s.whole, s.standby from (select " SERVER " operator(pg_catalog.=) $2 as same,"
    " pg_catalog.concat(" MARK ") operator(pg_catalog.=) $3"
    " and $3 operator(pg_catalog.<>) '' as whole,"
    " case when r.standby then false else pg_catalog.pg_current_wal_insert_lsn()"
    " operator(pg_catalog.>=) $4::pg_catalog.text::pg_catalog.pg_lsn end as ahead, r.standby"
    " from pg_catalog.pg_control_system() c, pg_catalog.pg_is_in_recovery() r(standby)) s";

enum { STATUS, SAME, WHOLE, STANDBY };

/* pg_xact_status of a number that was not given yet: 22023, invalid_parameter_value. */
#define TO_COME "22023"

struct probe {
    struct evpq_future future;
    evpq_pool *pool; /* a reference */
    evpq_error *lost;
    evpq_future *asked;
    struct waiter answered;
    struct timer again; /* while it is asked: the end of it all */
    double pause, until;
    const char *if_never; /* the last answer that decided nothing */
    evpq_future *before;  /* the answer to probe_ask */
};

static struct probe *probe_of(evpq_future *f)
{
    return container_of(f, struct probe, future);
}

/* ---- the future ---- */

static void probe_stop(struct probe *p)
{
    timer_stop(&p->again);
    list_remove(&p->answered.job.node);
    evpq_future *asked = p->asked;
    p->asked = NULL;
    evpq_future_cancel(asked);
    evpq_future_unref(asked);
}

static void probe_cancel(evpq_future *f)
{
    probe_stop(probe_of(f));
    future_settle_canceled(f, EVPQ_OUTCOME_UNKNOWN);
}

static void probe_free(evpq_future *f)
{
    struct probe *p = probe_of(f);
    probe_stop(p);
    evpq_error_unref(p->lost);
    evpq_future_unref(p->before);
    pool_unref(p->pool);
    mem_free(p);
}

static const struct future_class probe_class = {
    .name = "probe", .cancel = probe_cancel, .free = probe_free};

/* ---- asking ---- */

static void stays_unknown(struct probe *p, const char *why)
{
    future_settle_error(&p->future, error_in_detail(p->lost, EVPQ_OUTCOME_UNKNOWN, why));
}

static void ask_later(struct probe *p, const char *if_never)
{
    double left = p->until - loop_time(p->pool->loop);
    p->if_never = if_never;
    double pause = backoff_next(&p->pause, FIRST_PAUSE, LONGEST_PAUSE);
    timer_start(&p->again, pause < left ? pause : left);
}

static void probe_rolled_back(struct probe *p, const char *why)
{
    future_settle_error(&p->future, error_in_detail(p->lost, EVPQ_OUTCOME_REJECTED, why));
}

/* The server is the one that gave the number. */
static void judge(struct probe *p, const char *status, bool whole)
{
    if (!status)
        stays_unknown(p, "the server does not remember the transaction");
    else if (!strcmp(status, "in progress"))
        ask_later(p, "the transaction is still in progress on the server");
    else if (!strcmp(status, "aborted"))
        probe_rolled_back(p, "the server says that it was rolled back");
    else if (whole)
        future_settle_value(&p->future, NULL, NULL);
    else
        stays_unknown(p, "the server has crashed since, and may have given the transaction's "
                         "number again");
}

static void judge_server(struct probe *p, const evpq_result *r)
{
    if (evpq_result_bool(r, 0, STANDBY))
        ask_later(p, "a standby answers, which cannot tell");
    else if (evpq_result_bool(r, 0, SAME))
        judge(p, evpq_result_text(r, 0, STATUS), evpq_result_bool(r, 0, WHOLE));
    else
        stays_unknown(p, "the server was restarted since, or is another one: nothing proves that "
                         "the transaction's number means the same to it");
}

static void judge_failure(struct probe *p, const evpq_error *error)
{
    evpq_status status = evpq_error_status(error);
    if (!strcmp(evpq_error_sqlstate(error), TO_COME))
        probe_rolled_back(p, "the server has crashed since, and has lost the transaction");
    else if (status == EVPQ_CLOSED || status == EVPQ_SERVER)
        stays_unknown(p, evpq_error_message(error));
    else
        ask_later(p, "no connection could be had to ask the server");
}

static void probe_answered(struct job *job)
{
    struct probe *p = container_of(job, struct probe, answered.job);
    evpq_future *asked = p->asked;
    const evpq_result *r = evpq_future_result(asked);
    p->asked = NULL;
    timer_stop(&p->again);
    if (evpq_result_rows(r) == 1)
        judge_server(p, r);
    else
        judge_failure(p, evpq_future_error(asked));
    evpq_future_unref(asked);
}

static void ask(struct probe *p)
{
    const evpq_result *r = evpq_future_result(p->before);
    p->asked = evpq_pool_query(
        p->pool, status_sql,
        EVPQ_ARGS(evpq_result_text(r, 0, NUMBER), evpq_result_text(r, 0, SERVER_ID),
                  evpq_result_text(r, 0, CRASH_MARK), evpq_result_text(r, 0, PLACE)));
    future_watch(p->asked, p->pool->loop, &p->answered, probe_answered);
    timer_start(&p->again, p->until - loop_time(p->pool->loop));
}

static void again(struct timer *t)
{
    struct probe *p = container_of(t, struct probe, again);
    if (!p->asked && loop_time(p->pool->loop) < p->until) {
        ask(p);
        return;
    }
    probe_stop(p);
    stays_unknown(p, p->if_never ? p->if_never : "the server did not answer");
}

/* ---- life ---- */

/* NULL: the transaction can be asked about. */
static const char *why_not(const evpq_future *before)
{
    const evpq_result *r = evpq_future_result(before);
    if (evpq_future_status(before) == EVPQ_SERVER)
        return evpq_error_message(evpq_future_error(before));
    if (evpq_result_rows(r) != 1)
        return "the transaction's number had not arrived";
    return evpq_result_is_null(r, 0, NUMBER) ? "the transaction had no number: it wrote nothing"
                                             : NULL;
}

evpq_future *probe_ask(struct session *s)
{
    evpq_future *before = session_say(s, "SAVEPOINT evpq_probe", SAYS_ERRAND);
    evpq_future *number = before ? session_say(s, number_sql, SAYS_ERRAND) : NULL;
    session_cut(s);
    evpq_future *after =
        number ? session_say(s, "ROLLBACK TO SAVEPOINT evpq_probe", SAYS_ERRAND) : NULL;
    session_cut(s);
    evpq_future_unref(before);
    if (!after)
        number = evpq_future_unref(number);
    evpq_future_unref(after);
    return number;
}

evpq_future *probe_new(evpq_pool *pool, evpq_future *before, const evpq_error *lost)
{
    const char *why = why_not(before);
    if (why)
        return future_failed(pool->loop, error_in_detail(lost, EVPQ_OUTCOME_UNKNOWN, why));
    struct probe *p = mem_zalloc(sizeof *p);
    if (!p)
        return future_failed(pool->loop, evpq_error_ref(lost));
    future_init(&p->future, &probe_class, pool->loop);
    list_init(&p->answered.job.node);
    timer_init(&p->again, pool->loop, again);
    pool_ref(pool);
    p->pool = pool;
    p->before = evpq_future_ref(before);
    p->lost = evpq_error_ref(lost);
    p->until = loop_time(pool->loop) + LONGEST;
    ask(p);
    return &p->future;
}
