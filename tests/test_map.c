/* test_map.c - the string map: finding, removing, growing, equal hashes. That it goes on without
 * memory to grow is shown in test_oom.c. */
#include "base/map.h"

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
    return map_find(m, key, map_hash(key, strlen(key)));
}

static void insert(struct map *m, int i)
{
    snprintf(entries[i].key, sizeof entries[i].key, "key %d", i);
    map_insert(m, &entries[i].node, entries[i].key,
               map_hash(entries[i].key, strlen(entries[i].key)));
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

START_TEST(equal_hashes_are_told_apart_by_their_keys)
{
    struct map m;
    struct map_node a, b, c;
    map_init(&m);
    map_insert(&m, &a, "a", 42);
    map_insert(&m, &b, "b", 42);
    map_insert(&m, &c, "c", 42);
    ck_assert_ptr_eq(map_find(&m, "a", 42), &a);
    ck_assert_ptr_eq(map_find(&m, "b", 42), &b);
    map_remove(&m, &b);
    ck_assert_ptr_null(map_find(&m, "b", 42));
    ck_assert_ptr_eq(map_find(&m, "a", 42), &a);
    ck_assert_ptr_eq(map_find(&m, "c", 42), &c);
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

START_TEST(the_hash_looks_at_every_byte)
{
    ck_assert_uint_eq(map_hash("select 1", strlen("select 1")),
                      map_hash("select 1", strlen("select 1")));
    ck_assert_uint_ne(map_hash("select 1", strlen("select 1")),
                      map_hash("select 2", strlen("select 2")));
    ck_assert_uint_ne(map_hash("ab", strlen("ab")), map_hash("ba", strlen("ba")));
    ck_assert_uint_ne(map_hash("", strlen("")), map_hash("\xff", strlen("\xff")));
}
END_TEST

int main(void)
{
    struct check *c = check_begin("map");
    CHECK_ADD(c, a_new_map_is_empty_and_finds_nothing);
    CHECK_ADD(c, what_was_inserted_is_found_by_an_equal_key);
    CHECK_ADD(c, all_are_found_while_it_grows_and_shrinks);
    CHECK_ADD(c, removing_what_is_not_there_changes_nothing);
    CHECK_ADD(c, equal_hashes_are_told_apart_by_their_keys);
    CHECK_ADD(c, a_freed_map_is_a_new_one);
    CHECK_ADD(c, the_hash_looks_at_every_byte);
    return check_end(c);
}
