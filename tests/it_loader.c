/* it_loader.c - examples/loader against a server: each row once an epoch, whatever is written or
 * lost meanwhile; exact resumption; every type as the Arrow C Data Interface lays it out; memory
 * that stays bounded and is all given back. */
#include "../examples/loader/loader.h"

#include "../examples/loader/tally.h"
#include "support/pools.h"
#include "support/proxy.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { ROWS = 50000 };

#define QUIETLY "set client_min_messages = warning; "

static struct ArrowSchema schema;

static void make_table(void)
{
    server_exec(
        QUIETLY
        "drop table if exists sample; create table sample as select i as id, i % 10 as label,"
        " case when i % 7 = 0 then null else i / 4.0::float8 end as feature,"
        " left(md5(i::text), i % 12) as name, i % 3 = 0 as flag"
        " from generate_series(1, 50000) i");
}

#define OPTS(...)      \
 &(struct loader_opts) \
 {                     \
  __VA_ARGS__          \
 }

/* Where nothing else is said: small ranges, so that there are many of them. */
static struct loader *open_loader(const struct loader_opts *opts)
{
    struct loader_opts o = *opts;
    o.table = o.table ? o.table : "sample";
    o.batch_rows = o.batch_rows ? o.batch_rows : 1000;
    o.connections = o.connections ? o.connections : 3;
    o.range = o.range ? o.range : 3;
    o.mix = o.mix ? o.mix : 5;
    struct loader *l = loader_open(loop, pool, &o);
    ck_assert_ptr_nonnull(l);
    return l;
}

/* The next batch, given, or NULL behind the last. */
static struct loader_batch *next_batch(struct loader *l)
{
    evpq_future *f = loader_next(l);
    evpq_status status = evpq_await(f);
    struct loader_batch *batch = loader_take(f);
    ck_assert_ptr_null(loader_take(f));
    evpq_future_unref(f);
    ck_assert_int_eq(status, batch ? EVPQ_OK : EVPQ_CLOSED);
    if (batch && !schema.release)
        ck_assert_int_eq(loader_schema(l, &schema), EVPQ_OK);
    return batch;
}

static void forget_schema(void)
{
    if (schema.release)
        schema.release(&schema);
}

static void count(struct tally *t, const struct loader_batch *batch)
{
    int64_t id = tally_find(&schema, "id");
    ck_assert_uint_eq(batch->next.rows - batch->at.rows, (uint64_t)batch->array.length);
    tally_count(t, &batch->array);
    ck_assert(tally_check(t, &schema, &batch->array));
    ck_assert(id >= 0 && tally_unique(t, &schema, &batch->array, id));
}

/* Takes all that is left of the epoch that comes next; *ret_state (may be NULL) is its end. */
static struct tally take_epoch(struct loader *l, uint64_t epoch, struct loader_state *ret_state)
{
    struct tally t = {0};
    struct loader_batch *batch = NULL;
    evpq_future *f;
    for (;;) {
        f = loader_next(l);
        if (evpq_await(f) != EVPQ_OK)
            break;
        batch = loader_take(f);
        if (!schema.release)
            ck_assert_int_eq(loader_schema(l, &schema), EVPQ_OK);
        ck_assert_uint_eq(batch->at.epoch, epoch);
        count(&t, batch);
        bool last = batch->next.rows == ROWS;
        if (ret_state)
            *ret_state = batch->next;
        loader_batch_free(batch);
        if (last)
            break;
        evpq_future_unref(f);
    }
    evpq_future_unref(f);
    return t;
}

static void close_loader(struct loader *l)
{
    ck_done(loader_close(l));
    ck_quiet();
    ck_assert_int_eq(server_count(strf("select count(*) from pg_stat_activity where "
                                       "application_name = '%s' and state like 'idle in%%'",
                                       pools_app())),
                     0);
    forget_schema();
}

/* Closes it: it has failed so. */
static void close_failed(struct loader *l, evpq_status status, const char *text)
{
    evpq_future *f = loader_close(l);
    ck_await_status(f, status);
    const char *message = evpq_error_message(evpq_future_error(f));
    ck_assert_msg(strstr(message, text), "\"%s\" does not say \"%s\"", message, text);
    evpq_future_unref(f);
    ck_quiet();
    forget_schema();
}

#define ck_whole(t)                      \
 do {                                    \
  ck_assert_uint_eq((t).rows, ROWS);     \
  ck_assert_uint_eq((t).distinct, ROWS); \
 } while (0)

static struct tally whole_run(const struct loader_opts *opts)
{
    struct loader *l = open_loader(opts);
    struct tally t = take_epoch(l, 0, NULL);
    ck_assert_ptr_null(next_batch(l));
    close_loader(l);
    return t;
}

static bool bit(const struct ArrowArray *array, int buffer, int64_t row)
{
    return ((const unsigned char *)array->buffers[buffer])[row / 8] >> row % 8 & 1;
}

/* All three connections hold the snapshot. */
static bool all_joined(void)
{
    return stats().leased == 3 &&
           server_count(strf("select count(*) from pg_stat_activity where application_name = '%s'"
                             " and backend_xmin is not null",
                             pools_app())) == 3;
}

/* The oldest connection is gone, and another one in its place. */
static void lose_one(void)
{
    server_exec(strf("select pg_terminate_backend(pid, 5000) from pg_stat_activity where "
                     "application_name = '%s' order by backend_start limit 1",
                     pools_app()));
    ck_until(all_joined());
}

/* ---- order ---- */

START_TEST(every_row_once_an_epoch_in_another_order)
{
    make_table();
    open_pool(.max_size = 3);
    struct loader *l = open_loader(OPTS(.epochs = 2, .seed = 7));
    struct tally first = take_epoch(l, 0, NULL), second = take_epoch(l, 1, NULL);
    ck_assert_ptr_null(next_batch(l));
    close_loader(l);
    ck_whole(first);
    ck_whole(second);
    ck_assert_uint_eq(first.batches, 50);
    ck_assert_uint_eq(first.checksum, second.checksum);
    ck_assert_uint_ne(first.order, second.order);

    struct tally again = whole_run(OPTS(.seed = 7, .connections = 1, .ahead = 9));
    struct tally other = whole_run(OPTS(.seed = 8));
    ck_whole(other);
    ck_assert_uint_eq(again.order, first.order);
    ck_assert_uint_ne(other.order, first.order);
    ck_assert_uint_eq(other.checksum, first.checksum);
    pools_end();
    tally_free(&first);
    tally_free(&second);
    tally_free(&again);
    tally_free(&other);
}
END_TEST

/* A batch comes from all over a group of ranges, and a group from all over the table. */
START_TEST(a_batch_is_drawn_from_all_over_the_table)
{
    make_table();
    open_pool(.max_size = 3);
    struct loader *l = open_loader(OPTS(.columns = "id", .batch_rows = 100, .range = 1, .mix = 50));
    struct loader_batch *batch = next_batch(l);
    const int32_t *ids = batch->array.children[0]->buffers[1];
    int tenths[10] = {0}, seen = 0, descents = 0;
    for (int i = 0; i < 100; i++) {
        tenths[(ids[i] - 1) / (ROWS / 10)]++;
        descents += i > 0 && ids[i] < ids[i - 1];
    }
    for (int i = 0; i < 10; i++)
        seen += tenths[i] > 0;
    ck_assert_int_ge(seen, 8);
    ck_assert_int_ge(descents, 30);
    loader_batch_free(batch);
    close_loader(l);
    pools_end();
}
END_TEST

/* The flag of a row says whether its id is even. */
static void ck_even(const struct ArrowArray *a)
{
    const int32_t *ids = a->children[0]->buffers[1];
    for (int64_t row = 0; row < a->length; row++)
        ck_assert_int_eq(bit(a->children[2], 1, row), ids[row] % 2 == 0);
}

/* Of one row, of a size that divides nothing, larger than the table. */
START_TEST(batches_are_of_the_size_that_was_asked_for)
{
    static const size_t sizes[] = {1, 777, 65536};
    size_t size = sizes[_i];
    server_exec(QUIETLY
                "drop table if exists sample; create table sample as select i as id, i::text as t,"
                " i % 2 = 0 as flag from generate_series(1, 5000) i");
    open_pool(.max_size = 2);
    for (int drop = 0; drop < 2; drop++) {
        struct tally t = {0};
        struct loader *l =
            open_loader(OPTS(.batch_rows = size, .epochs = 2, .drop_last = drop, .connections = 2));
        struct loader_batch *batch;
        while ((batch = next_batch(l))) {
            size_t rows = (size_t)batch->array.length;
            ck_assert(rows == size || (!drop && batch->next.rows == 5000));
            if (batch->at.batch == 0)
                tally_clear(&t);
            count(&t, batch);
            ck_even(&batch->array);
            loader_batch_free(batch);
        }
        close_loader(l);
        ck_assert_uint_eq(t.rows, drop ? 5000 - 5000 % size : 5000);
        ck_assert_uint_eq(t.distinct, t.rows);
        tally_free(&t);
    }
    pools_end();
}
END_TEST

/* ---- resuming ---- */

START_TEST(a_resumed_epoch_has_exactly_the_rest)
{
    static const int after[] = {1, 17, 25, 49, 50};
    char line[512];
    make_table();
    open_pool(.max_size = 3);
    struct tally whole = {0}, split = {0};
    struct loader *l = open_loader(OPTS(.seed = 3, .epochs = 2));
    struct loader_state state = {0};
    for (int i = 0; i < 100; i++) {
        struct loader_batch *batch = next_batch(l);
        count(&whole, batch);
        loader_batch_free(batch);
    }
    close_loader(l);

    l = open_loader(OPTS(.seed = 3, .epochs = 2));
    for (int i = 0; i < after[_i]; i++) {
        struct loader_batch *batch = next_batch(l);
        count(&split, batch);
        state = batch->next;
        loader_batch_free(batch);
    }
    close_loader(l);
    ck_assert_int_gt(loader_state_print(&state, line, sizeof line), 0);
    memset(&state, 0, sizeof state);
    ck_assert(loader_state_parse(line, &state));

    l = open_loader(OPTS(.resume = &state, .epochs = 2, .mix = 2, .range = 9, .connections = 1));
    for (struct loader_batch *batch; (batch = next_batch(l)); loader_batch_free(batch))
        count(&split, batch);
    close_loader(l);
    ck_assert_uint_eq(split.batches, 100);
    ck_assert_uint_eq(split.order, whole.order);
    pools_end();
    tally_free(&whole);
    tally_free(&split);
}
END_TEST

START_TEST(a_state_is_read_back_or_refused)
{
    static const char *const wrong[] = {
        "", "loader", "loader 2 seed 1",
        "loader 1 seed 1 epoch 2 batch 3 rows 4 group 5 row 6 layout 7 blocks 8 range 0 mix 1",
        "loader 1 seed 1 epoch 2 batch 3 rows 4 group 5 row 6 layout 7 blocks 8 range 9 mix 10 x"};
    struct loader_state in = {UINT64_MAX, 2, 3, 4, 5, 6, 7, 8, 9, 10}, out;
    char line[512], again[512];
    loader_state_print(&in, line, sizeof line);
    ck_assert(loader_state_parse(line, &out));
    ck_assert_int_gt(loader_state_print(&out, again, sizeof again), 0);
    ck_assert_str_eq(line, again);
    ck_assert(loader_state_parse(strf("%s\n", line), &out));
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++)
        ck_assert_msg(!loader_state_parse(wrong[i], &out), "%s", wrong[i]);
}
END_TEST

START_TEST(a_table_written_anew_is_not_resumed)
{
    make_table();
    open_pool(.max_size = 3);
    struct loader *l = open_loader(OPTS(0));
    struct loader_batch *batch = next_batch(l);
    struct loader_state state = batch->next;
    loader_batch_free(batch);
    close_loader(l);
    server_exec("vacuum full sample");
    l = open_loader(OPTS(.resume = &state));
    ck_assert_ptr_null(next_batch(l));
    close_failed(l, EVPQ_INVALID, "anew");
    pools_end();
}
END_TEST

/* ---- what happens meanwhile ---- */

START_TEST(writes_are_seen_by_the_next_epoch_alone)
{
    make_table();
    open_pool(.max_size = 3);
    struct tally quiet = whole_run(OPTS(0));
    struct loader *l = open_loader(OPTS(.epochs = 2, .ahead = 1));
    struct loader_batch *batch = next_batch(l);
    struct tally t = {0};
    count(&t, batch);
    loader_batch_free(batch);
    server_exec("update sample set label = -1 where id % 2 = 0");
    server_exec("delete from sample where id % 5 = 0");
    server_exec("insert into sample (id) select i from generate_series(50001, 60001) i");
    lose_one(); /* who comes later does not see it either */
    lose_one();
    lose_one();
    while (t.rows < ROWS) {
        batch = next_batch(l);
        count(&t, batch);
        loader_batch_free(batch);
    }
    ck_whole(t);
    ck_assert_uint_eq(t.checksum, quiet.checksum);
    ck_assert_uint_eq(t.order, quiet.order);
    tally_clear(&t);
    for (; (batch = next_batch(l)); loader_batch_free(batch))
        count(&t, batch);
    ck_assert_uint_eq(t.rows, 50001);
    ck_assert_uint_eq(t.distinct, 50001);
    close_loader(l);
    pools_end();
    tally_free(&t);
    tally_free(&quiet);
}
END_TEST

/* One after the other, as long as one is left to pass the snapshot on. */
START_TEST(a_lost_connection_is_replaced)
{
    make_table();
    open_pool(.max_size = 3);
    struct tally quiet = whole_run(OPTS(0)), t = {0};
    struct loader *l = open_loader(OPTS(.ahead = 1));
    struct loader_batch *batch;
    for (int n = 0; (batch = next_batch(l)); n++) {
        count(&t, batch);
        loader_batch_free(batch);
        if (n % 10 == 3)
            lose_one();
    }
    ck_whole(t);
    ck_assert_uint_eq(t.order, quiet.order);
    ck_assert_uint_ge(stats().lost, 5);
    close_loader(l);
    pools_end();
    tally_free(&t);
    tally_free(&quiet);
}
END_TEST

START_TEST(a_range_that_was_cut_off_is_read_again)
{
    make_table();
    struct proxy *proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(proxy), NULL), .max_size = 3);
    struct tally quiet = whole_run(OPTS(0)), t = {0};
    struct loader *l = open_loader(OPTS(.ahead = 1));
    struct loader_batch *batch;
    for (int n = 0; (batch = next_batch(l)); n++) {
        count(&t, batch);
        loader_batch_free(batch);
        if (n % 10 == 3)
            proxy_arm_after(proxy, PROXY_TO_CLIENT, 7000, PROXY_RESET);
        if (t.rows < ROWS - 5000)
            ck_until(all_joined());
    }
    ck_whole(t);
    ck_assert_uint_eq(t.order, quiet.order);
    ck_assert_uint_ge(loader_retries(l), 3);
    close_loader(l);
    pools_end();
    proxy_stop(proxy);
    tally_free(&t);
    tally_free(&quiet);
}
END_TEST

START_TEST(with_all_connections_the_epoch_is_lost_and_can_be_resumed)
{
    make_table();
    open_pool(.max_size = 3);
    struct tally quiet = whole_run(OPTS(0)), t = {0};
    struct loader *l = open_loader(OPTS(.ahead = 1));
    struct loader_state state = {0};
    for (int i = 0; i < 5; i++) {
        struct loader_batch *batch = next_batch(l);
        count(&t, batch);
        state = batch->next;
        loader_batch_free(batch);
    }
    server_kill_backends(pools_app());
    for (struct loader_batch *batch; (batch = next_batch(l)); loader_batch_free(batch)) {
        count(&t, batch);
        state = batch->next;
    }
    ck_assert_uint_lt(t.rows, ROWS);
    close_failed(l, EVPQ_LOST, "snapshot");
    l = open_loader(OPTS(.resume = &state));
    for (struct loader_batch *batch; (batch = next_batch(l)); loader_batch_free(batch))
        count(&t, batch);
    close_loader(l);
    ck_whole(t);
    ck_assert_uint_eq(t.order, quiet.order);
    pools_end();
    tally_free(&t);
    tally_free(&quiet);
}
END_TEST

START_TEST(closed_at_any_point_it_leaves_nothing_behind)
{
    make_table();
    open_pool(.max_size = 3);
    for (int ms = 0; ms < 40; ms++) {
        struct loader *l = open_loader(OPTS(.epochs = 3));
        evpq_future *waiting[] = {loader_next(l), loader_next(l), loader_next(l)};
        run_for(evpq_loop_ev(loop), ms * 1e-3);
        evpq_future *end = loader_close(l);
        ck_await_ok(end);
        for (int i = 0; i < 3; i++) {
            evpq_await(waiting[i]);
            if (evpq_future_status(waiting[i]) != EVPQ_OK)
                ck_future_status(waiting[i], EVPQ_CLOSED);
            evpq_future_unref(waiting[i]);
        }
        evpq_future_unref(end);
    }
    ck_quiet();
    pools_end();
}
END_TEST

START_TEST(fewer_connections_will_do)
{
    make_table();
    open_pool(.max_size = 1);
    struct tally t = whole_run(OPTS(.connections = 4));
    ck_whole(t);
    tally_free(&t);
    pools_end();
}
END_TEST

/* A batch that nobody took, of a wait that was given up, is not lost. */
START_TEST(a_wait_that_is_given_up_loses_no_batch)
{
    make_table();
    open_pool(.max_size = 3);
    struct loader *l = open_loader(OPTS(0));
    evpq_future *f = loader_next(l);
    ck_await_ok(f);
    evpq_future_unref(f);
    f = evpq_timeout(loader_next(l), 0);
    evpq_await(f);
    evpq_future_unref(f);
    struct tally t = take_epoch(l, 0, NULL);
    ck_whole(t);
    close_loader(l);
    tally_free(&t);
    pools_end();
}
END_TEST

/* ---- what there is to load ---- */

START_TEST(partitions_and_children_are_loaded_with_their_table)
{
    server_exec(QUIETLY
                "drop table if exists parts, parent cascade;"
                "create table parts (id int, t text) partition by range (id);"
                "create table parts_1 partition of parts for values from (0) to (100);"
                "create table parts_2 partition of parts for values from (100) to (40000);"
                "create table parts_3 partition of parts for values from (40000) to (40001);"
                "insert into parts select i, i::text from generate_series(1, 39999) i;"
                "create table parent (id int, t text);"
                "create table child (extra text) inherits (parent);"
                "insert into parent values (1, 'a'), (2, 'b');"
                "insert into child select i, i::text, 'x' from generate_series(3, 39999) i");
    open_pool(.max_size = 3);
    const char *tables[] = {"parts", "parent"};
    for (int i = 0; i < 2; i++) {
        struct tally t = whole_run(OPTS(.table = tables[i]));
        ck_assert_uint_eq(t.rows, 39999);
        ck_assert_uint_eq(t.distinct, 39999);
        tally_free(&t);
    }
    pools_end();
}
END_TEST

START_TEST(a_table_without_rows_is_an_epoch_without_batches)
{
    server_exec(QUIETLY "drop table if exists sample; create table sample (id int, t text);");
    open_pool(.max_size = 3);
    struct loader *l = open_loader(OPTS(.epochs = 3));
    ck_await_ok(loader_ready(l));
    ck_assert_ptr_null(next_batch(l));
    ck_assert_int_eq(loader_schema(l, &schema), EVPQ_OK);
    ck_assert_int_eq(schema.n_children, 2);
    close_loader(l);
    server_exec(
        "insert into sample select 1, 'x' from generate_series(1, 3000); delete from sample");
    l = open_loader(OPTS(.epochs = 3));
    ck_assert_ptr_null(next_batch(l));
    close_loader(l);
    pools_end();
}
END_TEST

START_TEST(what_cannot_be_loaded_is_refused)
{
    static const struct {
        struct loader_opts opts;
        evpq_status status;
        const char *text;
    } rows[] = {
        {{.table = "nowhere"}, EVPQ_INVALID, "no table named nowhere"},
        {{.table = NULL}, EVPQ_INVALID, "no table is named"},
        {{.table = "pg_stat_activity"}, EVPQ_INVALID, "pg_stat_activity is no table"},
        {{.table = "sample", .columns = "missing"}, EVPQ_SERVER, "missing"},
        {{.table = "sample", .columns = "id, id::numeric as price"},
         EVPQ_TYPE,
         "column price of public.sample is of type numeric, which is not loaded as it is: cast it, as in "
         "...::float8"},
        {{.table = "sample", .columns = "array[id] as ids"}, EVPQ_TYPE, "integer[]"},
        {{.table = "sample", .columns = "'250000-01-01'::timestamp as at, id", .batch_rows = 9},
         EVPQ_OK,
         ""},
        {{.table = "sample", .columns = "'294276-12-31'::timestamp as at"}, EVPQ_TYPE, "column at"},
        {{.table = "sample", .columns = "1 / (id - 9)"}, EVPQ_SERVER, "division by zero"},
        {{.table = "sample", .connections = 1001}, EVPQ_INVALID, "connections"},
        {{.table = "sample", .batch_rows = (size_t)1 << 40}, EVPQ_INVALID, "batch"},
        {{.table = "sample", .range = 1 << 30}, EVPQ_INVALID, "range"},
    };
    make_table();
    open_pool(.max_size = 4);
    struct loader *l = loader_open(loop, pool, &rows[_i].opts);
    for (struct loader_batch *batch; (batch = next_batch(l)); loader_batch_free(batch))
        ;
    ck_assert_int_eq(evpq_await(loader_ready(l)) == EVPQ_OK,
                     schema.release != NULL || loader_schema(l, &schema) == EVPQ_OK);
    if (rows[_i].status == EVPQ_OK)
        close_loader(l);
    else
        close_failed(l, rows[_i].status, rows[_i].text);
    pools_end();
}
END_TEST

/* ---- Arrow ---- */

/* The row of the batch with this key in its first column. */
static int64_t row_of(const struct ArrowArray *array, int32_t key)
{
    const int32_t *keys = array->children[0]->buffers[1];
    for (int64_t row = 0; row < array->length; row++)
        if (keys[row] == key)
            return row;
    ck_abort_msg("there is no row %d", key);
    return -1;
}

#define NUMBER(type, column, key) (((const type *)a->children[column]->buffers[1])[row_of(a, key)])

static void ck_text(const struct ArrowArray *a, int column, int32_t key, const char *want, size_t n)
{
    const int32_t *ends = a->children[column]->buffers[1];
    int64_t row = row_of(a, key);
    ck_assert_int_eq(ends[0], 0);
    ck_assert_uint_eq((size_t)(ends[row + 1] - ends[row]), n);
    ck_assert_mem_eq((const char *)a->children[column]->buffers[2] + ends[row], want, n);
}

static const char *const formats[] = {"i", "b", "s", "l",   "f",    "g",       "u",    "u",
                                      "u", "z", "I", "tdD", "tsu:", "tsu:UTC", "w:16", "ttu"};
enum { COLUMNS = sizeof formats / sizeof *formats };

static void ck_schema(void)
{
    ck_assert_str_eq(schema.format, "+s");
    ck_assert_int_eq(schema.n_children, COLUMNS);
    ck_assert_ptr_null(schema.dictionary);
    for (int i = 0; i < COLUMNS; i++) {
        ck_assert_str_eq(schema.children[i]->format, formats[i]);
        ck_assert_str_eq(schema.children[i]->name, strf("c%d", i));
        ck_assert_int_eq(schema.children[i]->flags, ARROW_FLAG_NULLABLE);
    }
}

static void ck_edges(const struct ArrowArray *a)
{
    static const unsigned char uuid[16] = {0xa0, 0xee, 0xbc, 0x99, 0x9c, 0x0b, 0x4e, 0xf8,
                                           0xbb, 0x6d, 0x6b, 0xb9, 0xbd, 0x38, 0x0a, 0x11};
    ck_assert(bit(a->children[1], 1, row_of(a, 1)) && !bit(a->children[1], 1, row_of(a, 2)));
    ck_assert_int_eq(NUMBER(int16_t, 2, 1), INT16_MIN);
    ck_assert_int_eq(NUMBER(int16_t, 2, 2), INT16_MAX);
    ck_assert_int_eq(NUMBER(int64_t, 3, 1), INT64_MIN);
    ck_assert_int_eq(NUMBER(int64_t, 3, 2), INT64_MAX);
    ck_assert(NUMBER(float, 4, 1) == 0.1f && isinf(NUMBER(float, 4, 2)));
    ck_assert(NUMBER(double, 5, 1) == 0.1 && isnan(NUMBER(double, 5, 2)));
    ck_text(a, 6, 1, "Grüße", 7);
    ck_text(a, 6, 2, "", 0);
    ck_text(a, 7, 1, "vc", 2);
    ck_text(a, 8, 1, "ab   ", 5);
    ck_text(a, 9, 1, "\0\xff", 2);
    ck_text(a, 9, 2, "", 0);
    ck_assert_uint_eq(NUMBER(uint32_t, 10, 2), UINT32_MAX);
    ck_assert_int_eq(NUMBER(int32_t, 11, 1), 0);
    ck_assert_int_eq(NUMBER(int32_t, 11, 2), INT32_MAX);
    ck_assert_int_eq(NUMBER(int64_t, 12, 1), 1);
    ck_assert_int_eq(NUMBER(int64_t, 12, 2), INT64_MIN);
    ck_assert_int_eq(NUMBER(int64_t, 13, 1), 946684800000000);
    ck_assert_int_eq(NUMBER(int64_t, 13, 2), INT64_MAX);
    ck_assert_mem_eq(&((const char(*)[16])a->children[14]->buffers[1])[row_of(a, 1)], uuid, 16);
    ck_assert_int_eq(NUMBER(int64_t, 15, 1), 86400000000);
}

START_TEST(every_type_lands_as_arrow_has_it)
{
    server_exec(
        QUIETLY
        "drop table if exists sample; create table sample (c0 int, c1 bool, c2 int2, c3 int8,"
        " c4 float4, c5 float8, c6 text, c7 varchar, c8 char(5), c9 bytea, c10 oid, c11 date,"
        " c12 timestamp, c13 timestamptz, c14 uuid, c15 time);"
        "insert into sample values (1, true, -32768, -9223372036854775808, 0.1, 0.1, 'Grüße',"
        " 'vc', 'ab', '\\x00ff', 1, '1970-01-01', '1970-01-01 00:00:00.000001',"
        " '2000-01-01 00:00:00+00', 'a0eebc99-9c0b-4ef8-bb6d-6bb9bd380a11', '24:00'),"
        " (2, false, 32767, 9223372036854775807, 'infinity', 'nan', '', '', '', '',"
        " 4294967295, 'infinity', '-infinity', 'infinity',"
        " 'ffffffff-ffff-ffff-ffff-ffffffffffff', '0:00');"
        " insert into sample values (3)");
    open_pool(.max_size = 1);
    struct loader *l = open_loader(OPTS(.connections = 1));
    struct loader_batch *batch = next_batch(l);
    const struct ArrowArray *a = &batch->array;
    close_loader(l); /* a batch needs neither loader nor pool */
    pools_end();
    ck_assert_int_eq(a->length, 3);
    ck_assert_int_eq(a->null_count, 0);
    ck_assert_int_eq(a->n_buffers, 1);
    ck_assert_ptr_null(a->buffers[0]);
    ck_assert_int_eq(a->n_children, COLUMNS);
    for (int i = 1; i < COLUMNS; i++) {
        const struct ArrowArray *column = a->children[i];
        ck_assert_int_eq(column->length, 3);
        ck_assert_int_eq(column->offset, 0);
        ck_assert_int_eq(column->null_count, 1);
        ck_assert_int_eq(column->n_buffers, strchr("uz", formats[i][0]) ? 3 : 2);
        for (int buffer = 0; buffer < column->n_buffers; buffer++)
            ck_assert_uint_eq((uintptr_t)column->buffers[buffer] % 64, 0);
        for (int key = 1; key <= 3; key++)
            ck_assert_int_eq(bit(column, 0, row_of(a, key)), key != 3);
    }
    ck_assert_ptr_null(a->children[0]->buffers[0]);
    ck_assert_int_eq(a->children[0]->null_count, 0);
    ck_edges(a);
    loader_batch_free(batch);
}
END_TEST

START_TEST(a_schema_names_the_columns)
{
    server_exec(QUIETLY "drop table if exists sample; create table sample (id int)");
    open_pool(.max_size = 1);
    struct loader *l = open_loader(
        OPTS(.connections = 1,
             .columns = "id as c0, true as c1, 1::int2 as c2, 1::int8 as c3, 1::float4 as c4,"
                        " 1::float8 as c5, ''::text as c6, ''::varchar as c7, ''::bpchar as c8,"
                        " ''::bytea as c9, 1::oid as c10, now()::date as c11, now()::timestamp as"
                        " c12, now() as c13, gen_random_uuid() as c14, now()::time as c15"));
    ck_assert_int_eq(loader_schema(l, &schema), EVPQ_PENDING);
    ck_await_ok(loader_ready(l));
    ck_assert_int_eq(loader_schema(l, &schema), EVPQ_OK);
    ck_schema();
    close_loader(l);
    pools_end();
}
END_TEST

/* As a consumer does that keeps one column: what is left behind can go first. */
START_TEST(a_column_can_be_moved_out_of_its_batch)
{
    make_table();
    open_pool(.max_size = 1);
    struct loader *l = open_loader(OPTS(.connections = 1));
    struct loader_batch *batch = next_batch(l);
    struct ArrowArray whole = batch->array, column = *batch->array.children[3];
    struct ArrowSchema field = *schema.children[3];
    batch->array.release = NULL;
    whole.children[3]->release = NULL;
    schema.children[3]->release = NULL;
    loader_batch_free(batch);
    whole.release(&whole);
    ck_assert_ptr_null(whole.release);
    close_loader(l);
    pools_end();
    const int32_t *ends = column.buffers[1];
    ck_assert_int_eq(column.length, 1000);
    ck_assert_int_gt(ends[1000], 0);
    ck_assert_ptr_nonnull(memchr("0123456789abcdef", *(const char *)column.buffers[2], 16));
    ck_assert_str_eq(field.name, "name");
    column.release(&column);
    field.release(&field);
    ck_assert(!column.release && !field.release);
}
END_TEST

/* ---- memory ---- */

#if defined(__SANITIZE_ADDRESS__) || defined(__SANITIZE_THREAD__)
enum { MEASURED = 0 }; /* memory that was freed is kept for a while */
#else
enum { MEASURED = 1 };
#endif

static long kilobytes(const char *what)
{
    char line[256];
    long n = 0;
    FILE *status = fopen("/proc/self/status", "r");
    while (status && fgets(line, sizeof line, status))
        if (strncmp(line, what, strlen(what)) == 0)
            n = strtol(line + strlen(what), NULL, 10);
    if (status)
        fclose(status);
    return n;
}

/* A table of 50 MB, ranges of 128 kB, groups of 512 kB. A slow consumer takes no more than a fast
 * one. */
START_TEST(memory_is_bounded)
{
    server_exec(QUIETLY "drop table if exists sample; create table sample as select i as id,"
                        " repeat(md5(i::text), 8) as t from generate_series(1, 150000) i");
    open_pool(.max_size = 4);
    long before = kilobytes("VmRSS:"), rows = 0;
    struct loader *l =
        open_loader(OPTS(.batch_rows = 500, .range = 16, .mix = 4, .connections = 4));
    for (struct loader_batch *batch; (batch = next_batch(l)); loader_batch_free(batch)) {
        rows += batch->array.length;
        if (_i && batch->at.batch % 50 == 0)
            run_for(evpq_loop_ev(loop), 0.05);
    }
    long after = kilobytes("VmHWM:");
    close_loader(l);
    pools_end();
    ck_assert_int_eq(rows, 150000);
    if (MEASURED && before)
        ck_assert_msg(after - before < 12 << 10, "%ld kB more", after - before);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("loader");
    CHECK_ADD(c, every_row_once_an_epoch_in_another_order);
    CHECK_ADD(c, a_batch_is_drawn_from_all_over_the_table);
    CHECK_ADD_LOOP(c, batches_are_of_the_size_that_was_asked_for, 3);
    CHECK_ADD_LOOP(c, a_resumed_epoch_has_exactly_the_rest, 5);
    CHECK_ADD(c, a_state_is_read_back_or_refused);
    CHECK_ADD(c, a_table_written_anew_is_not_resumed);
    CHECK_ADD(c, writes_are_seen_by_the_next_epoch_alone);
    CHECK_ADD(c, a_lost_connection_is_replaced);
    CHECK_ADD(c, a_range_that_was_cut_off_is_read_again);
    CHECK_ADD(c, with_all_connections_the_epoch_is_lost_and_can_be_resumed);
    CHECK_ADD(c, closed_at_any_point_it_leaves_nothing_behind);
    CHECK_ADD(c, fewer_connections_will_do);
    CHECK_ADD(c, a_wait_that_is_given_up_loses_no_batch);
    CHECK_ADD(c, partitions_and_children_are_loaded_with_their_table);
    CHECK_ADD(c, a_table_without_rows_is_an_epoch_without_batches);
    CHECK_ADD_LOOP(c, what_cannot_be_loaded_is_refused, 12);
    CHECK_ADD(c, every_type_lands_as_arrow_has_it);
    CHECK_ADD(c, a_schema_names_the_columns);
    CHECK_ADD(c, a_column_can_be_moved_out_of_its_batch);
    CHECK_ADD_LOOP(c, memory_is_bounded, 2);
    return check_end(c);
}
