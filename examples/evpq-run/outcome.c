/* outcome.c - see outcome.h. */
#include "outcome.h"

#include <stdlib.h>

/* How many failures are told of as they come; the rest is only counted. */
#define TELL_MAX 20

static void describe(const struct item *item, const struct failure *f, struct buf *to)
{
    item_place(item, to);
    buf_text(to, ": ");
    failure_describe(f, to);
    if (item->last)
        buf_text(to, "; nothing after this was read");
}

/* False when the failure is only counted. */
static bool tell_failure(struct outcome *o, const struct item *item, const char *description)
{
    if (o->stats.failed > TELL_MAX && !o->rejects_broken && !item->last)
        return false;
    progress_say(o->progress, "%s", description);
    if (o->stats.failed == TELL_MAX && !o->rejects_broken)
        progress_say(o->progress, "further failures are counted, not shown");
    return true;
}

static void write_piece(struct outcome *o, const struct item *item, struct piece *piece)
{
    struct out *out = o->sink->out;
    struct buf place = {0};

    buf_format(&place, "%s:%ld", item->file, item->line);
    if (out->immediate)
        progress_wipe(o->progress);
    sink_put(o->sink, item->number, piece, buf_string(&place));
    buf_free(&place);
}

static struct answer where(const struct item *item)
{
    return (struct answer){.number = item->number, .file = item->file, .line = item->line};
}

/* False when it is the first that cannot be written. */
static bool reject(struct outcome *o, struct item *item, const struct failure *f)
{
    if (!o->rejects) {
        item_free(item);
        return true;
    }
    if (rejects_add(o->rejects, item, f, source_header(o->source)) || o->rejects_broken)
        return true;
    o->rejects_broken = true;
    return false;
}

static void tell_broken(struct outcome *o)
{
    struct buf why = {0};

    rejects_explain(o->rejects, &why);
    progress_say(o->progress, "%s; from now on every failure is shown here", buf_string(&why));
    buf_free(&why);
}

void outcome_failed(struct outcome *o, struct item *item, const struct failure *f)
{
    struct piece piece = {0};
    struct answer answer = where(item);
    struct buf description = {0};
    bool told;

    stats_failure(&o->stats, f->code);
    describe(item, f, &description);
    told = tell_failure(o, item, buf_string(&description));
    if (o->format->failure)
        o->format->failure(&piece, &answer, f);
    write_piece(o, item, &piece);
    if (!reject(o, item, f)) {
        if (!told)
            progress_say(o->progress, "%s", buf_string(&description));
        tell_broken(o);
    }
    buf_free(&description);
}

static const char *cell(const void *from, int row, int column, size_t *ret_length)
{
    return evpq_result_raw(from, row, column, ret_length);
}

void outcome_done(struct outcome *o, struct item *item, const evpq_result *result,
                  const struct buf *copied)
{
    struct piece piece = {0};
    struct answer answer = where(item);
    int count = evpq_result_columns(result);
    struct column *columns = alloc((size_t)count * sizeof *columns);

    for (int i = 0; i < count; i++)
        columns[i] =
            (struct column){evpq_result_column_name(result, i), evpq_result_column_type(result, i)};
    answer.command = evpq_result_command(result);
    answer.columns = columns;
    answer.column_count = count;
    answer.row_count = evpq_result_rows(result);
    answer.cell = cell;
    answer.copied = item->copies_out ? copied : NULL;
    answer.from = result;
    o->format->answer(&piece, &answer);
    free(columns);
    o->stats.done++;
    write_piece(o, item, &piece);
    item_free(item);
}
