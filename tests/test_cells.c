/* test_cells.c - converted values stay where they are, and running out of memory is survived. */
#include "libpq/cells.h"

#include "support/check.h"

#include <string.h>

START_TEST(a_cell_starts_empty_and_stays)
{
    struct cells *c = cells_new(3, 2);
    ck_assert_ptr_nonnull(c);
    struct cell *first = cells_at(c, 0, 0), *last = cells_at(c, 2, 1);
    ck_assert_ptr_null(first->bytes);
    ck_assert_ptr_null(last->bytes);
    first->bytes = "one";
    last->bytes = "six";
    ck_assert_ptr_eq(cells_at(c, 0, 0), first);
    ck_assert_str_eq(cells_at(c, 0, 0)->bytes, "one");
    ck_assert_ptr_eq(cells_column(c, 0), first);
    ck_assert_str_eq(cells_at(c, 2, 1)->bytes, "six");
    cells_free(c);
}
END_TEST

START_TEST(what_is_kept_is_not_given_again)
{
    struct cells *c = cells_new(1, 1);
    ck_assert_ptr_nonnull(c);
    char *first = cells_reserve(c, 10);
    ck_assert_ptr_eq(cells_reserve(c, 10), first);
    strcpy(first, "first");
    cells_keep(c, 6);
    char *second = cells_reserve(c, 10);
    ck_assert_ptr_eq(second, first + 6);
    char *kept[300];
    for (int i = 0; i < 300; i++) {
        kept[i] = cells_reserve(c, 1000);
        ck_assert_ptr_nonnull(kept[i]);
        memset(kept[i], i, 1000);
        cells_keep(c, 1000);
    }
    for (int i = 0; i < 300; i++)
        for (int k = 0; k < 1000; k++)
            ck_assert_int_eq(kept[i][k], (char)i);
    ck_assert_str_eq(first, "first");
    char *large = cells_reserve(c, 1000000);
    ck_assert_ptr_nonnull(large);
    memset(large, 1, 1000000);
    cells_free(c);
}
END_TEST

START_TEST(sizes_that_no_machine_has_are_refused)
{
    struct cells *c = cells_new((size_t)-1 / 2, 1);
    ck_assert_ptr_nonnull(c);
    ck_assert_ptr_null(cells_at(c, 0, 0));
    ck_assert_ptr_null(cells_reserve(c, (size_t)-1));
    cells_free(c);
    ck_assert_ptr_null(cells_new(1, (size_t)-1 / sizeof(void *)));
    cells_free(NULL);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("cells");
    CHECK_ADD(c, a_cell_starts_empty_and_stays);
    CHECK_ADD(c, what_is_kept_is_not_given_again);
    CHECK_ADD(c, sizes_that_no_machine_has_are_refused);
    return check_end(c);
}
