/* row_buffer.c - see row_buffer.h. */
#include "libpq/row_buffer.h"

#include "base/mem.h"
#include "libpq/place.h"
#include "libpq/result.h"

#include <string.h>

enum {
    LEAST_ROOM = 4096,
    LEAST_ROWS = 64,
    LARGE = 64 * 1024, /* bytes of a row that is not worth a copy */
};

static void name_columns(const struct row_buffer *g, struct column *columns)
{
    for (int i = 0; i < g->columns; i++)
        columns[i] = (struct column){
            .name = evpq_result_column_name(g->head, i),
            .type = evpq_result_column_type(g->head, i),
            .binary = evpq_result_column_format(g->head, i) != 0,
        };
}

static bool make_rows(struct row_buffer *g)
{
    struct column *columns;
    struct span *spans;
    int rows = g->becomes ? g->room_rows * 2 : g->likely_rows;
    if (rows < LEAST_ROWS)
        rows = LEAST_ROWS;
    evpq_result *r = rowset_new((size_t)rows, (size_t)g->columns, &columns, &spans);
    if (!r)
        return false;
    name_columns(g, columns);
    if (g->rows)
        memcpy(spans, g->spans, (size_t)g->rows * (size_t)g->columns * sizeof *spans);
    evpq_result_unref(g->becomes);
    g->becomes = r;
    g->spans = spans;
    g->room_rows = rows;
    return true;
}

/* For `size` bytes more. */
static bool make_bytes(struct row_buffer *g, size_t size)
{
    size_t room = g->room ? g->room * 2 : g->likely;
    while (room < LEAST_ROOM || room - g->used < size)
        room = room < LEAST_ROOM ? LEAST_ROOM : room * 2;
    char *bytes = mem_alloc(room);
    if (!bytes)
        return false;
    if (g->bytes)
        memcpy(bytes, g->bytes, g->used);
    for (struct span *s = g->spans; s < g->spans + (size_t)g->rows * (size_t)g->columns; s++)
        s->bytes = bytes + (s->bytes - g->bytes);
    mem_free(g->bytes);
    g->bytes = bytes;
    g->room = room;
    return true;
}

static size_t row_buffer_size_of(const PGresult *row, int columns)
{
    size_t size = 0;
    for (int column = 0; column < columns; column++)
        size += (size_t)PQgetlength(row, 0, column) + 1;
    return size;
}

/* With the zero behind them; mostly numbers. */
static inline char *copy(char *to, const char *bytes, size_t length)
{
    if (length == 8)
        memcpy(to, bytes, 8 + 1);
    else if (length == 4)
        memcpy(to, bytes, 4 + 1);
    else
        memcpy(to, bytes, length + 1);
    return to + length + 1;
}

/* False: there is not enough room. */
static inline bool copy_row(struct row_buffer *g, const PGresult *row)
{
    const int columns = g->columns; /* what is written may, for the compiler, be *g */
    char *to = g->bytes + g->used;
    const char *end = g->bytes + g->room;
    struct span *span = g->spans + (size_t)g->rows * (size_t)columns;
    for (int column = 0; column < columns; column++, span++) {
        int length = PQgetlength(row, 0, column);
        if (end - to <= length)
            return false;
        *span = (struct span){.bytes = to, .length = length};
        if (!length && PQgetisnull(row, 0, column))
            span->length = -1;
        to = copy(to, PQgetvalue(row, 0, column), (size_t)length);
    }
    g->used = (size_t)(to - g->bytes);
    return true;
}

static bool row_buffer_begin(struct row_buffer *g, const PGresult *row)
{
    g->head = result_head(row);
    g->columns = evpq_result_columns(g->head);
    return g->head != NULL;
}

enum row_buffer_added row_buffer_add(struct row_buffer *g, struct pg_result *row)
{
    if (!g->head && !row_buffer_begin(g, row))
        return ROW_BUFFER_NO_MEMORY;
    if ((!g->becomes || g->rows == g->room_rows) && !make_rows(g))
        return ROW_BUFFER_NO_MEMORY;
    if (!g->bytes || !copy_row(g, row)) {
        size_t size = row_buffer_size_of(row, g->columns);
        if (size > LARGE)
            return ROW_BUFFER_TOO_LARGE;
        if (!make_bytes(g, size))
            return ROW_BUFFER_NO_MEMORY;
        copy_row(g, row);
    }
    g->rows++;
    PQclear(row);
    return ROW_BUFFER_DONE;
}

evpq_result *row_buffer_take(struct row_buffer *g)
{
    evpq_result *r = g->becomes;
    if (!g->rows)
        return NULL;
    r->rows = (unsigned)g->rows;
    r->rowset->head = evpq_result_ref(g->head);
    r->rowset->memory = g->bytes;
    g->likely = g->used + g->used / 8;
    g->likely_rows = g->rows;
    g->becomes = NULL;
    g->bytes = NULL;
    g->used = g->room = 0;
    g->rows = g->room_rows = 0;
    return r;
}

void row_buffer_clear(struct row_buffer *g)
{
    evpq_result_unref(g->head);
    evpq_result_unref(g->becomes);
    mem_free(g->bytes);
    *g = (struct row_buffer){.likely = 0};
}
