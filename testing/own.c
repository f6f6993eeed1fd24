/* own.c - what evpq sends on its own account: whom it speaks to, whether statements under one Sync
 * share a transaction, that those which share one only read, and signs of life. It is answered as
 * by a server without a pooler before it, and neither scripted nor counted. Texts are compared as a
 * whole: a program's statement may speak of the same things. */
#include "testing/server_impl.h"

#include <stdio.h>

enum own { OWN_NONE, OWN_NOTHING, OWN_PEER, OWN_TOGETHER, OWN_GUARD };

static bool is_nothing(const char *sql)
{
    while (*(sql = sql_skip(sql)) == ';')
        sql++;
    return !*sql;
}

static enum own own_of(const char *sql)
{
    if (is_nothing(sql))
        return OWN_NOTHING;
    if (!strcmp(sql, "select pg_catalog.pg_backend_pid(), "
                     "pg_catalog.set_config('evpq.together', '1', true)"))
        return OWN_PEER;
    if (!strcmp(sql, "select pg_catalog.current_setting('evpq.together', true)"))
        return OWN_TOGETHER;
    if (!strcmp(sql, "select pg_catalog.set_config('transaction_read_only', 'on', true)"))
        return OWN_GUARD;
    return OWN_NONE;
}

static const struct column peer_columns[] = {{"pg_backend_pid", 23}, {"set_config", 25}};

static size_t columns_of(enum own own)
{
    return own == OWN_NOTHING ? 0 : own == OWN_PEER ? 2 : 1;
}

/* Of those with one column it is the second. */
static const struct column *first_column(enum own own)
{
    return own == OWN_PEER ? peer_columns : peer_columns + 1;
}

bool own_runs_in_failed(const char *sql)
{
    return own_of(sql) == OWN_NOTHING;
}

bool own_is(const char *sql)
{
    return own_of(sql) != OWN_NONE;
}

void own_describe(struct backend *b, const char *sql)
{
    enum own own = own_of(sql);
    answer_columns(b, first_column(own), columns_of(own), true);
}

void own_answer(struct backend *b, const char *sql)
{
    enum own own = own_of(sql);
    char pid[16];
    const char *const cells[] = {pid, own == OWN_GUARD ? "on" : "1"};
    if (own == OWN_NOTHING) {
        answer_bare(b, 'I'); /* EmptyQueryResponse */
        return;
    }
    snprintf(pid, sizeof pid, "%d", b->pid);
    if (b->simple)
        own_describe(b, sql);
    answer_row(b, first_column(own), columns_of(own), own == OWN_PEER ? cells : cells + 1);
    answer_complete(b, "SELECT 1");
}
