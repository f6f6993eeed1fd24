/* test_opts_read.c - structs that begin with their size, of programs older and newer than the
 * library (F57). */
#include "words/opts_read.h"

#include "support/check.h"

#include <evpq/evpq.h>
#include <string.h>

struct thing {
    size_t size;
    int first;
    int second;
    double third;
};

/* As a later version might have it. */
struct later {
    struct thing thing;
    double fourth;
};

#define KIND OPTS_KIND(struct thing, first)

static void ck_refused(const void *given, const char *why)
{
    struct thing t;
    memset(&t, 0x55, sizeof t);
    evpq_error *error = opts_read(KIND, given, &t);
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    ck_assert_int_eq(evpq_error_outcome(error), EVPQ_OUTCOME_NOT_SENT);
    ck_assert_msg(strstr(evpq_error_message(error), why), "%s", evpq_error_message(error));
    evpq_error_unref(error);
}

START_TEST(f57_nothing_given_is_all_zero)
{
    struct thing t;
    memset(&t, 0x55, sizeof t);
    ck_assert_ptr_null(opts_read(KIND, NULL, &t));
    ck_assert_uint_eq(t.size, sizeof t);
    ck_assert(t.first == 0 && t.second == 0 && t.third == 0);
}
END_TEST

START_TEST(f57_a_size_that_nobody_means_is_refused)
{
    static const size_t sizes[] = {0,
                                   1,
                                   7,
                                   sizeof(size_t),
                                   sizeof(size_t) + sizeof(int),
                                   23,
                                   4100,
                                   SIZE_MAX,
                                   sizeof(struct thing) - sizeof(double) / 2};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        struct thing given = {.size = sizes[i], .first = 1};
        ck_refused(&given, "set it to sizeof(struct thing), which is 24 here");
    }
}
END_TEST

START_TEST(f57_of_an_older_program_the_rest_is_zero)
{
    struct thing given = {.size = offsetof(struct thing, third), 1, 2, 3}, t;
    ck_assert_ptr_null(opts_read(KIND, &given, &t));
    ck_assert_uint_eq(t.size, sizeof t);
    ck_assert(t.first == 1 && t.second == 2 && t.third == 0);
}
END_TEST

START_TEST(f57_of_a_newer_program_only_what_is_not_set_is_let_pass)
{
    struct later given = {.thing = {.size = sizeof given, 1, 2, 3}};
    struct thing t;
    ck_assert_ptr_null(opts_read(KIND, &given, &t));
    ck_assert(t.size == sizeof t && t.first == 1 && t.second == 2 && t.third == 3);
    given.fourth = 4;
    ck_refused(&given, "a field beyond these is set");
}
END_TEST

START_TEST(f57_what_is_written_ends_with_the_smaller_of_the_two)
{
    struct later given = {.thing = {.size = sizeof given}, .fourth = 4};
    size_t size;
    ck_assert_ptr_null(opts_write_begin(KIND, &given, &size));
    ck_assert_uint_eq(size, sizeof(struct thing));
    ck_assert(given.fourth == 0);
    given.thing.size = offsetof(struct thing, third);
    ck_assert_ptr_null(opts_write_begin(KIND, &given, &size));
    ck_assert_uint_eq(size, offsetof(struct thing, third));
    given.thing.size = 0;
    evpq_error *error = opts_write_begin(KIND, &given, &size);
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    evpq_error_unref(error);
}
END_TEST

/* ---- each struct that has a size, where no server is needed ---- */

static evpq_future *never(evpq_task *self, void *arg)
{
    (void)self;
    *(bool *)arg = true;
    return NULL;
}

static void mark(void *arg)
{
    *(bool *)arg = true;
}

static void ck_invalid(evpq_future *f, const char *name)
{
    ck_assert_int_eq(evpq_await(f), EVPQ_INVALID);
    ck_assert_msg(strstr(evpq_error_message(evpq_future_error(f)), name), "%s",
                  evpq_error_message(evpq_future_error(f)));
    evpq_future_unref(f);
}

START_TEST(f57_a_task_whose_options_have_no_size_never_begins)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    bool ran = false, freed = false;
    evpq_task_opts opts = {.deadline = 1, .free_arg = mark};
    ck_invalid(evpq_task_spawn(loop, never, &ran, &opts), "evpq_task_opts");
    evpq_group *g = evpq_group_open(loop, NULL);
    ck_invalid(evpq_group_spawn(g, never, &ran, &opts), "evpq_task_opts");
    evpq_future *join = evpq_group_join(g);
    ck_assert_int_eq(evpq_await(join), EVPQ_OK);
    evpq_future_unref(join);
    ck_assert(!ran && !freed);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(f57_a_group_whose_options_have_no_size_is_none)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    ck_assert_ptr_null(evpq_group_open(loop, &(evpq_group_opts){.deadline = 1}));
    evpq_group *older = evpq_group_open(
        loop, &(evpq_group_opts){.size = offsetof(evpq_group_opts, deadline), .limit = 1});
    ck_assert_ptr_nonnull(older);
    evpq_future *join = evpq_group_join(older);
    ck_assert_int_eq(evpq_await(join), EVPQ_OK);
    evpq_future_unref(join);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(f57_pools_and_listeners_say_what_their_size_should_be)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_error *error = NULL;
    ck_assert_ptr_null(evpq_pool_open(loop, "", &(evpq_pool_opts){.max_size = 1}, &error));
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(error), "sizeof(evpq_pool_opts)"));
    evpq_error_unref(error);
    ck_assert_ptr_null(evpq_listener_open(loop, "", &(evpq_listener_opts){.buffer = 1}, &error));
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(error), "sizeof(evpq_listener_opts)"));
    evpq_error_unref(error);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(f57_transactions_streams_and_statistics_are_refused_without_a_size)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "host=/nonexistent", NULL, NULL);
    evpq_txn_opts txn = {.isolation = EVPQ_ISOLATION_SERIALIZABLE};
    ck_invalid(evpq_pool_begin(pool, &txn), "evpq_txn_opts");
    ck_invalid(evpq_transact(pool, &txn, NULL, NULL), "evpq_txn_opts");
    evpq_stream *s =
        evpq_pool_stream(pool, "select 1", EVPQ_ARGS(), &(evpq_stream_opts){.rows = 7});
    ck_invalid(evpq_stream_next(s), "evpq_stream_opts");
    evpq_stream_close(s);
    evpq_pool_stats stats = {.size = 0, .queries = 5};
    ck_assert_int_eq(evpq_pool_get_stats(pool, &stats), EVPQ_INVALID);
    ck_assert_uint_eq(stats.queries, 5);
    stats.size = sizeof stats;
    ck_assert_int_eq(evpq_pool_get_stats(pool, &stats), EVPQ_OK);
    ck_assert_uint_eq(stats.queries, 0);
    ck_assert_int_eq(evpq_pool_get_stats(NULL, &stats), EVPQ_INVALID);
    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}
END_TEST

START_TEST(f57_a_codec_without_a_size_is_refused)
{
    evpq_types *types = evpq_types_new();
    ck_assert_int_eq(evpq_types_add(types, &(evpq_codec){.name = "vector"}), EVPQ_INVALID);
    evpq_types_unref(types);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("opts_read");
    CHECK_ADD(c, f57_nothing_given_is_all_zero);
    CHECK_ADD(c, f57_a_size_that_nobody_means_is_refused);
    CHECK_ADD(c, f57_of_an_older_program_the_rest_is_zero);
    CHECK_ADD(c, f57_of_a_newer_program_only_what_is_not_set_is_let_pass);
    CHECK_ADD(c, f57_what_is_written_ends_with_the_smaller_of_the_two);
    CHECK_ADD(c, f57_a_task_whose_options_have_no_size_never_begins);
    CHECK_ADD(c, f57_a_group_whose_options_have_no_size_is_none);
    CHECK_ADD(c, f57_pools_and_listeners_say_what_their_size_should_be);
    CHECK_ADD(c, f57_transactions_streams_and_statistics_are_refused_without_a_size);
    CHECK_ADD(c, f57_a_codec_without_a_size_is_refused);
    return check_end(c);
}
