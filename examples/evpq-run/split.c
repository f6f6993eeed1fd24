/* split.c - see split.h. What scan.h finds, handed out statement by statement. */
#include "scan.h"

#include "buf.h"

#include <stdlib.h>
#include <string.h>

struct split {
    struct scan scan;
    bool begun, handed, dead;
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

enum split_status split_next(struct split *s, struct statement *ret_statement)
{
    struct scan *scan = &s->scan;

    if (s->dead)
        return SPLIT_END;
    if (s->handed)
        scan_start_over(scan);
    s->handed = false;
    if (!s->begun && !window_skip_mark(scan->in))
        return SPLIT_MORE;
    s->begun = true;
    for (;;) {
        enum scan_step step = scan->pos < window_length(scan->in) ? scan_next(scan) : SCAN_MORE;

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
