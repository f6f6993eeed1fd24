/* csv.c - see csv.h. One state a byte; the fields are unquoted into one buffer, and where each of
 * them begins there is noted, because the buffer moves as it grows. */
#include "csv.h"

#include "buf.h"

#include <stdint.h>
#include <stdlib.h>

enum place {
    FIELD_START,
    BARE,        /* inside a field without quotes */
    QUOTED,      /* inside quotes */
    AFTER_QUOTE, /* past a quote: the field's end, or half of a doubled one */
    CARRIAGE,    /* past a CR that only a LF may follow */
    SKIPPING,    /* the row is bad: on to the end of the line */
};

struct csv {
    struct window *in;
    size_t pos; /* of the next byte to look at, from the window's start */
    long line, column;
    enum place place;
    long open_line, open_column; /* of the last opening quote */
    struct buf text;             /* every field of the row, each with its NUL */
    size_t *starts;              /* of each field in `text`, SIZE_MAX: NULL */
    const char **fields;
    size_t count, room;
    bool begun, dead;
    struct csv_row now;
};

struct csv *csv_new(struct window *in)
{
    struct csv *csv = alloc(sizeof *csv);

    csv->in = in;
    csv->line = 1;
    csv->column = 1;
    return csv;
}

void csv_free(struct csv *csv)
{
    if (!csv)
        return;
    buf_free(&csv->text);
    free(csv->starts);
    free(csv->fields);
    free(csv);
}

static void blame(struct csv *csv, long line, long column, const char *why)
{
    if (csv->now.why)
        return;
    csv->now.why = why;
    csv->now.why_line = line;
    csv->now.why_column = column;
}

static void begin_field(struct csv *csv)
{
    if (csv->count == csv->room) {
        csv->room = csv->room ? 2 * csv->room : 16;
        csv->starts = realloc_array(csv->starts, csv->room, sizeof *csv->starts);
        csv->fields = realloc_array(csv->fields, csv->room, sizeof *csv->fields);
    }
    csv->starts[csv->count++] = csv->text.length;
}

static void add_null(struct csv *csv)
{
    begin_field(csv);
    csv->starts[csv->count - 1] = SIZE_MAX;
}

static void end_field(struct csv *csv)
{
    if (csv->place == FIELD_START)
        add_null(csv);
    else
        buf_byte(&csv->text, '\0');
    csv->place = FIELD_START;
}

/* A byte that can only part fields or rows. True when it ends the row. */
static bool take_separator(struct csv *csv, char c)
{
    end_field(csv);
    if (c == '\r')
        csv->place = CARRIAGE;
    return c == '\n';
}

static bool is_separator(char c)
{
    return c == ',' || c == '\n' || c == '\r';
}

static void spoil(struct csv *csv, const char *why)
{
    blame(csv, csv->line, csv->column, why);
    csv->place = SKIPPING;
}

static void take_field_byte(struct csv *csv, char c)
{
    if (csv->place == FIELD_START)
        begin_field(csv);
    csv->place = BARE;
    buf_byte(&csv->text, c);
}

/* True when `c`, which is not a NUL, was the last byte of the row. */
static bool take(struct csv *csv, char c)
{
    switch (csv->place) {
    case FIELD_START:
    case BARE:
        if (is_separator(c))
            return take_separator(csv, c);
        if (c != '"') {
            take_field_byte(csv, c);
        } else if (csv->place == BARE) {
            spoil(csv, "quote inside a field that does not begin with one");
        } else {
            begin_field(csv);
            csv->place = QUOTED;
            csv->open_line = csv->line;
            csv->open_column = csv->column;
        }
        return false;
    case QUOTED:
        if (c == '"')
            csv->place = AFTER_QUOTE;
        else
            buf_byte(&csv->text, c);
        return false;
    case AFTER_QUOTE:
        if (is_separator(c))
            return take_separator(csv, c);
        if (c != '"') {
            spoil(csv, "text after the closing quote of a field");
            return false;
        }
        buf_byte(&csv->text, c);
        csv->place = QUOTED;
        return false;
    case CARRIAGE:
        if (c == '\n')
            return true;
        spoil(csv, "carriage return without a line feed, outside quotes");
        return false;
    case SKIPPING:
        return c == '\n';
    }
    return false;
}

static void advance(struct csv *csv, char c)
{
    csv->pos++;
    if (c == '\n') {
        csv->line++;
        csv->column = 1;
    } else if (((unsigned char)c & 0xC0) != 0x80) {
        csv->column++;
    }
}

/* ---- handing out ---- */

static enum csv_status hand_out(struct csv *csv, enum csv_status status, struct csv_row *ret_row)
{
    const char *raw = window_at(csv->in);
    size_t length = csv->pos;

    if (length > 0 && raw[length - 1] == '\n')
        length--;
    if (length > 0 && raw[length - 1] == '\r')
        length--;
    for (size_t i = 0; i < csv->count; i++)
        csv->fields[i] =
            csv->starts[i] == SIZE_MAX ? NULL : buf_string(&csv->text) + csv->starts[i];
    csv->now.raw = raw;
    csv->now.raw_length = length;
    csv->now.count = csv->count;
    csv->now.fields = csv->fields;
    csv->dead = status == CSV_FATAL;
    *ret_row = csv->now;
    return status;
}

static void start_over(struct csv *csv)
{
    window_consume(csv->in, csv->pos);
    csv->pos = 0;
    csv->count = 0;
    csv->place = FIELD_START;
    buf_clear(&csv->text);
    csv->now = (struct csv_row){.line = csv->line};
}

static enum csv_status row_status(const struct csv *csv)
{
    return csv->now.why ? CSV_BAD : CSV_OK;
}

static enum csv_status at_end(struct csv *csv, struct csv_row *ret_row)
{
    enum csv_status status;

    if (csv->pos == 0) {
        csv->dead = true;
        return CSV_END;
    }
    if (csv->place == QUOTED) {
        csv->now.why = NULL;
        blame(csv, csv->open_line, csv->open_column, "quote that is never closed");
        return hand_out(csv, CSV_FATAL, ret_row);
    }
    if (csv->place == CARRIAGE)
        blame(csv, csv->line, csv->column, "carriage return without a line feed, outside quotes");
    else if (csv->place != SKIPPING)
        end_field(csv);
    status = hand_out(csv, row_status(csv), ret_row);
    csv->dead = true;
    return status;
}

static enum csv_status want_more(struct csv *csv, struct csv_row *ret_row)
{
    if (csv->pos < WINDOW_MAX)
        return CSV_MORE;
    csv->now.why = NULL;
    blame(csv, csv->now.line, 1, "row longer than 64 MiB (is a quote left open?)");
    return hand_out(csv, CSV_FATAL, ret_row);
}

enum csv_status csv_next(struct csv *csv, struct csv_row *ret_row)
{
    if (csv->dead)
        return CSV_END;
    if (!csv->begun && !window_skip_mark(csv->in))
        return CSV_MORE;
    csv->begun = true;
    if (csv->now.raw || csv->now.line == 0)
        start_over(csv);
    while (csv->pos < window_length(csv->in)) {
        char c = window_at(csv->in)[csv->pos];
        bool ended = false;

        if (c == '\0')
            blame(csv, csv->line, csv->column,
                  "NUL byte (is the file UTF-16? it must be UTF-8 or the like)");
        else
            ended = take(csv, c);
        advance(csv, c);
        if (ended)
            return hand_out(csv, row_status(csv), ret_row);
    }
    return csv->in->finished ? at_end(csv, ret_row) : want_more(csv, ret_row);
}
