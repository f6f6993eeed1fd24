/* server.h - HTTP on the program's own loop: GNU libmicrohttpd without a thread, and an evpq task
 * for each request that waits for something. */
#ifndef WEB_SERVER_H
#define WEB_SERVER_H

#include "text.h"

#include <evpq/evpq.h>

/* What a handler is given. */
struct request {
    void *app;        /* the program's own, from server_opts */
    struct text body; /* what it writes is what the client gets, with status 200 */
};

/* The value of a parameter in the query string, borrowed until the answer; NULL without one. */
const char *request_parameter(const struct request *rq, const char *name);

/* A path, and one of two ways to answer GET and HEAD there. */
struct route {
    const char *path;
    const char *type;                  /* Content-Type */
    void (*write)(struct request *rq); /* writes the answer, and waits for nothing */
    evpq_task_fn *task;                /* does the same in a task, with a struct request as its arg;
                                          the way it fails decides the status */
};

struct server_opts {
    const char *address;        /* numeric, IPv4 or IPv6 */
    const char *port;           /* "0": one that is free */
    int max_requests;           /* tasks at once; one more request is answered 503 */
    int max_clients;            /* connections at once; more wait in the kernel's queue */
    double client_timeout;      /* seconds that a client has for its next request, from its
                                   connection or its last answer on, and for taking an answer */
    double deadline;            /* seconds for each task; negative: none */
    const struct route *routes; /* ends with a NULL path; borrowed, as `app` is */
    void *app;
};

struct server;

/* Listens, and serves from now on. NULL with errno when it cannot. */
struct server *server_open(evpq_loop *loop, const struct server_opts *opts);

int server_port(const struct server *s);

/* Listens no more, and lets clients go: each is told with its next answer that it is the last one.
 * Done when nobody is left who waits for an answer. Once. */
evpq_future *server_drain(struct server *s);

/* No request may be under way: after server_drain. */
void server_close(struct server *s);

#endif
