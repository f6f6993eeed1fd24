/* limit.c - the time limit of what is the library's own: a canceled statement with its fence, a reset,
 * a statement that evpq sends of its own accord, and what a hook has left running. One timer for
 * all of them: a server that is silent costs a connection, and never its place in the pool. */
#include "conn/conn_impl.h"

bool conn_all_abandoned(const struct conn *c)
{
    return c->pipeline.n_abandoned && !c->pipeline.n_awaited;
}

/* Whether the connection is busy with something of its own: the program does not wait for that, and
 * sets no limit to it. */
static bool is_ours(const struct conn *c)
{
    return c->state == CONN_QUARANTINED || c->state == CONN_RESETTING || c->hurried ||
           conn_all_abandoned(c) || pipeline_awaits_own(&c->pipeline);
}

void conn_limit(struct conn *c, double seconds)
{
    timer_start(&c->limit_timer, seconds);
}

void conn_limit_own(struct conn *c)
{
    if (is_ours(c) == timer_active(&c->limit_timer))
        return;
    if (timer_active(&c->limit_timer))
        timer_stop(&c->limit_timer);
    else
        conn_limit(c, c->config->cancel_timeout);
}

/* If the program held up the loop, the server gets the time that it did not have. */
static void limit_is_over(struct timer *t)
{
    struct conn *c = container_of(t, struct conn, limit_timer);
    if (!is_ours(c) || timer_excuse(t, c->config->cancel_timeout))
        return;
    conn_kill_for(c, EVPQ_LOST,
                  c->state == CONN_RESETTING     ? "the server did not reset the session in time"
                  : c->state == CONN_QUARANTINED ? "the server did not end a canceled query in time"
                  : c->hurried ? "the server did not answer the statements of a hook in time"
                               : "the server did not answer in time what evpq itself had to say");
}

void conn_hurry(struct conn *c, double seconds)
{
    c->hurried = true;
    if (c->state != CONN_QUARANTINED)
        conn_limit(c, seconds);
}

void conn_limit_init(struct conn *c)
{
    timer_init(&c->limit_timer, c->loop, limit_is_over);
}
