/* copy.c - what a COPY is asked for, and the futures that wait for it: room, the end, the next
 * bytes or rows. */
#include "flows/copy_impl.h"

#include "base/mem.h"
#include "values/args.h"
#include "words/error.h"

enum what { DRAIN, FINISH, READ };

struct step {
    struct evpq_future future;
    struct list node;
    evpq_copy *copy; /* a reference */
    enum what what;
};

/* What a raw read is done with. */
struct copy_chunk {
    struct bytes bytes;
};

static struct step *step_of(const evpq_future *f)
{
    return container_of(f, struct step, future);
}

/* ---- values ---- */

static void free_chunk(void *value)
{
    struct copy_chunk *chunk = value;
    bytes_free(&chunk->bytes);
    mem_free(chunk);
}

static const struct value_class chunk_class = {.free = free_chunk};

const void *evpq_future_bytes(const evpq_future *f, size_t *ret_n)
{
    const struct copy_chunk *chunk = future_value(f, &chunk_class);
    if (ret_n)
        *ret_n = chunk ? chunk->bytes.length : 0;
    return chunk ? chunk->bytes.data : NULL;
}

static bool has_data(const evpq_copy *c)
{
    return c->rows ? copy_rows_has(c) : c->chunk.length > 0;
}

/* There are data, and no more will come in this tick. */
static bool can_give(const evpq_copy *c)
{
    const struct copy_op *k = &c->op;
    return has_data(c) && (k->data == COPY_OUT_FULL || k->data == COPY_OUT_DRY || k->error ||
                           k->state > COPY_FLOWING);
}

static void give_rows(evpq_copy *c, struct step *s)
{
    evpq_result *rows = copy_rows_take(c);
    if (rows)
        future_settle_value(&s->future, &result_class, rows);
    else
        future_settle_error(&s->future, evpq_error_ref(error_nomem()));
    if (!rows)
        copy_op_stop(&c->op, evpq_error_ref(error_nomem())); /* these rows are lost */
}

static void give_bytes(evpq_copy *c, struct step *s)
{
    struct copy_chunk *chunk = mem_alloc(sizeof *chunk);
    if (!chunk) {
        future_settle_error(&s->future, evpq_error_ref(error_nomem()));
        return; /* the bytes are there for the next */
    }
    chunk->bytes = c->chunk;
    c->chunk = (struct bytes){.data = NULL};
    future_settle_value(&s->future, &chunk_class, chunk);
}

static void give(evpq_copy *c, struct step *s)
{
    bool was_full = c->op.data == COPY_OUT_FULL;
    if (c->rows)
        give_rows(c, s);
    else
        give_bytes(c, s);
    if (was_full && !has_data(c)) {
        copy_op_set_full(&c->op, false);
        copy_op_go_on(&c->op);
    }
}

/* ---- who waits ---- */

static bool has_room(const evpq_copy *c)
{
    bool known = !c->rows || c->op.state >= COPY_FLOWING;
    return known && copy_op_waiting(&c->op) <= COPY_MOST_WAITING / 2;
}

/* Whether there is something to tell. */
static bool is_due(const struct step *s)
{
    const evpq_copy *c = s->copy;
    const struct copy_op *k = &c->op;
    if (k->error || k->state == COPY_OVER)
        return true;
    return s->what == DRAIN ? has_room(c) : s->what == READ && can_give(c);
}

static void settle_over(struct step *s)
{
    const struct copy_op *k = &s->copy->op;
    if (k->error)
        future_settle_error(&s->future, evpq_error_ref(k->error));
    else if (k->result)
        future_settle_value(&s->future, &result_class, evpq_result_ref(k->result));
    else
        future_settle_error(
            &s->future, error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "the server gave no answer"));
}

static void copy_settle(struct step *s)
{
    evpq_copy *c = s->copy;
    list_remove(&s->node);
    if (s->what == READ && future_forgotten(&s->future))
        future_settle_canceled(&s->future, EVPQ_OUTCOME_UNKNOWN);
    else if (s->what == READ && has_data(c))
        give(c, s);
    else if (s->what == DRAIN && !c->op.error)
        future_settle_value(&s->future, NULL, NULL);
    else
        settle_over(s);
}

bool copy_serve(struct copy_op *k)
{
    evpq_copy *c = copy_of_op(k);
    bool told = false;
    copy_op_ref(k);
    for (struct list *node; (node = list_first(&c->steps));) {
        struct step *s = container_of(node, struct step, node);
        if (!is_due(s))
            break;
        copy_settle(s);
        told = true;
    }
    copy_op_unref(k);
    return told;
}

/* ---- stopping ---- */

static void forget_connection(evpq_copy *c)
{
    if (!c->wait.asked)
        return;
    lease_wait_stop(&c->wait);
    copy_op_unref(&c->op); /* its own */
}

static evpq_outcome stop(evpq_copy *c, const char *message)
{
    struct copy_op *k = &c->op;
    if (k->state == COPY_OVER)
        return EVPQ_OUTCOME_UNKNOWN;
    forget_connection(c);
    evpq_outcome outcome = copy_op_was_sent(k) ? EVPQ_OUTCOME_UNKNOWN : EVPQ_OUTCOME_NOT_SENT;
    return copy_op_stop(
        k, error_build(&(struct error_fields){
               .status = EVPQ_CANCELED, .outcome = outcome, .message = message, .sql = k->sql}));
}

static void step_cancel(evpq_future *f)
{
    struct step *s = step_of(f);
    evpq_outcome outcome = EVPQ_OUTCOME_UNKNOWN;
    list_remove(&s->node);
    if (s->what == FINISH)
        outcome = stop(s->copy, "canceled by the program");
    future_settle_canceled(f, outcome);
}

/* ---- futures ---- */

static void step_free(evpq_future *f)
{
    struct step *s = step_of(f);
    copy_op_unref(&s->copy->op);
    mem_free(s);
}

static const char *step_detail(const evpq_future *f)
{
    return step_of(f)->copy->op.sql;
}

static void step_why(const evpq_future *f, struct why *why)
{
    const evpq_copy *c = container_of(f, struct step, future)->copy;
    if (c->op.conn)
        conn_why(c->op.conn, &c->op.op, why);
    else if (!lease_wait_why(&c->wait, why))
        why_say(why, "what it needs to know of its table has not been answered");
}

static const struct future_class step_class = {.name = "copy",
                                               .detail = step_detail,
                                               .cancel = step_cancel,
                                               .free = step_free,
                                               .why = step_why,
                                               .is_leaf = true};

static evpq_future *fail_step(const evpq_copy *c, const char *message)
{
    return future_failed(c->pool->loop, error_build(&(struct error_fields){
                                            .status = EVPQ_INVALID,
                                            .outcome = EVPQ_OUTCOME_NOT_SENT,
                                            .message = message,
                                            .sql = c->op.sql,
                                        }));
}

/* Within what the task that asks has left of its time. */
static evpq_future *wait_for(evpq_copy *c, enum what what)
{
    struct step *s = mem_zalloc(sizeof *s);
    if (!s)
        return future_constant(EVPQ_NOMEM);
    future_init(&s->future, &step_class, c->pool->loop);
    s->what = what;
    s->copy = c;
    copy_op_ref(&c->op);
    list_append(&c->steps, &s->node);
    copy_serve(&c->op);
    return pool_limit(c->pool, &s->future, 0);
}

/* ---- to the server ---- */

static evpq_status refuse(evpq_copy *c, evpq_error *error)
{
    evpq_error_unref(c->fault);
    c->fault = error;
    return error ? evpq_error_status(error) : EVPQ_OK;
}

static evpq_status refuse_call(evpq_copy *c, const char *message)
{
    return refuse(c, error_build(&(struct error_fields){.status = EVPQ_INVALID,
                                                        .outcome = EVPQ_OUTCOME_NOT_SENT,
                                                        .message = message,
                                                        .sql = c->op.sql}));
}

/* Whether something may be taken. */
static evpq_status check_write(evpq_copy *c, bool rows)
{
    const struct copy_op *k = &c->op;
    if (!copy_op_is_in(k))
        return refuse_call(c, "this COPY is from the server: it can only be read");
    if (k->error)
        return refuse(c, evpq_error_ref(k->error));
    if (rows != (c->rows != NULL))
        return refuse_call(c, rows ? "this COPY takes bytes: use evpq_copy_write, or start it with "
                                     "evpq_pool_copy_rows_in"
                                   : "this COPY takes rows: use evpq_copy_row");
    refuse(c, NULL);
    bool known = !rows || k->state == COPY_FLOWING;
    return known && copy_op_waiting(k) < COPY_MOST_WAITING ? EVPQ_OK : EVPQ_QUEUE_FULL;
}

/* Something was appended. What waits already brings the rest along. */
static void send_soon(evpq_copy *c, bool was_empty)
{
    if (was_empty && c->op.state == COPY_FLOWING)
        copy_op_go_on(&c->op);
}

evpq_status evpq_copy_write(evpq_copy *c, const void *bytes, size_t n)
{
    evpq_status status = c ? pool_check(c->pool) : EVPQ_INVALID;
    if (!status)
        status = check_write(c, false);
    if (status)
        return status;
    if (n && !bytes)
        return refuse_call(c, "a NULL pointer with a length");
    if (n > ARGS_MOST_BYTES)
        return refuse_call(c, "a gigabyte or more at once: write it in parts");
    bool was_empty = !copy_op_waiting(&c->op);
    if (!bytes_put(&c->op.filling, bytes, n))
        return refuse(c, evpq_error_ref(error_nomem()));
    send_soon(c, was_empty);
    return EVPQ_OK;
}

evpq_status evpq_copy_row(evpq_copy *c, evpq_args args)
{
    evpq_status status = c ? pool_check(c->pool) : EVPQ_INVALID;
    if (!status)
        status = check_write(c, true);
    if (status)
        return status;
    bool was_empty = !copy_op_waiting(&c->op);
    evpq_error *error = copy_rows_put(c, &args);
    if (error)
        return refuse(c, error);
    send_soon(c, was_empty);
    return EVPQ_OK;
}

evpq_future *evpq_copy_drain(evpq_copy *c)
{
    evpq_status status = c ? pool_check(c->pool) : EVPQ_INVALID;
    if (status)
        return pool_refused(c ? c->pool : NULL);
    return copy_op_is_in(&c->op)
               ? wait_for(c, DRAIN)
               : fail_step(c, "this COPY is from the server: there is nothing to drain");
}

/* It has failed, or there is no memory to say so. */
static evpq_future *fail_finish(evpq_copy *c, evpq_future *f)
{
    evpq_copy_close(c);
    return f;
}

evpq_future *evpq_copy_finish(evpq_copy *c)
{
    evpq_status status = c ? pool_check(c->pool) : EVPQ_INVALID;
    if (status)
        return pool_refused(c ? c->pool : NULL);
    evpq_future *f = copy_op_is_in(&c->op)
                         ? wait_for(c, FINISH)
                         : fail_step(c, "this COPY is from the server: read it to its end");
    if (!copy_op_is_in(&c->op) || evpq_future_status(f) != EVPQ_PENDING)
        return fail_finish(c, f);
    evpq_error *error = c->rows ? copy_rows_end(c) : NULL;
    if (error)
        copy_op_stop(&c->op, error);
    copy_op_finish(&c->op);
    copy_op_go_on(&c->op);
    copy_op_unref(&c->op); /* the future has one */
    return f;
}

evpq_copy *evpq_copy_abort(evpq_copy *c, const char *why)
{
    if (!c || loop_is_barred(c->pool->loop))
        return NULL;
    if (why && c->op.state != COPY_OVER)
        c->op.why = mem_strdup(why);
    stop(c, why ? why : "the COPY was closed before its end");
    copy_op_unref(&c->op);
    return NULL;
}

/* ---- from the server ---- */

evpq_future *evpq_copy_read(evpq_copy *c)
{
    evpq_status status = c ? pool_check(c->pool) : EVPQ_INVALID;
    if (status)
        return pool_refused(c ? c->pool : NULL);
    return copy_op_is_in(&c->op)
               ? fail_step(c, "this COPY is to the server: there is nothing to read")
               : wait_for(c, READ);
}

/* ---- both ways ---- */

const evpq_error *evpq_copy_error(const evpq_copy *c)
{
    if (!c)
        return error_invalid();
    return c->op.error ? c->op.error : c->fault;
}

evpq_copy *evpq_copy_close(evpq_copy *c)
{
    return evpq_copy_abort(c, NULL);
}
