/* test_recycle.c - blocks that are kept for the next to come. */
#include "base/recycle.h"

#include "support/check.h"

#include <stdint.h>
#include <string.h>

START_TEST(a_block_has_the_size_that_was_asked_for)
{
    struct recycler *r = recycler_new();
    for (size_t size = 0; size < 3000; size += 7) {
        char *block = recycler_take(r, size);
        ck_assert_ptr_nonnull(block);
        ck_assert_uint_eq((uintptr_t)block % sizeof(void *), 0);
        memset(block, 0x5a, size);
        recycler_give(r, block, size);
    }
    recycler_unref(r);
}
END_TEST

START_TEST(blocks_in_use_are_never_handed_out_again)
{
    enum { N = 100 };
    struct recycler *r = recycler_new();
    unsigned char *blocks[N];
    for (int round = 0; round < 3; round++) {
        for (int i = 0; i < N; i++) {
            blocks[i] = recycler_take(r, 100);
            memset(blocks[i], i, 100);
        }
        for (int i = 0; i < N; i++) {
            ck_assert_uint_eq(blocks[i][0], i);
            ck_assert_uint_eq(blocks[i][99], i);
            recycler_give(r, blocks[i], 100);
        }
    }
    recycler_unref(r);
}
END_TEST

START_TEST(it_lives_until_the_last_who_needs_it_is_gone)
{
    struct recycler *r = recycler_new();
    void *block = recycler_take(recycler_ref(r), 10);
    recycler_unref(r);
    recycler_give(r, block, 10);
    recycler_unref(r);
}
END_TEST

START_TEST(without_one_nothing_is_kept)
{
    void *block = recycler_take(NULL, 10);
    ck_assert_ptr_nonnull(block);
    recycler_give(NULL, block, 10);
    recycler_give(NULL, NULL, 10);
    recycler_unref(recycler_ref(NULL));
}
END_TEST

int main(void)
{
    struct check *c = check_begin("recycle");
    CHECK_ADD(c, a_block_has_the_size_that_was_asked_for);
    CHECK_ADD(c, blocks_in_use_are_never_handed_out_again);
    CHECK_ADD(c, it_lives_until_the_last_who_needs_it_is_gone);
    CHECK_ADD(c, without_one_nothing_is_kept);
    return check_end(c);
}
