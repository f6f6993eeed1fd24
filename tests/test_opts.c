/* test_opts.c - a pool's options: each default, what a zero and a negative number mean, and what is
 * refused. */
#include "pool/opts.h"

#include "support/check.h"

#include <math.h>
#include <string.h>

#define filled(...) fill(&(evpq_pool_opts){.size = sizeof(evpq_pool_opts), __VA_ARGS__})
#define refused(...) refuse(&(evpq_pool_opts){.size = sizeof(evpq_pool_opts), __VA_ARGS__})

static evpq_pool_opts fill(const evpq_pool_opts *given)
{
    evpq_pool_opts o;
    evpq_error *error = pool_opts_read(given, 0, &o);
    ck_assert_msg(!error, "%s", evpq_error_message(error));
    return o;
}

static void refuse(const evpq_pool_opts *given)
{
    evpq_pool_opts o = {.max_size = -77};
    evpq_error *error = pool_opts_read(given, 0, &o);
    ck_assert_ptr_nonnull(error);
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(error), "evpq_pool_opts"));
    ck_assert_int_eq(o.max_size, -77);
    evpq_error_unref(error);
}

static void ck_same(double a, double b)
{
    ck_assert_double_eq_tol(a, b, 1e-12);
}

static void ck_defaults(const evpq_pool_opts *o)
{
    ck_assert_uint_eq(o->size, sizeof *o);
    ck_assert_int_eq(o->min_size, 0);
    ck_assert_int_eq(o->max_size, 10);
    ck_assert_int_eq(o->max_waiting, 100000);
    ck_same(o->acquire_timeout, 30); /* F15: finite */
    ck_assert(o->query_timeout < 0);
    ck_same(o->connect_timeout, 10);
    ck_same(o->cancel_timeout, 5);
    ck_same(o->idle_timeout, 600);
    ck_same(o->max_lifetime, 3600);
    ck_same(o->lifetime_jitter, 360);
    ck_same(o->backoff_min, 0.1);
    ck_same(o->backoff_max, 5);
    ck_assert_int_eq(o->pipeline_depth, 128);
    ck_assert_int_eq(o->prepare, EVPQ_PREPARE_AUTO);
    ck_assert_int_eq(o->prepared_max, 256);
    ck_assert_int_eq(o->reset, EVPQ_RESET_DEFAULT);
    ck_assert(!o->after_connect && !o->before_acquire && !o->after_release && !o->on_notice);
}

START_TEST(f15_nothing_given_is_every_default)
{
    evpq_pool_opts none = fill(NULL), zeros = filled(.min_size = 0);
    ck_defaults(&none);
    ck_defaults(&zeros);
}
END_TEST

START_TEST(what_is_given_stays)
{
    evpq_pool_opts o =
        filled(.min_size = 2, .max_size = 3, .max_waiting = 4, .acquire_timeout = 5,
               .query_timeout = 6, .connect_timeout = 7, .cancel_timeout = 8, .idle_timeout = 9,
               .max_lifetime = 11, .lifetime_jitter = 10, .backoff_min = 12, .backoff_max = 13,
               .pipeline_depth = 14, .prepared_max = 15, .prepare = EVPQ_PREPARE_OFF,
               .reset = EVPQ_RESET_ROLLBACK);
    ck_assert_int_eq(o.min_size, 2);
    ck_assert_int_eq(o.max_size, 3);
    ck_assert_int_eq(o.max_waiting, 4);
    const double times[] = {o.acquire_timeout, o.query_timeout, o.connect_timeout,
                            o.cancel_timeout,  o.idle_timeout,  o.lifetime_jitter,
                            o.max_lifetime,    o.backoff_min,   o.backoff_max};
    for (int i = 0; i < 9; i++)
        ck_same(times[i], 5 + i);
    ck_assert_int_eq(o.pipeline_depth, 14);
    ck_assert_int_eq(o.prepared_max, 15);
    ck_assert_int_eq(o.prepare, EVPQ_PREPARE_OFF);
    ck_assert_int_eq(o.reset, EVPQ_RESET_ROLLBACK);
}
END_TEST

START_TEST(defaults_follow_what_is_given)
{
    ck_assert_int_eq(filled(.min_size = 25).max_size, 25);
    ck_assert_int_eq(filled(.pipeline_depth = 1).pipeline_depth, 1); /* the least */
    ck_same(filled(.max_lifetime = 50).lifetime_jitter, 5);
    ck_same(filled(.max_lifetime = -1).lifetime_jitter, 0);
    ck_same(filled(.backoff_min = 9).backoff_max, 9);
}
END_TEST

START_TEST(the_connection_strings_timeout_comes_between)
{
    evpq_pool_opts o;
    ck_assert_ptr_null(pool_opts_read(NULL, 3, &o));
    ck_same(o.connect_timeout, 3);
    ck_assert_ptr_null(pool_opts_read(NULL, 1, &o));
    ck_same(o.connect_timeout, 1);
    evpq_pool_opts given = {.size = sizeof given, .connect_timeout = 4};
    ck_assert_ptr_null(pool_opts_read(&given, 3, &o));
    ck_same(o.connect_timeout, 4);
}
END_TEST

START_TEST(a_negative_time_switches_off)
{
    evpq_pool_opts o =
        filled(.acquire_timeout = -1, .query_timeout = -1, .idle_timeout = -1, .max_lifetime = -1);
    ck_assert(o.acquire_timeout < 0 && o.query_timeout < 0 && o.idle_timeout < 0 &&
              o.max_lifetime < 0);
}
END_TEST

START_TEST(nonsense_is_refused)
{
    refused(.min_size = -1);
    refused(.max_size = -1);
    refused(.min_size = 5, .max_size = 4);
    refused(.max_size = 10001);
    refused(.max_waiting = -1);
    refused(.pipeline_depth = -1);
    refused(.prepared_max = -1);
    refused(.connect_timeout = -1);
    refused(.cancel_timeout = -1);
    refused(.lifetime_jitter = -1);
    refused(.max_lifetime = 10, .lifetime_jitter = 11); /* F57: no connection would ever be used */
    refused(.backoff_min = -1);
    refused(.backoff_min = 2, .backoff_max = 1);
    refused(.acquire_timeout = (double)NAN);
    refused(.idle_timeout = (double)INFINITY);
    refused(.query_timeout = -(double)INFINITY);
    refused(.reset = EVPQ_RESET_FULL + 1);
    refused(.prepare = EVPQ_PREPARE_OFF + 1);
}
END_TEST

START_TEST(the_limit_of_connections_is_allowed)
{
    ck_assert_int_eq(filled(.max_size = 10000).max_size, 10000);
    ck_assert_int_eq(filled(.min_size = 4, .max_size = 4).min_size, 4);
}
END_TEST

START_TEST(a_shorter_struct_of_an_older_program_is_read_as_far_as_it_goes)
{
    evpq_pool_opts given = {.size = offsetof(evpq_pool_opts, max_waiting),
                            .max_size = 3,
                            .max_waiting = -5,
                            .backoff_min = -5};
    evpq_pool_opts o = fill(&given);
    ck_assert_int_eq(o.max_size, 3);
    ck_assert_int_eq(o.max_waiting, 100000);
    ck_same(o.backoff_min, 0.1);
    ck_assert_uint_eq(o.size, sizeof o);
}
END_TEST

START_TEST(a_struct_without_its_size_is_refused)
{
    refuse(&(evpq_pool_opts){.max_size = 3});
}
END_TEST

int main(void)
{
    struct check *c = check_begin("opts");
    CHECK_ADD(c, f15_nothing_given_is_every_default);
    CHECK_ADD(c, what_is_given_stays);
    CHECK_ADD(c, defaults_follow_what_is_given);
    CHECK_ADD(c, the_connection_strings_timeout_comes_between);
    CHECK_ADD(c, a_negative_time_switches_off);
    CHECK_ADD(c, nonsense_is_refused);
    CHECK_ADD(c, the_limit_of_connections_is_allowed);
    CHECK_ADD(c, a_shorter_struct_of_an_older_program_is_read_as_far_as_it_goes);
    CHECK_ADD(c, a_struct_without_its_size_is_refused);
    return check_end(c);
}
