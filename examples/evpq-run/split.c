/* split.c - see split.h. What scan.h finds, handed out statement by statement. */
#include "scan.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

struct split {
    struct scan scan;
    bool begun, handed, dead;
    bool copying; /* the data of a COPY are looked for */
    size_t data,
        row; /* where they begin, and the line that is looked at; from the window's start */
};

struct split *split_new(struct window *in)
{
    struct split *s = alloc(sizeof *s);

    s->scan.in = in;
    s->scan.line = 1;
    return s;
}

void split_free(struct split *s)
{
    free(s);
}

static enum split_status hand_out(struct split *s, size_t end, enum split_status status,
                                  struct statement *ret_statement)
{
    struct scan *scan = &s->scan;

    scan->now.seen.text = window_at(scan->in);
    scan->now.seen.length = end;
    s->handed = true;
    s->dead = status == SPLIT_FATAL;
    if (scan->now.seen.line == 0)
        scan->now.seen.line = scan->open_line;
    *ret_statement = scan->now.seen;
    return status;
}

static enum split_status at_end(struct split *s, struct statement *ret_statement)
{
    struct scan *scan = &s->scan;
    const char *why = scan_unterminated(scan);

    s->dead = true;
    if (why) {
        scan->now.seen.why = NULL;
        scan_blame(scan, scan->open_line, why);
        return hand_out(s, scan->pos, SPLIT_FATAL, ret_statement);
    }
    if (!scan->now.has_token)
        return SPLIT_END;
    hand_out(s, scan->now.end, scan->now.seen.why ? SPLIT_BAD : SPLIT_OK, ret_statement);
    s->dead = true;
    return scan->now.seen.why ? SPLIT_BAD : SPLIT_OK;
}

static enum split_status want_more(struct split *s, struct statement *ret_statement)
{
    struct scan *scan = &s->scan;

    if (!scan->now.has_text) {
        window_consume(scan->in, scan->pos);
        scan->pos = 0;
    }
    if (window_length(scan->in) < WINDOW_MAX)
        return SPLIT_MORE;
    scan->now.seen.why = NULL;
    scan_blame(scan, scan->now.seen.line ? scan->now.seen.line : scan->open_line,
               scan_unterminated(scan)
                   ? "statement longer than 64 MiB (is a quote or comment left open?)"
                   : "statement longer than 64 MiB");
    return hand_out(s, scan->pos, SPLIT_FATAL, ret_statement);
}

/* ---- the data of a COPY ---- */

/* The line at `from`: its end, past the line feed, or 0 where the window has no end of it yet. */
static size_t line_end(const struct scan *scan, size_t from)
{
    size_t length = window_length(scan->in);
    const char *text = window_at(scan->in);
    const char *end = from < length ? memchr(text + from, '\n', length - from) : NULL;

    if (end)
        return (size_t)(end - text) + 1;
    return scan->in->finished ? length : 0;
}

static bool is_blank(const char *text, size_t length)
{
    size_t i = 0;

    while (i < length && (text[i] == ' ' || (text[i] >= '\t' && text[i] <= '\r')))
        i++;
    return i == length || (length - i >= 2 && text[i] == '-' && text[i + 1] == '-');
}

static bool ends_data(const char *text, size_t length)
{
    while (length > 0 && (text[length - 1] == '\n' || text[length - 1] == '\r'))
        length--;
    return length == 2 && memcmp(text, "\\.", 2) == 0;
}

/* All of the statement, with its data: `end` is past the line that ends them. */
static enum split_status hand_out_copy(struct split *s, size_t data_end, size_t end,
                                       struct statement *ret_statement)
{
    struct scan *scan = &s->scan;
    const char *text = window_at(scan->in);

    for (size_t i = scan->pos; i < end; i++)
        scan->line += text[i] == '\n';
    scan->pos = end;
    scan->now.seen.data = text + s->data;
    scan->now.seen.data_length = data_end - s->data;
    scan->now.seen.data_ended = data_end < end;
    s->copying = false;
    return hand_out(s, scan->now.end, SPLIT_OK, ret_statement);
}

static enum split_status copy_too_long(struct split *s, struct statement *ret_statement)
{
    s->copying = false;
    scan_blame(&s->scan, s->scan.now.seen.line,
               "COPY with more than 64 MiB of data (psql and copypipe load any number)");
    return hand_out(s, s->scan.now.end, SPLIT_FATAL, ret_statement);
}

static enum split_status next_data(struct split *s, struct statement *ret_statement)
{
    struct scan *scan = &s->scan;
    size_t end;

    if (s->data == 0) { /* still on the line of the statement */
        if ((end = line_end(scan, scan->pos)) == 0 && scan->pos < window_length(scan->in))
            return window_length(scan->in) < WINDOW_MAX ? SPLIT_MORE
                                                        : copy_too_long(s, ret_statement);
        if (end == 0 && !scan->in->finished)
            return SPLIT_MORE;
        if (end > 0 && !is_blank(window_at(scan->in) + scan->pos, end - scan->pos)) {
            s->copying = false;
            scan_blame(scan, scan->line,
                       "COPY FROM STDIN must end its line: the data begin on the next one");
            return hand_out(s, scan->now.end, SPLIT_FATAL, ret_statement);
        }
        s->data = s->row = end > 0 ? end : scan->pos;
    }
    while (s->row < window_length(scan->in) && (end = line_end(scan, s->row)) > 0) {
        if (ends_data(window_at(scan->in) + s->row, end - s->row))
            return hand_out_copy(s, s->row, end, ret_statement);
        s->row = end;
    }
    if (scan->in->finished && s->row >= window_length(scan->in))
        return hand_out_copy(s, s->row, s->row, ret_statement);
    return window_length(scan->in) < WINDOW_MAX ? SPLIT_MORE : copy_too_long(s, ret_statement);
}

static bool has_data(const struct split *s)
{
    const struct statement *seen = &s->scan.now.seen;

    return seen->copies_in && !seen->binary && !seen->why;
}

enum split_status split_next(struct split *s, struct statement *ret_statement)
{
    struct scan *scan = &s->scan;

    if (s->dead)
        return SPLIT_END;
    if (s->handed)
        scan_start_over(scan);
    s->handed = false;
    if (s->copying)
        return next_data(s, ret_statement);
    if (!s->begun && !window_skip_mark(scan->in))
        return SPLIT_MORE;
    s->begun = true;
    for (;;) {
        enum scan_step step = scan->pos < window_length(scan->in) ? scan_next(scan) : SCAN_MORE;

        if (step == SCAN_CUT && scan->now.has_token && has_data(s)) {
            s->copying = true;
            s->data = 0;
            return next_data(s, ret_statement);
        }
        if (step == SCAN_CUT && scan->now.has_token)
            return hand_out(s, scan->now.end, scan->now.seen.why ? SPLIT_BAD : SPLIT_OK,
                            ret_statement);
        if (step == SCAN_CUT)
            scan_start_over(scan);
        else if (step == SCAN_STOP)
            return hand_out(s, scan->now.end, SPLIT_FATAL, ret_statement);
        else if (step == SCAN_MORE && scan->in->finished)
            return at_end(s, ret_statement);
        else if (step == SCAN_MORE)
            return want_more(s, ret_statement);
    }
}
