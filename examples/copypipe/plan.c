/* plan.c - see plan.h. Every name in the SQL is qualified: the tables are found with the
 * search_path of their users, and in it may be what somebody else has put there. */
#include "plan.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* As pg_dump has it, for both ends. A value then reads the same on both, whatever the databases,
 * roles and environments say. */
static const char settings[] = "select pg_catalog.set_config('client_encoding', 'UTF8', false),"
                               " pg_catalog.set_config('datestyle', 'ISO', false),"
                               " pg_catalog.set_config('intervalstyle', 'postgres', false),"
                               " pg_catalog.set_config('extra_float_digits', '3', false),"
                               " pg_catalog.set_config('bytea_output', 'hex', false),"
                               " pg_catalog.set_config('lc_monetary', 'C', false),"
                               " pg_catalog.set_config('array_nulls', 'on', false),"
                               " pg_catalog.set_config('xmloption', 'content', false),"
                               " pg_catalog.set_config('statement_timeout', '0', false),"
                               " pg_catalog.set_config('lock_timeout', '0', false),"
                               " pg_catalog.set_config('row_security', $1, false),"
                               " pg_catalog.current_setting('server_encoding')";

static const char no_search_path[] = "select pg_catalog.set_config('search_path', '', false)";

/* Bytes of no known encoding go through as they are, where both ends are like that. */
static const char any_bytes[] =
    "select pg_catalog.set_config('client_encoding', 'SQL_ASCII', false)";

/* What a name means: the table's oid, its name with the schema, its kind, the columns that can be
 * written, about how many rows there are in all partitions, and which database this is. */
static const char look[] =
    "select c.oid, pg_catalog.format('%I.%I', n.nspname, c.relname),"
    " c.relkind operator(pg_catalog.=) any ('{r,p,v,m,f}'::pg_catalog.\"char\"[]),"
    " (select pg_catalog.string_agg(pg_catalog.quote_ident(a.attname), ', ' order by a.attnum)"
    "  from pg_catalog.pg_attribute a where a.attrelid operator(pg_catalog.=) c.oid"
    "  and a.attnum operator(pg_catalog.>) 0 and not a.attisdropped"
    "  and a.attgenerated operator(pg_catalog.=) ''),"
    " (select pg_catalog.sum(greatest(p.reltuples, 0))::pg_catalog.float8 from pg_catalog.pg_class p"
    "  where p.oid operator(pg_catalog.=) c.oid or p.oid operator(pg_catalog.=) any"
    "  (select t.relid from pg_catalog.pg_partition_tree(c.oid) t)),"
    " pg_catalog.format('%s %s', pg_catalog.date_part('epoch',"
    " pg_catalog.pg_postmaster_start_time()), d.oid)"
    " from pg_catalog.pg_class c, pg_catalog.pg_namespace n, pg_catalog.pg_database d"
    " where c.oid operator(pg_catalog.=) $1::pg_catalog.regclass"
    " and n.oid operator(pg_catalog.=) c.relnamespace"
    " and d.datname operator(pg_catalog.=) pg_catalog.current_database()";
enum { OID, NAME, HAS_ROWS, COLUMNS, ROWS, DATABASE };

/* Whether one is the other, or a partition or child of it. */
static const char related[] =
    "with recursive up(start, oid) as ("
    " values ($1::pg_catalog.oid, $1::pg_catalog.oid), ($2::pg_catalog.oid, $2::pg_catalog.oid)"
    " union select up.start, i.inhparent from up join pg_catalog.pg_inherits i"
    " on i.inhrelid operator(pg_catalog.=) up.oid)"
    " select exists (select from up where (start operator(pg_catalog.=) $1"
    " and oid operator(pg_catalog.=) $2) or (start operator(pg_catalog.=) $2"
    " and oid operator(pg_catalog.=) $1))";

/* NULL once it has been done. */
static evpq_future *failure_of(evpq_future *f)
{
    return evpq_await(f) == EVPQ_OK ? evpq_future_unref(f) : f;
}

static evpq_future *no_memory(const struct plan *plan)
{
    return evpq_future_failed(plan->loop, EVPQ_NOMEM, "out of memory");
}

/* ---- sessions ---- */

static evpq_future *open_session(evpq_pool *pool, const struct opts *o, evpq_lease **ret_lease,
                                 bool *ret_ascii)
{
    evpq_future *f = evpq_pool_acquire(pool);
    if (evpq_await(f) != EVPQ_OK)
        return f;
    *ret_lease = evpq_future_lease(f);
    evpq_future_unref(f);
    f = evpq_lease_query(*ret_lease, settings, EVPQ_ARGS(o->row_security ? "on" : "off"));
    if (evpq_await(f) != EVPQ_OK)
        return f;
    const evpq_result *r = evpq_future_result(f);
    const char *encoding = evpq_result_text(r, 0, evpq_result_columns(r) - 1);
    *ret_ascii = encoding && strcmp(encoding, "SQL_ASCII") == 0;
    return evpq_future_unref(f);
}

static evpq_future *open_sessions(struct plan *plan, const struct opts *o, evpq_pool *from,
                                  evpq_pool *to)
{
    bool from_ascii, to_ascii;
    evpq_future *f;
    if ((f = open_session(from, o, &plan->from, &from_ascii)) ||
        (f = open_session(to, o, &plan->to, &to_ascii)))
        return f;
    if (!from_ascii || !to_ascii)
        return NULL;
    f = failure_of(evpq_lease_query(plan->from, any_bytes, EVPQ_ARGS()));
    return f ? f : failure_of(evpq_lease_query(plan->to, any_bytes, EVPQ_ARGS()));
}

/* ---- tables ---- */

/* *ret is done with the row of `look`, and to be let go of. */
static evpq_future *look_at(const struct plan *plan, evpq_lease *lease, const char *table,
                            evpq_future **ret)
{
    evpq_future *f = evpq_lease_query(lease, look, EVPQ_ARGS(table));
    if (evpq_await(f) != EVPQ_OK)
        return f;
    const evpq_result *r = evpq_future_result(f);
    evpq_future *refusal = NULL;
    if (evpq_result_rows(r) != 1)
        refusal = evpq_future_failed(plan->loop, EVPQ_INVALID, "there is no table %s", table);
    else if (!evpq_result_bool(r, 0, HAS_ROWS))
        refusal =
            evpq_future_failed(plan->loop, EVPQ_INVALID, "%s is not a table or a view", table);
    if (refusal)
        evpq_future_unref(f);
    else
        *ret = f;
    return refusal;
}

static evpq_future *refuse_if_related(const struct plan *plan, const evpq_result *source,
                                      const evpq_result *target)
{
    if (strcmp(evpq_result_text(source, 0, DATABASE), evpq_result_text(target, 0, DATABASE)) != 0)
        return NULL;
    evpq_future *f = evpq_lease_query(plan->from, related,
                                      EVPQ_ARGS(evpq_oid(evpq_result_oid(source, 0, OID)),
                                                evpq_oid(evpq_result_oid(target, 0, OID))));
    if (evpq_await(f) != EVPQ_OK)
        return f;
    bool found = evpq_result_bool(evpq_future_result(f), 0, 0);
    evpq_future_unref(f);
    if (!found)
        return NULL;
    return evpq_future_failed(
        plan->loop, EVPQ_INVALID,
        "%s and %s are the same table, or one is a part of the other: its rows "
        "would be there twice",
        evpq_result_text(source, 0, NAME), evpq_result_text(target, 0, NAME));
}

/* Several texts as one, given: free(). */
static char *join(const char *const *parts, size_t n)
{
    size_t length = 1;
    for (size_t i = 0; i < n; i++)
        length += strlen(parts[i]);
    char *all = malloc(length), *end = all;
    for (size_t i = 0; all && i < n; i++)
        end = stpcpy(end, parts[i]);
    return all;
}
#define JOIN(...)                         \
 join((const char *const[]){__VA_ARGS__}, \
      sizeof((const char *const[]){__VA_ARGS__}) / sizeof(char *))

/* `source` is NULL where a query is moved. A table may have no column to write: then its rows are
 * copied without any. */
static evpq_future *write_sql(struct plan *plan, const struct opts *o, const evpq_result *source,
                              const evpq_result *target)
{
    const char *columns = o->columns;
    if (!columns && source)
        columns = evpq_result_text(source, 0, COLUMNS);
    if (!columns)
        columns = "";
    const char *open = *columns ? " (" : "", *close = *columns ? ")" : "";
    if (source)
        plan->out = JOIN("copy (select ", columns, " from ", evpq_result_text(source, 0, NAME),
                         ") to stdout (format ", o->format, ")");
    else
        plan->out = JOIN("copy (", o->query, "\n) to stdout (format ", o->format, ")");
    plan->in = JOIN("copy ", evpq_result_text(target, 0, NAME), open, columns, close,
                    " from stdin (format ", o->format, ")");
    return plan->out && plan->in ? NULL : no_memory(plan);
}

/* From here on no name means anything without its schema, but in the query, which is the user's. */
static evpq_future *forget_search_path(struct plan *plan, const struct opts *o)
{
    evpq_future *f = failure_of(evpq_lease_query(plan->to, no_search_path, EVPQ_ARGS()));
    if (f || o->query)
        return f;
    return failure_of(evpq_lease_query(plan->from, no_search_path, EVPQ_ARGS()));
}

evpq_future *plan_make(struct plan *plan, const struct opts *o, evpq_pool *from, evpq_pool *to)
{
    evpq_future *source = NULL, *target = NULL;
    evpq_future *f = open_sessions(plan, o, from, to);
    if (!f && !o->query)
        f = look_at(plan, plan->from, o->source, &source);
    if (!f)
        f = look_at(plan, plan->to, o->target, &target);
    const evpq_result *s = source ? evpq_future_result(source) : NULL;
    if (!f && s)
        f = refuse_if_related(plan, s, evpq_future_result(target));
    if (!f && s)
        plan->rows = evpq_result_float8(s, 0, ROWS);
    if (!f)
        f = write_sql(plan, o, s, evpq_future_result(target));
    if (!f)
        f = forget_search_path(plan, o);
    evpq_future_unref(source);
    evpq_future_unref(target);
    return f;
}

void plan_free(struct plan *plan)
{
    evpq_lease_release(plan->from);
    evpq_lease_release(plan->to);
    free(plan->out);
    free(plan->in);
}
