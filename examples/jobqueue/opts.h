/* opts.h - the command line of the job queue. */
#ifndef JOBQUEUE_OPTS_H
#define JOBQUEUE_OPTS_H

#include <stdbool.h>

enum command { COMMAND_SETUP, COMMAND_PRODUCE, COMMAND_WORK, COMMAND_STATUS };

struct opts {
    enum command command;
    int jobs; /* of produce */
    const char *conninfo, *listen_conninfo;
    int workers, batch;
    double poll, busy;
    bool until_empty, quiet;
};

/* Reads the command line. False when the program is to end with *ret_status: help has been printed,
 * or what is wrong. */
bool opts_read(struct opts *o, int argc, char **argv, int *ret_status);

#endif
