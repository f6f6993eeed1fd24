/* test_list.c - the intrusive list: order, removal in any state, splicing. */
#include "base/list.h"

#include "support/check.h"

struct item {
    struct list node;
    int n;
};

static struct list head;
static struct item items[4];

static void fill(int n)
{
    list_init(&head);
    for (int i = 0; i < 4; i++) {
        list_init(&items[i].node);
        items[i].n = i;
        if (i < n)
            list_append(&head, &items[i].node);
    }
}

/* The list, forwards, as digits; it must be the same backwards. */
static int digits(const struct list *l)
{
    int forwards = 0, backwards = 0, place = 1;
    for (const struct list *node = l->next; node != l; node = node->next)
        forwards = forwards * 10 + container_of(node, struct item, node)->n + 1;
    for (const struct list *node = l->prev; node != l; node = node->prev, place *= 10)
        backwards += place * (container_of(node, struct item, node)->n + 1);
    ck_assert_int_eq(forwards, backwards);
    return forwards;
}

START_TEST(an_empty_list_has_no_first_and_nothing_to_pop)
{
    fill(0);
    ck_assert(list_empty(&head));
    ck_assert_ptr_null(list_first(&head));
    ck_assert_ptr_null(list_pop(&head));
}
END_TEST

START_TEST(append_keeps_order_and_prepend_goes_first)
{
    fill(3);
    list_prepend(&head, &items[3].node);
    ck_assert_int_eq(digits(&head), 4123);
    ck_assert_ptr_eq(list_first(&head), &items[3].node);
}
END_TEST

START_TEST(a_node_can_be_removed_once_or_often)
{
    fill(3);
    list_remove(&items[1].node);
    ck_assert(!list_linked(&items[1].node));
    list_remove(&items[1].node);
    ck_assert_int_eq(digits(&head), 13);
    list_append(&head, &items[1].node);
    ck_assert(list_linked(&items[1].node));
    ck_assert_int_eq(digits(&head), 132);
}
END_TEST

START_TEST(pop_takes_from_the_front_and_leaves_the_node_unlinked)
{
    fill(2);
    ck_assert_ptr_eq(list_pop(&head), &items[0].node);
    ck_assert(!list_linked(&items[0].node));
    ck_assert_ptr_eq(list_pop(&head), &items[1].node);
    ck_assert(list_empty(&head));
}
END_TEST

START_TEST(splice_moves_all_to_the_end_and_empties_the_other)
{
    struct list to;
    fill(3);
    list_init(&to);
    list_append(&to, &items[3].node);
    list_splice(&to, &head);
    ck_assert_int_eq(digits(&to), 4123);
    ck_assert(list_empty(&head));
    list_splice(&to, &head);
    ck_assert_int_eq(digits(&to), 4123);
    list_splice(&head, &to);
    ck_assert_int_eq(digits(&head), 4123);
}
END_TEST

START_TEST(each_allows_the_current_node_to_be_removed)
{
    int seen = 0;
    fill(4);
    list_each(node, &head) {
        struct item *item = container_of(node, struct item, node);
        seen = seen * 10 + item->n + 1;
        if (item->n % 2)
            list_remove(node);
    }
    ck_assert_int_eq(seen, 1234);
    ck_assert_int_eq(digits(&head), 13);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("list");
    CHECK_ADD(c, an_empty_list_has_no_first_and_nothing_to_pop);
    CHECK_ADD(c, append_keeps_order_and_prepend_goes_first);
    CHECK_ADD(c, a_node_can_be_removed_once_or_often);
    CHECK_ADD(c, pop_takes_from_the_front_and_leaves_the_node_unlinked);
    CHECK_ADD(c, splice_moves_all_to_the_end_and_empties_the_other);
    CHECK_ADD(c, each_allows_the_current_node_to_be_removed);
    return check_end(c);
}
