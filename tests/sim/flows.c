/* flows.c - see flows.h. */
#include "sim/flows.h"

#include "sim/holdings.h"
#include "sim/memory.h"
#include "sim/sql.h"

#include <stdio.h>
#include <string.h>

struct stream {
    struct list node;
    evpq_stream *is;
    int64_t first; /* it gives this and the next ones */
    int got, asked;
    /* it was asked for with a deadline, which is told a little later than others are */
    bool limited;
    evpq_future *unseen; /* what it is done with goes back, as nobody looks at it */
    bool over;           /* it has said so */
};

enum { COPY_MOST = 8 };

struct copy {
    struct list node;
    evpq_copy *is;
    bool rows;     /* which it is given, and not text */
    int64_t first; /* of COPY_MOST tokens */
    int n;         /* that were taken */
    struct level *level;
    bool failed;
};

struct reading {
    struct list node;
    evpq_copy *is;
    bool rows;
    size_t got; /* so many, or bytes */
    int asked;
    bool over;
};

static struct list streams, copies, readings;

/* ---- where ---- */

/* NULL: on the pool. */
static evpq_lease *some_place(struct level **ret_level)
{
    struct txn *t = chance_one_in(2) ? open_txn() : NULL;
    evpq_lease *of_txn = t ? evpq_txn_lease(t->is) : NULL;
    *ret_level = of_txn ? &t->level : NULL;
    if (of_txn)
        return of_txn;
    struct lease *lease = chance_one_in(2) ? free_lease() : NULL;
    return lease ? lease->is : NULL;
}

/* ---- streams ---- */

static void open_stream(void)
{
    struct level *level;
    evpq_lease *lease = some_place(&level);
    const evpq_stream_opts opts = {.size = sizeof opts, .rows = (int)chance_below(8)};
    int64_t first = take_tokens(SERIES);
    evpq_args args = EVPQ_ARGS(first);
    evpq_stream *is = lease ? evpq_lease_stream(lease, SQL_SERIES, args, &opts)
                            : evpq_pool_stream(program.pool, SQL_SERIES, args, &opts);
    if (!is && memory_has_failed())
        return;
    if (!is)
        violation("there is no stream");
    struct stream *s = memory_new(sizeof *s);
    *s = (struct stream){.is = is, .first = first};
    list_init(&s->node);
    list_append(&streams, &s->node);
    trace("stream of %lld", (long long)s->first);
}

static void ask_next(struct stream *s)
{
    if (s->limited || s->unseen)
        return;
    evpq_future *f = evpq_stream_next(s->is);
    if (s->asked++)
        oracle_note(VERB_NEXT, f, s->first, SERIES, SIM_NEVER, s);
    else
        s->limited = ask(VERB_NEXT, f, s->first, SERIES, s)->f != f;
}

/* With nobody else waiting, who would have what comes behind it. */
static void ask_unseen(struct stream *s)
{
    if (s->unseen)
        s->unseen = evpq_future_unref(s->unseen);
    else if (!s->asked)
        s->unseen = evpq_stream_next(s->is);
}

static struct stream *some_stream(void)
{
    struct list *node = chance_of(&streams);
    return node ? container_of(node, struct stream, node) : NULL;
}

/* What waits is told that it was closed; it is freed when all that was asked for has been told. */
static void close_stream(struct stream *s)
{
    trace("stream of %lld: closed", (long long)s->first);
    evpq_stream_close(s->is);
    s->unseen = evpq_future_unref(s->unseen);
    s->is = NULL;
}

static void forget_stream(struct stream *s)
{
    if (s->is || s->asked)
        return;
    list_remove(&s->node);
    free(s);
}

static void take_rows(struct stream *s, const evpq_result *r)
{
    if (!r && s->got != SERIES)
        violation("the stream of %lld ends after %d rows", (long long)s->first, s->got);
    s->over |= !r;
    if (!r && s->is && (evpq_stream_rows(s->is) != SERIES || !evpq_stream_summary(s->is)))
        violation("the stream of %lld counts %lld rows, or has no summary", (long long)s->first,
                  (long long)evpq_stream_rows(s->is));
    for (int i = 0; r && i < evpq_result_rows(r); i++)
        if (evpq_result_int8(r, i, 0) != s->first + s->got++)
            violation("the stream of %lld gives %lld as its row %d", (long long)s->first,
                      (long long)evpq_result_int8(r, i, 0), s->got);
}

static void told_of_stream(struct call *c)
{
    struct stream *s = c->owner;
    s->asked--;
    s->limited = false;
    bool failed = evpq_future_status(c->f) != EVPQ_OK;
    if (!failed)
        take_rows(s, evpq_future_result(c->f));
    c->owner = NULL;
    if (s->is && (s->over || failed || chance_one_in(20)))
        close_stream(s);
    else if (s->is && chance_one_in(2))
        ask_next(s);
    forget_stream(s);
}

/* ---- COPY ---- */

/* Now and then to a table that is not there. */
static evpq_copy *rows_in(evpq_lease *lease)
{
    static const char *const columns[] = {"token"};
    const char *table = chance_one_in(12) ? TABLE_NONE : TABLE_TOKENS;
    const char *const *names = chance_one_in(2) ? columns : NULL;
    return lease ? evpq_lease_copy_rows_in(lease, table, names, names ? 1 : 0)
                 : evpq_pool_copy_rows_in(program.pool, table, names, names ? 1 : 0);
}

static void open_copy(void)
{
    struct level *level;
    evpq_lease *lease = some_place(&level);
    bool rows = chance_one_in(2);
    evpq_copy *is = rows    ? rows_in(lease)
                    : lease ? evpq_lease_copy_in(lease, SQL_COPY_IN)
                            : evpq_pool_copy_in(program.pool, SQL_COPY_IN);
    if (!is && memory_has_failed())
        return;
    if (!is)
        violation("there is no COPY");
    struct copy *c = memory_new(sizeof *c);
    *c = (struct copy){.is = is, .rows = rows, .first = take_tokens(COPY_MOST), .level = level};
    list_init(&c->node);
    list_append(&copies, &c->node);
    trace("copy of %s, %lld", rows ? "rows" : "text", (long long)c->first);
}

/* In two pieces, some of them long. */
static evpq_status write_line(evpq_copy *is, int64_t token)
{
    enum { WIDE = 200 * 1024 };
    static char line[WIDE + 32];
    int n = snprintf(line, sizeof line, "%0*lld\n", chance_one_in(20) ? WIDE : 1, (long long)token);
    int cut = (int)chance_below((unsigned)n + 1);
    evpq_status status = evpq_copy_write(is, line, (size_t)cut);
    return status == EVPQ_OK ? evpq_copy_write(is, line + cut, (size_t)(n - cut)) : status;
}

/* One that does not fit is refused, and changes nothing. */
static evpq_status write_row(struct copy *c, int64_t token)
{
    if (chance_one_in(8)) {
        const evpq_args wrong = chance_one_in(2) ? EVPQ_ARGS(token, token) : EVPQ_ARGS("no number");
        if (evpq_copy_row(c->is, wrong) == EVPQ_OK)
            violation("a row that does not fit is taken");
    }
    return evpq_copy_row(c->is, EVPQ_ARGS(token));
}

/* A token. Where there is no room for it the program waits for some, or goes on. */
static void write_copy(struct copy *c)
{
    if (c->failed || c->n == COPY_MOST)
        return;
    int64_t token = c->first + c->n;
    evpq_status status = c->rows ? write_row(c, token) : write_line(c->is, token);
    c->n += status == EVPQ_OK;
    /* Without one there is merely no room. */
    const evpq_error *error = evpq_copy_error(c->is);
    c->failed = error != NULL;
    if (error ? evpq_error_status(error) != status : status && status != EVPQ_QUEUE_FULL)
        violation("a write to a COPY is %s, and its error is %s", evpq_status_name(status),
                  error ? evpq_error_message(error) : "none");
    if (status == EVPQ_QUEUE_FULL && !error)
        ask(VERB_ROOM, evpq_copy_drain(c->is), 0, 0, c); /* which may be gone when it is told */
}

static void end_copy(struct copy *c, bool finishes)
{
    trace("copy of %lld+%d: %s", (long long)c->first, c->n, finishes ? "finished" : "given up");
    list_remove(&c->node);
    oracle_absent(c->first + c->n, COPY_MOST - c->n);
    if (finishes) {
        struct call *call = ask(VERB_COPY, evpq_copy_finish(c->is), c->first, c->n, c->level);
        call->level = c->level;
        call->of_lease = true;
    } else {
        oracle_absent(c->first, c->n);
        if (chance_one_in(2))
            evpq_copy_abort(c->is, "given up");
        else
            evpq_copy_close(c->is);
    }
    free(c);
}

static struct copy *some_copy(void)
{
    struct list *node = chance_of(&copies);
    return node ? container_of(node, struct copy, node) : NULL;
}

/* ---- COPY to the program ---- */

static evpq_copy *rows_out(evpq_lease *lease)
{
    return lease ? evpq_lease_copy_rows_out(lease, SQL_NUMBERS)
                 : evpq_pool_copy_rows_out(program.pool, SQL_NUMBERS);
}

static void open_reading(void)
{
    struct level *level;
    evpq_lease *lease = some_place(&level);
    bool rows = chance_one_in(2);
    evpq_copy *is = rows    ? rows_out(lease)
                    : lease ? evpq_lease_copy_out(lease, SQL_COPY_OUT)
                            : evpq_pool_copy_out(program.pool, SQL_COPY_OUT);
    if (!is && memory_has_failed())
        return;
    if (!is)
        violation("there is no COPY to read");
    struct reading *r = memory_new(sizeof *r);
    r->is = is;
    r->rows = rows;
    list_init(&r->node);
    list_append(&readings, &r->node);
    trace("copy out of %s", rows ? "rows" : "text");
}

static struct reading *some_reading(void)
{
    struct list *node = chance_of(&readings);
    return node ? container_of(node, struct reading, node) : NULL;
}

/* One at a time: what comes with a deadline is told later than what comes without. */
static void read_copy(struct reading *r)
{
    if (!r->is || r->asked)
        return;
    r->asked++;
    ask(VERB_COPIED, evpq_copy_read(r->is), 0, 0, r);
}

static void close_reading(struct reading *r)
{
    trace("copy out: closed");
    r->is = evpq_copy_close(r->is);
}

static void forget_reading(struct reading *r)
{
    if (r->is || r->asked)
        return;
    list_remove(&r->node);
    free(r);
}

/* All that the server sends. */
static size_t whole_copy(char text[128])
{
    size_t n = 0;
    for (int i = 1; i <= SERIES; i++)
        n += (size_t)snprintf(text + n, 128 - n, "%d\n", i);
    return n;
}

static void take_bytes(struct reading *r, const evpq_future *f)
{
    char want[128];
    size_t n, all = whole_copy(want);
    const char *bytes = evpq_future_bytes(f, &n);
    r->over = !bytes;
    if (r->over ? r->got != all : n > all - r->got || memcmp(bytes, want + r->got, n))
        violation("after %zu bytes a COPY %s", r->got, r->over ? "ends" : "gives others");
    r->got += n;
}

static void take_numbers(struct reading *r, const evpq_result *numbers)
{
    int n = evpq_result_rows(numbers);
    r->over = !n;
    if (r->over && r->got != SERIES)
        violation("after %zu rows a COPY ends", r->got);
    for (int i = 0; i < n; i++)
        if (evpq_result_int4(numbers, i, 0) != (int)++r->got ||
            evpq_result_is_null(numbers, i, 1) != r->got % 2 ||
            evpq_result_length(numbers, i, 1) != (r->got % 2 ? 0 : FILLER))
            violation("a COPY gives %d as its row %zu", evpq_result_int4(numbers, i, 0), r->got);
}

static void told_of_reading(struct call *c)
{
    struct reading *r = c->owner;
    bool done = evpq_future_status(c->f) == EVPQ_OK;
    r->asked--;
    c->owner = NULL;
    if (done && r->rows)
        take_numbers(r, evpq_future_result(c->f));
    else if (done)
        take_bytes(r, c->f);
    if (r->is && (r->over || !done || chance_one_in(20)))
        close_reading(r);
    else
        read_copy(r);
    forget_reading(r);
}

/* ---- both ---- */

bool use_flows(void)
{
    struct stream *s = some_stream();
    struct copy *c = some_copy();
    struct reading *r = some_reading();
    if (s && s->is && chance_one_in(2)) {
        if (chance_one_in(6))
            close_stream(s);
        else if (chance_one_in(6))
            ask_unseen(s);
        else
            ask_next(s);
        forget_stream(s);
    } else if (c && chance_one_in(2)) {
        for (unsigned n = chance_below(4); n; n--)
            write_copy(c);
    } else if (c && chance_one_in(2)) {
        end_copy(c, !chance_one_in(4));
    } else if (r && chance_one_in(2)) {
        read_copy(r);
    } else {
        static void (*const opens[])(void) = {open_stream, open_copy, open_reading};
        opens[chance_below(3)]();
    }
    return true;
}

void flows_told(struct call *c)
{
    if (c->verb == VERB_NEXT && c->owner)
        told_of_stream(c);
    if (c->verb == VERB_COPIED && c->owner)
        told_of_reading(c);
}

void flows_of_child(void (*refused)(evpq_future *f, const char *what))
{
    struct stream *s = some_stream();
    struct copy *c = some_copy();
    struct reading *r = some_reading();
    if (s && s->is) {
        refused(evpq_stream_next(s->is), "next of a stream");
        evpq_stream_close(s->is);
    }
    if (c) {
        refused(evpq_copy_drain(c->is), "drain of a COPY");
        if (evpq_copy_write(c->is, "", 0) != EVPQ_FORKED ||
            evpq_copy_row(c->is, EVPQ_ARGS(1)) != EVPQ_FORKED)
            violation("a child writes to its parent's COPY");
        refused(evpq_copy_finish(c->is), "finish of a COPY");
    }
    if (r && r->is) {
        refused(evpq_copy_read(r->is), "read of a COPY");
        evpq_copy_close(r->is);
    }
}

void flows_begin(void)
{
    list_init(&streams);
    list_init(&copies);
    list_init(&readings);
}

bool flows_left(void)
{
    return !list_empty(&streams) || !list_empty(&copies) || !list_empty(&readings);
}

void flows_give_back(void)
{
    struct list *node, *next;
    for (node = streams.next; node != &streams; node = next) {
        struct stream *s = container_of(node, struct stream, node);
        next = node->next;
        if (s->is)
            close_stream(s);
        forget_stream(s);
    }
    for (node = readings.next; node != &readings; node = next) {
        struct reading *r = container_of(node, struct reading, node);
        next = node->next;
        if (r->is)
            close_reading(r);
        forget_reading(r);
    }
    while (!list_empty(&copies))
        end_copy(some_copy(), chance_one_in(2));
}
