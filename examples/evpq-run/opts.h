/* opts.h - the command line. */
#ifndef RUN_OPTS_H
#define RUN_OPTS_H

#include "format.h"

#include <stdbool.h>
#include <stdio.h>

enum opts_progress { PROGRESS_AUTO, PROGRESS_ALWAYS, PROGRESS_NEVER };

enum opts_verdict {
    OPTS_RUN,
    OPTS_HELP,    /* print the help and leave */
    OPTS_VERSION, /* likewise */
    OPTS_WRONG,   /* `why` says what */
};

/* Strings are borrowed from the command line. */
struct opts {
    const char *conninfo;
    int jobs;
    const char **sets; /* NAME=VALUE */
    size_t set_count;
    const char **files;
    size_t file_count;
    const char *const *sql;
    size_t sql_count;
    const char *params;
    bool header;
    const char *output; /* "-": standard output */
    const struct format *format;
    bool in_order;
    double timeout; /* seconds; 0: none */
    int retries;
    bool retry_unknown;
    bool fail_fast;
    const char *rejects; /* NULL: none */
    enum opts_progress progress;
    bool summary;
    struct buf why;
};

/* Reads the command line; `stdin_is_terminal` decides what no SQL at all means. */
enum opts_verdict opts_read(struct opts *o, int argc, char **argv, bool stdin_is_terminal);
void opts_free(struct opts *o);

void opts_print_help(FILE *to);

#endif
