/* stmt.h - the statements one connection knows: which are prepared on the server, and how long each
 * takes.
 *
 * A statement is its text and the types declared for its parameters: the server plans the same text
 * anew for other types. It is sent as it is the first time and prepared the second, so that SQL
 * that never comes back costs the server nothing. Least recently used statements are closed on the
 * server when there are too many.
 *
 * The name of a prepared statement is made from its content: "evpq_" and 128 bits of SHA-256 over
 * text and types. So a name means the same on every server connection, whoever has prepared it: a
 * pooler may hand one connection to many clients. */
#ifndef PIPELINE_STMT_H
#define PIPELINE_STMT_H

#include "base/map.h"
#include "pipeline/pipeline.h"
#include "values/request.h"

struct stmts;

/* What is known of it on the server. */
enum stmt_state {
    STMT_ABSENT,
    STMT_SENT,     /* a Prepare is ahead in the pipeline */
    STMT_PREPARED, /* the server has said so */
    STMT_STALE,    /* prepared under a schema that is no more: closed before it is prepared again */
};

struct stmt {
    struct map_node node; /* by the key; out of the map: evicted */
    struct list lru;      /* or, when evicted, the list of those to close on the server */
    struct stmts *stmts;
    struct op close;
    enum stmt_state state;
    bool closing;
    bool cached; /* in the map; else evicted */
    int pins;    /* operations in flight that point here */
    unsigned runs;
    double service;     /* seconds, a moving average */
    double prepared_at; /* loop_time of the Prepare */
    char name[5 + 32 + 1];
    size_t sql_size; /* without a zero at its end */
    size_t types_size;
    char key[]; /* the text, and then the types as they are in a request */
};

struct stmts {
    struct pipeline *pipeline;
    struct map map;
    struct list lru;  /* the coldest first */
    struct list drop; /* evicted: to be closed on the server, or freed when unpinned */
    int max;
    bool prepares;   /* else statements are only known, for how long they take */
    double lifetime; /* seconds after which a prepared statement is prepared anew; 0: never */
    size_t bytes;    /* of all keys */
};

void stmts_init(struct stmts *s, struct pipeline *pipeline, int max, bool prepares,
                double lifetime);
void stmts_free(struct stmts *s); /* the connection is gone, and no query is in flight */

/* The statement with the text and the types of this request, pinned; a new one when it is not
 * known. NULL when it is not to be kept (too long, no memory, or switched off). Give back with
 * stmt_unpin. */
struct stmt *stmts_use(struct stmts *ss, const struct request *r);
void stmt_unpin(struct stmt *s); /* NULL is allowed */

/* Whether it should be prepared now; then it has a name. */
bool stmt_wants_prepare(struct stmt *s);

/* A Prepare of it was sent. */
void stmt_sent(struct stmt *s);
/* The Prepare was answered: whether the server has it now. Also when it turns out later that the
 * server does not have it (SQLSTATE 26000). */
void stmt_is_there(struct stmt *s, bool there);
/* What the server has is of no use any more: it is closed, and prepared anew when it comes back. */
void stmt_spoil(struct stmt *s);

/* It took so long, once more. */
void stmt_learn(struct stmt *s, double seconds);

/* Whether it is known to be short. */
bool stmt_is_quick(const struct stmt *s);

/* The server has dropped them all (DISCARD ALL, DEALLOCATE ALL). */
void stmts_all_gone(struct stmts *s);

/* How long a statement may usually take for others to ride behind it. */
#define STMT_QUICK 0.005

#endif
