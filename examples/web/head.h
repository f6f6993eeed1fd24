/* head.h - what the head of a request says, as far as the server heeds it. */
#ifndef WEB_HEAD_H
#define WEB_HEAD_H

#include "server.h"

#include <microhttpd.h>
#include <stdbool.h>

/* The route, in *ret_route, and 0; or the status that refuses the request. */
unsigned head_route(const struct route *routes, const char *path, const char *method,
                    const struct route **ret_route);

bool head_has_body(struct MHD_Connection *head);

/* Whether several headers say how long the body is. A proxy may have believed another one than
 * libmicrohttpd does: what is a body to one of them is the next request to the other. */
bool head_is_ambiguous(struct MHD_Connection *head);

#endif
