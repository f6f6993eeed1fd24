/* map.h - a hash table from strings to nodes that the caller owns.
 *
 * Intrusive: a node embeds struct map_node, and its key must live as long as it is in the map. The
 * table grows with its content; when there is no memory to grow, it goes on with longer chains, so
 * that an insertion never fails. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_node {
    struct map_node *next;
    const char *key;
    uint64_t hash;
};

struct map {
    struct map_node **buckets;
    size_t size; /* a power of two, or 1 with `one` as the only bucket */
    size_t count;
    struct map_node *one;
};

void map_init(struct map *m);
void map_free(struct map *m); /* the table; nodes are the caller's */

uint64_t map_hash(const char *key, size_t length);
struct map_node *map_find(const struct map *m, const char *key, uint64_t hash);
void map_insert(struct map *m, struct map_node *node, const char *key, uint64_t hash);
void map_remove(struct map *m, struct map_node *node);

#endif
