/* routes.h - what the server answers, and by which queries. */
#ifndef WEB_ROUTES_H
#define WEB_ROUTES_H

#include "server.h"

/* For server_opts, whose `app` is then the evpq_pool to ask. */
extern const struct route routes[];

#endif
