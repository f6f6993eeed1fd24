/* stream_impl.h - a stream as its files see it: stream.c how it gets a connection and ends,
 * stream_next.c its results and the futures that wait for them. */
#ifndef FLOWS_STREAM_IMPL_H
#define FLOWS_STREAM_IMPL_H

#include "base/state.h"
#include "flows/lease_wait.h"
#include "ops/rows.h"
#include "pool/pool.h"

#include <evpq/stream.h>

enum stream_state {
    STREAM_OPEN,   /* rows may come */
    STREAM_ENDED,  /* no more come: `summary`, or `error` */
    STREAM_AT_END, /* the program was told so, after it had all rows */
    STREAM_CLOSED, /* by the program */
};

struct evpq_stream {
    unsigned refs; /* the program's, that of the pipeline, and one for each result that is out */
    evpq_pool *pool;
    evpq_lease *lease; /* of its own, until it is off the pipeline */
    struct lease_wait wait;
    struct rows rows;
    uint64_t n_results; /* so far */
    struct list ready;  /* results that nobody has got, by number */
    int n_ready;
    struct list waiting;     /* calls of next; none while there is something to give them */
    int64_t delivered;       /* rows */
    enum stream_state state; /* written by stream_to alone */
    evpq_result *summary;
    evpq_error *error; /* why it has failed */
    size_t size;       /* of this block, which the request is part of */
};

static const unsigned stream_next[] = {
    [STREAM_OPEN] = TO(STREAM_ENDED) | TO(STREAM_CLOSED),
    [STREAM_ENDED] = TO(STREAM_AT_END) | TO(STREAM_CLOSED),
    [STREAM_AT_END] = TO(STREAM_CLOSED),
    [STREAM_CLOSED] = 0,
};

static inline void stream_to(evpq_stream *s, enum stream_state state)
{
    TRANSITION(stream_next, s->state, state);
    s->state = state;
}

static inline evpq_loop *stream_loop(const evpq_stream *s)
{
    return s->pool->loop;
}

void stream_unref(evpq_stream *s);

/* The result joins those that are ready. Taken. False: no memory. */
bool stream_add(evpq_stream *s, evpq_result *result);

/* Settles every call of next that can be; then goes on reading if there is room, and stops if there
 * is none. */
void stream_serve(evpq_stream *s);

/* It was closed: who waits is told so, and what is ready is let go of. */
void stream_drop(evpq_stream *s);

#endif
