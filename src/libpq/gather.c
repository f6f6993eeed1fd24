/* gather.c - see gather.h. Called by the verb that streams rows. */
#include "libpq/gather.h"

#include "base/mem.h"
#include "libpq/place.h"
#include "libpq/result.h"

#include <stdint.h>
#include <string.h>

enum {
    LEAST_ROOM = 4096,
    LEAST_ROWS = 64,
    LARGE = 64 * 1024, /* bytes of a row that is not worth a copy */
};

static size_t cells(const struct gather *g, int rows)
{
    return (size_t)rows * (size_t)evpq_result_columns(g->head);
}

/* The row's lengths are noted. Returns the bytes that it takes. */
static size_t measure(const PGresult *pg, int columns, int *ret_lengths)
{
    size_t size = 0;
    for (int column = 0; column < columns; column++) {
        int length = PQgetlength(pg, 0, column);
        if (!length && PQgetisnull(pg, 0, column))
            length = -1;
        else
            size += (size_t)length + 1;
        ret_lengths[column] = length;
    }
    return size;
}

/* Room for `room` bytes instead, with the first `used` of before in it. NULL without memory; then
 * all is as it was. */
static void *moved(void *from, size_t used, size_t room)
{
    void *to = mem_alloc(room);
    if (!to)
        return NULL;
    if (used)
        memcpy(to, from, used);
    mem_free(from);
    return to;
}

static bool make_room(struct gather *g, size_t size)
{
    size_t room = g->room ? g->room : g->likely;
    if (g->room - g->used >= size)
        return true;
    while (room - g->used < size)
        room = room < LEAST_ROOM ? LEAST_ROOM : room * 2;
    char *bytes = moved(g->bytes, g->used, room);
    if (!bytes)
        return false;
    g->bytes = bytes;
    g->room = room;
    return true;
}

static bool make_room_for_row(struct gather *g)
{
    if (g->rows < g->room_rows)
        return true;
    int rows = g->room_rows ? g->room_rows * 2 : LEAST_ROWS;
    int *lengths = moved(g->lengths, cells(g, g->rows) * sizeof *lengths,
                         (cells(g, rows) + 1) * sizeof *lengths);
    if (!lengths)
        return false;
    g->lengths = lengths;
    g->room_rows = rows;
    return true;
}

enum gathered gather_add(struct gather *g, struct pg_result *row)
{
    if (!g->head)
        g->head = gather_head(row);
    if (!g->head || !make_room_for_row(g))
        return GATHER_NO_MEMORY;
    int columns = evpq_result_columns(g->head);
    int *lengths = g->lengths + cells(g, g->rows);
    size_t size = measure(row, columns, lengths);
    if (size > LARGE)
        return GATHER_TOO_LARGE;
    if (!make_room(g, size))
        return GATHER_NO_MEMORY;
    char *to = g->bytes + g->used;
    for (int column = 0; column < columns; column++) {
        if (lengths[column] < 0)
            continue;
        size_t length = (size_t)lengths[column] + 1;
        memcpy(to, PQgetvalue(row, 0, column), length);
        to += length;
    }
    g->used += size;
    g->rows++;
    PQclear(row);
    return GATHER_DONE;
}

static void fill(const struct gather *g, struct column *columns, struct span *spans)
{
    int n = evpq_result_columns(g->head);
    const char *bytes = g->bytes;
    for (int i = 0; i < n; i++)
        columns[i] = (struct column){
            .name = evpq_result_column_name(g->head, i),
            .type = evpq_result_column_type(g->head, i),
            .binary = evpq_result_column_format(g->head, i) != 0,
        };
    const int *end = g->lengths + cells(g, g->rows);
    for (const int *length = g->lengths; length < end; length++, spans++) {
        *spans = (struct span){.bytes = bytes, .length = *length};
        bytes += *length + 1;
    }
}

evpq_result *gather_take(struct gather *g)
{
    struct column *columns;
    struct span *spans;
    if (!g->rows)
        return NULL;
    evpq_result *r =
        sheet_new((size_t)g->rows, (size_t)evpq_result_columns(g->head), &columns, &spans);
    if (r) {
        fill(g, columns, spans);
        r->sheet->head = evpq_result_ref(g->head);
        r->sheet->memory = g->bytes;
        g->bytes = NULL;
        g->likely = g->used + g->used / 8;
        g->room = 0;
    }
    g->used = 0;
    g->rows = 0;
    return r;
}

evpq_result *gather_head(const struct pg_result *r)
{
    PGresult *head = PQcopyResult(r, PG_COPYRES_ATTRS);
    return head ? result_wrap(head, NULL) : NULL;
}

bool gather_has_tag(const struct pg_result *r)
{
    return *PQcmdStatus((PGresult *)(uintptr_t)r) != '\0';
}

void gather_clear(struct gather *g)
{
    evpq_result_unref(g->head);
    mem_free(g->bytes);
    mem_free(g->lengths);
    *g = (struct gather){.likely = 0};
}
