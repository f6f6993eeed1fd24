/* builder.c - see builder.h. */
#include "builder.h"

#include "array.h"

#include <stdlib.h>
#include <string.h>

/* `space` is the room of `data`, of which the last byte that is used is ends[rows] - 1. */
struct builder_column {
    unsigned char *valid; /* bits; NULL while no value is NULL */
    void *values;         /* of fixed width, bits for a bool */
    int32_t *ends;        /* of variable width, from 0 on */
    unsigned char *data;
    size_t space, nulls;
};

/* What Arrow asks for: 64 bytes, and whole ones. */
static void *take_memory(size_t bytes)
{
    return aligned_alloc(64, (bytes + 64) / 64 * 64);
}

static size_t bits(size_t n)
{
    return (n + 7) / 8;
}

/* The first column, or one that has none yet, gets its buffers. */
static bool make_room(const struct builder *b, const struct column *column,
                      struct builder_column *to)
{
    if (column->decode == DECODE_VARIABLE) {
        if (!to->ends && (to->ends = take_memory((b->capacity + 1) * sizeof *to->ends)))
            to->ends[0] = 0;
        if (!to->data && to->ends) /* as much as the last batch had; a guess for the first */
            to->data = take_memory(to->space = to->space ? to->space : b->capacity * 16);
        return to->data;
    }
    size_t bytes = column->decode == DECODE_BOOL ? bits(b->capacity) : b->capacity * column->width;
    if (!to->values && (to->values = take_memory(bytes)) && column->decode == DECODE_BOOL)
        memset(to->values, 0, bytes);
    return to->values;
}

/* Of the rows that are picked those that are NULL, as bits. */
static bool append_validity(struct builder *b, size_t column, const struct chunk *chunks,
                            const struct pick *picks, size_t n)
{
    struct builder_column *to = &b->v[column];
    for (size_t i = 0; i < n; i++) {
        const bool *valid = chunks[picks[i].chunk].cells[column].valid;
        size_t at = b->rows + i;
        if (!valid || valid[picks[i].row])
            continue;
        if (!to->valid) {
            to->valid = take_memory(bits(b->capacity));
            if (!to->valid)
                return false;
            memset(to->valid, 0xff, bits(b->capacity));
        }
        to->valid[at / 8] &= (unsigned char)~(1u << at % 8);
        to->nulls++;
    }
    return true;
}

struct sixteen {
    uint64_t half[2];
};

#define GATHER(type)                                                                            \
 do {                                                                                           \
  type *out = (type *)to->values + b->rows;                                                     \
  for (size_t i = 0; i < n; i++)                                                                \
   out[i] =                                                                                     \
       ((const type *)(const void *)chunks[picks[i].chunk].cells[column].values)[picks[i].row]; \
 } while (0)

static void append_fixed(struct builder *b, size_t column, const struct chunk *chunks,
                         const struct pick *picks, size_t n)
{
    struct builder_column *to = &b->v[column];
    switch (b->columns->v[column].width) {
    case 2:
        GATHER(uint16_t);
        break;
    case 4:
        GATHER(uint32_t);
        break;
    case 8:
        GATHER(uint64_t);
        break;
    default:
        GATHER(struct sixteen);
        break;
    }
}

static void append_bits(struct builder *b, size_t column, const struct chunk *chunks,
                        const struct pick *picks, size_t n)
{
    unsigned char *out = b->v[column].values;
    for (size_t i = 0; i < n; i++) {
        size_t at = b->rows + i;
        unsigned bit = chunks[picks[i].chunk].cells[column].values[picks[i].row];
        out[at / 8] |= (unsigned char)(bit << at % 8);
    }
}

static size_t start_of(const struct cells *cells, uint32_t row)
{
    return row ? cells->ends[row - 1] : 0;
}

static evpq_status grow(struct builder_column *to, size_t used, size_t wanted)
{
    if (wanted <= to->space)
        return EVPQ_OK;
    if (wanted > INT32_MAX)
        return EVPQ_TYPE;
    size_t space = to->space * 2 > wanted ? to->space * 2 : wanted;
    unsigned char *data = take_memory(space);
    if (!data)
        return EVPQ_NOMEM;
    memcpy(data, to->data, used);
    free(to->data);
    to->data = data;
    to->space = space;
    return EVPQ_OK;
}

static evpq_status append_variable(struct builder *b, size_t column, const struct chunk *chunks,
                                   const struct pick *picks, size_t n)
{
    struct builder_column *to = &b->v[column];
    size_t used = (size_t)to->ends[b->rows], end = used;
    for (size_t i = 0; i < n; i++) {
        const struct cells *from = &chunks[picks[i].chunk].cells[column];
        end += from->ends[picks[i].row] - start_of(from, picks[i].row);
    }
    evpq_status status = grow(to, used, end);
    if (status != EVPQ_OK)
        return status;
    end = used;
    for (size_t i = 0; i < n; i++) {
        const struct cells *from = &chunks[picks[i].chunk].cells[column];
        size_t start = start_of(from, picks[i].row), length = from->ends[picks[i].row] - start;
        memcpy(to->data + end, from->values + start, length);
        end += length;
        to->ends[b->rows + i + 1] = (int32_t)end;
    }
    return EVPQ_OK;
}

/* ---- life ---- */

evpq_status builder_open(struct builder *b, const struct columns *columns, size_t capacity)
{
    *b = (struct builder){
        .columns = columns, .v = calloc(columns->n + 1, sizeof *b->v), .capacity = capacity};
    return b->v ? EVPQ_OK : EVPQ_NOMEM;
}

evpq_status builder_append(struct builder *b, const struct chunk *chunks, const struct pick *picks,
                           size_t n, size_t *ret_column)
{
    evpq_status status = EVPQ_OK;
    for (size_t i = 0; i < b->columns->n && status == EVPQ_OK; i++) {
        const struct column *column = &b->columns->v[i];
        *ret_column = i;
        if (!make_room(b, column, &b->v[i]) || !append_validity(b, i, chunks, picks, n))
            return EVPQ_NOMEM;
        if (column->decode == DECODE_VARIABLE)
            status = append_variable(b, i, chunks, picks, n);
        else if (column->decode == DECODE_BOOL)
            append_bits(b, i, chunks, picks, n);
        else
            append_fixed(b, i, chunks, picks, n);
    }
    if (status == EVPQ_OK)
        b->rows += n;
    return status;
}

/* The buffers of a column go over to its array; how much its texts took is remembered. */
static evpq_status take_column(struct builder_column *from, struct ArrowArray *array, size_t rows)
{
    struct array_buffers buffers = {.v = {from->valid, from->values}, .n = 2};
    size_t used = from->ends ? (size_t)from->ends[rows] : 0;
    if (from->ends)
        buffers = (struct array_buffers){.v = {from->valid, from->ends, from->data}, .n = 3};
    evpq_status status = array_fill(array, &buffers, rows, from->nulls);
    if (status == EVPQ_OK)
        *from = (struct builder_column){.space = used + used / 8 + 64};
    return status;
}

evpq_status builder_take(struct builder *b, struct ArrowArray *ret)
{
    evpq_status status = array_fill_struct(ret, b->columns->n, b->rows);
    for (size_t i = 0; status == EVPQ_OK && i < b->columns->n; i++)
        status = take_column(&b->v[i], ret->children[i], b->rows);
    if (status != EVPQ_OK && ret->release)
        ret->release(ret);
    b->rows = 0;
    return status;
}

void builder_clear(struct builder *b)
{
    for (size_t i = 0; i < b->columns->n; i++) {
        free(b->v[i].valid);
        free(b->v[i].values);
        free(b->v[i].ends);
        free(b->v[i].data);
        b->v[i] = (struct builder_column){0};
    }
    b->rows = 0;
}

void builder_close(struct builder *b)
{
    if (b->v)
        builder_clear(b);
    free(b->v);
    *b = (struct builder){0};
}
