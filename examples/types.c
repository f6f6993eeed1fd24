/* types.c - parameters by their C type, and getters that convert only where nothing is lost. */
#include <evpq/evpq.h>
#include <inttypes.h>
#include <stdio.h>

static void show(const evpq_result *r)
{
    size_t length;
    const unsigned char *bytes = evpq_result_bytes(r, 0, 3, &length);
    uint8_t id[16];
    evpq_result_uuid(r, 0, 4, id);
    printf("%" PRId64 " %.17g %s %zu bytes of %02x %02x..%02x %" PRId64 " us, %s\n",
           evpq_result_int8(r, 0, 0), evpq_result_float8(r, 0, 1), evpq_result_text(r, 0, 2),
           length, bytes ? bytes[0] : 0, id[0], id[15], evpq_result_timestamptz(r, 0, 5),
           evpq_result_is_null(r, 0, 6) ? "null" : "not null");
}

/* Numbers that do not fit are no numbers: 0, and a fault that the result remembers. */
static void show_fault(const evpq_result *r)
{
    int16_t small = evpq_result_int2(r, 0, 0);
    printf("as int2: %d, since %s\n", small, evpq_error_message(evpq_result_fault(r)));
    evpq_result_fault_clear(r);
}

static int ask(evpq_pool *pool, evpq_args args)
{
    evpq_future *f = evpq_pool_query(
        pool, "select $1::int8, $2::float8, $3::text, $4, $5::uuid, $6::timestamptz, $7::date",
        args);
    int failed = evpq_await(f) != EVPQ_OK;
    const evpq_result *r = evpq_future_result(f);
    if (failed) {
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(f)));
    } else {
        printf("format %d: ", evpq_result_column_format(r, 0));
        show(r);
        show_fault(r);
    }
    evpq_future_unref(f);
    return failed;
}

int main(void)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "", NULL, NULL);
    evpq_args args =
        EVPQ_ARGS(INT64_C(5000000000), 0.1, "Grüße", evpq_bytes("\xff\x00\x01", 3),
                  "00112233-4455-6677-8899-aabbccddeeff", "1970-01-01 00:00:01+00", evpq_null());

    /* The same getters read both formats that a server can send. */
    int failed = ask(pool, args) + ask(pool, evpq_binary(args));

    evpq_pool_unref(pool);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    return failed;
}
