/* runner.h - carries the items of a source through a pool of connections to the sink, so many at a
 * time.
 *
 * Every item that was read ends exactly once, done or failed; what failed goes to the rejects. */
#ifndef RUN_RUNNER_H
#define RUN_RUNNER_H

#include "format.h"
#include "progress.h"
#include "rejects.h"
#include "sink.h"
#include "source.h"
#include "stats.h"

#include <ev.h>
#include <evpq/evpq.h>

/* Why nothing more is started. */
enum stop {
    STOP_NOT,
    STOP_FAILURE,   /* --fail-fast */
    STOP_INTERRUPT, /* a signal: what runs is canceled too */
    STOP_OUTPUT,    /* the output cannot be written */
    STOP_REJECTS,   /* nor the rejects */
    STOP_INPUT,     /* the input cannot be read on */
    STOP_SESSION,   /* what statements have set up in the session is lost with it */
};

struct runner_options {
    int jobs;
    double timeout; /* seconds for each attempt; 0: none */
    int retries;
    bool retry_unknown;
    bool fail_fast;
};

/* Everything is borrowed for the life of the runner. */
struct runner_parts {
    evpq_loop *loop;
    evpq_pool *pool;
    struct source *source;
    const struct format *format;
    struct sink *sink;
    struct rejects *rejects; /* NULL: none are kept */
    struct progress *progress;
};

struct runner;

struct runner *runner_new(const struct runner_options *options, const struct runner_parts *parts);

/* Begins; the future (given) is done when every item that was read has ended, and nothing more will
 * be read. */
evpq_future *runner_start(struct runner *r);

/* Starts nothing more; for STOP_INTERRUPT cancels what runs. The first reason stays. */
void runner_stop(struct runner *r, enum stop why);

/* Says what the server has to say, with the place of the statement it belongs to where that is
 * known. */
void runner_notice(struct runner *r, const evpq_error *notice);

enum stop runner_stopped(const struct runner *r);
const struct stats *runner_stats(const struct runner *r);
double runner_elapsed(const struct runner *r); /* seconds since the start */

void runner_free(struct runner *r); /* nothing may be under way */

#endif
