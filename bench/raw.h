/* raw.h - raw-bench: the workloads written by hand on libpq and epoll, as well as we know how. What
 * stands between this and evpq-bench is the cost of evpq. */
#ifndef BENCH_RAW_H
#define BENCH_RAW_H

#include "bench/common.h"

#include <libpq-fe.h>

/* What libpq 17 brought, NULL in an older one. Looked up as the program runs, so that one binary
 * measures any libpq that the loader is pointed to, whatever headers it was made with. */
struct newer {
    int (*send_sync)(PGconn *);         /* PQsendPipelineSync */
    int (*chunked_rows)(PGconn *, int); /* PQsetChunkedRowsMode */
};
extern struct newer newer;

/* A connection made and waited for. */
PGconn *raw_open(void);

/* Runs a statement and drops its rows; the second gives the first value as a number. */
void raw_exec(PGconn *pg, const char *sql);
uint64_t raw_number(PGconn *pg, const char *sql);

/* One workload each. They print their line. */
void raw_pump(const struct options *o); /* point, latency, update, fanout, head-of-line, queue */
void raw_big(const struct options *o);  /* and stream */
void raw_copy_in(const struct options *o);
void raw_copy_out(const struct options *o);
void raw_storm(const struct options *o);
void raw_setup(const struct options *o);
void raw_tune(const struct options *o);

#endif
