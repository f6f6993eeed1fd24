/* head.c - see head.h. */
#include "head.h"

#include <string.h>
#include <strings.h>

unsigned head_route(const struct route *routes, const char *path, const char *method,
                    const struct route **ret_route)
{
    const struct route *route = routes;
    while (route->path && strcmp(route->path, path) != 0)
        route++;
    *ret_route = route;
    if (!route->path)
        return MHD_HTTP_NOT_FOUND;
    bool known =
        strcmp(method, MHD_HTTP_METHOD_GET) == 0 || strcmp(method, MHD_HTTP_METHOD_HEAD) == 0;
    return known ? 0 : MHD_HTTP_METHOD_NOT_ALLOWED;
}

bool head_has_body(struct MHD_Connection *head)
{
    return MHD_lookup_connection_value(head, MHD_HEADER_KIND, MHD_HTTP_HEADER_CONTENT_LENGTH) ||
           MHD_lookup_connection_value(head, MHD_HEADER_KIND, MHD_HTTP_HEADER_TRANSFER_ENCODING);
}

static enum MHD_Result count_framing(void *count, enum MHD_ValueKind kind, const char *name,
                                     const char *value)
{
    *(int *)count += strcasecmp(name, MHD_HTTP_HEADER_CONTENT_LENGTH) == 0 ||
                     strcasecmp(name, MHD_HTTP_HEADER_TRANSFER_ENCODING) == 0;
    return MHD_YES;
}

bool head_is_ambiguous(struct MHD_Connection *head)
{
    int count = 0;
    MHD_get_connection_values(head, MHD_HEADER_KIND, count_framing, &count);
    return count > 1;
}
