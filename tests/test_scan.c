/* test_scan.c - a row into variables: what cannot be read is a fault and zero, and one from before
 * neither counts nor is forgotten. */
#include "libpq/rowset.h"

#include "support/check.h"

#include <evpq/scan.h>
#include <string.h>

enum { INT4 = 23, TEXT = 25 };

/* One row: 7, NULL, "x". */
static evpq_result *row(void)
{
    struct column *columns;
    struct span *spans;
    evpq_result *r = rowset_new(1, 3, &columns, &spans);
    ck_assert_ptr_nonnull(r);
    columns[0] = (struct column){"seven", INT4, false};
    columns[1] = (struct column){"none", INT4, false};
    columns[2] = (struct column){"x", TEXT, false};
    spans[0] = (struct span){"7", 1};
    spans[1] = (struct span){NULL, -1};
    spans[2] = (struct span){"x", 1};
    return r;
}

START_TEST(each_by_its_type)
{
    evpq_result *r = row();
    int seven = 0, none = 77;
    bool is_null = false;
    const char *x = NULL;
    ck_assert(EVPQ_SCAN(r, 0, &seven, EVPQ_MAYBE(&is_null, &none), &x));
    ck_assert_int_eq(seven, 7);
    ck_assert(is_null && none == 0);
    ck_assert_str_eq(x, "x");
    long wide = 0;
    long long wider = 0;
    ck_assert(EVPQ_SCAN(r, 0, &wide, EVPQ_MAYBE(&is_null, &wider), EVPQ_TARGET(&x)));
    ck_assert_int_eq(wide, 7);
    ck_assert(EVPQ_SCAN(r, 0, EVPQ_MAYBE(&is_null, &wider), &x, &x));
    ck_assert(!is_null && wider == 7);
    ck_assert_ptr_null(evpq_result_fault(r));
    evpq_result_unref(r);
}
END_TEST

START_TEST(what_cannot_be_read_is_zero_and_a_fault)
{
    evpq_result *r = row();
    int seven = 1, none = 77, x = 77;
    ck_assert(!EVPQ_SCAN(r, 0, &seven, &none, &x));
    ck_assert_int_eq(seven, 7);
    ck_assert(none == 0 && x == 0);
    const evpq_error *fault = evpq_result_fault(r);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(fault), "\"none\""));

    const char *text, *more;
    ck_assert(EVPQ_SCAN(r, 0, &seven, &more, &text));
    ck_assert_ptr_eq(evpq_result_fault(r), fault);
    ck_assert(!EVPQ_SCAN(r, 1, &seven, &more, &text));
    ck_assert(seven == 0 && !more && !text);
    ck_assert_ptr_eq(evpq_result_fault(r), fault);
    evpq_result_unref(r);
}
END_TEST

START_TEST(as_many_as_there_are_columns)
{
    evpq_result *r = row();
    int a = 77, b = 77;
    bool is_null = false;
    ck_assert(!EVPQ_SCAN(r, 0, &a, EVPQ_MAYBE(&is_null, &b)));
    ck_assert(a == 0 && b == 0 && is_null);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_result_fault(r)),
                                 "into 2 variables: the result has 3 columns"));
    evpq_result_unref(r);
    a = 77;
    ck_assert(!EVPQ_SCAN(NULL, 0, &a));
    ck_assert_int_eq(a, 0);
}
END_TEST

START_TEST(up_to_thirty_two)
{
    struct column *columns;
    struct span *spans;
    evpq_result *r = rowset_new(1, 32, &columns, &spans);
    int v[32];
    char digits[32];
    for (int i = 0; i < 32; i++) {
        digits[i] = (char)('0' + i % 10);
        columns[i] = (struct column){"c", INT4, false};
        spans[i] = (struct span){&digits[i], 1};
    }
    ck_assert(EVPQ_SCAN(r, 0, &v[0], &v[1], &v[2], &v[3], &v[4], &v[5], &v[6], &v[7], &v[8], &v[9],
                        &v[10], &v[11], &v[12], &v[13], &v[14], &v[15], &v[16], &v[17], &v[18],
                        &v[19], &v[20], &v[21], &v[22], &v[23], &v[24], &v[25], &v[26], &v[27],
                        &v[28], &v[29], &v[30], &v[31]));
    for (int i = 0; i < 32; i++)
        ck_assert_int_eq(v[i], i % 10);
    evpq_result_unref(r);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("scan");
    CHECK_ADD(c, each_by_its_type);
    CHECK_ADD(c, what_cannot_be_read_is_zero_and_a_fault);
    CHECK_ADD(c, as_many_as_there_are_columns);
    CHECK_ADD(c, up_to_thirty_two);
    return check_end(c);
}
