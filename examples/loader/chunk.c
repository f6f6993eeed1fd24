/* chunk.c - see chunk.h. */
#include "chunk.h"

#include <stdlib.h>
#include <string.h>

/* Between 1970, where Arrow counts from, and 2000, where PostgreSQL does. */
enum { DAYS_TO_2000 = 10957 };
#define MICROSECONDS_TO_2000 (DAYS_TO_2000 * INT64_C(86400000000))

/* Rows of which one column is decoded after the other: a result lies in memory row by row, and so
 * many of them fit into the caches. */
enum { STRIP = 128 };

struct rows {
    size_t from, to, all;
};

static uint16_t read16(const void *bytes)
{
    uint16_t n;
    memcpy(&n, bytes, sizeof n);
    return __builtin_bswap16(n);
}

static uint32_t read32(const void *bytes)
{
    uint32_t n;
    memcpy(&n, bytes, sizeof n);
    return __builtin_bswap32(n);
}

static uint64_t read64(const void *bytes)
{
    uint64_t n;
    memcpy(&n, bytes, sizeof n);
    return __builtin_bswap64(n);
}

/* -infinity and infinity stay the least and the greatest number. */
static bool read_date(const void *bytes, int32_t *ret)
{
    int32_t days = (int32_t)read32(bytes);
    *ret = days;
    if (days == INT32_MIN || days == INT32_MAX)
        return true;
    return !__builtin_add_overflow(days, DAYS_TO_2000, ret);
}

static bool read_timestamp(const void *bytes, int64_t *ret)
{
    int64_t microseconds = (int64_t)read64(bytes);
    *ret = microseconds;
    if (microseconds == INT64_MIN || microseconds == INT64_MAX)
        return true;
    return !__builtin_add_overflow(microseconds, MICROSECONDS_TO_2000, ret);
}

/* One value of fixed width, which is where it belongs then. */
static bool decode_value(const struct column *column, const void *bytes, unsigned char *to)
{
    switch (column->decode) {
    case DECODE_BOOL:
        *to = *(const unsigned char *)bytes != 0;
        return true;
    case DECODE_SWAP:
        if (column->width == 8)
            *(uint64_t *)(void *)to = read64(bytes);
        else if (column->width == 4)
            *(uint32_t *)(void *)to = read32(bytes);
        else
            *(uint16_t *)(void *)to = read16(bytes);
        return true;
    case DECODE_DATE:
        return read_date(bytes, (int32_t *)(void *)to);
    case DECODE_TIMESTAMP:
        return read_timestamp(bytes, (int64_t *)(void *)to);
    default:
        memcpy(to, bytes, column->width);
        return true;
    }
}

static bool mark_null(struct cells *cells, size_t rows, size_t row)
{
    if (!cells->valid) {
        cells->valid = malloc(rows * sizeof *cells->valid);
        if (!cells->valid)
            return false;
        memset(cells->valid, true, rows * sizeof *cells->valid);
    }
    cells->valid[row] = false;
    return true;
}

static bool make_room(const struct column *column, struct cells *cells, size_t rows)
{
    if (column->decode == DECODE_VARIABLE) {
        cells->space = rows * 16; /* a guess */
        cells->ends = malloc(rows * sizeof *cells->ends);
    }
    cells->values = cells->space ? malloc(cells->space) : calloc(rows, column->width);
    return cells->values && (column->width || cells->ends);
}

static evpq_status decode_fixed(const struct column *column, const evpq_result *r, int index,
                                struct cells *cells, struct rows rows)
{
    for (size_t row = rows.from; row < rows.to; row++) {
        size_t length;
        const void *bytes = evpq_result_raw(r, (int)row, index, &length);
        if (!bytes) {
            if (!mark_null(cells, rows.all, row))
                return EVPQ_NOMEM;
            continue;
        }
        if (length != column->width ||
            !decode_value(column, bytes, cells->values + row * column->width))
            return EVPQ_TYPE;
    }
    return EVPQ_OK;
}

static evpq_status append(struct cells *cells, size_t end, const void *bytes, size_t length)
{
    if (length > cells->space - end) {
        size_t space = cells->space * 2 > end + length ? cells->space * 2 : end + length;
        if (end + length > INT32_MAX)
            return EVPQ_TYPE;
        unsigned char *values = realloc(cells->values, space);
        if (!values)
            return EVPQ_NOMEM;
        cells->values = values;
        cells->space = space;
    }
    memcpy(cells->values + end, bytes, length);
    return EVPQ_OK;
}

static evpq_status decode_variable(const evpq_result *r, int index, struct cells *cells,
                                   struct rows rows)
{
    size_t end = rows.from ? cells->ends[rows.from - 1] : 0;
    for (size_t row = rows.from; row < rows.to; row++) {
        size_t length;
        const void *bytes = evpq_result_raw(r, (int)row, index, &length);
        if (!bytes && !mark_null(cells, rows.all, row))
            return EVPQ_NOMEM;
        if (bytes) {
            evpq_status status = append(cells, end, bytes, length);
            if (status != EVPQ_OK)
                return status;
            end += length;
        }
        cells->ends[row] = (uint32_t)end;
    }
    return EVPQ_OK;
}

evpq_status chunk_decode(const struct columns *columns, const evpq_result *r, struct chunk *ret,
                         size_t *ret_column)
{
    *ret = (struct chunk){.rows = (size_t)evpq_result_rows(r), .columns = columns->n};
    if (ret->rows == 0)
        return EVPQ_OK;
    ret->cells = calloc(columns->n + 1, sizeof *ret->cells);
    for (size_t i = 0; i < columns->n; i++)
        if (!ret->cells || !make_room(&columns->v[i], &ret->cells[i], ret->rows))
            return EVPQ_NOMEM;
    for (size_t from = 0; from < ret->rows; from += STRIP) {
        size_t to = from + STRIP < ret->rows ? from + STRIP : ret->rows;
        struct rows rows = {from, to, ret->rows};
        for (size_t i = 0; i < columns->n; i++) {
            *ret_column = i;
            evpq_status status =
                columns->v[i].decode == DECODE_VARIABLE
                    ? decode_variable(r, (int)i, &ret->cells[i], rows)
                    : decode_fixed(&columns->v[i], r, (int)i, &ret->cells[i], rows);
            if (status != EVPQ_OK)
                return status;
        }
    }
    return EVPQ_OK;
}

void chunk_free(struct chunk *chunk)
{
    for (size_t i = 0; chunk->cells && i < chunk->columns; i++) {
        free(chunk->cells[i].values);
        free(chunk->cells[i].ends);
        free(chunk->cells[i].valid);
    }
    free(chunk->cells);
    *chunk = (struct chunk){0};
}
