/* source.c - see source.h. */
#include "source.h"

#include "buf.h"
#include "csv.h"
#include "input.h"
#include "refuse.h"
#include "split.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

struct source {
    struct input *inputs;
    size_t input_count, current;
    struct window window;
    struct split *split; /* of the current input; one of the two */
    struct csv *csv;
    bool want_header, one_session;
    char *header;
    char *sql; /* with parameters: the statement for every row */
    size_t params;
    int64_t read;
    long number, line;
    const char *last_file; /* of the last item */
    char *why;
    struct buf place;
};

/* ---- inputs ---- */

static struct input *add_input(struct source *s)
{
    s->inputs = realloc_array(s->inputs, s->input_count + 1, sizeof *s->inputs);
    return &s->inputs[s->input_count++];
}

static void complain(struct source *s, const struct input *in, const char *what)
{
    struct buf b = {0};

    buf_format(&b, "%s: %s: %s", in->name, what, strerror(errno));
    free(s->why);
    s->why = b.data;
}

static bool add_file(struct source *s, const char *path)
{
    struct input *in = add_input(s);

    if (input_open_file(in, path))
        return true;
    complain(s, in, "cannot read");
    return false;
}

static void add_text(struct source *s, const char *sql, size_t n)
{
    struct buf name = {0};

    buf_format(&name, "argument %zu", n);
    input_open_text(add_input(s), sql, buf_string(&name));
    buf_free(&name);
}

static void begin_input(struct source *s)
{
    window_free(&s->window);
    s->line = 0;
    if (s->sql)
        s->csv = csv_new(&s->window);
    else
        s->split = split_new(&s->window);
}

static void end_input(struct source *s)
{
    split_free(s->split);
    csv_free(s->csv);
    s->split = NULL;
    s->csv = NULL;
    s->read -= (int64_t)window_length(&s->window);
    window_free(&s->window);
    input_close(&s->inputs[s->current]);
    s->current++;
}

/* ---- items ---- */

static struct item *new_item(struct source *s, long line, const char *text, size_t length)
{
    struct item *item = alloc(sizeof *item);

    item->number = ++s->number;
    item->file = s->inputs[s->current].name;
    item->line = line;
    item->text = dup_bytes(text, length);
    item->length = length;
    item->sql = s->sql ? s->sql : item->text;
    s->line = line;
    s->last_file = item->file;
    return item;
}

void item_free(struct item *item)
{
    if (!item)
        return;
    for (size_t i = 0; i < item->count; i++)
        free(item->fields[i]);
    free(item->fields);
    free(item->text);
    free(item->bad);
    free(item->data);
    free(item);
}

static void stop_reading(struct source *s)
{
    while (s->current < s->input_count)
        end_input(s);
}

/* After this item nothing is read: the rest is not to be run, or makes no sense. */
static void make_last(struct source *s, struct item *item)
{
    item->last = true;
    stop_reading(s);
}

static void spoil(struct item *item, long line, long column, const char *why)
{
    item->bad = dup_string(why);
    item->bad_line = line;
    item->bad_column = column;
}

void item_place(const struct item *item, struct buf *to)
{
    buf_format(to, "%s:%ld", item->file, item->bad ? item->bad_line : item->line);
    if (item->bad_column > 0)
        buf_format(to, ":%ld", item->bad_column);
}

static void take_copy(struct item *item, const struct statement *st)
{
    item->copies_in = st->copies_in;
    item->copies_out = st->copies_out;
    item->of_session = st->of_session;
    item->calls_session = st->calls_session;
    if (!st->copies_in)
        return;
    item->data = dup_bytes(st->data ? st->data : "", st->data ? st->data_length : 0);
    item->data_length = st->data_length;
}

static enum source_status next_statement(struct source *s, struct item **ret_item)
{
    struct statement st;
    enum split_status status = split_next(s->split, &st);
    const char *why;

    if (status == SPLIT_MORE)
        return SOURCE_WAIT;
    if (status == SPLIT_END)
        return SOURCE_END;
    *ret_item = new_item(s, st.line, st.text, st.length);
    (*ret_item)->params = st.params;
    if (status != SPLIT_OK) {
        spoil(*ret_item, st.why_line, 0, st.why);
        if (status == SPLIT_FATAL)
            make_last(s, *ret_item);
        return SOURCE_ITEM;
    }
    take_copy(*ret_item, &st);
    why = refuse(&st, s->one_session, s->inputs[s->current].fd < 0);
    if (why) {
        spoil(*ret_item, st.line, 0, why);
        make_last(s, *ret_item);
    }
    return SOURCE_ITEM;
}

static void check_count(const struct source *s, struct item *item)
{
    struct buf why = {0};

    if (item->count == s->params)
        return;
    buf_format(&why, "the row has %zu field%s, but the statement takes %zu parameter%s",
               item->count, item->count == 1 ? "" : "s", s->params, s->params == 1 ? "" : "s");
    spoil(item, item->line, 0, buf_string(&why));
    buf_free(&why);
}

static void copy_fields(struct item *item, const struct csv_row *row)
{
    item->fields = alloc(row->count * sizeof *item->fields);
    item->count = row->count;
    for (size_t i = 0; i < row->count; i++)
        item->fields[i] = row->fields[i] ? dup_string(row->fields[i]) : NULL;
}

static enum source_status next_row(struct source *s, struct item **ret_item)
{
    struct csv_row row;
    enum csv_status status = csv_next(s->csv, &row);
    bool was_header = s->want_header;

    if (status == CSV_MORE)
        return SOURCE_WAIT;
    if (status == CSV_END)
        return SOURCE_END;
    s->want_header = false;
    if (was_header && status == CSV_OK) {
        s->header = dup_bytes(row.raw, row.raw_length);
        return next_row(s, ret_item);
    }
    *ret_item = new_item(s, row.line, row.raw, row.raw_length);
    if (status == CSV_OK) {
        copy_fields(*ret_item, &row);
        check_count(s, *ret_item);
        return SOURCE_ITEM;
    }
    spoil(*ret_item, row.why_line, row.why_column, row.why);
    if (status == CSV_FATAL)
        make_last(s, *ret_item);
    return SOURCE_ITEM;
}

/* SOURCE_ITEM: there is more to look at. */
static enum source_status read_more(struct source *s, bool may_block)
{
    struct input *in = &s->inputs[s->current];
    size_t before = window_length(&s->window);

    switch (input_read(in, &s->window, may_block)) {
    case INPUT_SOME:
        s->read += (int64_t)(window_length(&s->window) - before);
        return SOURCE_ITEM;
    case INPUT_WAIT:
        return SOURCE_WAIT;
    case INPUT_ERROR:
        complain(s, in, "cannot read");
        stop_reading(s);
        return SOURCE_FAILED;
    }
    return SOURCE_FAILED;
}

static enum source_status next_item(struct source *s, bool may_block, struct item **ret_item)
{
    while (s->current < s->input_count) {
        enum source_status status;

        if (!s->split && !s->csv)
            begin_input(s);
        status = s->sql ? next_row(s, ret_item) : next_statement(s, ret_item);
        if (status == SOURCE_ITEM)
            return status;
        if (status == SOURCE_END) {
            window_consume(&s->window, window_length(&s->window));
            end_input(s);
            continue;
        }
        status = read_more(s, may_block);
        if (status != SOURCE_ITEM)
            return status;
    }
    return SOURCE_END;
}

enum source_status source_next(struct source *s, struct item **ret_item)
{
    return next_item(s, false, ret_item);
}

/* ---- life ---- */

static char *why_bad(const struct item *item)
{
    struct buf why = {0};

    item_place(item, &why);
    buf_format(&why, ": %s", item->bad);
    return why.data;
}

/* With parameters the SQL is read whole, at once: it must be a single statement. */
static bool read_the_statement(struct source *s)
{
    struct item *item = NULL, *second = NULL;
    bool good = false;

    if (next_item(s, true, &item) == SOURCE_ITEM && !item->bad)
        good = next_item(s, true, &second) == SOURCE_END;
    if (item && item->bad)
        s->why = why_bad(item);
    else if (!good && !s->why)
        s->why = dup_string("-p runs one statement, once for each row: give exactly one");
    if (good) {
        s->params = (size_t)item->params;
        s->sql = dup_bytes(item->text, item->length);
    }
    item_free(item);
    item_free(second);
    return good;
}

static bool open_params(struct source *s, const struct source_options *options)
{
    if (!read_the_statement(s))
        return false;
    if (s->params == 0) {
        s->why = dup_string("-p needs a statement with parameters ($1, $2, ...)");
        return false;
    }
    s->number = 0;
    s->read = 0;
    s->want_header = options->header;
    for (size_t i = 0; i < s->input_count; i++)
        s->inputs[i].size = 0;
    return add_file(s, options->params);
}

struct source *source_open(const struct source_options *options, char **ret_why)
{
    struct source *s = alloc(sizeof *s);
    bool good = true;

    s->one_session = options->one_session;
    for (size_t i = 0; good && i < options->file_count; i++)
        good = add_file(s, options->files[i]);
    for (size_t i = 0; i < options->sql_count; i++)
        add_text(s, options->sql[i], i + 1);
    if (good && options->params)
        good = open_params(s, options);
    if (good)
        return s;
    *ret_why = s->why;
    s->why = NULL;
    source_close(s);
    return NULL;
}

void source_close(struct source *s)
{
    if (!s)
        return;
    stop_reading(s);
    for (size_t i = 0; i < s->input_count; i++)
        input_free(&s->inputs[i]);
    free(s->inputs);
    free(s->header);
    free(s->sql);
    free(s->why);
    buf_free(&s->place);
    free(s);
}

/* ---- questions ---- */

int source_fd(const struct source *s)
{
    return s->current < s->input_count ? s->inputs[s->current].fd : -1;
}

const char *source_why(const struct source *s)
{
    return s->why ? s->why : "";
}

const char *source_header(const struct source *s)
{
    return s->header;
}

int64_t source_total(const struct source *s)
{
    int64_t total = 0;

    for (size_t i = 0; i < s->input_count; i++) {
        if (s->inputs[i].size < 0)
            return -1;
        total += s->inputs[i].size;
    }
    return total;
}

int64_t source_consumed(const struct source *s)
{
    return s->read - (int64_t)window_length(&s->window);
}

const char *source_place(struct source *s)
{
    buf_clear(&s->place);
    if (s->last_file)
        buf_format(&s->place, "%s:%ld", s->last_file, s->line);
    return buf_string(&s->place);
}

bool source_reads(const struct source *s, int fd)
{
    for (size_t i = 0; i < s->input_count; i++)
        if (input_is(&s->inputs[i], fd))
            return true;
    return false;
}
