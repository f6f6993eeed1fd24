/* opts.h - the command line of copypipe. */
#ifndef COPYPIPE_OPTS_H
#define COPYPIPE_OPTS_H

#include <stdbool.h>

struct opts {
    const char *from, *to; /* connection strings; "": the environment's */
    const char *source;    /* a table, as in SQL */
    const char *target;    /* likewise */
    const char *query;     /* read instead of the source; or NULL */
    const char *columns;   /* of the target, and of the source: as in SQL; or NULL */
    const char *format;    /* of COPY */
    bool row_security;     /* only the rows that the role may see */
    bool quiet;
};

/* Ends the program where it is wrong, or asks for help. */
struct opts opts_read(int argc, char **argv);

#endif
