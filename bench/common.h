/* common.h - what evpq-bench, raw-bench and task-bench share, so that they do the same work and
 * count it alike: the workloads' SQL and numbers, the order of ids, the clock, and the line of JSON
 * that a run ends with. */
#ifndef BENCH_COMMON_H
#define BENCH_COMMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Made by `raw-bench setup`. Every value in them follows from the id, so that checksums can be
 * compared. */
enum {
    WORLD_ROWS = 10000,
    TALLY_ROWS = 10000,
};
#define SQL_POINT "select id, randomnumber from world where id = $1"
#define SQL_UPDATE "update tally set number = number + $2 where id = $1"
#define SQL_BIG "select id, a, b, c, d from wide"
#define SQL_STREAM SQL_BIG " cross join generate_series(1, $1::int)"
#define SQL_LANDING "create unlogged table if not exists landing (like wide)"
#define SQL_LANDING_EMPTY "truncate landing"
#define SQL_LANDING_SUM                                            \
 "select sum(id + a + b::int8 + length(c) + ascii(right(c, 1)) + " \
 "extract(epoch from d)::int8)::int8 from landing"
#define SQL_FANOUT "select pg_sleep(0.05)"
#define SQL_SLEEPER "select pg_sleep(0.2)"
#define SQL_TALLY_EMPTY "truncate tally"
#define SQL_TALLY_FILL "insert into tally select i, 0 from generate_series(1, 10000) i"
#define SQL_TALLY_SUM "select sum(number) from tally"

enum { INT4_OID = 23 };

/* Of the head-of-line workload's queries, one in so many sleeps for 200 ms. */
enum { SLEEPER_EVERY = 100 };

/* What the command line says: WORKLOAD key=value... A key that a workload has no use for is
 * ignored. */
struct options {
    const char *workload;
    long connections;
    long n;         /* queries, connections (storm), futures (callbacks), tasks (many, spawn), round
                       trips (switch), or rows of `wide` (setup) */
    long each;      /* many: queries of a task */
    long repeat;    /* how often n are done: queue, and task-bench's workloads; stream: how often it
                       gets the rows of `wide` */
    long in_flight; /* over all connections; spawn: tasks that run at a time */
    long depth;     /* on one connection; 0: raw-bench as many as in_flight asks for, evpq-bench
                       the pool's own default */
    long rate;      /* head-of-line: queries a second, */
    long burst;     /* ... so many at once */
    long sleepers;  /* ... of which some sleep (1) or none (0) */
    const char
        *sync;       /* raw-bench: each, send, batch, or auto: send where libpq has it, else each */
    const char *how; /* raw-bench, big: whole, single or chunk; of stream, chunk where libpq has it,
                        else single */
    const char *params; /* binary or text */
    long slow;          /* stream: sleeps a millisecond after so many results; 0: never */
    const char *call;   /* evpq-bench: query or read, the pool's function that is called */
};

/* The workload's own numbers first, then the command line's. Ends the program (2) on one that is
 * wrong. */
struct options options_read(int argc, char **argv);

/* Whether it is task-bench that does the workload. */
bool is_of_tasks(const struct options *o);

_Noreturn void die(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* Ids from 1 to WORLD_ROWS in an order that is the same in each run. */
int next_id(void);

/* Seconds, monotonic. */
double clock_now(void);

/* The i-th row that is copied: i, and these. */
enum { COPY_TEXT = 20 };
#define COPY_A(i) ((int64_t)(i)*1000003)
#define COPY_B(i) ((double)(i)*0.001234)
#define COPY_D(i) (1577836800000000 + (int64_t)(i)*1000000)
void copy_text(char *ret_text, long i);

/* ---- one measurement: the span from start to stop, and what is to be said of it ---- */

void measure_start(void);
void measure_stop(void);

/* Notes how long one query took, in seconds; room for `n` is made by latency_room(n), before the
 * start. */
void latency_room(long n);
void latency_add(double seconds);

/* One more pair for the line. */
void measure_note(const char *key, double value);
void measure_note_text(const char *key, const char *value);

/* Prints the line. `done` is how many of whatever the workload counts were measured. */
void measure_print(const char *program, const struct options *o, long done, int libpq,
                   const char *sync, uint64_t checksum);

/* The middle one of `n` values, which are sorted for it. */
double median(double *values, long n);

/* What /proc/self/status says: VmRSS or VmHWM (the most so far). */
long memory_kilobytes(const char *which);

/* Bytes that the C library has handed out and not got back. */
size_t heap_in_use(void);

#endif
