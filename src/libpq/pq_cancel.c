/* pq_cancel.c - cancel requests: libpq 17's, which can be polled, or else the one that blocks. */
#include "config.h"
#include "libpq/pq.h"

#include <libpq-fe.h>
#include <stdint.h>

#if HAVE_PQCANCELSTART && !HAVE_DECL_PQCANCELSTART
typedef struct pg_cancel_conn PGcancelConn;
extern PGcancelConn *PQcancelCreate(PGconn *conn);
extern int PQcancelStart(PGcancelConn *conn);
extern PostgresPollingStatusType PQcancelPoll(PGcancelConn *conn);
extern int PQcancelSocket(const PGcancelConn *conn);
extern void PQcancelFinish(PGcancelConn *conn);
#endif

#if HAVE_PQCANCELSTART

struct pq_cancel *pq_cancel_new(struct pg_conn *c)
{
    return (struct pq_cancel *)(void *)PQcancelCreate(c);
}

static PGcancelConn *cancel_conn(const struct pq_cancel *k)
{
    return (PGcancelConn *)(uintptr_t)k;
}

void pq_cancel_free(struct pq_cancel *k)
{
    PQcancelFinish(cancel_conn(k));
}

bool pq_cancel_is_async(void)
{
    return true;
}

bool pq_cancel_start(struct pq_cancel *k)
{
    return PQcancelStart(cancel_conn(k));
}

enum pq_poll pq_cancel_poll(struct pq_cancel *k)
{
    return pq_poll_of(PQcancelPoll(cancel_conn(k)));
}

int pq_cancel_socket(const struct pq_cancel *k)
{
    return PQcancelSocket(cancel_conn(k));
}

bool pq_cancel_now(struct pq_cancel *k)
{
    (void)k;
    return false;
}

#else

struct pq_cancel *pq_cancel_new(struct pg_conn *c)
{
    return (struct pq_cancel *)(void *)PQgetCancel(c);
}

void pq_cancel_free(struct pq_cancel *k)
{
    PQfreeCancel((PGcancel *)(void *)k);
}

bool pq_cancel_is_async(void)
{
    return false;
}

bool pq_cancel_start(struct pq_cancel *k)
{
    (void)k;
    return false;
}

enum pq_poll pq_cancel_poll(struct pq_cancel *k)
{
    (void)k;
    return PQ_POLL_FAILED;
}

int pq_cancel_socket(const struct pq_cancel *k)
{
    (void)k;
    return -1;
}

bool pq_cancel_now(struct pq_cancel *k)
{
    char why[256];
    return PQcancel((PGcancel *)(void *)k, why, sizeof why);
}

#endif
