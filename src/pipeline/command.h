/* command.h - a statement of the library's own (ROLLBACK, DISCARD ALL, a fence), of which only
 * success matters. */
#ifndef PIPELINE_COMMAND_H
#define PIPELINE_COMMAND_H

#include "pipeline/pipeline.h"

struct command {
    struct op op;
    const char *sql; /* a constant */
    bool failed;     /* by an error of the server's */
    /* Answered, well or not; not called when the link is lost. */
    void (*over)(struct command *);
};

void command_init(struct command *k, const char *sql, void (*over)(struct command *));

/* From command_run until over is called, or the link is lost. */
static inline bool command_is_running(const struct command *k)
{
    return k->op.state == OP_QUEUED || k->op.state == OP_SENT;
}

void command_run(struct command *k, struct pipeline *pipeline, bool control);

#endif
