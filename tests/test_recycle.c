/* test_recycle.c - blocks that are kept for the next to come. */
#include "base/recycle.h"

#include "support/check.h"

#include <stdint.h>
#include <stdlib.h>
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

START_TEST(a_block_comes_back_to_its_own_class)
{
    struct recycler *r = recycler_new();
    for (size_t size = 0; size <= RECYCLER_LARGEST && RECYCLER_KEEPS; size++) {
        void *block = recycler_take(r, size);
        recycler_give(r, block, size);
        ck_assert_ptr_eq(recycler_take(r, size), block);
        struct recycler_shelf *shelf = recycler_shelf(r, size);
        ck_assert_uint_eq(shelf->n, 0);
        ck_assert_ptr_null(shelf->first);
        size_t most = ((size_t)(shelf - r->shelves) + 1) * RECYCLER_STEP - RECYCLER_HEAD;
        ck_assert_uint_ge(most, size);
        ck_assert_uint_lt(most, size + RECYCLER_STEP);
        memset(block, 0x5a, most);
        recycler_give(r, block, size);
    }
    recycler_unref(r);
}
END_TEST

START_TEST(what_is_too_large_passes_through)
{
    struct recycler *r = recycler_new();
    ck_assert_ptr_null(recycler_shelf(r, RECYCLER_LARGEST + 1));
    void *block = recycler_take(r, RECYCLER_LARGEST + 1);
    ck_assert_ptr_nonnull(block);
    recycler_give(r, block, RECYCLER_LARGEST + 1);
    ck_assert_ptr_null(recycler_shelf(r, SIZE_MAX));
    recycler_unref(r);
}
END_TEST

START_TEST(a_burst_does_not_stay)
{
    enum { N = RECYCLER_MOST + 10 };
    struct recycler *r = recycler_new();
    void **blocks = calloc(N, sizeof *blocks);
    ck_assert_ptr_nonnull(blocks);
    for (int i = 0; i < N; i++)
        blocks[i] = recycler_take(r, 1);
    for (int i = 0; i < N; i++)
        recycler_give(r, blocks[i], 1);
    ck_assert_uint_eq(r->shelves[0].n, RECYCLER_KEEPS ? RECYCLER_MOST : 0);
    free(blocks);
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
    struct recycler *r = recycler_new();
    recycler_give(r, NULL, 10);
    ck_assert_uint_eq(recycler_shelf(r, 10) ? recycler_shelf(r, 10)->n : 0, 0);
    recycler_unref(r);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("recycle");
    CHECK_ADD(c, a_block_has_the_size_that_was_asked_for);
    CHECK_ADD(c, a_block_comes_back_to_its_own_class);
    CHECK_ADD(c, what_is_too_large_passes_through);
    CHECK_ADD(c, a_burst_does_not_stay);
    CHECK_ADD(c, blocks_in_use_are_never_handed_out_again);
    CHECK_ADD(c, it_lives_until_the_last_who_needs_it_is_gone);
    CHECK_ADD(c, without_one_nothing_is_kept);
    return check_end(c);
}
