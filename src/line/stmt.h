/* stmt.h - the statements one connection knows: which are prepared on the server, and how long each
 * takes.
 *
 * A statement is its text and the types declared for its parameters: the server plans the same text
 * anew for other types. It is sent as it is the first time and prepared the second, so that SQL
 * that never comes back costs the server nothing. Least recently used statements are closed on the
 * server when there are too many. */
#ifndef LINE_STMT_H
#define LINE_STMT_H

#include "base/map.h"
#include "line/pipeline.h"
#include "words/request.h"

struct stmts;

struct stmt {
    struct map_node node; /* by the key; out of the map: dropped */
    struct list lru;      /* or, when dropped, the list of those to close on the server */
    struct stmts *stmts;
    struct op close;
    bool closing;
    bool known;    /* in the map */
    bool prepared; /* or about to be: a Prepare is ahead in the pipeline */
    bool sure;     /* the server has said so */
    int pins;      /* queries in flight that point here */
    unsigned runs;
    double service; /* seconds, a moving average */
    char name[24];
    size_t sql_size; /* without a zero at its end */
    size_t types_size;
    char key[]; /* the text, and then the types as they are in a request */
};

struct stmts {
    struct pipeline *line;
    struct map map;
    struct list lru;  /* the coldest first */
    struct list drop; /* to be closed on the server, or freed when unpinned */
    int max;
    bool prepares; /* else statements are only known, for how long they take */
    size_t bytes;  /* of all keys */
    uint64_t next_name;
};

void stmts_init(struct stmts *s, struct pipeline *line, int max, bool prepares);
void stmts_free(struct stmts *s); /* the connection is gone, and no query is in flight */

/* The statement with the text and the types of this request, pinned; a new one when it is not
 * known. NULL when it is not to be kept (too long, no memory, or switched off). Give back with
 * stmt_unpin. */
struct stmt *stmts_use(struct stmts *s, const struct request *r);
void stmt_unpin(struct stmt *s); /* NULL is allowed */

/* Whether it should be prepared now; then it has a name. */
bool stmt_wants_prepare(struct stmt *s);

/* It took so long, once more. */
void stmt_learn(struct stmt *s, double seconds);

/* Whether it is known to be short. */
bool stmt_is_quick(const struct stmt *s);

/* Forgets the statement; closes it on the server if it is prepared there. */
void stmt_drop(struct stmt *s);

/* The server has dropped them all (DISCARD ALL, DEALLOCATE ALL). */
void stmts_all_gone(struct stmts *s);

/* How long a statement may usually take for others to ride behind it. */
#define STMT_QUICK 0.005

#endif
