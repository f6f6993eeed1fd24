/* server.c - see server.h. libmicrohttpd polls its sockets by an epoll descriptor of its own, which
 * a libev watcher watches. A request that waits is suspended there while its task runs; when that
 * has ended, libmicrohttpd goes on with it, in the same turn of the loop.
 *
 * A suspended connection is not polled, so a second epoll descriptor tells which clients leave. It
 * asks for hang-ups alone, once for each connection: a request costs it nothing, and data that
 * comes early does not wake it. Who has shut down the sending side counts as gone: its task is
 * canceled, and the answer is 503; what needs no task it still gets.
 *
 * A client has a time for its whole request, from the connection or its last answer on, and another
 * to take its answer. One that is slower loses its place. libmicrohttpd's own timeout counts
 * silence alone: who sends a byte now and then would stay for ever. */
#include "server.h"

#include "head.h"
#include "patience.h"
#include "reply.h"

#include <errno.h>
#include <ev.h>
#include <microhttpd.h>
#include <netdb.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <unistd.h>

/* Seconds: how long a client that has gone may take to read what is left; and how long one that is
 * idle when the server drains has to send what may be on its way. */
enum { GONE_TIMEOUT = 1, LINGER = 1 };

/* Bytes for the head of a request, and of its answer, in each connection. A head that does not fit
 * is answered 431, or 413 or 414, by libmicrohttpd. */
enum { HEAD_MEMORY = 8192 };

/* A connection, and its request: there is one at a time. */
struct client {
    struct request request; /* the first, so that one leads to the other */
    struct server *server;
    struct MHD_Connection *connection;
    const struct route *route;
    evpq_future *task; /* while it runs */
    unsigned status;   /* of the answer, once it is known; 0 before */
    struct turn turn;  /* while it sends or receives, not while its task runs */
    bool begun;        /* it is whole, and counted among the server's requests */
    bool gone;
};

struct server {
    evpq_loop *loop;
    struct server_opts opts;
    struct MHD_Daemon *http;
    ev_io ready, leaving;
    ev_timer due, lingered;
    struct patience patience;
    int tasks, requests, clients; /* under way; whole, and not answered yet; connected */
    double told;                  /* when the log last said that there is no database */
    bool draining;
    bool freed;           /* a place, since the last MHD_run */
    evpq_future *drained; /* until it has settled */
};

/* ---- the loop ---- */

/* Whoever is left when no request is under way and the time is over has nothing to say. */
static void look_if_drained(struct server *s)
{
    if (!s->drained || s->requests > 0 || (s->clients > 0 && ev_is_active(&s->lingered)))
        return;
    evpq_future_set_value(s->drained, NULL, NULL);
    s->drained = evpq_future_unref(s->drained);
}

/* An answer is made up by one MHD_run, and sent by the next; what else there is waits its turn.
 * Where there was no place or no descriptor left, libmicrohttpd has stopped accepting; it takes
 * that up again at the beginning of the MHD_run after the one that freed a place, and nothing but
 * this wakes it for that. */
static void run(struct server *s)
{
    struct ev_loop *ev = evpq_loop_ev(s->loop);
    MHD_UNSIGNED_LONG_LONG milliseconds = 0;
    bool due = true;
    for (int i = 0; i < 2 && due && milliseconds == 0; i++) {
        s->freed = false;
        MHD_run(s->http);
        due = MHD_get_timeout(s->http, &milliseconds) == MHD_YES;
    }
    ev_timer_stop(ev, &s->due);
    if (s->freed)
        milliseconds = 0;
    if (due || s->freed) {
        ev_timer_set(&s->due, (double)milliseconds * 1e-3, 0.);
        ev_timer_start(ev, &s->due);
    }
    look_if_drained(s);
}

static void on_ready(struct ev_loop *ev, ev_io *w, int events)
{
    run(w->data);
}

static void on_due(struct ev_loop *ev, ev_timer *w, int events)
{
    run(w->data);
}

static void on_lingered(struct ev_loop *ev, ev_timer *w, int events)
{
    look_if_drained(w->data);
}

/* ---- one request ---- */

/* Sends the body, or words for another status than 200. Where MHD_NO comes of it, out of memory,
 * the connection is closed. */
static enum MHD_Result answer(struct client *c, unsigned status)
{
    struct server *s = c->server;
    const struct text *body = &c->request.body;
    struct MHD_Response *r;
    if (body->failed)
        status = MHD_HTTP_SERVICE_UNAVAILABLE;
    r = status == MHD_HTTP_OK ? reply_make(body->data, body->length, c->route->type)
                              : reply_refuse(status);
    if (s->draining || status == MHD_HTTP_BAD_REQUEST)
        reply_header(r, MHD_HTTP_HEADER_CONNECTION, "close");
    if (!r)
        return MHD_NO;
    enum MHD_Result result = MHD_queue_response(c->connection, status, r);
    MHD_destroy_response(r);
    patience_start(&s->patience, &c->turn);
    return result;
}

/* libmicrohttpd asks on_request again for a connection that goes on. */
static void on_ended(evpq_future *task, void *arg)
{
    struct client *c = arg;
    struct server *s = c->server;
    s->tasks--;
    c->status = reply_status(evpq_future_error(task), c->route->path, ev_now(evpq_loop_ev(s->loop)),
                             &s->told);
    c->task = evpq_future_unref(c->task);
    MHD_resume_connection(c->connection);
    ev_feed_event(evpq_loop_ev(s->loop), &s->ready, EV_READ);
}

static enum MHD_Result start_task(struct client *c)
{
    struct server *s = c->server;
    evpq_task_opts opts = {
        .size = sizeof opts, .name = c->route->path, .deadline = s->opts.deadline};
    if (c->gone || s->tasks >= s->opts.max_requests)
        return answer(c, MHD_HTTP_SERVICE_UNAVAILABLE);
    c->task = evpq_task_spawn(s->loop, c->route->task, &c->request, &opts);
    if (evpq_future_on_done(c->task, on_ended, c) != EVPQ_OK) {
        evpq_task_cancel(c->task); /* it has not begun, and so never will */
        c->task = evpq_future_unref(c->task);
        return answer(c, MHD_HTTP_SERVICE_UNAVAILABLE);
    }
    s->tasks++;
    patience_stop(&c->turn);
    MHD_suspend_connection(c->connection);
    return MHD_YES;
}

/* From here on a drain waits for the answer. */
static enum MHD_Result begin(struct client *c)
{
    if (!c->begun)
        c->server->requests++;
    c->begun = true;
    if (c->status)
        return answer(c, c->status);
    if (c->route->task)
        return start_task(c);
    c->route->write(&c->request);
    return answer(c, MHD_HTTP_OK);
}

/* What is refused is not read to the end first. libmicrohttpd then closes the connection, so one
 * without a body is refused in its turn. */
static enum MHD_Result on_head(struct client *c, const char *path, const char *method)
{
    if (c->status == 0 && head_is_ambiguous(c->connection))
        c->status = MHD_HTTP_BAD_REQUEST;
    if (c->status == 0)
        c->status = head_route(c->server->opts.routes, path, method, &c->route);
    return c->status && head_has_body(c->connection) ? begin(c) : MHD_YES;
}

/* Called when the head of a request is there, for each piece of its body, at its end, and when a
 * suspended connection goes on. */
static enum MHD_Result on_request(void *cls, struct MHD_Connection *connection, const char *path,
                                  const char *method, const char *version, const char *upload,
                                  size_t *upload_size, void **request)
{
    struct client *c = *request;
    if (!c) {
        *request = c =
            MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
        return c ? on_head(c, path, method) : MHD_NO;
    }
    *upload_size = 0; /* nobody here wants a body */
    return upload ? MHD_YES : begin(c);
}

/* The answer is out, or cannot be; the request may not even have been whole. */
static void on_completed(void *cls, struct MHD_Connection *connection, void **request,
                         enum MHD_RequestTerminationCode how)
{
    struct server *s = cls;
    struct client *c = *request;
    if (!c)
        return;
    s->requests -= c->begun;
    c->begun = false;
    c->status = 0;
    patience_start(&s->patience, &c->turn);
    text_clear(&c->request.body);
}

const char *request_parameter(const struct request *rq, const char *name)
{
    const struct client *c = (const struct client *)rq;
    return MHD_lookup_connection_value(c->connection, MHD_GET_ARGUMENT_KIND, name);
}

/* libmicrohttpd decodes in place, and %00 would end the string: /json%00/x is not /json. */
static size_t unescape(void *cls, struct MHD_Connection *connection, char *text)
{
    struct client *c =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_SOCKET_CONTEXT)->socket_context;
    if (c && strstr(text, "%00"))
        c->status = MHD_HTTP_BAD_REQUEST;
    return MHD_http_unescape(text);
}

/* ---- clients ---- */

static int socket_of(struct MHD_Connection *connection)
{
    return MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD)->connect_fd;
}

static struct client *welcome(struct server *s, struct MHD_Connection *connection)
{
    struct client *c = calloc(1, sizeof *c);
    struct epoll_event hang_up = {.events = EPOLLRDHUP | EPOLLET, .data.ptr = c};
    if (!c)
        return NULL;
    c->request.app = s->opts.app;
    c->server = s;
    c->connection = connection;
    epoll_ctl(s->leaving.fd, EPOLL_CTL_ADD, socket_of(connection), &hang_up);
    patience_start(&s->patience, &c->turn);
    return c;
}

/* libmicrohttpd finds the end of the connection, and closes it. */
static void on_expired(struct turn *turn)
{
    struct client *c = (struct client *)(void *)((char *)turn - offsetof(struct client, turn));
    shutdown(socket_of(c->connection), SHUT_RDWR);
}

static void say_goodbye(struct client *c)
{
    patience_stop(&c->turn);
    epoll_ctl(c->server->leaving.fd, EPOLL_CTL_DEL, socket_of(c->connection), NULL);
    text_free(&c->request.body);
    free(c);
}

static void on_connection(void *cls, struct MHD_Connection *connection, void **client,
                          enum MHD_ConnectionNotificationCode what)
{
    struct server *s = cls;
    if (what == MHD_CONNECTION_NOTIFY_STARTED) {
        s->clients++;
        *client = welcome(s, connection);
    } else {
        s->clients--;
        s->freed = true;
        if (*client)
            say_goodbye(*client);
    }
}

/* Its task is canceled, and its descriptor kept for no longer than it takes to send what is still
 * to be sent. */
static void on_leaving(struct ev_loop *ev, ev_io *w, int events)
{
    struct epoll_event gone[64];
    int n = epoll_wait(w->fd, gone, 64, 0);
    for (int i = 0; i < n; i++) {
        struct client *c = gone[i].data.ptr;
        c->gone = true;
        MHD_set_connection_option(c->connection, MHD_CONNECTION_OPTION_TIMEOUT,
                                  (unsigned)GONE_TIMEOUT);
        if (c->task)
            evpq_task_cancel(c->task); /* on_ended is called from the loop */
    }
}

/* ---- life ---- */

static struct MHD_Daemon *listen_on(struct server *s)
{
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_NUMERICSERV | AI_PASSIVE,
                             .ai_socktype = SOCK_STREAM};
    struct addrinfo *found;
    if (getaddrinfo(s->opts.address, s->opts.port, &hints, &found) != 0) {
        errno = EINVAL;
        return NULL;
    }
    unsigned flags = MHD_USE_EPOLL | MHD_ALLOW_SUSPEND_RESUME;
    if (found->ai_family == AF_INET6)
        flags |= MHD_USE_IPv6;
    unsigned silence = (unsigned)s->opts.client_timeout + 1;
    struct MHD_Daemon *http = MHD_start_daemon(
        flags, 0, NULL, NULL, on_request, s, MHD_OPTION_SOCK_ADDR, found->ai_addr,
        MHD_OPTION_NOTIFY_CONNECTION, on_connection, s, MHD_OPTION_NOTIFY_COMPLETED, on_completed,
        s, MHD_OPTION_STRICT_FOR_CLIENT, 1, MHD_OPTION_CONNECTION_LIMIT,
        (unsigned)s->opts.max_clients, MHD_OPTION_CONNECTION_MEMORY_LIMIT, (size_t)HEAD_MEMORY,
        MHD_OPTION_CONNECTION_TIMEOUT, silence, MHD_OPTION_UNESCAPE_CALLBACK, unescape, NULL,
        MHD_OPTION_END);
    freeaddrinfo(found);
    return http;
}

static void watch(struct server *s, int leaving)
{
    struct ev_loop *ev = evpq_loop_ev(s->loop);
    int polled = MHD_get_daemon_info(s->http, MHD_DAEMON_INFO_EPOLL_FD)->epoll_fd;
    ev_io_init(&s->ready, on_ready, polled, EV_READ);
    ev_io_init(&s->leaving, on_leaving, leaving, EV_READ);
    ev_timer_init(&s->due, on_due, 0., 0.);
    ev_timer_init(&s->lingered, on_lingered, LINGER, 0.);
    s->ready.data = s->due.data = s->lingered.data = s;
    ev_io_start(ev, &s->ready);
    ev_io_start(ev, &s->leaving);
}

struct server *server_open(evpq_loop *loop, const struct server_opts *opts)
{
    int leaving = epoll_create1(EPOLL_CLOEXEC);
    struct server *s = leaving < 0 ? NULL : calloc(1, sizeof *s);
    if (s) {
        s->opts = *opts;
        patience_open(&s->patience, evpq_loop_ev(loop), opts->client_timeout, on_expired);
        s->http = listen_on(s);
    }
    if (!s || !s->http) {
        free(s);
        if (leaving >= 0)
            close(leaving);
        return NULL;
    }
    s->loop = evpq_loop_ref(loop);
    watch(s, leaving);
    return s;
}

int server_port(const struct server *s)
{
    return MHD_get_daemon_info(s->http, MHD_DAEMON_INFO_BIND_PORT)->port;
}

/* Takes in those whom the kernel has accepted, and lets it accept no more. This is not left to
 * MHD_run, which does other work in between, while more come. */
static void stop_listening(struct server *s)
{
    struct sockaddr_storage from;
    struct sockaddr *address = (struct sockaddr *)&from;
    int listening = MHD_quiesce_daemon(s->http), taken;
    for (;;) {
        socklen_t length = sizeof from;
        taken = accept(listening, address, &length);
        if (taken < 0)
            break;
        MHD_add_connection(s->http, taken, address, length);
    }
    close(listening);
    run(s);
}

evpq_future *server_drain(struct server *s)
{
    evpq_future *drained = evpq_future_new(s->loop, NULL, NULL);
    s->draining = true;
    stop_listening(s);
    ev_timer_start(evpq_loop_ev(s->loop), &s->lingered);
    s->drained = evpq_future_ref(drained);
    look_if_drained(s);
    return drained;
}

void server_close(struct server *s)
{
    struct ev_loop *ev = evpq_loop_ev(s->loop);
    int leaving = s->leaving.fd;
    ev_io_stop(ev, &s->ready);
    ev_io_stop(ev, &s->leaving);
    ev_timer_stop(ev, &s->due);
    ev_timer_stop(ev, &s->lingered);
    MHD_stop_daemon(s->http);
    patience_close(&s->patience);
    close(leaving);
    evpq_loop_unref(s->loop);
    free(s);
}
