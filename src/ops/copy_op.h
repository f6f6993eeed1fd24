/* copy_op.h - the operation of a COPY: a statement during which the server takes data, or gives
 * them.
 *
 * It goes by the simple protocol, with nothing before or behind it in the pipeline. What has to be
 * known first (the types of columns) is asked in an operation before it, in the same place on the
 * pipeline, and nothing comes between the two.
 *
 * Owns what waits to be sent. What it receives it hands up, a message at a time. */
#ifndef OPS_COPY_OP_H
#define OPS_COPY_OP_H

#include "base/bytes.h"
#include "conn/conn.h"
#include "values/request.h"

#include <evpq/result.h>

enum copy_op_state {
    COPY_WAITING,          /* not on a pipeline yet */
    COPY_ASKING,           /* the question is on the pipeline */
    COPY_UNDOING_QUESTION, /* ROLLBACK is, of what the question has left open */
    COPY_STARTING,         /* the statement is */
    COPY_FLOWING,          /* the server takes data, or gives them */
    COPY_ENDING,           /* there are no more: the answer comes */
    COPY_UNDOING,      /* ROLLBACK is on the pipeline: what has failed left a transaction open */
    COPY_UNDOING_OPEN, /* the same of what was carried out, and has failed by that alone */
    COPY_OVER,         /* off the pipeline, or never to be on one */
};

/* Which way data go, and what its owner has to do with them. */
enum copy_data {
    COPY_IN_OPEN,     /* to the server: there may be more */
    COPY_IN_FINISHED, /* there will be no more, and all is well */
    COPY_OUT_COMING,  /* from the server: they come */
    COPY_OUT_DRY,     /* nothing more has arrived */
    COPY_OUT_FULL,    /* what was received has to be taken first */
};

struct copy_op;

/* The owner's side: called from the pipeline, and from copy_op_stop. */
struct copy_op_owner {
    /* To the question, which had one: the statement to send, given in mem_ memory; or NULL, with
     * *ret_error given. */
    char *(*answered)(struct copy_op *, const evpq_result *answer, evpq_error **ret_error);
    /* State, data, error or room may have changed. Whether somebody was told. */
    bool (*changed)(struct copy_op *);
    /* One message of data, borrowed; it calls copy_op_set_full when no more is to come now. An error
     * is given, and ends the COPY. */
    evpq_error *(*message)(struct copy_op *, const char *bytes, size_t n);
    void (*free)(struct copy_op *); /* the last reference is gone */
};

struct copy_op {
    struct op op;
    const struct copy_op_owner *owner;
    unsigned refs;
    enum copy_op_state state; /* written by copy_op_to alone */
    enum copy_data data;      /* written by copy_data_to alone */
    struct conn *conn;        /* while on its pipeline */
    struct request question;  /* sql NULL: none */
    bool describes;           /* asks what the question would answer, not for the answer */
    bool rolled_back;         /* ROLLBACK was carried out */
    char *sql;                /* of the COPY: mem_ memory; NULL until the question is answered */
    char *why;                /* what the server is told when it is stopped: mem_ memory, or NULL */
    evpq_error *error;        /* the first */
    evpq_result *result;      /* of the question, then of the COPY */
    struct bytes filling;     /* what waits to be sent: the later part, which is appended to */
    struct bytes going;       /* the earlier, ... */
    size_t gone;              /* ... of which so much has been handed to libpq */
};

/* With one reference. */
void copy_op_init(struct copy_op *k, const struct copy_op_owner *owner, bool in);
void copy_op_ref(struct copy_op *k);
void copy_op_unref(struct copy_op *k);

/* Sends the question, if there is one, and then the statement. It holds a reference to itself until
 * it is over. */
void copy_op_start(struct copy_op *k, struct conn *c);

/* It will not be sent, or has failed. Takes the error; the first is kept. */
void copy_op_fail(struct copy_op *k, evpq_error *error);

/* How many bytes wait to be sent. */
static inline size_t copy_op_waiting(const struct copy_op *k)
{
    return k->filling.length + k->going.length - k->gone;
}

/* Which way data go: what it was made for, until the server says otherwise. */
static inline bool copy_op_is_in(const struct copy_op *k)
{
    return k->data <= COPY_IN_FINISHED;
}

/* No more is to come before what has come is taken, or it was taken. */
void copy_op_set_full(struct copy_op *k, bool full);

/* There will be no more to send, and all is well. */
void copy_op_finish(struct copy_op *k);

/* Something was appended to `filling`, or it was finished; or it is full no more. */
void copy_op_go_on(struct copy_op *k);

/* Nobody wants it any more: the server is told so, and what is received is dropped. Returns
 * what became of it. `error` is why, and taken. */
evpq_outcome copy_op_stop(struct copy_op *k, evpq_error *error);

/* Whether a part of the COPY itself may have reached the server. */
bool copy_op_was_sent(const struct copy_op *k);

#endif
