/* cells.c - converted values: an array a column, bytes in a list of blocks. */
#include "libpq/cells.h"

#include "base/mem.h"

#include <stdint.h>

enum { FIRST_BLOCK = 256, MOST_BLOCK = 64 * 1024 };

struct cells_block {
    struct cells_block *next;
    size_t size, used;
    char bytes[];
};

struct cells {
    size_t rows, columns;
    struct cells_block *block;
    struct cell *column[]; /* each NULL or [rows] */
};

struct cells *cells_new(size_t rows, size_t columns)
{
    if (columns > SIZE_MAX / sizeof(struct cell *) - sizeof(struct cells))
        return NULL;
    struct cells *c = mem_zalloc(sizeof *c + columns * sizeof *c->column);
    if (!c)
        return NULL;
    c->rows = rows;
    c->columns = columns;
    return c;
}

struct cell *cells_at(struct cells *c, size_t row, size_t column)
{
    if (!c->column[column]) {
        if (c->rows > SIZE_MAX / sizeof(struct cell))
            return NULL;
        c->column[column] = mem_zalloc(c->rows * sizeof(struct cell));
        if (!c->column[column])
            return NULL;
    }
    return &c->column[column][row];
}

struct cell *cells_column(struct cells *c, size_t column)
{
    return c->column[column];
}

static struct cells_block *add_block(struct cells *c, size_t least)
{
    size_t size = c->block ? 2 * c->block->size : FIRST_BLOCK;
    if (size > MOST_BLOCK)
        size = MOST_BLOCK;
    if (size < least)
        size = least;
    if (size > SIZE_MAX - sizeof(struct cells_block))
        return NULL;
    struct cells_block *b = mem_alloc(sizeof *b + size);
    if (!b)
        return NULL;
    b->next = c->block;
    b->size = size;
    b->used = 0;
    return c->block = b;
}

void *cells_reserve(struct cells *c, size_t size)
{
    struct cells_block *b = c->block;
    if (!b || b->size - b->used < size)
        b = add_block(c, size);
    return b ? b->bytes + b->used : NULL;
}

void cells_keep(struct cells *c, size_t used)
{
    c->block->used += used;
}

void cells_free(struct cells *c)
{
    if (!c)
        return;
    for (size_t i = 0; i < c->columns; i++)
        mem_free(c->column[i]);
    while (c->block) {
        struct cells_block *next = c->block->next;
        mem_free(c->block);
        c->block = next;
    }
    mem_free(c);
}
