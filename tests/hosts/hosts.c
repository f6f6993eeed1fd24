/* hosts.c - which hosts there are. configure says which libraries were found. */
#include "hosts/hosts.h"

#include <stdio.h>
#include <stdlib.h>

const struct host *const hosts[] = {
    &host_libev,    &host_epoll,
#ifdef HOST_GLIB
    &host_glib,
#endif
#ifdef HOST_LIBEVENT
    &host_libevent,
#endif
#ifdef HOST_SD_EVENT
    &host_sd_event,
#endif
#ifdef HOST_UV
    &host_uv,
#endif
    NULL,
};
const int n_hosts = sizeof hosts / sizeof *hosts - 1;

void host_needs(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "hosts: %s failed\n", what);
    exit(1);
}
