/* map.c - a chained hash table; see map.h for what may be relied on. */
#include "base/map.h"

#include "base/mem.h"

#include <string.h>

enum { FIRST_SIZE = 16 };

static struct map_node **slot(const struct map *m, uint64_t hash)
{
    return &m->buckets[hash & (m->size - 1)];
}

static void free_buckets(struct map *m)
{
    if (m->buckets != &m->one)
        mem_free(m->buckets);
}

static void grow(struct map *m)
{
    size_t size = m->size < FIRST_SIZE ? FIRST_SIZE : m->size * 2;
    struct map_node **wider = mem_zalloc(size * sizeof *wider);
    if (!wider)
        return;
    for (size_t i = 0; i < m->size; i++) {
        struct map_node *node = m->buckets[i], *next;
        for (; node; node = next) {
            next = node->next;
            struct map_node **to = &wider[node->hash & (size - 1)];
            node->next = *to;
            *to = node;
        }
    }
    free_buckets(m);
    m->buckets = wider;
    m->size = size;
}

void map_init(struct map *m)
{
    *m = (struct map){.buckets = &m->one, .size = 1};
}

void map_free(struct map *m)
{
    free_buckets(m);
    map_init(m);
}

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

static uint64_t word_at(const char *bytes, size_t length)
{
    uint64_t word = 0;
    memcpy(&word, bytes, length);
    return word;
}

/* Eight bytes at a time, the last of which overlap with those before them. The length makes up for
 * that, and comes last, as what is mixed in last but one reaches every bit of the hash. */
uint64_t map_hash(uint64_t seed, const void *bytes, size_t length)
{
    enum { WORD = sizeof(uint64_t) };
    const char *at = bytes;
    if (length < WORD)
        return mix(mix(seed, word_at(at, length)), length);
    const char *last = at + length - WORD;
    for (; at < last; at += WORD)
        seed = mix(seed, word_at(at, WORD));
    return mix(mix(seed, word_at(last, WORD)), length);
}

static struct map_node *with_hash(struct map_node *node, uint64_t hash)
{
    while (node && node->hash != hash)
        node = node->next;
    return node;
}

struct map_node *map_first(const struct map *m, uint64_t hash)
{
    return with_hash(*slot(m, hash), hash);
}

struct map_node *map_next(const struct map_node *node)
{
    return with_hash(node->next, node->hash);
}

void map_insert(struct map *m, struct map_node *node, uint64_t hash)
{
    if (m->count >= m->size)
        grow(m);
    struct map_node **head = slot(m, hash);
    *node = (struct map_node){.next = *head, .hash = hash};
    *head = node;
    m->count++;
}

void map_remove(struct map *m, struct map_node *node)
{
    struct map_node **link = slot(m, node->hash);
    while (*link && *link != node)
        link = &(*link)->next;
    if (!*link)
        return;
    *link = node->next;
    m->count--;
}
