/* copy_op_impl.h - what the files of a COPY share: copy_op.c its life on the pipeline, copy_op_in.c and
 * copy_op_out.c the data. */
#ifndef OPS_COPY_OP_IMPL_H
#define OPS_COPY_OP_IMPL_H

#include "base/state.h"
#include "ops/copy_op.h"
#include "words/error.h"

static const unsigned copy_op_next[] = {
    [COPY_WAITING] = TO(COPY_ASKING) | TO(COPY_STARTING) | TO(COPY_OVER),
    [COPY_ASKING] = TO(COPY_STARTING) | TO(COPY_UNDOING_QUESTION) | TO(COPY_OVER),
    [COPY_UNDOING_QUESTION] = TO(COPY_STARTING) | TO(COPY_OVER),
    [COPY_STARTING] = TO(COPY_FLOWING) | TO(COPY_UNDOING) | TO(COPY_OVER),
    [COPY_FLOWING] = TO(COPY_ENDING) | TO(COPY_OVER),
    [COPY_ENDING] = TO(COPY_UNDOING) | TO(COPY_UNDOING_OPEN) | TO(COPY_OVER),
    [COPY_UNDOING] = TO(COPY_OVER),
    [COPY_UNDOING_OPEN] = TO(COPY_OVER),
    [COPY_OVER] = 0,
};

static inline void copy_op_to(struct copy_op *k, enum copy_op_state state)
{
    TRANSITION(copy_op_next, k->state, state);
    k->state = state;
}

/* From one way to the other: the server's statement is not what it was taken for. */
static const unsigned copy_data_next[] = {
    [COPY_IN_OPEN] = TO(COPY_IN_FINISHED) | TO(COPY_OUT_COMING),
    [COPY_IN_FINISHED] = TO(COPY_OUT_COMING),
    [COPY_OUT_COMING] = TO(COPY_OUT_DRY) | TO(COPY_OUT_FULL) | TO(COPY_IN_OPEN),
    [COPY_OUT_DRY] = TO(COPY_OUT_COMING),
    [COPY_OUT_FULL] = TO(COPY_OUT_COMING),
};

static inline void copy_data_to(struct copy_op *k, enum copy_data data)
{
    TRANSITION(copy_data_next, k->data, data);
    k->data = data;
}

/* Whether somebody was told. */
static inline bool copy_op_tell(struct copy_op *k)
{
    return k->owner->changed(k);
}

/* Takes the error; the first is kept. */
static inline void copy_op_keep_error(struct copy_op *k, evpq_error *error)
{
    if (k->error)
        evpq_error_unref(error);
    else
        k->error = error;
}

/* The server reads no more of it than what has been handed to libpq. `why`: it fails by that. */
static inline void copy_op_end_data(struct copy_op *k, struct pg_conn *c, const char *why)
{
    copy_op_to(k, COPY_ENDING);
    pq_copy_end(c, why); /* where it fails the link is broken, which the wire finds out */
}

/* For the reason that the program gave, if it did. */
static inline void copy_op_break_off(struct copy_op *k, struct pg_conn *c)
{
    copy_op_end_data(k, c, k->why ? k->why : "canceled by the program");
}

/* Of struct op_class. */
bool copy_op_in_more(struct copy_op *k, struct pg_conn *c);
enum pull copy_op_in_pull(struct copy_op *k, struct pg_conn *c);
/* The error is given where its owner refuses what has come: the COPY is to be stopped. */
enum pull copy_op_out_pull(struct copy_op *k, struct pg_conn *c, evpq_error **ret_error);

#endif
