/* raw_whole.c - one large answer, many connections at once, and the tables that all workloads
 * read. */
#include "bench/raw.h"

#include <endian.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* ---- big: every value of every row is read ---- */

static uint64_t value8(const PGresult *r, int row, int column)
{
    uint64_t value;
    memcpy(&value, PQgetvalue(r, row, column), sizeof value);
    return be64toh(value);
}

static uint64_t read_row(const PGresult *r, int row)
{
    static const uint64_t epoch = 946684800000000; /* 2000-01-01, where PostgreSQL counts from */
    uint32_t id;
    uint64_t a = value8(r, row, 1), bits = value8(r, row, 2), d = value8(r, row, 4);
    double b;
    const char *c = PQgetvalue(r, row, 3);

    memcpy(&id, PQgetvalue(r, row, 0), sizeof id);
    memcpy(&b, &bits, sizeof b);
    return be32toh(id) + a + (uint64_t)b + (uint64_t)PQgetlength(r, row, 3) + (unsigned char)c[0] +
           d + epoch;
}

/* What the getters of evpq see to, and a program has to: no value is NULL, or of another length. */
static void check_row(const PGresult *r, int row)
{
    static const int lengths[] = {4, 8, 8, 0, 8};
    for (int column = 0; column < 5; column++)
        if (PQgetisnull(r, row, column) ||
            (lengths[column] && PQgetlength(r, row, column) != lengths[column]))
            die("a value is not what was asked for");
}

static void choose_rows(PGconn *pg, const char *how)
{
    int done = 1;
    if (strcmp(how, "single") == 0)
        done = PQsetSingleRowMode(pg);
    else if (strcmp(how, "chunk") == 0)
        done = newer.chunked_rows && newer.chunked_rows(pg, 256);
    else if (strcmp(how, "whole") != 0)
        done = 0;
    if (!done)
        die("how is whole, single or, from libpq 17, chunk, not %s", how);
}

void raw_big(const struct options *o)
{
    PGconn *pg = raw_open();
    uint64_t sum = 0;
    long rows = 0;
    bool repeats = o->repeat > 1, streams = strcmp(o->workload, "stream") == 0;
    char times[24];
    const char *values[] = {times}, *how = o->how;

    if (streams)
        how = newer.chunked_rows ? "chunk" : "single";
    snprintf(times, sizeof times, "%ld", o->repeat);
    measure_start();
    if (!PQsendQueryParams(pg, repeats ? SQL_STREAM : SQL_BIG, repeats, NULL, values, NULL, NULL,
                           1))
        die("%s", PQerrorMessage(pg));
    choose_rows(pg, how);
    for (PGresult *r; (r = PQgetResult(pg)); PQclear(r)) {
        if (*PQresultErrorMessage(r))
            die("%s", PQresultErrorMessage(r));
        for (int row = 0; row < PQntuples(r); row++) {
            if (streams)
                check_row(r, row);
            sum += read_row(r, row);
        }
        rows += PQntuples(r);
    }
    measure_stop();
    PQfinish(pg);
    measure_print("raw", o, rows, PQlibVersion(), how, sum);
}

/* ---- storm: so many connections at once ---- */

/* Moves each dial on as far as it goes without waiting. Returns how many are not up yet. */
static long move_on(PGconn **dials, struct pollfd *fds, long n)
{
    long pending = 0;
    for (long i = 0; i < n; i++) {
        if (!fds[i].revents) {
            pending += fds[i].fd >= 0;
            continue;
        }
        PostgresPollingStatusType next = PQconnectPoll(dials[i]);
        if (next == PGRES_POLLING_FAILED)
            die("%s", PQerrorMessage(dials[i]));
        fds[i].revents = 0;
        fds[i].fd = next == PGRES_POLLING_OK ? -1 : PQsocket(dials[i]);
        fds[i].events = next == PGRES_POLLING_READING ? POLLIN : POLLOUT;
        pending += fds[i].fd >= 0;
    }
    return pending;
}

void raw_storm(const struct options *o)
{
    PGconn **dials = calloc((size_t)o->connections, sizeof *dials);
    struct pollfd *fds = calloc((size_t)o->connections, sizeof *fds);

    if (!dials || !fds)
        die("out of memory");
    measure_start();
    for (long i = 0; i < o->connections; i++) {
        dials[i] = PQconnectStart("");
        if (!dials[i] || PQstatus(dials[i]) == CONNECTION_BAD)
            die("%s", PQerrorMessage(dials[i]));
        fds[i] = (struct pollfd){.fd = PQsocket(dials[i]), .events = POLLOUT};
    }
    do
        poll(fds, (nfds_t)o->connections, -1);
    while (move_on(dials, fds, o->connections));
    measure_stop();
    for (long i = 0; i < o->connections; i++)
        PQfinish(dials[i]);
    free(dials);
    free(fds);
    measure_print("raw", o, o->connections, PQlibVersion(), "none", (uint64_t)o->connections);
}

/* ---- what is read, and the server it is read from ---- */

void raw_setup(const struct options *o)
{
    PGconn *pg = raw_open();
    char rows[24];
    const char *values[] = {rows};

    raw_exec(pg, "set client_min_messages = warning");
    raw_exec(pg, "drop table if exists world, tally, wide");
    raw_exec(pg, "create table world (id int primary key, randomnumber int)");
    raw_exec(pg, "insert into world select i, i * 7919 % 10007 from generate_series(1, 10000) i");
    raw_exec(pg, "create table tally (id int primary key, number int) with (fillfactor = 50)");
    raw_exec(pg, SQL_TALLY_FILL);
    raw_exec(pg, "create table wide (id int, a int8, b float8, c text, d timestamptz)");
    snprintf(rows, sizeof rows, "%ld", o->n);
    PGresult *r =
        PQexecParams(pg,
                     "insert into wide select i, i::int8 * 1000003, i * 0.001234, "
                     "substr(md5(i::text), 1, 20), timestamptz '2020-01-01 00:00:00+00' + "
                     "i * interval '1 second' from generate_series(1, $1::int) i",
                     1, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(r) != PGRES_COMMAND_OK)
        die("%s", PQerrorMessage(pg));
    PQclear(r);
    raw_exec(pg, "vacuum analyze world, tally, wide");
    raw_exec(pg, "checkpoint");
    PQfinish(pg);
}

/* Of a server of one's own alone: it must be started again to heed all of this. */
void raw_tune(const struct options *o)
{
    PGconn *pg = raw_open();
    raw_exec(pg, "alter system set shared_buffers = '256MB'");
    raw_exec(pg, "alter system set max_wal_size = '4GB'");
    raw_exec(pg, "alter system set checkpoint_timeout = '1h'");
    raw_exec(pg, "alter system set max_connections = 300");
    PQfinish(pg);
}
