/* pieces.c - see pieces.h. */
#include "support/pieces.h"

#include "../examples/evpq-run/buf.h"
#include "../examples/evpq-run/csv.h"
#include "../examples/evpq-run/split.h"

#include <stdlib.h>

char *split_in_pieces(const char *sql, size_t length, size_t piece)
{
    struct window w = {0};
    struct split *split = split_new(&w);
    struct statement st;
    struct buf seen = {0};
    size_t at = 0;

    buf_text(&seen, "");
    for (;;) {
        enum split_status status = split_next(split, &st);

        if (status == SPLIT_END)
            break;
        if (status == SPLIT_MORE) {
            size_t n = length - at < piece ? length - at : piece;

            if (w.finished)
                abort(); /* it asks for more than all */
            window_feed(&w, sql + at, n);
            at += n;
            w.finished = n == 0;
            continue;
        }
        if (status != SPLIT_OK)
            buf_format(&seen, "%s%ld:%s", status == SPLIT_FATAL ? "!!" : "!", st.why_line, st.why);
        buf_format(&seen, "%ld[", st.line);
        buf_add(&seen, st.text, st.length);
        buf_byte(&seen, ']');
    }
    split_free(split);
    window_free(&w);
    return seen.data;
}

char *csv_in_pieces(const char *text, size_t length, size_t piece)
{
    struct window w = {0};
    struct csv *csv = csv_new(&w);
    struct csv_row row;
    struct buf seen = {0};
    size_t at = 0;

    buf_text(&seen, "");
    for (enum csv_status status; (status = csv_next(csv, &row)) != CSV_END;) {
        if (status == CSV_MORE) {
            size_t n = length - at < piece ? length - at : piece;

            if (w.finished)
                abort(); /* it asks for more than all */
            window_feed(&w, text + at, n);
            at += n;
            w.finished = n == 0;
            continue;
        }
        if (status != CSV_OK) {
            buf_format(&seen, "%s%ld:%ld:%s", status == CSV_FATAL ? "!!" : "!", row.why_line,
                       row.why_column, row.why);
            buf_format(&seen, "%ld[", row.line);
            buf_add(&seen, row.raw, row.raw_length);
            buf_byte(&seen, ']');
            continue;
        }
        buf_format(&seen, "%ld[", row.line);
        for (size_t i = 0; i < row.count; i++)
            buf_format(&seen, "%s%s", i > 0 ? "|" : "", row.fields[i] ? row.fields[i] : "NULL");
        buf_byte(&seen, ']');
    }
    csv_free(csv);
    window_free(&w);
    return seen.data;
}
