/* notify.c - NOTIFY as a query, so that it may share a connection with others. */
#include "listen/listener.h"

#include "pool/pool.h"
#include "words/error.h"

#include <string.h>

/* PostgreSQL's NOTIFY_PAYLOAD_MAX_LENGTH (commands/async.c): payloads are shorter. */
enum { PAYLOAD_LIMIT = 8000 };

static evpq_error *check(const char *channel, const char *payload)
{
    evpq_error *error = listen_channel_check_name(channel);
    if (error)
        return error;
    const char *wrong = NULL;
    if (!payload)
        wrong = "the payload is NULL: where there is nothing to say it is \"\"";
    else if (strlen(payload) >= PAYLOAD_LIMIT)
        wrong = "the payload has 8000 bytes or more";
    return wrong ? error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "%s", wrong) : NULL;
}

evpq_future *evpq_notify(evpq_pool *pool, const char *channel, const char *payload)
{
    if (pool_check(pool))
        return pool_refused(pool);
    evpq_error *error = check(channel, payload);
    if (error)
        return future_failed(pool->loop, error);
    return evpq_pool_query(pool, "select pg_catalog.pg_notify($1, $2)",
                           EVPQ_ARGS(channel, payload));
}
