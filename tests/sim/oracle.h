/* oracle.h - what must hold, whatever happens.
 *
 * Each call that the workload makes is noted here with the tokens that it is about. When its future
 * settles, what that says is compared with the table of the model, then and at the end. */
#ifndef TESTS_SIM_ORACLE_H
#define TESTS_SIM_ORACLE_H

#include "sim/world.h"

#include <evpq/evpq.h>

enum verb {
    VERB_INSERT, /* its tokens are in the table when it is done */
    VERB_BATCH,
    VERB_MANY,
    VERB_COPY,
    VERB_TRANSACT,
    VERB_PART, /* of a transaction: what it inserts is there when that has committed */
    VERB_DELETE,
    VERB_COMMIT,
    VERB_ROLLBACK,
    VERB_READ, /* gives its token back */
    VERB_SEE,  /* gives it back if it is there */
    VERB_FAILS,
    VERB_NEXT,   /* rows of a stream */
    VERB_COPIED, /* data of a COPY */
    VERB_ROOM,   /* for more of them */
    VERB_READY,  /* a subscription */
    VERB_EVENT,
    VERB_NOTIFY,
    VERB_BEGIN_SQL, /* by a statement */
    VERB_HIDE,      /* the table, in its session */
    VERB_SERIES,    /* its rows, if they are not too many */
    VERB_TYPES,     /* their oids, if there are such */
    VERB_WRONG,     /* is refused */
    VERB_DONE,      /* nothing more */
    VERB_EAGER,     /* what finds all ready for so long */
    VERB_FORGET,    /* what is prepared in it */
    VERB_ACQUIRE,
    VERB_BEGIN,
    VERB_CLOSE,
    VERB_DRAIN,
};

/* A transaction, or a savepoint in it. */
struct level {
    struct level *outer; /* NULL: it is the transaction */
    enum fate {
        FATE_OPEN,   /* or not known */
        FATE_KEPT,   /* it has committed; a savepoint is part of the level around it then */
        FATE_UNDONE, /* its end was to roll it back, or has failed for sure */
    } fate;
};

struct call {
    struct list node;
    int number;
    enum verb verb;
    evpq_future *f; /* NULL: let go of, once told */
    int64_t first;  /* tokens */
    int n;
    sim_time due;      /* SIM_NEVER: by the end */
    sim_time limit;    /* the same, as the program has set it */
    sim_time answered; /* the answer was there by then; SIM_NEVER: it is not known to have come */
    int told;
    /* it was asked of a lease, whose transaction goes on when a savepoint undoes that it fails */
    bool of_lease;
    bool alone;   /* one statement on the pool, of a token that no other has */
    bool judged;  /* as part of a transaction that has ended: later its tokens may be deleted */
    bool unheard; /* it has settled, and nobody can wait for it */
    void *owner;  /* the workload's */
    /* in which it is a statement, or which it ends; NULL: it stands alone. It is kept until the end
     * of the run */
    struct level *level;
    evpq_future *batch; /* given; what `f` may be a limit of */
};

void oracle_begin(void);
/* Takes the future. `due` is when it must have settled. */
struct call *oracle_note(enum verb verb, evpq_future *f, int64_t first, int n, sim_time due,
                         void *owner);
/* What is called then, after the checks. */
void oracle_on_told(void (*told)(struct call *));
struct call *oracle_some_pending(void); /* NULL: there is none */
int oracle_pending(void);
/* The program was at something else for so long. */
void oracle_stalled(sim_time lasted);
/* All that answers the call of this token, up to ReadyForQuery, has arrived at the program's socket. */
void oracle_answered(int64_t token);
/* From now on in this run the program is at work for some of each. */
void oracle_turns_are_long(void);
/* From now on in this run a result may be larger than the pool takes. */
void oracle_results_are_limited(void);
/* What it was to be is known now. */
void oracle_level_is(struct level *level, enum fate fate);
/* It can never be in the table: nobody asks for the commit. */
void oracle_absent(int64_t first, int n);
/* A token that is surely there, and from now on perhaps not; -1: there is none. */
int64_t oracle_some_present(void);
/* Tells what has settled and has no loop that would tell it. */
void oracle_hear(void);
/* At the end of a turn of the loop. `most` connections may be there. */
void oracle_turn(evpq_pool *pool, int most);
void oracle_end(void);

#endif
