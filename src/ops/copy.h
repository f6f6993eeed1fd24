/* copy.h - the verb "COPY": a statement during which the server takes data, or gives them.
 *
 * It goes by the simple protocol, with nothing before or behind it on the line. What has to be
 * known first (the types of columns) is asked in an operation before it, in the same place on the
 * line, and nothing comes between the two.
 *
 * Owns what waits to be sent. What it receives it hands up, a message at a time. */
#ifndef OPS_COPY_H
#define OPS_COPY_H

#include "base/bytes.h"
#include "conn/conn.h"
#include "values/request.h"

#include <evpq/result.h>

enum copy_stage {
    COPY_WAITING,  /* not on a line yet */
    COPY_ASKING,   /* the question is on the line */
    COPY_STARTING, /* the statement is */
    COPY_FLOWING,  /* the server takes data, or gives them */
    COPY_ENDING,   /* there are no more: the answer comes */
    COPY_OVER,     /* off the line, or never to be on one */
};

struct copy;

/* The owner's side: called from the line, and from copy_stop. */
struct copy_owner {
    /* To the question, which had one: the statement to send, given in mem_ memory; or NULL, with
     * *ret_error given. */
    char *(*answered)(struct copy *, const evpq_result *answer, evpq_error **ret_error);
    /* Stage, error, room or `dry` may have changed. Whether somebody was told. */
    bool (*changed)(struct copy *);
    /* One message of data, borrowed; sets `full` when no more is to come now. An error is given,
     * and ends the COPY. */
    evpq_error *(*message)(struct copy *, const char *bytes, size_t n);
    void (*free)(struct copy *); /* the last reference is gone */
};

struct copy {
    struct op op;
    const struct copy_owner *owner;
    unsigned refs;
    enum copy_stage stage;
    struct conn *conn;       /* while on its line */
    struct request question; /* sql NULL: none */
    bool describes;          /* asks what the question would answer, not for the answer */
    bool in;                 /* data go to the server */
    bool finishing;          /* there will be no more, and all is well */
    bool full;               /* what was received has to be taken first */
    bool dry;                /* nothing more of it has arrived */
    bool undoing;            /* ROLLBACK is on the line in its place */
    bool left_open;          /* that is why it has failed */
    bool rolled_back;
    char *sql;            /* of the COPY: mem_ memory; NULL until the question is answered */
    char *why;            /* what the server is told when it is stopped: mem_ memory, or NULL */
    evpq_error *error;    /* the first */
    evpq_result *result;  /* of the question, then of the COPY */
    struct bytes filling; /* what waits to be sent: the later part, which is appended to */
    struct bytes going;   /* the earlier, ... */
    size_t gone;          /* ... of which so much has been handed to libpq */
};

/* With one reference. */
void copy_init(struct copy *k, const struct copy_owner *owner, bool in);
void copy_ref(struct copy *k);
void copy_unref(struct copy *k);

/* Sends the question, if there is one, and then the statement. It holds a reference to itself until
 * it is over. */
void copy_start(struct copy *k, struct conn *c);

/* It will not be sent, or has failed. Takes the error; the first is kept. */
void copy_fail(struct copy *k, evpq_error *error);

/* How many bytes wait to be sent. */
static inline size_t copy_waiting(const struct copy *k)
{
    return k->filling.length + k->going.length - k->gone;
}

/* Something was appended to `filling`, or `finishing` set; or `full` is no more. */
void copy_go_on(struct copy *k);

/* Nobody wants it any more: the server is told so, and what is received is dropped. Returns
 * what became of it. `error` is why, and taken. */
evpq_outcome copy_stop(struct copy *k, evpq_error *error);

/* Whether a part of the COPY itself may have reached the server. */
bool copy_was_sent(const struct copy *k);

#endif
