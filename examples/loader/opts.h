/* opts.h - what the command line of the program `loader` says. */
#ifndef LOADER_OPTS_H
#define LOADER_OPTS_H

#include "loader.h"

#include <stdbool.h>
#include <stdint.h>

struct opts {
    struct loader_opts loader;
    const char *conninfo;
    const char *state, *resume; /* files, or NULL */
    const char *unique;         /* a column, or NULL */
    uint64_t batches;           /* to end after; 0: all */
    bool check, stats, quiet;
};

/* False: the program ends, with *ret_status; what there was to say is said. Strings are borrowed
 * from argv. */
bool opts_read(struct opts *o, int argc, char **argv, int *ret_status);

#endif
