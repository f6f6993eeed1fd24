/* probe.c - see probe.h. */
#include "flows/probe.h"

#include "base/mem.h"
#include "words/error.h"

#include <stdio.h>
#include <string.h>

#define FIRST_PAUSE 0.01
#define LONGEST_PAUSE 0.5
#define LONGEST 30.0

#define MARK "extract(epoch from pg_catalog.pg_stat_get_bgwriter_stat_reset_time())::text"

const char probe_sql[] =
    "select pg_catalog.pg_current_xact_id_if_assigned()::text, coalesce(" MARK ", '')";

static const char status_sql[] =
    "select pg_catalog.pg_xact_status($1::text::xid8), coalesce(" MARK ", '') = $2";

struct probe {
    struct evpq_future future;
    evpq_pool *pool; /* a reference */
    evpq_error *lost;
    evpq_future *asked;
    struct waiter answered;
    struct timer again;
    double pause, until;
    char number[24], mark[40];
};

static struct probe *probe_of(evpq_future *f)
{
    return container_of(f, struct probe, future);
}

/* ---- the future ---- */

static void stop(struct probe *p)
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
    stop(probe_of(f));
    future_settle_canceled(f, EVPQ_OUTCOME_UNKNOWN);
}

static void probe_free(evpq_future *f)
{
    struct probe *p = probe_of(f);
    stop(p);
    evpq_error_unref(p->lost);
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
    if (loop_time(p->pool->loop) >= p->until) {
        stays_unknown(p, if_never);
        return;
    }
    timer_start(&p->again, p->pause);
    p->pause = p->pause * 2 < LONGEST_PAUSE ? p->pause * 2 : LONGEST_PAUSE;
}

static void judge(struct probe *p, const char *status, bool same_server)
{
    if (!status)
        stays_unknown(p, "the server does not remember the transaction");
    else if (!strcmp(status, "in progress"))
        ask_later(p, "the transaction is still in progress on the server");
    else if (!strcmp(status, "aborted"))
        future_settle_error(&p->future, error_in_detail(p->lost, EVPQ_OUTCOME_REJECTED,
                                                        "the server says that it was rolled back"));
    else if (same_server)
        future_settle_value(&p->future, NULL, NULL);
    else
        stays_unknown(p, "the server has crashed, or is another one, and may have given the "
                         "transaction's number again");
}

static void answered(struct job *job)
{
    struct probe *p = container_of(job, struct probe, answered.job);
    evpq_future *asked = p->asked;
    const evpq_result *r = evpq_future_result(asked);
    p->asked = NULL;
    if (evpq_result_rows(r) == 1)
        judge(p, evpq_result_text(r, 0, 0), evpq_result_bool(r, 0, 1));
    else if (evpq_future_status(asked) == EVPQ_CLOSED || evpq_future_status(asked) == EVPQ_SERVER)
        stays_unknown(p, evpq_error_message(evpq_future_error(asked)));
    else
        ask_later(p, "no connection could be had to ask the server");
    evpq_future_unref(asked);
}

static void ask(struct timer *t)
{
    struct probe *p = container_of(t, struct probe, again);
    p->asked = evpq_pool_query(p->pool, status_sql, EVPQ_ARGS(p->number, p->mark));
    future_watch(p->asked, p->pool->loop, &p->answered, answered);
}

evpq_future *probe_new(evpq_pool *pool, const evpq_future *before, const evpq_error *lost)
{
    const evpq_result *r = evpq_future_result(before);
    if (!r || evpq_result_is_null(r, 0, 0))
        return future_failed(pool->loop,
                             error_in_detail(lost, EVPQ_OUTCOME_UNKNOWN,
                                             r ? "the transaction had no number: it wrote nothing"
                                               : "the transaction's number had not arrived"));
    struct probe *p = mem_zalloc(sizeof *p);
    if (!p)
        return future_failed(pool->loop, evpq_error_ref(lost));
    future_init(&p->future, &probe_class, pool->loop);
    list_init(&p->answered.job.node);
    timer_init(&p->again, pool->loop, ask);
    pool_ref(pool);
    p->pool = pool;
    p->lost = evpq_error_ref(lost);
    p->pause = FIRST_PAUSE;
    p->until = loop_time(pool->loop) + LONGEST;
    snprintf(p->number, sizeof p->number, "%s", evpq_result_text(r, 0, 0));
    snprintf(p->mark, sizeof p->mark, "%s", evpq_result_text(r, 0, 1));
    ask(&p->again);
    return &p->future;
}
