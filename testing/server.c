/* server.c - the scripted server: its socket, its thread, and the public functions; see
 * evpq/testing.h. */
#include "testing/server_impl.h"

#include <errno.h>
#include <math.h>
#include <netinet/in.h>
#include <stddef.h>
#include <stdio.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { BACKLOG = 256, FIRST_PID = 1000, UNIX_PORT = 5432 };

/* ---- the thread ---- */

static struct evpq_test_server *server_of(const struct worker *w)
{
    return (struct evpq_test_server *)((uintptr_t)w - offsetof(struct evpq_test_server, worker));
}

static void server_turn(struct worker *w)
{
    struct evpq_test_server *server = server_of(w);
    int fd;
    while ((fd = accept4(server->listener, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC)) >= 0)
        backend_new(server, fd);
    worker_accepted_none(server->listener);
    for (struct backend *b = server->backends; b; b = b->next)
        backend_turn(b);
    for (struct backend **at = &server->backends; *at;) {
        struct backend *b = *at;
        if (b->fd >= 0) {
            at = &b->next;
            continue;
        }
        *at = b->next;
        backend_free(b);
    }
}

static size_t server_count(const struct worker *w)
{
    size_t n = 1;
    for (const struct backend *b = server_of(w)->backends; b; b = b->next)
        n++;
    return n;
}

static double server_fill(struct worker *w, struct pollfd *polls)
{
    struct evpq_test_server *server = server_of(w);
    double soonest = 0;
    *polls++ = (struct pollfd){.fd = server->listener, .events = POLLIN};
    for (const struct backend *b = server->backends; b; b = b->next) {
        int events = (b->eof ? 0 : POLLIN) | (b->sendable ? POLLOUT : 0);
        *polls++ = (struct pollfd){.fd = events ? b->fd : -1, .events = (short)events};
        if (b->at == AT_WAIT && isfinite(b->due) && (soonest == 0 || b->due < soonest))
            soonest = b->due;
    }
    return soonest;
}

/* ---- life ---- */

static bool listen_on(struct evpq_test_server *server, const struct sockaddr *at, socklen_t size)
{
    server->listener = socket(at->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    if (server->listener < 0)
        return false;
    int one = 1;
    setsockopt(server->listener, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one);
    return bind(server->listener, at, size) == 0 && listen(server->listener, BACKLOG) == 0;
}

static bool listen_tcp(struct evpq_test_server *server, int port)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    if (!listen_on(server, (struct sockaddr *)&at, size) ||
        getsockname(server->listener, (struct sockaddr *)&at, &size) != 0)
        return false;
    server->port = ntohs(at.sin_port);
    return true;
}

/* The path is the server's to remove once it is there. */
static bool listen_unix(struct evpq_test_server *server, const char *folder, int port)
{
    struct sockaddr_un at = {.sun_family = AF_UNIX};
    int n = snprintf(at.sun_path, sizeof at.sun_path, "%s/.s.PGSQL.%d", folder, port);
    errno = ENAMETOOLONG;
    if (n < 0 || (size_t)n >= sizeof at.sun_path ||
        !listen_on(server, (struct sockaddr *)&at, sizeof at))
        return false;
    server->path = copy_text(at.sun_path);
    server->port = port;
    return true;
}

/* Without hostaddr that of the environment would count, and lead elsewhere. */
static void print_conninfo(struct evpq_test_server *server, const char *folder)
{
    struct bytes b = {0};
    bytes_print(&b, "host='");
    for (const char *c = folder ? folder : "127.0.0.1"; *c; c++)
        bytes_print(&b, "%s%c", *c == '\'' || *c == '\\' ? "\\" : "", *c);
    bytes_print(&b, "'%s port=%d user=test dbname=test sslmode=disable gssencmode=disable",
                folder ? "" : " hostaddr=127.0.0.1", server->port);
    bytes_put_int(&b, 1, 0);
    server->conninfo = b.at;
}

static void server_free(struct evpq_test_server *server)
{
    for (struct backend *b = server->backends, *next; b; b = next) {
        next = b->next;
        backend_free(b);
    }
    if (server->listener >= 0)
        close(server->listener);
    if (server->path)
        unlink(server->path);
    script_free(&server->script);
    journal_free(&server->journal);
    free(server->path);
    free(server->conninfo);
    free(server->version);
    free(server->refuses);
    free(server->refusal);
    free(server);
}

static const char *what_is_wrong(const evpq_test_server_opts *o)
{
    if (o->port < 0 || o->port > 65535)
        return "port is none";
    if (!(o->second >= 0) || !isfinite(o->second))
        return "second is negative, or not a number";
    if (o->unix_folder && *o->unix_folder != '/')
        return "unix_folder does not begin with /";
    return NULL;
}

evpq_test_server *evpq_test_server_start(const evpq_test_server_opts *opts, char **ret_error)
{
    static const struct worker_class class = {server_turn, server_count, server_fill};
    evpq_test_server_opts o;
    if (!kind_read(KIND(evpq_test_server_opts, unix_folder), opts, &o, ret_error))
        return NULL;
    const char *reason = what_is_wrong(&o);
    if (reason) {
        wrong(ret_error, "evpq_test_server_opts: %s", reason);
        return NULL;
    }
    struct evpq_test_server *server = take_memory(sizeof *server);
    server->listener = -1;
    server->last_pid = FIRST_PID;
    server->second = o.second > 0 ? o.second : 1;
    server->version = copy_text(o.server_version ? o.server_version : "16.0");
    script_init(&server->script);
    bool there = o.unix_folder ? listen_unix(server, o.unix_folder, o.port ? o.port : UNIX_PORT)
                               : listen_tcp(server, o.port);
    if (there)
        print_conninfo(server, o.unix_folder);
    if (there && worker_start(&server->worker, &class))
        return server;
    wrong(ret_error, "the scripted server cannot listen: %s", strerror(errno));
    server_free(server);
    return NULL;
}

void evpq_test_server_stop(evpq_test_server *server)
{
    if (!server)
        return;
    worker_stop(&server->worker);
    server_free(server);
}

const char *evpq_test_server_conninfo(const evpq_test_server *server)
{
    return server->conninfo;
}

int evpq_test_server_port(const evpq_test_server *server)
{
    return server->port;
}

/* ---- what it is to do ---- */

bool evpq_test_server_answer(evpq_test_server *server, const evpq_test_answer *answer,
                             char **ret_error)
{
    worker_begin(&server->worker);
    bool added = script_add(&server->script, answer, ret_error);
    worker_end(&server->worker);
    return added;
}

void evpq_test_server_refuse(evpq_test_server *server, const char *sqlstate, const char *message)
{
    worker_begin(&server->worker);
    free(server->refuses);
    free(server->refusal);
    server->refuses = copy_text(sqlstate);
    server->refusal = copy_text(message ? message : "the script refuses connections");
    worker_end(&server->worker);
}

void evpq_test_server_terminate(evpq_test_server *server)
{
    worker_begin(&server->worker);
    for (struct backend *b = server->backends; b; b = b->next)
        backend_terminate(b);
    worker_commit(&server->worker);
}

void evpq_test_server_cut(evpq_test_server *server)
{
    worker_begin(&server->worker);
    for (struct backend *b = server->backends; b; b = b->next)
        backend_cut(b);
    worker_commit(&server->worker);
}

static bool listens(const struct backend *b, const char *channel)
{
    for (const struct channel *c = b->channels; c; c = c->next)
        if (!strcmp(c->name, channel))
            return true;
    return false;
}

/* One that is idle is told now: nothing of it is half said, and nothing of it waits. */
void evpq_test_server_notify(evpq_test_server *server, const char *channel, const char *payload)
{
    worker_begin(&server->worker);
    for (struct backend *b = server->backends; b; b = b->next) {
        bool idle = b->status == 'I' && b->at == AT_MESSAGES && !b->skips &&
                    b->sendable == bytes_size(&b->out);
        if (!listens(b, channel) || b->at == AT_END)
            continue;
        answer_notification(idle ? &b->out : &b->heard, FIRST_PID, channel, payload ? payload : "");
        if (idle)
            backend_flush(b);
    }
    worker_commit(&server->worker);
}

/* ---- what it has seen ---- */

size_t evpq_test_server_count(evpq_test_server *server, const char *part)
{
    worker_begin(&server->worker);
    size_t n = journal_count(&server->journal, part);
    worker_end(&server->worker);
    return n;
}

struct wanted {
    const char *part;
    size_t n;
};

static bool has_come(const struct worker *w, const void *arg)
{
    const struct wanted *wanted = arg;
    return journal_count(&server_of(w)->journal, wanted->part) >= wanted->n;
}

bool evpq_test_server_wait(evpq_test_server *server, const char *part, size_t n, double seconds)
{
    struct wanted wanted = {part, n};
    worker_begin(&server->worker);
    bool there = worker_wait(&server->worker, has_come, &wanted, seconds);
    worker_end(&server->worker);
    return there;
}

/* NULL: there is none. Entries stay as they are. */
static const struct entry *entry_at(evpq_test_server *server, size_t i)
{
    worker_begin(&server->worker);
    const struct entry *e = i < server->journal.n ? server->journal.entries[i] : NULL;
    worker_end(&server->worker);
    return e;
}

const char *evpq_test_server_statement(evpq_test_server *server, size_t i)
{
    const struct entry *e = entry_at(server, i);
    return e ? e->sql : NULL;
}

int evpq_test_server_parameters(evpq_test_server *server, size_t i)
{
    const struct entry *e = entry_at(server, i);
    return e ? e->n : 0;
}

const char *evpq_test_server_parameter(evpq_test_server *server, size_t i, int n)
{
    const struct entry *e = entry_at(server, i);
    return e && n >= 0 && n < e->n ? e->parameters[n] : NULL;
}

bool evpq_test_server_get_stats(evpq_test_server *server, evpq_test_server_stats *stats)
{
    worker_begin(&server->worker);
    evpq_test_server_stats all = {
        .connections = server->connections,
        .refused = server->refused,
        .statements = server->journal.n,
        .unscripted = server->journal.unscripted,
        .cancels = server->cancels,
    };
    for (const struct backend *b = server->backends; b; b = b->next)
        all.open += b->started && b->fd >= 0;
    worker_end(&server->worker);
    return kind_write(KIND(evpq_test_server_stats, connections), &all, stats);
}

char *evpq_test_server_complaint(evpq_test_server *server)
{
    struct bytes b = {0};
    worker_begin(&server->worker);
    script_complain(&server->script, &b);
    journal_complain(&server->journal, &b);
    worker_end(&server->worker);
    if (!bytes_size(&b))
        return NULL;
    b.at[b.end - 1] = '\0'; /* in place of the last line's end */
    return b.at;
}
