/* evpq/testing.h - for a program's own tests: a server that answers by a script, and a proxy that
 * breaks connections on order. Neither needs a database.
 *
 * They are in libevpq-test (pkg-config evpq-test), which is no part of libevpq and needs neither it
 * nor libpq: a program that uses libpq alone can be tested with them, too. evpq/evpq.h does not
 * include this header.
 *
 * Each server and each proxy works in a thread of its own, which takes no signal. It is not there
 * in a forked child: where each test runs in a process of its own, start it in the test. What
 * cannot go on, such as a proxy that gets no memory or no socket while it runs, says so on standard
 * error and ends the program (abort).
 *
 * borrowed, given and taken are as in evpq.h. A `ret_error` may be NULL; the text that it is set to
 * is given: free() it. On success it is not touched. Times are seconds.
 *
 * Thread: any, for every call but stop, after which nothing of it may be used. */
#ifndef EVPQ_TESTING_H
#define EVPQ_TESTING_H

#include <evpq/version.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* ---- a server that answers by a script ---- */

/* It lets everyone in, speaks protocol 3.0 with simple and extended queries, pipelines, prepared
 * statements and cancel requests, and keeps the status of each transaction. It knows no SQL: what
 * it says to a statement is scripted by evpq_test_server_answer. By itself it answers
 *
 *   BEGIN, START TRANSACTION, COMMIT, END, ROLLBACK, ABORT, SAVEPOINT, RELEASE, ROLLBACK TO,
 *   SET, RESET, DISCARD, DEALLOCATE, LISTEN, UNLISTEN, and a text without a statement
 *
 * as a server does, where no answer is scripted for them, and what evpq asks on its own account. In
 * a transaction that has failed all else is SQLSTATE 25P02, also what is scripted. Any other
 * statement fails with SQLSTATE 58000 and a message that quotes it with its parameters. COPY, the
 * replication protocol, passwords and TLS it does not speak. A simple query is taken for one
 * statement, whatever is in it. */
typedef struct evpq_test_server evpq_test_server;

/* Zero (or NULL) is the default, which stands in brackets. Copied. */
typedef struct evpq_test_server_opts {
    size_t size; /* sizeof(evpq_test_server_opts): lets the struct grow */

    const char *unix_folder;    /* that exists: listen on a Unix socket in it [on 127.0.0.1] */
    int port;                   /* [a free one, or 5432 in a folder] */
    double second;              /* how long a second of an answer's `delay` lasts: smaller, and the
                                test is sooner done [1] */
    const char *server_version; /* as the client is told [16.0] */
} evpq_test_server_opts;

/* What becomes of the connection on which a statement has come. Before a cut behind the answer, the
 * statements that follow under the same Sync are still run, answered and counted. */
typedef enum evpq_test_then {
    EVPQ_TEST_THEN_GO_ON,
    EVPQ_TEST_THEN_NEVER,      /* no answer comes: only a cancel request ends it (57014) */
    EVPQ_TEST_THEN_CUT_BEFORE, /* it is closed, and nothing of the answer was sent, nor of those
                                  before it under the same Sync */
    EVPQ_TEST_THEN_CUT_WITHIN, /* it is closed behind the answer, and ReadyForQuery was not sent */
    EVPQ_TEST_THEN_CUT_AFTER,  /* it is closed behind ReadyForQuery */
} evpq_test_then;

/* Which statements, and what is said to them. Zero (or NULL) is the default. Copied, with all that
 * it points to. */
typedef struct evpq_test_answer {
    size_t size; /* sizeof(evpq_test_answer) */

    /* One of them: the whole text, where blanks at its ends and a last semicolon do not count; or
     * a part of it. Letters are compared as they are. */
    const char *sql;
    const char *part;
    int times; /* it has to come so often, and is not used any more then; 0: as often as it is asked
                  for, also never */

    /* The result, if there is to be one: "id int8, name text", and the cells, row by row, as texts
     * in PostgreSQL's text format; NULL is a null. A type is a name that evpq_testing(3) lists, or an
     * oid. Asked for in binary format the server converts bool, int2, int4, int8, oid, float4,
     * float8, uuid, bytea (\x...), jsonb and what is a text; a column of another type is then SQLSTATE
     * 0A000. */
    const char *columns;
    const char *const *cells;
    size_t rows;
    const char *tag; /* [by the first word: SELECT 2, INSERT 0 1, CREATE TABLE ...] */

    /* An error instead, where sqlstate is set. With severity FATAL the connection is closed behind
     * it. A failed COMMIT has rolled back. */
    const char *sqlstate;
    const char *severity; /* [ERROR] */
    const char *message;  /* [one that names the SQLSTATE] */
    const char *detail, *hint, *constraint;

    const char *notice; /* a WARNING (01000) of this text goes before */
    double delay;       /* before all of it; a cancel request ends it (57014) */
    evpq_test_then then;
} evpq_test_answer;

typedef struct evpq_test_server_stats {
    size_t size; /* set by the caller to sizeof(evpq_test_server_stats) */

    uint64_t connections; /* that were let in */
    uint64_t refused;     /* that evpq_test_server_refuse turned away */
    uint64_t open;        /* now */
    uint64_t statements;  /* received, as evpq_test_server_statement has them */
    uint64_t unscripted;  /* of them: for which there was no answer */
    uint64_t cancels;     /* cancel requests */
} evpq_test_server_stats;

/* Starts one. Given: evpq_test_server_stop. `opts` may be NULL. NULL and *ret_error when it cannot
 * listen, or the options are wrong. */
EVPQ_API EVPQ_NODISCARD evpq_test_server *evpq_test_server_start(const evpq_test_server_opts *opts,
                                                                 char **ret_error);

/* Closes all its connections, waits for its thread, and frees it (taken; NULL is allowed). */
EVPQ_API void evpq_test_server_stop(evpq_test_server *server);

/* A connection string that leads to it. Borrowed until it is stopped. */
EVPQ_API const char *evpq_test_server_conninfo(const evpq_test_server *server);
EVPQ_API int evpq_test_server_port(const evpq_test_server *server);

/* Adds an answer to the script, behind those that are there. Of the answers that fit a statement
 * the first is used that has not come so often as it was to. False and *ret_error when it makes no
 * sense; evpq_test_server_complaint then says so as well. */
EVPQ_API bool evpq_test_server_answer(evpq_test_server *server, const evpq_test_answer *answer,
                                      char **ret_error);

/* From now on each new connection fails, with FATAL, this SQLSTATE and this message; with a NULL
 * sqlstate they are let in again. Copied. */
EVPQ_API void evpq_test_server_refuse(evpq_test_server *server, const char *sqlstate,
                                      const char *message);

/* Ends all connections: as an administrator does (FATAL, 57P01), or as a network does, without a
 * word. What is under way has no answer. They are closed when this returns; but one that is
 * terminated and whose client does not read what it is told, only when it does, or at
 * evpq_test_server_stop. */
EVPQ_API void evpq_test_server_terminate(evpq_test_server *server);
EVPQ_API void evpq_test_server_cut(evpq_test_server *server);

/* Sends a notification to each connection that has said LISTEN to that channel; to one that is in a
 * transaction, or busy, behind that. The names in LISTEN "a" and LISTEN A are a. */
EVPQ_API void evpq_test_server_notify(evpq_test_server *server, const char *channel,
                                      const char *payload);

/* ---- what has come ---- */

/* How many statements were received whose text contains `part` (NULL: all). Those that evpq sends
 * on its own account (evpq_testing(3) lists them) do not count; BEGIN, COMMIT and the like do. A
 * statement is received when it is to be executed: not one that only was prepared, nor one that is
 * skipped because one before it under the same Sync has failed. */
EVPQ_API size_t evpq_test_server_count(evpq_test_server *server, const char *part);

/* Waits until there are at least so many; false when that takes longer. It blocks: for tests of a
 * program that runs in another thread or process. */
EVPQ_API bool evpq_test_server_wait(evpq_test_server *server, const char *part, size_t n,
                                    double seconds);

/* The i-th of them all, from 0; NULL beyond. Borrowed until the server is stopped. */
EVPQ_API const char *evpq_test_server_statement(evpq_test_server *server, size_t i);

/* How many parameters the i-th had; and the n-th of them, from 0, as a text: NULL for a null, and
 * where there is none. What came in binary format is read if its type was declared and is one of
 * those above; else it is its bytes in hexadecimal, \x... Borrowed until the server is stopped. */
EVPQ_API int evpq_test_server_parameters(evpq_test_server *server, size_t i);
EVPQ_API const char *evpq_test_server_parameter(evpq_test_server *server, size_t i, int n);

/* Fills *stats as far as stats->size goes. False, and nothing is written, for a size that no
 * version has. */
EVPQ_API bool evpq_test_server_get_stats(evpq_test_server *server, evpq_test_server_stats *stats);

/* What is not as it was scripted, a line each: an answer with `times` that did not come so often, a
 * statement that no answer was scripted for, an answer that was refused. NULL: nothing. Given:
 * free() it. */
EVPQ_API EVPQ_NODISCARD char *evpq_test_server_complaint(evpq_test_server *server);

/* ---- a proxy that breaks connections ---- */

/* It stands between a program and a server, a scripted or a real one, on a port of 127.0.0.1. A
 * call is in force for everything that moves after it returns. It follows the protocol as far as
 * nothing is encrypted: behind the beginning of TLS, bytes are still delayed, stalled, cut and
 * counted, but neither messages nor texts nor cancel requests are seen. */
typedef struct evpq_test_proxy evpq_test_proxy;

typedef enum evpq_test_way {
    EVPQ_TEST_TO_SERVER,
    EVPQ_TEST_TO_CLIENT,
} evpq_test_way;

/* What becomes of new connections. */
typedef enum evpq_test_door {
    EVPQ_TEST_DOOR_OPEN,
    EVPQ_TEST_DOOR_REFUSE, /* refused, as where nobody listens */
    EVPQ_TEST_DOOR_SILENT, /* accepted, and never answered */
    EVPQ_TEST_DOOR_IGNORE, /* not even accepted, as by an address that leads nowhere */
} evpq_test_door;

/* What a trap does to the connection that steps into it: nothing passes there any more. */
typedef enum evpq_test_act {
    EVPQ_TEST_ACT_CUT,     /* both sides are closed in order */
    EVPQ_TEST_ACT_RESET,   /* both sides are reset */
    EVPQ_TEST_ACT_STALL,   /* both sides stay open, for ever */
    EVPQ_TEST_ACT_SWALLOW, /* on the way to the server alone: the request reaches it, to its Sync or
                              as a whole, and is carried out; the client is cut off, and its
                              answer lost */
} evpq_test_act;

/* Where a trap lies: at the nth message of a type, or the nth occurrence of a text, or after so
 * many bytes; counted over all connections from the moment when it is set. Zero is the default. */
typedef struct evpq_test_trap {
    size_t size; /* sizeof(evpq_test_trap) */

    evpq_test_way way;
    evpq_test_act act;
    char message;     /* a type, as PostgreSQL's documentation has them: 'Q', 'C' ... */
    const char *text; /* at most 64 bytes, none of them zero; copied */
    uint64_t bytes;   /* where neither is set; 0: at once */
    int nth;          /* [1] */
    bool before;      /* before the message, or the last byte of the text, has passed [behind it] */
} evpq_test_trap;

typedef struct evpq_test_proxy_stats {
    size_t size; /* set by the caller to sizeof(evpq_test_proxy_stats) */

    uint64_t connections; /* accepted, those of cancel requests among them */
    uint64_t open;        /* now */
    uint64_t cancels;     /* cancel requests */
    uint64_t fired;       /* traps that were stepped into */
    uint64_t to_server;   /* bytes that have passed */
    uint64_t to_client;
} evpq_test_proxy_stats;

/* Starts one on a free port. `host` is a numeric IPv4 address, or the folder of a Unix socket. The
 * server need not be there yet. Given: evpq_test_proxy_stop. NULL and *ret_error when it cannot. */
EVPQ_API EVPQ_NODISCARD evpq_test_proxy *evpq_test_proxy_start(const char *host, int port,
                                                               char **ret_error);

/* Closes all, waits for its thread, and frees it (taken; NULL is allowed). */
EVPQ_API void evpq_test_proxy_stop(evpq_test_proxy *proxy);

EVPQ_API int evpq_test_proxy_port(const evpq_test_proxy *proxy);

/* Where later connections lead. False, and nothing has changed, for what is no address. */
EVPQ_API bool evpq_test_proxy_target(evpq_test_proxy *proxy, const char *host, int port);

EVPQ_API void evpq_test_proxy_door(evpq_test_proxy *proxy, evpq_test_door door);

/* Every byte that way is held back for so long; their order is kept. Here and below, what is no way
 * of evpq_test_way changes nothing. */
EVPQ_API void evpq_test_proxy_delay(evpq_test_proxy *proxy, evpq_test_way way, double seconds);

/* Nothing passes that way, on any connection, until it is told otherwise; nothing is lost. */
EVPQ_API void evpq_test_proxy_stall(evpq_test_proxy *proxy, evpq_test_way way, bool stalled);

/* Cancel requests are thrown away, and their senders see a normal end. */
EVPQ_API void evpq_test_proxy_drop_cancels(evpq_test_proxy *proxy, bool drop);

/* Closes, or resets, every connection that is open. They are closed when this returns. */
EVPQ_API void evpq_test_proxy_cut(evpq_test_proxy *proxy);
EVPQ_API void evpq_test_proxy_reset(evpq_test_proxy *proxy);

/* Sets a trap, of which there may be eight. It goes off once. False and *ret_error when it makes no
 * sense, or there are eight. */
EVPQ_API bool evpq_test_proxy_arm(evpq_test_proxy *proxy, const evpq_test_trap *trap,
                                  char **ret_error);

/* From now on all passes: the door is open, no delay, no stall, no trap that has not gone off. A
 * connection that a trap has stalled, or that was accepted by a silent door, stays as it is. */
EVPQ_API void evpq_test_proxy_heal(evpq_test_proxy *proxy);

/* Waits until so many traps have gone off since the start; false when that takes longer. It blocks:
 * see evpq_test_server_wait. */
EVPQ_API bool evpq_test_proxy_wait(evpq_test_proxy *proxy, uint64_t fired, double seconds);

/* Fills *stats as far as stats->size goes. False, and nothing is written, for a size that no
 * version has. */
EVPQ_API bool evpq_test_proxy_get_stats(evpq_test_proxy *proxy, evpq_test_proxy_stats *stats);

#ifdef __cplusplus
}
#endif

#endif
