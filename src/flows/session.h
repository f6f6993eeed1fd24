/* session.h - a transaction's connection: BEGIN, what is sent behind it, and the way back.
 *
 * BEGIN is sent with the first statement and shares its Sync, so that the statement is not run when
 * BEGIN fails. What cannot share it is held back until BEGIN is answered: what is asked for after
 * those were sent, or behind one that shares its Sync with nothing. Sent at once, it would be carried
 * out outside a transaction if BEGIN were to fail.
 *
 * Embedded in the outermost struct evpq_txn, which alone and whose savepoints use it. */
#ifndef FLOWS_SESSION_H
#define FLOWS_SESSION_H

#include "flows/work.h"
#include "pool/lease.h"

struct session {
    evpq_pool *pool;   /* a reference */
    evpq_lease *lease; /* a reference to its memory, and (not borrowed) the lease itself */
    bool borrowed;
    bool lent;           /* to the program, by evpq_txn_lease */
    bool ended;          /* nothing more will be sent */
    unsigned savepoints; /* so many there were */
    const char *opening; /* BEGIN with its modes: static */
    evpq_future *begin;  /* once it is submitted */
    struct waiter begun;
    struct list held;
    bool refused; /* something was asked for that could not be sent: the connection is gone */
};

/* Takes the lease unless it is borrowed. */
void session_init(struct session *s, evpq_lease *lease, bool borrowed, const char *opening);
void session_free(struct session *s);

/* NULL when the connection is lost, or the program has released it, which rolls back. */
struct conn *session_conn(const struct session *s);

/* Why nothing can be sent; NULL: something can. Given. */
evpq_error *session_refusal(const struct session *s, const char *sql);

/* Sends BEGIN, if that was not done. False: no memory. */
bool session_begin(struct session *s);

/* Once it has begun: the program is going to ask the lease itself. Nothing is held back here any
 * more: it is sent with BEGIN, or when that is answered; if BEGIN fails, the link is broken
 * instead. */
void session_lend(struct session *s);

/* Sends what is pending (borrowed); it shares its Sync with what comes next. False: no memory. */
bool session_send(struct session *s, evpq_future *f, const struct work *work);

/* What a statement of our own is. */
enum session_says {
    SAYS_COMMIT, /* may take as long as whoever waits for it lets it */
    SAYS_ANSWER, /* somebody waits, and the server has cancel_timeout */
    SAYS_ERRAND, /* as that, but nobody waits: it keeps nobody from canceling what is before it */
};

/* The query's future is given. NULL: no memory. */
evpq_future *session_say(struct session *s, const char *sql, enum session_says what);

/* Sends ROLLBACK, for which nobody need wait: behind BEGIN, whose answer it does not wait for, so
 * that whoever uses the connection next comes after it. What was held back is not sent any more,
 * and fails so. `first`: the transaction's end was sent, and what waits came after it. The query's
 * future is given. NULL: no memory. */
evpq_future *session_roll_back(struct session *s, bool first);

/* Of a statement of our own that was not sent: nobody waits for it any more, and it has
 * cancel_timeout. */
void session_let_go(evpq_future *f);

/* Whether a statement of our own was sent. */
bool session_has_sent(evpq_future *f);

/* The query waits to be sent, and something behind it does, too: also what the program has asked of
 * the lease. */
bool session_has_behind(const struct session *s, evpq_future *f);

/* What comes next is carried out whatever became of what came before. */
void session_cut(struct session *s);

/* Nothing more will be sent: gives the lease back as soon as all is. */
void session_end(struct session *s);

#endif
