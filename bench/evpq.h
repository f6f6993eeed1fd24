/* evpq.h - evpq-bench: the workloads as a program that uses evpq would write them. */
#ifndef BENCH_EVPQ_H
#define BENCH_EVPQ_H

#include "bench/common.h"

#include <evpq/evpq.h>

/* A pool whose connections are all up: as many as the options say, so deep, and with room for `n`
 * to wait. */
evpq_pool *ours_open(evpq_loop *loop, const struct options *o);

/* Closes the pool and lets go of it and of the loop. */
void ours_close(evpq_pool *pool, evpq_loop *loop);

/* Waits for `f` (taken), which must not fail. */
void ours_await(evpq_future *f);

/* The result of `f`, borrowed; ends the program when there is none. */
const evpq_result *ours_result(const evpq_future *f);

/* Reads every value of a row of `wide`, and adds them up. */
uint64_t ours_read_row(const evpq_result *r, int row);

void ours_print(const struct options *o, long done, uint64_t checksum);

/* One workload each. They print their line. */
void ours_pump(const struct options *o); /* point, latency, update, fanout, head-of-line, queue */
void ours_big(const struct options *o);
void ours_stream(const struct options *o);
void ours_copy_in(const struct options *o);
void ours_copy_out(const struct options *o);
void ours_storm(const struct options *o);
void ours_callbacks(const struct options *o);

#endif
