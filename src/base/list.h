/* list.h - intrusive doubly linked list.
 *
 * A list is a ring through its head; a node that is on no list points to itself, so that
 * list_remove may be called on any initialised node, once or often. Nothing is owned. */
#ifndef BASE_LIST_H
#define BASE_LIST_H

#include <stdbool.h>
#include <stddef.h>

struct list {
    struct list *next, *prev;
};

/* The struct that `node` is the member `name` of. */
#define container_of(node, type, name) ((type *)(void *)((char *)(node)-offsetof(type, name)))

static inline void list_init(struct list *l)
{
    l->next = l->prev = l;
}

static inline bool list_empty(const struct list *l)
{
    return l->next == l;
}

/* Whether a node is on some list. */
static inline bool list_linked(const struct list *node)
{
    return node->next != node;
}

static inline void list_append(struct list *l, struct list *node)
{
    node->prev = l->prev;
    node->next = l;
    l->prev->next = node;
    l->prev = node;
}

static inline void list_prepend(struct list *l, struct list *node)
{
    list_append(l->next, node);
}

static inline void list_remove(struct list *node)
{
    node->prev->next = node->next;
    node->next->prev = node->prev;
    list_init(node);
}

/* The first node, or NULL. */
static inline struct list *list_first(const struct list *l)
{
    return list_empty(l) ? NULL : l->next;
}

/* Takes the first node off, or returns NULL. */
static inline struct list *list_pop(struct list *l)
{
    struct list *node = list_first(l);
    if (node)
        list_remove(node);
    return node;
}

/* The same at the other end. */
static inline struct list *list_pop_last(struct list *l)
{
    struct list *node = list_empty(l) ? NULL : l->prev;
    if (node)
        list_remove(node);
    return node;
}

/* Moves everything on `from` to the end of `to`. */
static inline void list_splice(struct list *to, struct list *from)
{
    if (list_empty(from))
        return;
    from->next->prev = to->prev;
    from->prev->next = to;
    to->prev->next = from->next;
    to->prev = from->prev;
    list_init(from);
}

/* The body may remove the current node, and nothing else. */
#define list_each(node, head)                                                      \
 for (struct list *node = (head)->next, *node##_next = node->next; node != (head); \
      node = node##_next, node##_next = node->next)

#endif
