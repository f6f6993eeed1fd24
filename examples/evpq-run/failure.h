/* failure.h - why a statement failed, in the words that the rejects file, the summary and the JSON
 * output all use. */
#ifndef RUN_FAILURE_H
#define RUN_FAILURE_H

#include "buf.h"

#include <evpq/error.h>
#include <stdbool.h>

/* All borrowed from the error it was read from. */
struct failure {
    const char *
        code; /* the SQLSTATE, or one word where no server spoke: "lost", "timeout", "input", ... */
    const char *outcome; /* "not sent", "rejected" or "unknown" */
    const char *message;
    const char *detail, *hint; /* NULL when there is none */
};

struct failure failure_of(const evpq_error *error);

/* Of an item that cannot be sent. */
struct failure failure_of_input(const char *why);

/* Of an item that is not tried, since those before it found no server. */
struct failure failure_of_absence(void);

/* One line, such as "23505: duplicate key ... (rejected)" or "timeout: ... (outcome unknown)", with
 * line ends and control characters made harmless. */
void failure_describe(const struct failure *f, struct buf *to);

/* May be run again without fear: it took no effect, and what stood in its way may pass. With
 * `unknown` also where it may have taken effect, which is right for statements that can be
 * repeated. */
bool failure_may_pass(const evpq_error *error, bool unknown);

/* There was no server to send it to: no connection could be made, or, unless the time was `limited`
 * by --timeout, none came up in all the time that the pool allows. */
bool failure_found_no_server(const evpq_error *error, bool limited);

/* Seconds to wait before the n-th repetition (from 1), for a `random` in [0, 1). */
double failure_pause(int n, double random);

#endif
