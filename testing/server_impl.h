/* server_impl.h - what the files of the scripted server share: the server, and a session for each
 * connection. All of it is guarded by the worker's lock; only its thread touches sockets. */
#ifndef TESTING_SERVER_IMPL_H
#define TESTING_SERVER_IMPL_H

#include "testing/journal.h"
#include "testing/script.h"
#include "testing/worker.h"

struct prepared {
    struct prepared *next;
    char *name, *sql;
    int n_types;
    uint32_t *types; /* that were declared; 0: was not */
};

/* What is executed: a simple query, or what Bind made. */
struct portal {
    char *sql; /* NULL: there is none */
    int n;
    char **parameters;
    int n_formats;
    int *formats; /* of the result, as Bind has them */
    bool decided; /* `line` is known, and has been counted */
    const struct line *line;
};

struct channel {
    struct channel *next;
    char name[];
};

enum backend_at {
    AT_MESSAGES,
    AT_WAIT, /* a statement is not answered before `due` */
    AT_END,  /* is closed once all has been sent */
};

struct backend {
    struct backend *next;
    struct evpq_test_server *server;
    int fd; /* -1: it is closed */
    int pid;
    uint32_t key;
    struct bytes in, out;
    size_t sendable; /* of out: the rest waits for Sync or Flush */
    bool eof;        /* the client says no more */
    bool started;
    enum backend_at at;
    double due;
    char status;        /* as ReadyForQuery tells it: I, T, E */
    bool simple, skips; /* a simple query; after an error, up to Sync */
    evpq_test_then cut; /* at the next ReadyForQuery */
    struct prepared *prepared;
    struct portal portal;
    struct channel *channels; /* that it listens to */
    struct bytes heard;       /* notifications that wait until it is idle */
};

struct evpq_test_server {
    struct worker worker;
    int listener, port;
    char *path; /* of a Unix socket, or NULL */
    char *conninfo, *version;
    double second;
    struct script script;
    struct journal journal;
    struct backend *backends;
    char *refuses, *refusal; /* SQLSTATE, or NULL, and message */
    int last_pid;
    uint64_t connections, refused, cancels;
};

/* ---- backend.c: the socket ---- */

void backend_new(struct evpq_test_server *server, int fd);
void backend_turn(struct backend *b);
void backend_free(struct backend *b);
void backend_terminate(struct backend *b);
void backend_cut(struct backend *b);

/* What was said so far may be sent. */
static inline void backend_flush(struct backend *b)
{
    b->sendable = bytes_size(&b->out);
}

/* It is closed when that has been sent; what was not flushed is not sent. */
void backend_end(struct backend *b);

/* ---- message.c: what the client says ---- */

/* Takes the next message; false when it is not whole. */
bool message_take(struct backend *b);

/* ---- run.c: statements ---- */

void run_portal(struct backend *b);
void run_query(struct backend *b);
void run_waited(struct backend *b); /* `due` has come */
void run_canceled(struct backend *b);
void run_sync(struct backend *b);
const struct line *run_line(struct backend *b); /* that answers the portal, or NULL */

/* ---- verb.c: the statements that a server knows without a script ---- */

enum verb {
    VERB_NONE,
    VERB_BEGIN,
    VERB_COMMIT,
    VERB_ROLLBACK,
    VERB_ROLLBACK_TO,
    VERB_SAVEPOINT,
    VERB_RELEASE,
    VERB_SET,
    VERB_DISCARD,
    VERB_DEALLOCATE,
    VERB_LISTEN,
    VERB_UNLISTEN,
};

enum { TAG_SIZE = 64 };

/* Behind blanks and comments. */
const char *sql_skip(const char *sql);
enum verb verb_of(const char *sql);
/* COMMIT or ROLLBACK ... AND CHAIN: another transaction begins. */
bool verb_chains(const char *sql);
/* Whether it is run in a transaction that has failed. */
bool verb_ends(enum verb verb);
/* Changes the session as the statement does, and writes its tag; `rows` are those of its result, or
 * NO_RESULT: a statement that changes data has changed one row then. */
#define NO_RESULT SIZE_MAX
void verb_do(struct backend *b, const char *sql, size_t rows, char tag[TAG_SIZE]);

/* ---- own.c: what evpq asks on its own account ---- */

bool own_is(const char *sql);
bool own_runs_in_failed(const char *sql); /* of those: in a transaction that has failed */
void own_describe(struct backend *b, const char *sql);
void own_answer(struct backend *b, const char *sql);

/* ---- prepared.c ---- */

struct prepared *prepared_find(struct backend *b, const char *name);
void prepared_forget(struct backend *b, const char *name); /* NULL: all */
void portal_clear(struct portal *p);

/* ---- answer.c: what is said, kept in `out` ---- */

struct fault {
    const char *severity, *sqlstate, *message, *detail, *hint, *constraint, *function;
};

void answer_start(struct backend *b);
void answer_bare(struct backend *b, char type);
void answer_fault(struct backend *b, char type, const struct fault *f);
void answer_columns(struct backend *b, const struct column *columns, size_t n, bool of_portal);
void answer_parameters(struct backend *b, const struct prepared *p);
void answer_row(struct backend *b, const struct column *columns, size_t n,
                const char *const *cells);
void answer_complete(struct backend *b, const char *tag);
void answer_ready(struct backend *b);
void answer_notification(struct bytes *to, int pid, const char *channel, const char *payload);

/* 0 text, 1 binary: of the i-th column. */
int portal_format(const struct portal *p, size_t i);

#endif
