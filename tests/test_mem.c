/* test_mem.c - allocation in one place: no size is special, and copies are copies. */
#include "base/mem.h"

#include "support/check.h"

#include <stdint.h>
#include <string.h>

START_TEST(nothing_at_all_is_still_a_block)
{
    void *blocks[] = {mem_alloc(0), mem_zalloc(0), mem_dup("", 0)};
    for (size_t i = 0; i < 3; i++) {
        ck_assert_ptr_nonnull(blocks[i]);
        mem_free(blocks[i]);
    }
}
END_TEST

START_TEST(zalloc_gives_zeros)
{
    unsigned char *bytes = mem_zalloc(1000);
    for (int i = 0; i < 1000; i++)
        ck_assert_uint_eq(bytes[i], 0);
    mem_free(bytes);
}
END_TEST

START_TEST(copies_are_the_callers_own)
{
    char bytes[] = {1, 0, 2}, text[] = "text";
    char *copy = mem_dup(bytes, sizeof bytes), *string = mem_strdup(text);
    bytes[2] = text[0] = 'x';
    ck_assert_mem_eq(copy, "\1\0\2", 3);
    ck_assert_str_eq(string, "text");
    mem_free(copy);
    mem_free(string);
}
END_TEST

START_TEST(null_is_copied_as_null_and_may_be_freed)
{
    ck_assert_ptr_null(mem_strdup(NULL));
    mem_free(NULL);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("mem");
    CHECK_ADD(c, nothing_at_all_is_still_a_block);
    CHECK_ADD(c, zalloc_gives_zeros);
    CHECK_ADD(c, copies_are_the_callers_own);
    CHECK_ADD(c, null_is_copied_as_null_and_may_be_freed);
    return check_end(c);
}
