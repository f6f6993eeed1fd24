/* map.h - a hash table of nodes that the caller owns, found by the hash of their keys.
 *
 * Intrusive: a node embeds struct map_node. The table knows hashes only: what a key is, and which
 * of the nodes with equal hashes is meant, the caller knows. It grows with its content; when there
 * is no memory to grow, it goes on with longer chains, so that an insertion never fails. */
#ifndef BASE_MAP_H
#define BASE_MAP_H

#include <stddef.h>
#include <stdint.h>

struct map_node {
    struct map_node *next;
    uint64_t hash;
};

/* Not to be moved. */
struct map {
    struct map_node **buckets;
    size_t size; /* a power of two, or 1 with `one` as the only bucket */
    size_t count;
    struct map_node *one;
};

void map_init(struct map *m);
void map_free(struct map *m); /* the table; nodes are the caller's */

/* `seed` is 0, or the hash of what the key has before these bytes. */
uint64_t map_hash(uint64_t seed, const void *bytes, size_t length);

/* All nodes with this hash, in turn, and then NULL. */
struct map_node *map_first(const struct map *m, uint64_t hash);
struct map_node *map_next(const struct map_node *node);

void map_insert(struct map *m, struct map_node *node, uint64_t hash);
void map_remove(struct map *m, struct map_node *node);

#endif
