/* map.c - a chained hash table; see map.h for what may be relied on. */
#include "base/map.h"

#include "base/mem.h"

#include <string.h>

enum { FIRST_SIZE = 16 };

static struct map_node **buckets(const struct map *m)
{
    return m->buckets ? m->buckets : (struct map_node **)(void *)&((struct map *)(void *)m)->one;
}

static struct map_node **slot(const struct map *m, uint64_t hash)
{
    return &buckets(m)[hash & (m->size - 1)];
}

static void grow(struct map *m)
{
    size_t size = m->size < FIRST_SIZE ? FIRST_SIZE : m->size * 2;
    struct map_node **wider = mem_zalloc(size * sizeof *wider);
    if (!wider)
        return;
    for (size_t i = 0; i < m->size; i++) {
        struct map_node *node = buckets(m)[i], *next;
        for (; node; node = next) {
            next = node->next;
            struct map_node **to = &wider[node->hash & (size - 1)];
            node->next = *to;
            *to = node;
        }
    }
    mem_free(m->buckets);
    m->buckets = wider;
    m->size = size;
}

void map_init(struct map *m)
{
    *m = (struct map){.size = 1};
}

void map_free(struct map *m)
{
    mem_free(m->buckets);
    map_init(m);
}

/* Eight bytes at a time, each folded in by a multiplication whose halves are mixed. */
static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9e3779b97f4a7c15);
    return hash ^ hash >> 32;
}

uint64_t map_hash(const char *key, size_t length)
{
    uint64_t hash = mix(length, 0), word;
    for (; length >= sizeof word; key += sizeof word, length -= sizeof word) {
        memcpy(&word, key, sizeof word);
        hash = mix(hash, word);
    }
    word = 0;
    memcpy(&word, key, length);
    return mix(hash, word);
}

struct map_node *map_find(const struct map *m, const char *key, uint64_t hash)
{
    struct map_node *node = *slot(m, hash);
    while (node && (node->hash != hash || strcmp(node->key, key)))
        node = node->next;
    return node;
}

void map_insert(struct map *m, struct map_node *node, const char *key, uint64_t hash)
{
    if (m->count >= m->size)
        grow(m);
    struct map_node **head = slot(m, hash);
    *node = (struct map_node){.next = *head, .key = key, .hash = hash};
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
