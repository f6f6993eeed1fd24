/* server.h - the model of a server: its processes, cancel requests, and how they die. */
#ifndef TESTS_SIM_SERVER_H
#define TESTS_SIM_SERVER_H

#include "sim/buffer.h"
#include "sim/sql.h"
#include "sim/table.h"
#include "sim/world.h"

struct link;

enum {
    PREPARED_MOST = 64,
    ARGUMENT_MOST = 24,
    SAVEPOINTS_MOST = 64,
    NOTIFIES_MOST = 8,
    DONE_MOST = 64,
    TEXT_MOST = 48
};

/* What a session knows of a statement that was parsed. */
struct prepared {
    char name[64];
    enum statement is;
    int version;       /* of the schema, when it was parsed */
    char argument[64]; /* the rest of its text */
};

struct savepoint {
    char name[64];
    int changes; /* before it */
    bool deferred;
};

/* What lasts from one transaction to the next. */
struct session {
    struct list node; /* of the pooler's that nobody has */
    int pid;
    bool hides;                              /* the name of the table is another's */
    struct prepared prepared[PREPARED_MOST]; /* the first is the one without a name */
};

/* A server process: session.c is what it does. Behind a pooler in transaction mode (pooler.c) it is
 * what that keeps for a client, and has one of the few sessions from the first message of a
 * transaction to its end. */
struct backend {
    struct list node;        /* of all */
    struct list waits;       /* for a session */
    struct link *link;       /* NULL: the client is gone */
    struct session *session; /* NULL: the pooler has given it none */
    int pid;                 /* as the client knows it */
    uint32_t key;
    struct buffer in, out;
    size_t n_read; /* of `in`: what it has of a message that is not whole yet */
    bool started;  /* the start-up packet was answered */
    bool eof;      /* the client has hung up, which is seen when nothing is left to do */

    char status; /* as ReadyForQuery tells it: I, T, E */
    bool skips;  /* after an error, up to the next Sync */
    struct changes changes;
    bool deferred; /* a constraint fails when the transaction ends */
    bool hides;    /* the session will, when it commits */
    struct notices {
        unsigned listens;     /* to which channels, a bit each */
        unsigned will_listen; /* when the transaction commits */
        int n;
        struct {
            int channel;
            int64_t number;
        } sends[NOTIFIES_MOST]; /* when it commits */
    } notices;
    struct buffer heard; /* what is told when no transaction is open */
    bool between;        /* two transactions */
    struct savepoint savepoints[SAVEPOINTS_MOST];
    int n_savepoints;
    bool together, reads_only; /* what is set for the transaction */

    const struct prepared *portal;
    int64_t token;
    char texts[PARAMETERS_MOST][TEXT_MOST]; /* the arguments, as far as they are short texts */
    int xact;    /* the number that the transaction was told it has; 0: none */
    bool binary; /* how results are wanted */
    int rows;    /* of SQL_SERIES that were sent */

    int64_t
        done[DONE_MOST]; /* tokens of what was carried out since the last Sync, outside a block */
    int n_done;

    /* A simple query: it needs no Sync. */
    bool simple, copies;
    struct prepared query;
    struct buffer copied; /* the data of a COPY */

    /* What it is at; it takes in nothing else meanwhile. */
    enum activity { AT_NOTHING, AT_EXECUTE, AT_SYNC, AT_DONE } at;
    struct event step; /* the end of that */
    bool signaled;     /* by a cancel request, and has not noticed yet */
};

/* One in so many; 0: never. */
struct server_faults {
    unsigned errors;        /* of any statement */
    unsigned slow;          /* statements that take long */
    unsigned slow_ends;     /* commits that take long, and answers that are held back after it */
    unsigned cancel_misses; /* cancel requests that are lost */
    unsigned late_signals;  /* those that the process notices when it next does something */
    unsigned standbys;      /* answers of a standby, to who asks what became of a transaction */
    unsigned garbles;       /* rows of a binary COPY that are none */
    unsigned pooled;        /* a pooler with so many sessions; 0: none */
    /* A pooler that ends each statement that stands alone before it passes on the next, also where they
     * share a Sync; and transactions of those that change something that it leaves open instead. */
    unsigned apart, left_open;
};

void server_begin(const struct server_faults *f);
const struct server_faults *server_faults(void);

bool server_is_up(void);
struct backend *server_accept(struct link *l); /* NULL: it is down */
void server_cancel(const void *packet, size_t n);
struct backend *server_some_backend(void);
int server_backends(void);
/* How often it has been started, and how often it has recovered from a crash. */
int server_starts(void);
int server_recoveries(void);
/* Somebody changes the schema: plans that were made before no longer give what was described. */
void server_change_schema(void);
int server_schema(void);
/* Whoever listens hears it. */
void server_notify(int channel, int64_t number);
/* All die, and for so long nobody can connect. */
void server_crash(sim_time down);

/* ---- sessions ---- */

void pooler_begin(void);
void pooler_end(void); /* frees those that nobody has */
/* False: `b` has to wait, and is called back by backend_go_on. */
bool pooler_lend(struct backend *b);
void pooler_take_back(struct backend *b); /* at the end of a transaction */
void pooler_lose(struct backend *b);      /* its client is gone, and with it the session it had */

/* ---- a process, for the network ---- */

void backend_receive(struct backend *b, const char *bytes, size_t n);
void backend_eof(struct backend *b);
void backend_die(struct backend *b);       /* without a word */
void backend_terminate(struct backend *b); /* pg_terminate_backend */
void backend_cancel(struct backend *b);    /* what it runs, if it runs something */
void backend_init(struct backend *b);
void backend_go_on(struct backend *b); /* with what has come */

#endif
