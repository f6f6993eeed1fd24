/* reply.c - see reply.h. */
#include "reply.h"

#include <string.h>

static const char *words_for(unsigned status)
{
    switch (status) {
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
