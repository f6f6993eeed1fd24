/* it_encoding.c - F56: client encodings of whose letters the second byte looks like ASCII. What is
 * inside a value is read right, or not at all, with a fault that says why. */
#include "support/pools.h"

#include <string.h>

static const struct {
    const char *encoding, *value;
    bool ambiguous; /* a second byte is punctuation of arrays or records */
} letters[] = {
    {"SJIS", "\x83\x5c x", true},    {"SJIS", "\x83\x7b", true},
    {"SJIS", "\x83\x41 x", false},   {"BIG5", "\xa5\x5c x", true},
    {"GBK", "\x81\x5c x", true},     {"GB18030", "\x81\x7b", true},
    {"UTF8", "\xc3\xa9\\ x", false}, {"UTF8", "\xc3\xa9{,}", false},
    {"EUC_JP", "\xa5\xbd x", false},
};
enum { LETTERS = sizeof letters / sizeof *letters };

static void ck_right_or_fault(const evpq_result *r, const char *is, const char *value, bool may)
{
    if (evpq_result_fault(r)) {
        ck_assert_msg(may, "%s", evpq_error_message(evpq_result_fault(r)));
        ck_assert_int_eq(evpq_error_status(evpq_result_fault(r)), EVPQ_TYPE);
        evpq_result_fault_clear(r);
        return;
    }
    ck_assert_ptr_nonnull(is);
    ck_assert_str_eq(is, value);
}

START_TEST(f56_what_is_inside_is_right_or_a_fault)
{
    const char *value = letters[_i].value;
    bool may = letters[_i].ambiguous;
    open_pool_at(server_conninfo(SERVER_UNIX, strf("client_encoding=%s", letters[_i].encoding)),
                 .max_size = 1);
    for (int format = 0; format < 2; format++) {
        const evpq_arg arg[] = {evpq_text(value)};
        evpq_future *f = evpq_pool_query(
            pool, "select array[$1::text], row($1::text), $1::text, array[row($1::text)]",
            (evpq_args){1, arg, format});
        ck_await_ok(f);
        const evpq_result *r = evpq_future_result(f);
        ck_assert_str_eq(evpq_result_text(r, 0, 2), value);
        ck_right_or_fault(r, evpq_result_text(evpq_result_array(r, 0, 0), 0, 0), value,
                          may && !format);
        ck_right_or_fault(r, evpq_result_text(evpq_result_record(r, 0, 1), 0, 0), value,
                          may && !format);
        const evpq_result *inner = evpq_result_record(evpq_result_array(r, 0, 3), 0, 0);
        ck_right_or_fault(r, evpq_result_text(inner, 0, 0), value, may && !format);
        const char *whole = evpq_result_text(r, 0, 0); /* written by the server, or by us */
        evpq_future *back = evpq_pool_query(pool, "select ($1::text[])[1]",
                                            EVPQ_ARGS(evpq_text(whole ? whole : "{}")));
        ck_await_ok(back);
        if (whole)
            ck_assert_str_eq(evpq_result_text(evpq_future_result(back), 0, 0), value);
        else
            ck_right_or_fault(r, NULL, value, may && format);
        evpq_future_unref(back);
        evpq_future_unref(f);
    }
    pools_end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("encoding");
    CHECK_ADD_LOOP(c, f56_what_is_inside_is_right_or_a_fault, LETTERS);
    return check_end(c);
}
