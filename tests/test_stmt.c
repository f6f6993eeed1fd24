/* test_stmt.c - which statements a connection keeps, prepares and lets go, on a line that leads
 * nowhere: what would be sent waits on it, and the test answers for the server. */
#include "pipeline/stmt.h"

#include "support/check.h"
#include "support/server.h"
#include "words/error.h"

#include <stdlib.h>
#include <string.h>

static evpq_loop *loop;
static struct pipeline line;
static struct stmts stmts;

static void set_up_to(int max, bool prepares)
{
    static const struct pipeline_owner nobody;
    loop = evpq_loop_new(NULL);
    pipeline_init(&line, loop, &nobody);
    stmts_init(&stmts, &line, max, prepares, 0);
}

static void set_up(int max)
{
    set_up_to(max, true);
}

/* Everything on the line fails, as when the link is lost. */
static void lose(void)
{
    pipeline_return_fresh(&line, error_nomem());
}

static void tear_down(void)
{
    lose(); /* closes that nobody has answered */
    stmts_free(&stmts);
    evpq_loop_unref(loop);
}

/* With `n` parameters, and their types if any is declared, as a request has them. */
static struct stmt *use_typed(const char *sql, int n, const uint32_t *types)
{
    struct request r = {.sql = sql, .sql_length = strlen(sql), .n = n, .types = types};
    return stmts_use(&stmts, &r);
}

static struct stmt *use(const char *sql)
{
    return use_typed(sql, 0, NULL);
}

/* As a query does: it runs, is prepared when it may be, and ends. Returns whether it was prepared
 * now. */
static bool run_typed(const char *sql, int n, const uint32_t *types, double seconds)
{
    struct stmt *s = use_typed(sql, n, types);
    ck_assert_ptr_nonnull(s);
    bool prepares = stmt_wants_prepare(s);
    if (prepares) {
        stmt_sent(s);
        stmt_is_there(s, true);
    }
    stmt_learn(s, seconds);
    stmt_unpin(s);
    return prepares;
}

static bool run(const char *sql, double seconds)
{
    return run_typed(sql, 0, NULL, seconds);
}

static void run_twice(const char *sql)
{
    run(sql, 0);
    ck_assert(run(sql, 0));
}

/* The oldest operation on the line, taken off as the pipeline would. */
static struct op *take_op(void)
{
    struct list *node = list_first(&line.fresh);
    ck_assert_ptr_nonnull(node);
    struct op *op = container_of(node, struct op, node);
    pipeline_abandon(&line, op);
    return op;
}

static const char *closes(const struct op *op)
{
    return container_of(op, struct stmt, close)->name;
}

static void answer_close(bool well)
{
    struct op *op = take_op();
    op->class->feed(op, well ? PQ_RESULT : PQ_ERROR, NULL);
    op->class->feed(op, PQ_END, NULL);
    op->class->feed(op, PQ_SYNC, NULL);
}

START_TEST(a_text_is_prepared_when_it_comes_back)
{
    set_up(10);
    ck_assert(!run("select 1", 0));
    ck_assert(run("select 1", 0));
    ck_assert(!run("select 1", 0));
    ck_assert(!run("select 2", 0));
    ck_assert_uint_eq(stmts.map.count, 2);
    tear_down();
}
END_TEST

static const uint32_t int4[] = {23, 23}, int8[] = {20, 23}, bytea[] = {0, 17};

/* F49 */
START_TEST(f49_a_name_is_made_from_the_content)
{
    char name[sizeof((struct stmt *)0)->name];
    static const uint32_t other[] = {23, 25};
    set_up(10);
    for (int i = 0; i < 2; i++) {
        run_twice("select 1");
        run_twice("select 2");
        struct stmt *a = use("select 1"), *b = use("select 2");
        ck_assert_str_eq(a->name, "evpq_887b969338f5fca44981bfcf5e9a1fda");
        ck_assert_uint_eq(strlen(b->name), strlen(a->name));
        ck_assert_str_ne(a->name, b->name);
        if (i)
            ck_assert_str_eq(b->name, name); /* on another connection */
        strcpy(name, b->name);
        stmt_unpin(a);
        stmt_unpin(b);
        for (int round = 0; round < 2; round++) {
            run_typed("select $1", 2, int4, 0);
            run_typed("select $1", 2, other, 0);
        }
        a = use_typed("select $1", 2, int4);
        b = use_typed("select $1", 2, other);
        ck_assert_str_ne(a->name, b->name);
        stmt_unpin(a);
        stmt_unpin(b);
        tear_down();
        set_up(10);
    }
    tear_down();
}
END_TEST

/* It is another one by then, which has nothing to do with the one that is closed. */
START_TEST(f49_one_that_comes_back_before_it_is_closed_keeps_its_name)
{
    set_up(1);
    run_twice("a");
    run("b", 0); /* a is to be closed, ... */
    ck_assert_int_eq(line.n_fresh, 1);
    answer_close(_i);
    struct stmt *a = use("a");
    ck_assert_int_eq(a->state, _i ? STMT_ABSENT : STMT_PREPARED); /* ... which failed */
    stmt_unpin(a);
    ck_assert(list_empty(&stmts.drop));
    tear_down();
}
END_TEST

START_TEST(f54_one_that_is_too_old_is_closed_and_prepared_anew)
{
    set_up(10);
    stmts.lifetime = 3600;
    run_twice("a");
    ck_assert(!run("a", 0));
    ck_assert_int_eq(line.n_fresh, 0);
    struct stmt *a = use("a");
    a->prepared_at -= 3600;
    stmt_unpin(a);
    ck_assert(!run("a", 0));
    ck_assert_int_eq(line.n_fresh, 1);
    answer_close(true);
    ck_assert(run("a", 0));
    tear_down();
}
END_TEST

START_TEST(the_least_recently_used_goes)
{
    set_up(3);
    run_twice("a");
    run_twice("b");
    run_twice("c");
    run("a", 0);
    struct stmt *b = use("b");
    char name[sizeof b->name];
    strcpy(name, b->name);
    stmt_unpin(b);
    run("c", 0);
    run("a", 0); /* now b is the coldest */
    run("d", 0);
    ck_assert_uint_eq(stmts.map.count, 3);
    ck_assert_int_eq(line.n_fresh, 1);
    ck_assert_str_eq(closes(container_of(list_first(&line.fresh), struct op, node)), name);
    answer_close(true);
    ck_assert(list_empty(&stmts.drop));
    ck_assert(!run("b", 0)); /* a stranger again; c goes for it */
    ck_assert(!run("a", 0));
    tear_down();
}
END_TEST

/* However often the last of them is used. */
START_TEST(the_last_used_stays_in_its_place)
{
    set_up(2);
    run("a", 0);
    run("b", 0);
    for (int i = 0; i < 3; i++)
        run("b", 0);
    run("c", 0); /* a goes */
    struct stmt *b = use("b");
    ck_assert_uint_eq(b->runs, 4);
    stmt_unpin(b);
    ck_assert_uint_eq(stmts.map.count, 2);
    tear_down();
}
END_TEST

/* One that is of no use any more keeps its place, and is prepared anew when it was closed. */
START_TEST(f54_a_spoiled_one_is_closed_and_prepared_anew)
{
    set_up(10);
    if (_i % 2)
        run("before", 0);
    if (_i < 2)
        run("a", 0);
    else
        run_twice("a");
    struct stmt *held = _i < 4 ? NULL : use("a"), *last = use("a");
    stmt_spoil(last);
    ck_assert(last->cached);
    stmt_unpin(last);
    ck_assert_int_eq(line.n_fresh, _i == 2 || _i == 3); /* closed, unless it is held */
    ck_assert_int_eq(run("a", 0), _i < 2);
    stmt_unpin(held);
    ck_assert_int_eq(line.n_fresh, _i >= 2);
    if (_i >= 2) {
        answer_close(true);
        ck_assert(run("a", 0));
    }
    ck_assert(list_empty(&stmts.drop));
    tear_down();
}
END_TEST

/* However it went: here, because there was no room for the next. */
START_TEST(the_last_used_is_not_found_when_evicted)
{
    set_up(1);
    run("a", 0);
    run("b", 0);
    ck_assert(!run("a", 0));
    struct stmt *a = use("a");
    ck_assert_ptr_null(use("b")); /* no room, as a is held */
    ck_assert_ptr_eq(use("a"), a);
    stmt_unpin(a);
    stmt_unpin(a);
    tear_down();
}
END_TEST

START_TEST(one_text_with_other_types_is_another_statement)
{
    static const uint32_t *const lists[] = {NULL, int4, int8, bytea};
    set_up(10);
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < 4; i++)
            ck_assert_int_eq(run_typed("select $1", 2, lists[i], i), round == 1);
    ck_assert_uint_eq(stmts.map.count, 4);
    ck_assert_int_eq(line.n_fresh, 0); /* none pushes out another */
    for (int i = 0; i < 4; i++) {
        struct stmt *s = use_typed("select $1", 2, lists[i]);
        ck_assert_uint_eq(s->runs, 4);
        ck_assert(s->service == i);
        for (int j = 0; j < i; j++) {
            struct stmt *other = use_typed("select $1", 2, lists[j]);
            ck_assert_ptr_ne(s, other);
            ck_assert_str_ne(s->name, other->name);
            ck_assert_uint_ne(s->node.hash, other->node.hash);
            stmt_unpin(other);
        }
        stmt_unpin(s);
    }
    tear_down();
}
END_TEST

/* The number of parameters tells statements apart by their declared types alone. */
START_TEST(types_are_compared_as_a_list)
{
    set_up(10);
    struct stmt *none = use_typed("select 1", 0, NULL);
    ck_assert_ptr_eq(use_typed("select 1", 3, NULL), none);
    struct stmt *two = use_typed("select 1", 2, int4), *one = use_typed("select 1", 1, int4);
    ck_assert_ptr_ne(one, two);
    ck_assert_ptr_ne(one, none);
    uint32_t same[] = {23, 23}; /* elsewhere, and with an end of the text that looks alike */
    ck_assert_ptr_eq(use_typed("select 1", 2, same), two);
    char longer[64] = "select 1";
    memcpy(longer + strlen(longer), "\x17\x17\x17\x17", 5);
    same[0] = 0x17171717;
    struct stmt *a = use_typed("select 1", 1, same), *b = use_typed(longer, 0, NULL);
    ck_assert_ptr_ne(a, b);
    stmt_unpin(none);
    stmt_unpin(none);
    stmt_unpin(one);
    stmt_unpin(two);
    stmt_unpin(two);
    stmt_unpin(a);
    stmt_unpin(b);
    tear_down();
}
END_TEST

START_TEST(spoiling_one_leaves_those_with_other_types)
{
    set_up(10);
    for (int i = 0; i < 2; i++) {
        run_typed("a", 2, int4, 0);
        run_typed("a", 2, int8, 0);
    }
    struct stmt *s = use_typed("a", 2, int4);
    stmt_spoil(s);
    stmt_unpin(s);
    ck_assert_int_eq(line.n_fresh, 1);
    s = use_typed("a", 2, int8);
    ck_assert_int_eq(s->state, STMT_PREPARED);
    stmt_unpin(s);
    ck_assert(!run_typed("a", 2, int4, 0)); /* while it is being closed */
    answer_close(true);
    ck_assert(run_typed("a", 2, int4, 0));
    tear_down();
}
END_TEST

START_TEST(one_that_was_never_prepared_goes_without_a_word)
{
    set_up(2);
    for (int i = 0; i < 100; i++)
        run(strf("select %d", i), 0);
    ck_assert_uint_eq(stmts.map.count, 2);
    ck_assert_int_eq(line.n_fresh, 0);
    ck_assert(list_empty(&stmts.drop));
    tear_down();
}
END_TEST

/* F33 */
START_TEST(f33_a_flood_stays_within_its_bounds)
{
    set_up(16);
    for (int i = 0; i < 2000; i++) {
        run_twice(strf("select %d", i));
        ck_assert_uint_le(stmts.map.count, 16);
        while (line.n_fresh)
            answer_close(true);
        ck_assert(list_empty(&stmts.drop));
    }
    tear_down();
}
END_TEST

START_TEST(f33_bytes_are_bounded_too)
{
    char *sql = malloc(60001);
    memset(sql, 'x', 60000);
    sql[60000] = '\0';
    set_up(100000);
    for (int i = 0; i < 300; i++) {
        memcpy(sql, strf("%08d", i), 8);
        run(sql, 0);
        ck_assert_uint_le(stmts.bytes, 4u << 20);
    }
    ck_assert_uint_gt(stmts.map.count, 60);
    ck_assert_uint_lt(stmts.map.count, 80);
    tear_down();
    free(sql);
}
END_TEST

START_TEST(f33_types_count_among_the_bytes)
{
    enum { N = 15000 };
    uint32_t *types = calloc(N, sizeof *types);
    set_up(100000);
    for (int i = 0; i < 300; i++) {
        types[N - 1] = (uint32_t)i + 1;
        run_typed("insert", N, types, 0);
        ck_assert_uint_le(stmts.bytes, 4u << 20);
    }
    ck_assert_uint_gt(stmts.map.count, 60);
    ck_assert_uint_lt(stmts.map.count, 80);
    stmts.max = 1; /* what goes gives its bytes back */
    run("select 1", 0);
    ck_assert_uint_eq(stmts.bytes, strlen("select 1"));
    tear_down();
    free(types);
}
END_TEST

START_TEST(a_long_list_of_types_is_not_kept)
{
    enum { MOST = 65535, KEPT = (64 * 1024 - 6) / 4 };
    uint32_t *types = calloc(MOST, sizeof *types);
    types[0] = 23;
    set_up(10);
    ck_assert_ptr_null(use_typed("insert", MOST, types));
    ck_assert_ptr_null(use_typed("insert", KEPT + 1, types));
    struct stmt *s = use_typed("insert", KEPT, types);
    ck_assert_ptr_nonnull(s);
    stmt_unpin(s);
    tear_down();
    free(types);
}
END_TEST

START_TEST(a_long_text_is_not_kept)
{
    size_t length = 64 * 1024 + 1;
    char *sql = malloc(length + 1);
    memset(sql, 'x', length);
    sql[length] = '\0';
    set_up(10);
    ck_assert_ptr_null(use(sql));
    sql[length - 1] = '\0';
    struct stmt *s = use(sql);
    ck_assert_ptr_nonnull(s);
    stmt_unpin(s);
    tear_down();
    free(sql);
}
END_TEST

START_TEST(where_preparing_is_switched_off_times_are_still_learned)
{
    set_up_to(10, false);
    for (int i = 0; i < 3; i++)
        ck_assert(!run("select 1", 0.001));
    struct stmt *s = use("select 1");
    ck_assert(stmt_is_quick(s));
    stmt_spoil(s);
    stmt_unpin(s);
    ck_assert_int_eq(line.n_fresh, 0); /* there is nothing to close */
    ck_assert(list_empty(&stmts.drop));
    tear_down();
}
END_TEST

START_TEST(what_is_in_flight_is_not_pushed_out)
{
    set_up(2);
    run_twice("a");
    run_twice("b");
    struct stmt *a = use("a"), *b = use("b");
    ck_assert_ptr_null(use("c"));
    ck_assert_ptr_eq(use("a"), a);
    stmt_unpin(a);
    stmt_unpin(a);
    struct stmt *c = use("c");
    ck_assert_ptr_nonnull(c);
    ck_assert_int_eq(line.n_fresh, 1); /* a is closed */
    stmt_unpin(b);
    stmt_unpin(c);
    tear_down();
}
END_TEST

/* A query that meets "cached plan must not change result type" spoils its statement while it points
 * to it. */
START_TEST(one_that_is_spoiled_while_pinned_is_closed_afterwards)
{
    set_up(10);
    run_twice("a");
    struct stmt *a = use("a"), *same = use("a");
    ck_assert_ptr_eq(a, same);
    stmt_spoil(a);
    stmt_spoil(a); /* by the other one as well */
    stmt_is_there(a, true);
    ck_assert_int_eq(line.n_fresh, 0);
    ck_assert(!stmt_wants_prepare(a));
    stmt_unpin(a);
    ck_assert_int_eq(line.n_fresh, 0);
    stmt_unpin(same);
    ck_assert_int_eq(line.n_fresh, 1);
    ck_assert(!run("a", 0)); /* until it is closed */
    answer_close(true);
    ck_assert(run("a", 0));

    struct stmt *never = use("never prepared");
    stmt_spoil(never);
    stmt_unpin(never);
    ck_assert_int_eq(line.n_fresh, 0);
    tear_down();
}
END_TEST

/* In a failed transaction DEALLOCATE is refused: it is tried again when the next goes. */
START_TEST(a_close_that_fails_is_tried_again)
{
    set_up(1);
    run_twice("a");
    run_twice("b"); /* pushes out a */
    answer_close(false);
    ck_assert(!list_empty(&stmts.drop));
    run_twice("c");
    ck_assert_int_eq(line.n_fresh, 2);
    answer_close(true);
    answer_close(true);
    ck_assert(list_empty(&stmts.drop));

    struct stmt *c = use("c");
    stmt_spoil(c);
    stmt_unpin(c);
    answer_close(false);
    ck_assert(!run("c", 0));
    ck_assert_int_eq(line.n_fresh, 1);
    answer_close(true);
    ck_assert(run("c", 0));
    tear_down();
}
END_TEST

START_TEST(discard_all_leaves_nothing_prepared)
{
    set_up(1);
    run_twice("b");
    run_twice("a"); /* pushes out b */
    answer_close(false);
    stmts_all_gone(&stmts);
    ck_assert(list_empty(&stmts.drop));
    ck_assert(run("a", 0)); /* known, and prepared anew at once */
    ck_assert_int_eq(line.n_fresh, 0);
    tear_down();
}
END_TEST

START_TEST(a_lost_connection_closes_nothing)
{
    set_up(1);
    run_twice("a");
    run_twice("b"); /* a is to be closed */
    ck_assert_int_eq(line.n_fresh, 1);
    lose();
    ck_assert(list_empty(&stmts.drop));
    tear_down();
}
END_TEST

/* A cancel request sends what is fresh another way, but for this there is none: it stays to be
 * done. */
START_TEST(a_close_that_was_not_sent_is_still_to_be_done)
{
    set_up(1);
    run_twice("a");
    run_twice("b"); /* pushes out a */
    pipeline_return_fresh(&line, NULL);
    ck_assert_int_eq(line.n_fresh, 0);
    run_twice("c");
    ck_assert_int_eq(line.n_fresh, 2);
    tear_down();
}
END_TEST

START_TEST(service_times_are_learned)
{
    set_up(10);
    struct stmt *s = use("a");
    ck_assert(!stmt_is_quick(NULL));
    stmt_unpin(NULL);
    ck_assert(!stmt_is_quick(s)); /* nothing is known of it */
    stmt_learn(s, 0.001);
    ck_assert(stmt_is_quick(s));
    stmt_learn(s, 1);
    stmt_learn(s, 0);
    ck_assert(stmt_is_quick(s)); /* once is an accident */
    for (int i = 0; i < 4; i++)
        stmt_learn(s, 1);
    ck_assert(!stmt_is_quick(s));
    for (int i = 0; i < 50; i++)
        stmt_learn(s, 0.001);
    ck_assert(stmt_is_quick(s));
    stmt_unpin(s);
    s = use("slow");
    stmt_learn(s, 0.5);
    ck_assert(!stmt_is_quick(s));
    stmt_unpin(s);
    tear_down();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("statements");
    CHECK_ADD(c, a_text_is_prepared_when_it_comes_back);
    CHECK_ADD(c, f49_a_name_is_made_from_the_content);
    CHECK_ADD_LOOP(c, f49_one_that_comes_back_before_it_is_closed_keeps_its_name, 2);
    CHECK_ADD(c, f54_one_that_is_too_old_is_closed_and_prepared_anew);
    CHECK_ADD(c, the_least_recently_used_goes);
    CHECK_ADD(c, the_last_used_stays_in_its_place);
    CHECK_ADD_LOOP(c, f54_a_spoiled_one_is_closed_and_prepared_anew, 6);
    CHECK_ADD(c, the_last_used_is_not_found_when_evicted);
    CHECK_ADD(c, one_text_with_other_types_is_another_statement);
    CHECK_ADD(c, types_are_compared_as_a_list);
    CHECK_ADD(c, spoiling_one_leaves_those_with_other_types);
    CHECK_ADD(c, one_that_was_never_prepared_goes_without_a_word);
    CHECK_ADD(c, f33_a_flood_stays_within_its_bounds);
    CHECK_ADD(c, f33_bytes_are_bounded_too);
    CHECK_ADD(c, f33_types_count_among_the_bytes);
    CHECK_ADD(c, a_long_list_of_types_is_not_kept);
    CHECK_ADD(c, a_long_text_is_not_kept);
    CHECK_ADD(c, where_preparing_is_switched_off_times_are_still_learned);
    CHECK_ADD(c, what_is_in_flight_is_not_pushed_out);
    CHECK_ADD(c, one_that_is_spoiled_while_pinned_is_closed_afterwards);
    CHECK_ADD(c, a_close_that_fails_is_tried_again);
    CHECK_ADD(c, discard_all_leaves_nothing_prepared);
    CHECK_ADD(c, a_lost_connection_closes_nothing);
    CHECK_ADD(c, a_close_that_was_not_sent_is_still_to_be_done);
    CHECK_ADD(c, service_times_are_learned);
    return check_end(c);
}
