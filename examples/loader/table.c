/* table.c - see impl.h: the table as the server describes it, and transactions that all read one
 * snapshot of it. */
#include "impl.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OLDEST_SERVER = 140000 }; /* the first with TID range scans */
enum { RANGE_BYTES = 512 << 10, RANGE_BLOCKS = 64 };

#define BEGIN "begin isolation level repeatable read, read only"

/* The order of the rows in a range has to be that of the table; and a program that takes its time
 * over a batch is not idle. Arrow's texts are UTF-8, and what a select list casts to text reads as
 * in pg_dump, whatever the database and the role have set. */
static const char settings[] =
    "select pg_catalog.set_config('enable_seqscan', 'off', true),"
    " pg_catalog.set_config('synchronize_seqscans', 'off', true),"
    " pg_catalog.set_config('max_parallel_workers_per_gather', '0', true),"
    " pg_catalog.set_config('jit', 'off', true),"
    " pg_catalog.set_config('idle_in_transaction_session_timeout', '0', true),"
    " pg_catalog.set_config('client_encoding', 'UTF8', true),"
    " pg_catalog.set_config('datestyle', 'ISO', true),"
    " pg_catalog.set_config('intervalstyle', 'postgres', true),"
    " pg_catalog.set_config('extra_float_digits', '3', true),"
    " pg_catalog.set_config('bytea_output', 'hex', true),"
    " pg_catalog.set_config('row_security', $1, true)";

static evpq_future *pin(const struct loader *l, evpq_lease *lease)
{
    return evpq_lease_query(lease, settings, EVPQ_ARGS(l->opts.row_security ? "on" : "off"));
}

/* A table with its partitions and children. */
static const char look[] =
    "with recursive tree as (select pg_catalog.to_regclass($1)::pg_catalog.oid as oid union all"
    " select i.inhrelid from pg_catalog.pg_inherits i join tree"
    " on i.inhparent operator(pg_catalog.=) tree.oid)"
    " select (select pg_catalog.format('%I.%I', n.nspname, r.relname) from pg_catalog.pg_class r"
    " join pg_catalog.pg_namespace n on n.oid operator(pg_catalog.=) r.relnamespace"
    " where r.oid operator(pg_catalog.=) pg_catalog.to_regclass($1)),"
    " coalesce(pg_catalog.max(pg_catalog.pg_relation_size(c.oid)) operator(pg_catalog./)"
    " pg_catalog.current_setting('block_size')::pg_catalog.int8, 0)::pg_catalog.int8,"
    " coalesce(pg_catalog.sum(pg_catalog.pg_table_size(c.oid)), 0)::pg_catalog.int8,"
    " coalesce(pg_catalog.sum(pg_catalog.pg_relation_filenode(c.oid)::pg_catalog.int8), 0)"
    "::pg_catalog.int8,"
    " pg_catalog.min(c.oid::pg_catalog.regclass::pg_catalog.text)"
    " filter (where c.relkind operator(pg_catalog.<>) all ('{r,p,m}'::pg_catalog.\"char\"[])),"
    " pg_catalog.current_setting('server_version_num')::pg_catalog.int4"
    " from tree join pg_catalog.pg_class c on c.oid operator(pg_catalog.=) tree.oid";

evpq_future *failure_of(evpq_future *f)
{
    return evpq_await(f) == EVPQ_OK ? evpq_future_unref(f) : f;
}

/* *ret is the statement's text, as printf makes it, or NULL. */
static evpq_future *print(struct loader *l, char **ret, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

static evpq_future *print(struct loader *l, char **ret, const char *format, ...)
{
    va_list list;
    va_start(list, format);
    int n = vasprintf(ret, format, list);
    va_end(list);
    if (n >= 0)
        return NULL;
    *ret = NULL;
    return evpq_future_failed(l->loop, EVPQ_NOMEM, "out of memory");
}

/* ---- the columns ---- */

/* `misfit` is the column that Arrow has no place for. */
static evpq_future *refuse_column(struct epoch *e, const evpq_result *r, int misfit)
{
    struct loader *l = e->loader;
    uint32_t oid = evpq_result_column_type(r, misfit);
    evpq_future *f =
        evpq_lease_query(e->fetchers->lease, "select $1::pg_catalog.regtype::pg_catalog.text",
                         EVPQ_ARGS(evpq_oid(oid)));
    if (evpq_await(f) != EVPQ_OK)
        return f;
    evpq_future *refusal = evpq_future_failed(
        l->loop, EVPQ_TYPE,
        "column %s of %s is of type %s, which is not loaded as it is: cast it, as in %s",
        evpq_result_column_name(r, misfit), l->relation,
        evpq_result_text(evpq_future_result(f), 0, 0), columns_advice(oid));
    evpq_future_unref(f);
    return refusal;
}

/* The select list without a row: it locks the table too, so that its files stay the same until the
 * transaction ends. */
static evpq_future *describe(struct epoch *e)
{
    struct loader *l = e->loader;
    char *sql;
    int misfit;
    evpq_future *f = print(l, &sql, "select %s from %s limit 0", l->select, l->relation);
    if (f)
        return f;
    f = evpq_lease_query(e->fetchers->lease, sql, evpq_binary(EVPQ_ARGS()));
    free(sql);
    if (evpq_await(f) != EVPQ_OK || l->described)
        return failure_of(f);

    const evpq_result *r = evpq_future_result(f);
    evpq_status status = columns_read(r, &l->columns, &misfit);
    evpq_future *refusal = status == EVPQ_TYPE ? refuse_column(e, r, misfit) : NULL;
    evpq_future_unref(f);
    if (refusal)
        return refusal;
    if (status == EVPQ_OK)
        status = builder_open(&l->builder, &l->columns, l->opts.batch_rows);
    if (status != EVPQ_OK)
        return evpq_future_failed(l->loop, status, "out of memory");
    l->described = true;
    evpq_future_set_value(l->ready, NULL, NULL);
    return print(
        l, &l->fetch,
        "select %s from %s where ctid operator(pg_catalog.>=) $1 and ctid operator(pg_catalog.<) $2",
        l->select, l->relation);
}

/* ---- the blocks ---- */

/* So few that they are not much larger than usual when long values are stored apart. What a table
 * has beside its blocks otherwise, less than an eighth, does not count. */
static uint32_t choose_range(int64_t blocks, int64_t bytes)
{
    int64_t range = bytes > 0 ? blocks * (RANGE_BYTES / 8 * 9) / bytes : 1;
    return range < 1 ? 1 : range > RANGE_BLOCKS ? RANGE_BLOCKS : (uint32_t)range;
}

/* Where the epoch was begun before, its ranges are those of then. */
static evpq_future *take_size(struct loader *l, const evpq_result *r)
{
    struct loader_state *at = &l->at;
    int64_t blocks = evpq_result_int8(r, 0, 1), bytes = evpq_result_int8(r, 0, 2);
    uint64_t layout = (uint64_t)evpq_result_int8(r, 0, 3);
    bool midway = at->group || at->row;
    if (evpq_result_fault(r))
        return evpq_future_failed(l->loop, EVPQ_TYPE, "%s",
                                  evpq_error_message(evpq_result_fault(r)));
    if (midway && layout != at->layout)
        return evpq_future_failed(l->loop, EVPQ_INVALID,
                                  "%s is not the table that the epoch was begun on, or was written "
                                  "anew since: begin the epoch again",
                                  l->relation);
    at->layout = layout;
    if (!midway)
        at->blocks = (uint32_t)blocks;
    if (at->range == 0)
        at->range = l->opts.range ? l->opts.range : choose_range(blocks, bytes);
    return NULL;
}

/* The first look is for the name alone: what has no lock yet can change. */
static evpq_future *look_at(struct epoch *e, bool locked)
{
    struct loader *l = e->loader;
    evpq_future *f = evpq_lease_query(e->fetchers->lease, look, EVPQ_ARGS(l->table));
    if (evpq_await(f) != EVPQ_OK)
        return f;
    const evpq_result *r = evpq_future_result(f);
    evpq_future *refusal = NULL;
    if (evpq_result_is_null(r, 0, 0))
        refusal = evpq_future_failed(l->loop, EVPQ_INVALID, "there is no table named %s", l->table);
    else if (!evpq_result_is_null(r, 0, 4))
        refusal = evpq_future_failed(l->loop, EVPQ_INVALID, "%s is no table with blocks to read",
                                     evpq_result_text(r, 0, 4));
    else if (evpq_result_int4(r, 0, 5) < OLDEST_SERVER)
        refusal =
            evpq_future_failed(l->loop, EVPQ_INVALID,
                               "the server is older than PostgreSQL 14, which is the first to "
                               "read a table by ranges of blocks");
    else if (locked)
        refusal = take_size(l, r);
    else if (!l->relation)
        refusal = print(l, &l->relation, "%s", evpq_result_text(r, 0, 0));
    evpq_future_unref(f);
    return refusal;
}

/* ---- the snapshot ---- */

/* NULL is a failure, in *ret_failure. */
static evpq_lease *acquire(struct fetcher *me, evpq_future **ret_failure)
{
    evpq_future *f = me->wanted = evpq_pool_acquire(me->epoch->loader->pool);
    evpq_lease *lease = NULL;
    if (evpq_await(f) == EVPQ_OK)
        lease = evpq_future_lease(f);
    me->wanted = NULL;
    *ret_failure = lease ? evpq_future_unref(f) : f;
    return lease;
}

/* The snapshot of a fetcher's transaction is named, so that others can take it on. */
static evpq_future *export_from(struct epoch *e, struct fetcher *exporter)
{
    evpq_future *f =
        evpq_lease_query(exporter->lease, "select pg_catalog.pg_export_snapshot()", EVPQ_ARGS());
    if (evpq_await(f) != EVPQ_OK)
        return f;
    if (!exporter->lease) { /* lost right afterwards */
        evpq_future_unref(f);
        return evpq_future_failed(e->loader->loop, EVPQ_LOST, "the connection was lost");
    }
    const char *name = evpq_result_text(evpq_future_result(f), 0, 0);
    snprintf(e->snapshot, sizeof e->snapshot, "%s", name ? name : "");
    e->exporter = exporter;
    return evpq_future_unref(f);
}

evpq_future *table_begin(struct epoch *e)
{
    struct fetcher *first = e->fetchers;
    evpq_future *f;
    first->lease = acquire(first, &f);
    if (!first->lease)
        return f;
    evpq_future *both[] = {evpq_lease_query(first->lease, BEGIN, EVPQ_ARGS()),
                           pin(e->loader, first->lease)};
    if ((f = failure_of(evpq_all(both, 2))) || (f = look_at(e, false)) || (f = describe(e)) ||
        (f = look_at(e, true)))
        return f;
    return export_from(e, first);
}

static evpq_future *import(struct epoch *e, evpq_lease *lease)
{
    char quoted[sizeof e->snapshot * 2 + 4], *sql;
    evpq_quote_literal(e->snapshot, quoted, sizeof quoted);
    evpq_future *f = print(e->loader, &sql, "set transaction snapshot %s", quoted);
    if (f)
        return f;
    evpq_future *all[] = {evpq_lease_query(lease, BEGIN, EVPQ_ARGS()),
                          evpq_lease_query(lease, sql, EVPQ_ARGS()), pin(e->loader, lease)};
    free(sql);
    return failure_of(evpq_all(all, 3));
}

/* One who still has the snapshot names it, if that has to be done again. */
static evpq_future *find_snapshot(struct epoch *e)
{
    struct loader *l = e->loader;
    for (int i = 0; i < l->opts.connections && !e->exporter; i++) {
        if (!e->fetchers[i].lease)
            continue;
        evpq_future *f = export_from(e, &e->fetchers[i]);
        if (!f || evpq_future_status(f) == EVPQ_CANCELED)
            return f;
        evpq_future_unref(f);
    }
    if (e->exporter)
        return NULL;
    return evpq_future_failed(l->loop, EVPQ_LOST,
                              "the connections of epoch %" PRIu64
                              " are lost, and with the last one its snapshot",
                              l->at.epoch);
}

evpq_future *table_join(struct fetcher *me)
{
    struct epoch *e = me->epoch;
    evpq_future *f;
    evpq_lease *lease = acquire(me, &f);
    if (!lease)
        return f;
    if ((f = find_snapshot(e)) || (f = import(e, lease)))
        evpq_lease_release(lease);
    else
        me->lease = lease;
    return f;
}
