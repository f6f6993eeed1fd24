/* reply.c - see reply.h. */
#include "reply.h"

#include <stdio.h>
#include <string.h>

static const char *words_for(unsigned status)
{
    switch (status) {
    case MHD_HTTP_BAD_REQUEST:
        return "400 Bad Request: it can be read in more than one way\n";
    case MHD_HTTP_NOT_FOUND:
        return "404 Not Found: there is nothing here\n";
    case MHD_HTTP_METHOD_NOT_ALLOWED:
        return "405 Method Not Allowed: this can be read by GET and HEAD alone\n";
    case MHD_HTTP_SERVICE_UNAVAILABLE:
        return "503 Service Unavailable: too busy, or without a database; try again soon\n";
    case MHD_HTTP_GATEWAY_TIMEOUT:
        return "504 Gateway Timeout: the database did not answer in time\n";
    default:
        return "500 Internal Server Error\n";
    }
}

void reply_header(struct MHD_Response *r, const char *name, const char *value)
{
    if (r)
        MHD_add_response_header(r, name, value);
}

struct MHD_Response *reply_make(const char *body, size_t length, const char *type)
{
    struct MHD_Response *r =
        MHD_create_response_from_buffer(length, (char *)body, MHD_RESPMEM_PERSISTENT);
    reply_header(r, MHD_HTTP_HEADER_SERVER, "evpq");
    reply_header(r, MHD_HTTP_HEADER_CONTENT_TYPE, type);
    return r;
}

struct MHD_Response *reply_refuse(unsigned status)
{
    const char *words = words_for(status);
    struct MHD_Response *r = reply_make(words, strlen(words), "text/plain; charset=utf-8");
    if (status == MHD_HTTP_METHOD_NOT_ALLOWED)
        reply_header(r, MHD_HTTP_HEADER_ALLOW, "GET, HEAD");
    if (status == MHD_HTTP_SERVICE_UNAVAILABLE)
        reply_header(r, MHD_HTTP_HEADER_RETRY_AFTER, "1");
    return r;
}

static void log_error(const char *path, const evpq_error *e)
{
    const char *sqlstate = evpq_error_sqlstate(e);
    fprintf(stderr, "%s: %s%s%s\n", path, sqlstate, *sqlstate ? " " : "", evpq_error_message(e));
}

unsigned reply_status(const evpq_error *e, const char *path, double now, double *told)
{
    if (strcmp(evpq_error_sqlstate(e), "57014") == 0)
        return MHD_HTTP_GATEWAY_TIMEOUT; /* statement_timeout, or canceled by somebody there */
    switch (evpq_error_status(e)) {
    case EVPQ_OK:
        return MHD_HTTP_OK;
    case EVPQ_TIMEOUT:
        return MHD_HTTP_GATEWAY_TIMEOUT;
    case EVPQ_CONNECT:
        if (now >= *told + 1) {
            *told = now;
            log_error(path, e);
        }
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    case EVPQ_QUEUE_FULL:
    case EVPQ_LOST:
    case EVPQ_CANCELED: /* because the client has gone: nobody reads it */
    case EVPQ_CLOSED:
    case EVPQ_NOMEM:
        return MHD_HTTP_SERVICE_UNAVAILABLE;
    default:
        log_error(path, e);
        return MHD_HTTP_INTERNAL_SERVER_ERROR;
    }
}
