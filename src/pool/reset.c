/* reset.c - see reset.h. */
#include "pool/reset.h"

static enum conn_clean level(const evpq_pool *pool)
{
    switch (pool->opts.reset) {
    case EVPQ_RESET_DEFAULT:
        return CLEAN_OURS;
    case EVPQ_RESET_FULL:
        return CLEAN_ALWAYS;
    default:
        return CLEAN_NOTHING;
    }
}

void reset_session(struct pool_conn *c, bool session)
{
    conn_reset(&c->conn, session ? level(pool_of(c)) : CLEAN_NOTHING);
}
