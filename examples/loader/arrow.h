/* arrow.h - the two structs of the Arrow C Data Interface: how columns are handed to another
 * library in the same process, without a copy. Layout, names and the guard are those of the
 * specification, so that a program may see them from several headers. The format strings and the
 * order of the buffers of each type are there, too. */
#ifndef LOADER_ARROW_H
#define LOADER_ARROW_H

#include <stdint.h>

#ifndef ARROW_C_DATA_INTERFACE
# define ARROW_C_DATA_INTERFACE

# define ARROW_FLAG_DICTIONARY_ORDERED 1
# define ARROW_FLAG_NULLABLE 2
# define ARROW_FLAG_MAP_KEYS_SORTED 4

/* What a column is. Who has it calls `release` once, which marks it as released by setting that to
 * NULL; who moves it copies the struct and does the same to the one left behind. */
struct ArrowSchema {
    const char *format;
    const char *name;
    const char *metadata;
    int64_t flags;
    int64_t n_children;
    struct ArrowSchema **children;
    struct ArrowSchema *dictionary;
    void (*release)(struct ArrowSchema *);
    void *private_data;
};

/* What is in it. */
struct ArrowArray {
    int64_t length;
    int64_t null_count;
    int64_t offset;
    int64_t n_buffers;
    int64_t n_children;
    const void **buffers;
    struct ArrowArray **children;
    struct ArrowArray *dictionary;
    void (*release)(struct ArrowArray *);
    void *private_data;
};

#endif

#endif
