/* loader.h - the rows of a big table in a new random order every epoch, in batches of one size, as
 * Arrow arrays: what a training loop wants.
 *
 *     struct loader_opts opts = {.table = "sample", .batch_rows = 4096, .epochs = 10};
 *     struct loader *l = loader_open(loop, pool, &opts);
 *     for (;;) {
 *         evpq_future *f = loader_next(l);
 *         if (evpq_await(f) != EVPQ_OK)     EVPQ_CLOSED: no more, or a failure that close tells
 *             break;
 *         struct loader_batch *batch = loader_take(f);
 *         ...
 *         loader_batch_free(batch);
 *         evpq_future_unref(f);
 *     }
 *     evpq_future *end = loader_close(l);
 *
 * Each row once an epoch: all connections of an epoch read one snapshot of the table. Who writes
 * meanwhile changes what the next epoch sees. The table is read by ranges of its blocks (WHERE ctid
 * >= ... AND ctid < ..., which needs no key and no index; PostgreSQL 14 and later). The ranges are
 * shuffled, a group of them (`mix`) is held decoded at a time, and its rows are shuffled before
 * they are cut into batches: so a batch is drawn from `mix` random places of the table. The next
 * group is fetched meanwhile.
 *
 * A connection that is lost is replaced as long as another one holds the snapshot, and its range is
 * read again; no row is lost or seen twice. With the last one the epoch has failed.
 *
 * For the same seed, options and table the order is the same. A batch tells where the one behind it
 * begins; a loader that is opened there, in another process too, goes on with exactly that. It has
 * a snapshot of its own: of a table that was written to since, rows that an UPDATE has moved to
 * another block may come twice or not at all in the rest of that epoch, and rows in new blocks
 * wait for the next one. A table that was written anew (VACUUM FULL, CLUSTER, TRUNCATE) is refused.
 *
 * Memory is bounded, whatever the size of the table: two groups decoded (a row takes what its
 * values take), the result of a range for each connection, and ahead + 3 batches. By default, with
 * rows of a hundred bytes, that is about 30 MB.
 *
 * Texts are UTF-8, whatever the encoding of the database; bytes in one without an encoding
 * (SQL_ASCII) that are no UTF-8 are an error. What a select list casts to text is written in ISO
 * style and with all digits.
 *
 * A snapshot that is held for a whole epoch keeps VACUUM from removing what died since; and a
 * partition must not be attached meanwhile. Thread: the loop's. */
#ifndef LOADER_H
#define LOADER_H

#include "arrow.h"

#include <evpq/evpq.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct loader;

/* A place between two batches. Zero is the beginning of everything. */
struct loader_state {
    uint64_t seed, epoch;
    uint64_t batch, rows; /* of this epoch, before it */
    uint64_t group, row;  /* the group of ranges that it lies in, and how many of its rows are
                             before it */
    uint64_t layout;      /* tells a table that was written anew; 0: not looked at yet */
    uint32_t blocks;      /* of the table, as this epoch counts them */
    uint32_t range, mix;  /* blocks in a range, ranges in a group */
};

/* Zero (or NULL) is the default, which stands in brackets. */
struct loader_opts {
    const char *table;   /* as SQL has it: name, schema.name, "Name"; also a partitioned table or a
                            materialized view */
    const char *columns; /* a select list, which is the program's own SQL: "id, price::float8"
                            [*] */
    size_t batch_rows;   /* [4096] */
    bool row_security;   /* load the rows that row-level security lets the role see; without this a
                            table where it hides any is refused */
    bool drop_last;      /* no batch of fewer rows at the end of an epoch */
    uint64_t epochs;     /* [1] */
    int connections;     /* of the pool, held throughout an epoch [4] */
    uint32_t range;      /* blocks in a range [64, or so few that they and what is stored out of
                            line are about 512 kB] */
    uint32_t mix;        /* ranges in a group [16] */
    size_t ahead;        /* batches that are ready before they are asked for [2] */
    uint64_t seed;
    const struct loader_state *resume; /* instead of seed, range and mix [begin] */
};

struct loader_batch {
    struct ArrowArray array; /* a struct, whose fields are the columns. To be moved or left here */
    struct loader_state at, next;
};

/* Opens a loader on the pool, which stays open until it is closed. `opts` is copied. Given:
 * loader_close. Starts at once, and has no deadline, whoever opens it. What is wrong with the
 * options or the table, loader_close says. NULL when out of memory. */
struct loader *loader_open(evpq_loop *loop, evpq_pool *pool, const struct loader_opts *opts);

/* Done when the columns are known, after which loader_schema tells them; fails with the loader.
 * Borrowed until the loader is closed. */
evpq_future *loader_ready(struct loader *l);

/* The columns as a struct's schema, given: its release. EVPQ_OK; EVPQ_NOMEM; EVPQ_PENDING before
 * loader_ready is done. */
evpq_status loader_schema(const struct loader *l, struct ArrowSchema *ret);

/* The next batch. Several may be asked for. It fails with EVPQ_CLOSED when no more will come. One
 * that nobody takes stays in its place. */
evpq_future *loader_next(struct loader *l);

/* The batch of a done loader_next, given: loader_batch_free. NULL for any other future, and the
 * second time. */
struct loader_batch *loader_take(evpq_future *f);

/* Releases the array where it was not moved away. */
void loader_batch_free(struct loader_batch *batch);

/* Ranges that were read again, since their connection was lost. */
uint64_t loader_retries(const struct loader *l);

/* Takes the loader; stops what is under way. Done, when its connections are free again and all was
 * well as far as it went; or fails with what it failed with. */
evpq_future *loader_close(struct loader *l);

/* ---- a state as text ---- */

/* A line without its end. As snprintf. */
int loader_state_print(const struct loader_state *state, char *room, size_t size);

/* False where the text is none of loader_state_print's. */
bool loader_state_parse(const char *text, struct loader_state *ret);

#endif
