/* command.c - the simplest kind of operation. */
#include "pipeline/command.h"

static struct command *command_of(struct op *op)
{
    return container_of(op, struct command, op);
}

static bool command_send(struct op *op, struct pg_conn *c)
{
    op->parts = 1;
    return pq_send_command(c, command_of(op)->sql);
}

static void command_feed(struct op *op, enum pq_kind kind, struct pg_result *result)
{
    struct command *k = command_of(op);
    pq_clear(result);
    if (kind == PQ_ERROR || kind == PQ_ABORTED)
        k->failed = true;
    if (kind == PQ_SYNC)
        k->over(k);
}

static void command_lost(struct op *op, const evpq_error *why, bool sent)
{
    (void)op, (void)why, (void)sent;
}

void command_init(struct command *k, const char *sql, void (*over)(struct command *))
{
    static const struct op_class class = {
        .send = command_send, .feed = command_feed, .fail = command_lost};
    *k = (struct command){
        .op = {.class = &class, .sql = *sql ? sql : NULL, .slow = true, .own = true},
        .sql = sql,
        .over = over};
    list_init(&k->op.node);
}

void command_run(struct command *k, struct pipeline *pipeline, bool control)
{
    k->failed = false;
    k->op.order = control ? OP_CONTROL : OP_NORMAL;
    pipeline_submit(pipeline, &k->op);
}
