/* loader.c - opens and closes a loader, and runs its epochs one after the other in a task of its
 * own. See loader.h. */
#include "loader.h"

#include "impl.h"

#include <stdlib.h>
#include <string.h>

enum { BATCH_ROWS = 4096, CONNECTIONS = 4, MIX = 16, AHEAD = 2 };
enum { MOST_ROWS = 1 << 30, MOST_CONNECTIONS = 1000 };

static void loader_unref(struct loader *l)
{
    if (--l->references > 0)
        return;
    evpq_channel_unref(l->batches);
    evpq_future_unref(l->ready);
    evpq_future_unref(l->task);
    evpq_pool_unref(l->pool);
    builder_close(&l->builder);
    columns_free(&l->columns);
    free(l->table);
    free(l->select);
    free(l->relation);
    free(l->fetch);
    evpq_loop_unref(l->loop);
    free(l);
}

/* ---- the task ---- */

static evpq_future *check(const struct loader *l)
{
    const struct loader_opts *o = &l->opts;
    const char *wrong = NULL;
    if (!o->table || !*o->table)
        wrong = "no table is named";
    else if (o->batch_rows > MOST_ROWS)
        wrong = "a batch has at most 2^30 rows";
    else if (o->connections < 1 || o->connections > MOST_CONNECTIONS)
        wrong = "connections are 1 to 1000";
    else if (l->at.mix > 1 << 20 || o->range > 1 << 20)
        wrong = "range and mix are at most 2^20";
    return wrong ? evpq_future_failed(l->loop, EVPQ_INVALID, "%s", wrong) : NULL;
}

/* What is left to be done is `epochs` altogether, those before a resumed one included. */
static evpq_future *run(evpq_task *self, void *arg)
{
    struct loader *l = arg;
    evpq_future *f = check(l);
    while (!f && l->at.epoch < l->opts.epochs) {
        f = failure_of(epoch_run(l));
        struct loader_state next = {
            .seed = l->at.seed, .epoch = l->at.epoch + 1, .range = l->at.range, .mix = l->at.mix};
        l->at = next;
    }
    if (f)
        evpq_future_set_error(l->ready, evpq_future_status(f), "%s",
                              evpq_error_message(evpq_future_error(f)));
    return f;
}

/* Called when the task has ended, or was canceled before it began. */
static void on_ended(void *arg)
{
    struct loader *l = arg;
    evpq_channel_close(l->batches);
    evpq_future_set_error(l->ready, EVPQ_CLOSED, "the loader was closed");
    loader_unref(l);
}

/* ---- the face ---- */

static void free_batch(void *batch)
{
    loader_batch_free(batch);
}

static bool copy_options(struct loader *l, const struct loader_opts *opts)
{
    struct loader_opts *o = &l->opts;
    *o = *opts;
    l->table = strdup(opts->table ? opts->table : "");
    l->select = strdup(opts->columns && *opts->columns ? opts->columns : "*");
    o->table = l->table;
    o->columns = l->select;
    o->batch_rows = o->batch_rows ? o->batch_rows : BATCH_ROWS;
    o->epochs = o->epochs ? o->epochs : 1;
    o->connections = o->connections ? o->connections : CONNECTIONS;
    o->ahead = o->ahead ? o->ahead : AHEAD;
    l->at = (struct loader_state){.seed = o->seed};
    if (o->resume)
        l->at = *o->resume;
    if (l->at.mix == 0)
        l->at.mix = o->mix ? o->mix : MIX;
    o->resume = NULL;
    return l->table && l->select;
}

struct loader *loader_open(evpq_loop *loop, evpq_pool *pool, const struct loader_opts *opts)
{
    evpq_task_opts task = {
        .size = sizeof task, .name = "loader", .deadline = -1, .free_arg = on_ended};
    struct loader *l = calloc(1, sizeof *l);
    if (!l)
        return NULL;
    l->references = 1;
    l->loop = evpq_loop_ref(loop);
    l->pool = evpq_pool_ref(pool);
    l->ready = evpq_future_new(loop, NULL, NULL);
    if (copy_options(l, opts))
        l->batches = evpq_channel_new(loop, l->opts.ahead, free_batch);
    if (!l->batches) {
        loader_unref(l);
        return NULL;
    }
    l->references++;
    l->task = evpq_task_spawn(loop, run, l, &task);
    return l;
}

evpq_future *loader_ready(struct loader *l)
{
    return l->ready;
}

evpq_status loader_schema(const struct loader *l, struct ArrowSchema *ret)
{
    return l->described ? columns_schema(&l->columns, ret) : EVPQ_PENDING;
}

evpq_future *loader_next(struct loader *l)
{
    return evpq_channel_receive(l->batches);
}

struct loader_batch *loader_take(evpq_future *f)
{
    return evpq_channel_item(f);
}

void loader_batch_free(struct loader_batch *batch)
{
    if (batch && batch->array.release)
        batch->array.release(&batch->array);
    free(batch);
}

uint64_t loader_retries(const struct loader *l)
{
    return l->retries;
}

/* That it was closed is no failure. */
static evpq_future *end(evpq_future *f, void *loop)
{
    if (evpq_future_status(f) == EVPQ_CANCELED)
        return evpq_future_ok(loop, NULL, NULL);
    return evpq_future_ref(f);
}

evpq_future *loader_close(struct loader *l)
{
    evpq_task_cancel(l->task);
    evpq_future *f = evpq_then(evpq_future_ref(l->task), end, l->loop);
    loader_unref(l);
    return f;
}
