/*
 * The server that tests/with-postgres has started, seen from a test: a look inside by a plain,
 * blocking connection of its own, ways to hurt it, and connection strings for each way to reach it.
 *
 * What fails here fails the test. The looks of a process share one connection (application_name
 * evpq-admin), so that a session's settings are not for them. One that is lost is replaced, waiting
 * up to 30 s for a server that is still starting: all of it works across restarts and in forked
 * tests. Calls may block; the watch of watch.h looks away meanwhile.
 */
#ifndef TESTS_SUPPORT_SERVER_H
#define TESTS_SUPPORT_SERVER_H

#include <stdbool.h>

struct proxy;

/* Text made like printf's. Borrowed: valid until the calling thread has made sixteen more. */
const char *strf(const char *format, ...) __attribute__((format(printf, 1, 2)));

/* ---- looking inside ---- */

/* The processes that are forked from here on, one after the other, share the connection of those looks. */
void server_lend_admin(void);

/* Run SQL text, any number of statements. */
void server_exec(const char *sql);

/* The first column of the first row; no row or a null is 0, or "". The text is borrowed as strf's.
 * `sql` only looks: it is asked again when the server goes down meanwhile. */
long server_count(const char *sql);
const char *server_text(const char *sql);

/* Client backends with this application_name. */
long server_backends(const char *application_name);

/* Wait until there are exactly so many; false when that takes longer. */
bool server_wait_backends(const char *application_name, long n, double seconds);

/* Waits until it takes connections, and keeps them. */
void server_wait_up(void);

/* A role that may log in, by TCP with the password that libpq finds in PGPASSFILE. `more` ("" or
 * NULL: nothing) is put at the end of CREATE ROLE. */
void server_role(const char *name, const char *more);

/* The server's version, as 150018. */
int server_version(void);

/* ---- hurting it ---- */

/* pg_terminate_backend each, and wait until they are gone. Returns how many there were. */
long server_kill_backends(const char *application_name);

/* kill -9 a backend: the server takes all others down with it, which has begun when this returns, and recovers. */
void server_kill9(int backend_pid);

void server_stop(void);           /* clients are disconnected */
void server_stop_immediate(void); /* as in a crash */
void server_start(void);          /* returns when connections are accepted */
void server_restart(void);

/* ---- reaching it ---- */

enum server_path {
    SERVER_UNIX,
    SERVER_TCP, /* without encryption */
    SERVER_TLS, /* the certificate and the name in it are verified */
};

bool server_has_tls(void);

/* A pooler lies between, by tests/through: what follows reaches the pooler, and the looks inside go
 * past it. Its connections to the server outlive those of its clients. */
bool server_is_pooled(void);

/* A connection string; extra ("" or NULL: nothing) is put at its end. Borrowed as strf's. */
const char *server_conninfo(enum server_path path, const char *extra);

/* The same through another port of 127.0.0.1: a proxy's, or PgBouncer's. Not for SERVER_UNIX. */
const char *server_conninfo_port(enum server_path path, int port, const char *extra);

int server_port(void);

/* Whether a connection can be made right now. Blocks, and the watch does not look away. */
bool server_reachable(const char *conninfo);

/* A proxy in front of the server's TCP port. Given: proxy_stop(). */
struct proxy *server_proxy(void);

#endif
