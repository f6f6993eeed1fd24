/* test_map.c - the hash table: finding, removing, growing, equal hashes. That it goes on without
 * memory to grow is shown in test_oom.c. */
#include "base/map.h"

#include "base/list.h"
#include "support/check.h"

#include <stdio.h>
#include <string.h>

enum { MANY = 5000 };

struct entry {
    struct map_node node;
    char key[16];
};

static struct entry entries[MANY];

static struct map_node *find(const struct map *m, const char *key)
{
    struct map_node *node = map_first(m, map_hash(0, key, strlen(key)));
    while (node && strcmp(container_of(node, struct entry, node)->key, key))
        node = map_next(node);
    return node;
}

static void insert(struct map *m, int i)
{
    snprintf(entries[i].key, sizeof entries[i].key, "key %d", i);
    map_insert(m, &entries[i].node, map_hash(0, entries[i].key, strlen(entries[i].key)));
}

START_TEST(a_new_map_is_empty_and_finds_nothing)
{
    struct map m;
    map_init(&m);
    ck_assert_uint_eq(m.count, 0);
    ck_assert_ptr_null(find(&m, ""));
    ck_assert_ptr_null(find(&m, "key 0"));
    map_free(&m);
}
END_TEST

START_TEST(what_was_inserted_is_found_by_an_equal_key)
{
    struct map m;
    char copy[] = "key 7";
    map_init(&m);
    insert(&m, 7);
    ck_assert_ptr_eq(find(&m, copy), &entries[7].node);
    ck_assert_ptr_null(find(&m, "key 70"));
    ck_assert_ptr_null(find(&m, "key"));
    map_free(&m);
}
END_TEST

START_TEST(all_are_found_while_it_grows_and_shrinks)
{
    struct map m;
    map_init(&m);
    for (int i = 0; i < MANY; i++)
        insert(&m, i);
    ck_assert_uint_eq(m.count, MANY);
    ck_assert_uint_ge(m.size * 2, MANY);
    for (int i = 0; i < MANY; i += 2)
        map_remove(&m, &entries[i].node);
    ck_assert_uint_eq(m.count, MANY / 2);
    for (int i = 0; i < MANY; i++)
        ck_assert_ptr_eq(find(&m, entries[i].key), i % 2 ? &entries[i].node : NULL);
    map_free(&m);
}
END_TEST

START_TEST(removing_what_is_not_there_changes_nothing)
{
    struct map m;
    map_init(&m);
    insert(&m, 1);
    insert(&m, 2);
    map_remove(&m, &entries[1].node);
    map_remove(&m, &entries[1].node);
    ck_assert_uint_eq(m.count, 1);
    ck_assert_ptr_eq(find(&m, "key 2"), &entries[2].node);
    map_free(&m);
}
END_TEST

/* 42 and 58 share a bucket of sixteen. */
START_TEST(equal_hashes_come_one_after_the_other_and_no_others)
{
    struct map m;
    struct map_node a, b, c, other;
    map_init(&m);
    map_insert(&m, &a, 42);
    map_insert(&m, &b, 42);
    map_insert(&m, &other, 58);
    map_insert(&m, &c, 42);
    int seen = 0;
    for (struct map_node *node = map_first(&m, 42); node; node = map_next(node)) {
        ck_assert(node == &a || node == &b || node == &c);
        seen++;
    }
    ck_assert_int_eq(seen, 3);
    map_remove(&m, &b);
    struct map_node *first = map_first(&m, 42), *second = map_next(first);
    ck_assert((first == &a && second == &c) || (first == &c && second == &a));
    ck_assert_ptr_null(map_next(second));
    ck_assert_ptr_eq(map_first(&m, 58), &other);
    ck_assert_ptr_null(map_next(&other));
    ck_assert_ptr_null(map_first(&m, 74));
    map_free(&m);
}
END_TEST

START_TEST(a_freed_map_is_a_new_one)
{
    struct map m;
    map_init(&m);
    for (int i = 0; i < 100; i++)
        insert(&m, i);
    map_free(&m);
    ck_assert_uint_eq(m.count, 0);
    ck_assert_ptr_null(find(&m, "key 1"));
    insert(&m, 1);
    ck_assert_ptr_eq(find(&m, "key 1"), &entries[1].node);
    map_free(&m);
}
END_TEST

static uint64_t hash(const char *key)
{
    return map_hash(0, key, strlen(key));
}

/* Of every length around a word's or two, changed in each place, or cut. */
START_TEST(the_hash_looks_at_every_byte)
{
    char key[] = "abcdefghijklmnopqrstuvwxyz";
    for (size_t length = 0; length < 20; length++) {
        uint64_t whole = map_hash(0, key, length);
        ck_assert_uint_eq(whole, map_hash(0, key, length));
        ck_assert_uint_ne(whole, map_hash(0, key, length + 1));
        for (size_t i = 0; i < length; i++) {
            key[i] ^= 1;
            ck_assert_uint_ne(whole, map_hash(0, key, length));
            key[i] ^= 1;
        }
    }
    ck_assert_uint_ne(hash("ab"), hash("ba"));
    ck_assert_uint_ne(map_hash(0, "", 0), map_hash(0, "\0", 1));
}
END_TEST

/* The same text, each with a number at another place: in a table of their own size no bucket gets
 * many of them. */
START_TEST(the_hash_spreads_what_differs_little)
{
    enum { KEYS = 512, MOST = 10 };
    for (int before = 0; before < 20; before++) {
        int in_bucket[KEYS] = {0};
        for (int i = 0; i < KEYS; i++) {
            char key[64];
            snprintf(key, sizeof key, "%.*s%03d where x", before, "select * from table_a_b_c", i);
            int *bucket = &in_bucket[hash(key) % KEYS];
            ++*bucket;
            ck_assert_int_lt(*bucket, MOST);
        }
    }
}
END_TEST

START_TEST(a_hash_goes_on_from_that_of_the_part_before)
{
    uint64_t one = hash("one"), two = hash("two");
    ck_assert_uint_eq(map_hash(one, "more", 4), map_hash(one, "more", 4));
    ck_assert_uint_ne(map_hash(one, "more", 4), map_hash(two, "more", 4));
    ck_assert_uint_ne(map_hash(one, "more", 4), map_hash(one, "less", 4));
    ck_assert_uint_ne(map_hash(one, "more", 4), one);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("map");
    CHECK_ADD(c, a_new_map_is_empty_and_finds_nothing);
    CHECK_ADD(c, what_was_inserted_is_found_by_an_equal_key);
    CHECK_ADD(c, all_are_found_while_it_grows_and_shrinks);
    CHECK_ADD(c, removing_what_is_not_there_changes_nothing);
    CHECK_ADD(c, equal_hashes_come_one_after_the_other_and_no_others);
    CHECK_ADD(c, a_freed_map_is_a_new_one);
    CHECK_ADD(c, the_hash_looks_at_every_byte);
    CHECK_ADD(c, the_hash_spreads_what_differs_little);
    CHECK_ADD(c, a_hash_goes_on_from_that_of_the_part_before);
    return check_end(c);
}
