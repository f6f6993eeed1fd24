/* why.c - what a connection is at, for the error of a deadline. */
#include "conn/conn.h"

static int before(const struct list *ops, const struct op *op)
{
    int n = 0;
    for (const struct list *node = ops->next; node != ops && node != &op->node; node = node->next)
        n++;
    return n;
}

static void say_sent(const struct conn *c, const struct op *op, struct why *why)
{
    int n = before(&c->pipeline.sent, op);
    why_say(why, "it was sent %.3g s ago to server process %d, which has not answered",
            loop_time(c->loop) - op->sent_at, conn_backend_pid(c));
    if (n)
        why_say(why, ", with %d before it there", n);
}

static void say_unsent(const struct conn *c, const struct op *op, struct why *why)
{
    const struct pipeline *p = &c->pipeline;
    why_say(why,
            op->undoes
                ? "it has left a transaction open, and ROLLBACK was not sent: server process %d "
                : "it was not sent: server process %d ",
            conn_backend_pid(c));
    if (c->state == CONN_QUARANTINED)
        why_say(why, "is still ending a canceled statement");
    else if (p->n_sent + before(&p->fresh, op))
        why_say(why, "has %d before it to answer", p->n_sent + before(&p->fresh, op));
    else
        why_say(why, "takes it next");
}

void conn_why(const struct conn *c, const struct op *op, struct why *why)
{
    if (c->state == CONN_DEAD)
        why_say(why, "its connection is lost");
    else if (c->dial)
        dial_why(c->dial, why);
    else if (op && op_was_sent(op))
        say_sent(c, op, why);
    else if (op)
        say_unsent(c, op, why);
    else
        why_say(why, "server process %d is asked", conn_backend_pid(c));
}
