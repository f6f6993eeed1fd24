/* chunk.c - see chunk.h. */
#include "chunk.h"

#include <stdlib.h>
#include <string.h>

/* Between 1970, where Arrow counts from, and 2000, where PostgreSQL does. */
enum { DAYS_TO_2000 = 10957 };
#define MICROSECONDS_TO_2000 (DAYS_TO_2000 * INT64_C(86400000000))

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

static evpq_status decode_fixed(const struct column *column, const evpq_result *r, int index,
                                struct cells *cells, size_t rows)
{
    cells->values = calloc(rows, column->width);
    if (!cells->values)
        return EVPQ_NOMEM;
    for (size_t row = 0; row < rows; row++) {
        size_t length;
        const void *bytes = evpq_result_raw(r, (int)row, index, &length);
        if (!bytes) {
            if (!mark_null(cells, rows, row))
                return EVPQ_NOMEM;
            continue;
        }
        if (length != column->width ||
            !decode_value(column, bytes, cells->values + row * column->width))
            return EVPQ_TYPE;
    }
    return EVPQ_OK;
}

static evpq_status decode_variable(const evpq_result *r, int index, struct cells *cells,
                                   size_t rows)
{
    size_t total = 0;
    for (size_t row = 0; row < rows; row++)
        total += evpq_result_length(r, (int)row, index);
    if (total > INT32_MAX)
        return EVPQ_TYPE;
    cells->values = malloc(total + 1);
    cells->ends = malloc(rows * sizeof *cells->ends);
    if (!cells->values || !cells->ends)
        return EVPQ_NOMEM;
    size_t end = 0;
    for (size_t row = 0; row < rows; row++) {
        size_t length;
        const void *bytes = evpq_result_raw(r, (int)row, index, &length);
        if (!bytes && !mark_null(cells, rows, row))
            return EVPQ_NOMEM;
        if (bytes) {
            memcpy(cells->values + end, bytes, length);
            end += length;
        }
        cells->ends[row] = (uint32_t)end;
    }
    return EVPQ_OK;
}

evpq_status chunk_decode(const struct columns *columns, const evpq_result *r, struct chunk *ret,
                         size_t *ret_column)
{
    evpq_status status = EVPQ_OK;
    *ret = (struct chunk){.rows = (size_t)evpq_result_rows(r), .columns = columns->n};
    *ret_column = 0;
    if (ret->rows == 0)
        return EVPQ_OK;
    ret->cells = calloc(columns->n + 1, sizeof *ret->cells);
    if (!ret->cells)
        return EVPQ_NOMEM;
    for (size_t i = 0; i < columns->n && status == EVPQ_OK; i++) {
        const struct column *column = &columns->v[i];
        *ret_column = i;
        status = column->decode == DECODE_VARIABLE
                     ? decode_variable(r, (int)i, &ret->cells[i], ret->rows)
                     : decode_fixed(column, r, (int)i, &ret->cells[i], ret->rows);
    }
    return status;
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
