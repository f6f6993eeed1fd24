/* opts.h - the command line of the web server. */
#ifndef WEB_OPTS_H
#define WEB_OPTS_H

#include <stdbool.h>

struct opts {
    const char *address, *port, *conninfo;
    int pool, max_waiting, max_requests, max_clients;
    double client_timeout, deadline;
};

/* Reads the command line. False when the program is to end with *ret_status: help has been printed,
 * or what is wrong. */
bool opts_read(struct opts *o, int argc, char **argv, int *ret_status);

#endif
