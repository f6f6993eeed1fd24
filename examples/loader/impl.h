/* impl.h - what the parts of the loader share: loader.c, which opens, closes and goes from epoch to
 * epoch; table.c, which looks at the table and begins on a snapshot of it; fetch.c, which fills the
 * slots of an epoch from the server; epoch.c, which empties them into batches. */
#ifndef LOADER_IMPL_H
#define LOADER_IMPL_H

#include "builder.h"
#include "chunk.h"
#include "columns.h"
#include "loader.h"
#include "shuffle.h"

/* Held by its owner until loader_close, and by its task until that has ended. */
struct loader {
    int references;
    evpq_loop *loop;
    evpq_pool *pool;
    struct loader_opts opts;
    char *table, *select; /* the select list */
    struct loader_state at;
    bool described;

    char *relation; /* the table's name as the server quotes it */
    char *fetch;    /* the statement that reads a range */
    struct columns columns;
    struct builder builder;

    evpq_channel *batches;
    evpq_future *ready, *task;
    uint64_t retries;
};

/* A range in the order of the epoch: being fetched, or decoded and waiting for its group. */
struct slot {
    uint32_t range;
    bool full;
    struct chunk chunk;
    evpq_future *awaited; /* by the assembler, which owns it */
};

/* A connection that holds the snapshot, while `lease` is not NULL. One is waited for while
 * `wanted` is not. */
struct fetcher {
    struct epoch *epoch;
    evpq_lease *lease;
    evpq_future *wanted;
};

/* One epoch, in the frame of the task that runs it. Positions in the order of ranges go round in
 * the slots, two groups of them. */
struct epoch {
    struct loader *loader;
    uint32_t *order;
    size_t ranges;
    struct slot *slots;
    size_t window;
    evpq_channel *jobs; /* of slots to be filled */
    struct fetcher *fetchers;
    struct fetcher *exporter; /* whose transaction keeps `snapshot`; NULL: it is lost */
    char snapshot[64];
    bool over; /* nothing is left to be fetched */
};

/* ---- table.c: each gives NULL when all is well, and else a future that has failed ---- */

/* Begins the first transaction of an epoch, on the first fetcher's lease, and looks at the table:
 * its columns (the first time), blocks and layout go to the loader. */
evpq_future *table_begin(struct epoch *e);

/* Gets this fetcher a connection that reads the same snapshot. */
evpq_future *table_join(struct fetcher *me);

/* Takes `f`: NULL when it is done, itself when it has failed. */
evpq_future *failure_of(evpq_future *f);

/* ---- fetch.c, epoch.c ---- */

/* A task, for a struct fetcher. */
evpq_future *fetch_slots(evpq_task *self, void *fetcher);

/* Runs the epoch that the loader is at. Called in the loader's task. A future that has settled. */
evpq_future *epoch_run(struct loader *l);

#endif
