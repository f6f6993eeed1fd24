/* rejects.c - see rejects.h. */
#include "rejects.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static bool refuse(const char *path, const char *what, char **ret_why)
{
    struct buf why = {0};

    buf_format(&why, "%s: %s", path, what);
    *ret_why = why.data;
    return false;
}

static bool open_one(struct out *o, const char *path, const struct source *source,
                     const struct out *results, char **ret_why)
{
    struct buf why = {0};

    if (!out_open(o, path, 0600)) {
        buf_format(&why, "cannot write: %s", strerror(errno));
        refuse(path, buf_string(&why), ret_why);
        buf_free(&why);
        return false;
    }
    if (source_reads(source, o->fd))
        return refuse(path, "cannot be input and rejects at once", ret_why);
    if (out_same(o, results))
        return refuse(path, "cannot take both the results and the rejects", ret_why);
    o->immediate = true;
    return true;
}

bool rejects_open(struct rejects *r, const char *path, bool rows, const struct source *source,
                  const struct out *results, char **ret_why)
{
    struct buf reasons = {0};
    bool good;

    *r = (struct rejects){.rows = rows, .reasons.fd = -1};
    good = open_one(&r->file, path, source, results, ret_why);
    if (good && rows) {
        buf_format(&reasons, "%s.reasons", path);
        good = open_one(&r->reasons, buf_string(&reasons), source, results, ret_why);
        if (good && out_same(&r->file, &r->reasons))
            good = refuse(path, "cannot take both the rejects and their reasons", ret_why);
        buf_free(&reasons);
    }
    return good;
}

void rejects_truncate(struct rejects *r)
{
    out_truncate(&r->file);
    if (r->rows)
        out_truncate(&r->reasons);
}

/* `reason` is NULL where there is no file for it. */
static bool write_out(struct rejects *r, const struct item *item, const struct buf *text,
                      const struct buf *reason)
{
    struct buf place = {0};
    bool good;

    item_place(item, &place);
    good = out_add(&r->file, buf_string(text), text->length, buf_string(&place));
    if (reason)
        good = out_add(&r->reasons, buf_string(reason), reason->length, buf_string(&place)) && good;
    buf_free(&place);
    return good;
}

static bool write_statement(struct rejects *r, const struct item *item, const char *why)
{
    struct buf text = {0};
    bool good;

    buf_format(&text, "-- %s\n", why);
    buf_add(&text, item->text, item->length);
    buf_text(&text, item->last ? "\n" : ";\n");
    if (item->data && !item->last) {
        buf_add(&text, item->data, item->data_length);
        if (item->data_length > 0 && item->data[item->data_length - 1] != '\n')
            buf_byte(&text, '\n');
        buf_text(&text, "\\.\n");
    }
    good = write_out(r, item, &text, NULL);
    buf_free(&text);
    return good;
}

static bool write_row(struct rejects *r, const struct item *item, const char *why,
                      const char *header)
{
    struct buf text = {0}, reason = {0};
    bool good;

    if (header && !r->headed)
        buf_format(&text, "%s\n", header);
    r->headed = true;
    buf_add(&text, item->text, item->length);
    buf_byte(&text, '\n');
    buf_format(&reason, "%s\n", why);
    good = write_out(r, item, &text, &reason);
    buf_free(&text);
    buf_free(&reason);
    return good;
}

bool rejects_add(struct rejects *r, struct item *item, const struct failure *failure,
                 const char *header)
{
    struct buf why = {0};
    bool good = true;

    r->count++;
    item_place(item, &why);
    buf_text(&why, ": ");
    failure_describe(failure, &why);
    if (item->last) {
        r->last = item;
        r->last_why = why;
        return true;
    }
    good = r->rows ? write_row(r, item, buf_string(&why), header)
                   : write_statement(r, item, buf_string(&why));
    buf_free(&why);
    item_free(item);
    return good;
}

bool rejects_close(struct rejects *r, const char *header)
{
    bool good = true;

    if (r->last && r->rows)
        good = write_row(r, r->last, buf_string(&r->last_why), header);
    else if (r->last)
        good = write_statement(r, r->last, buf_string(&r->last_why));
    good = out_close(&r->file) && good;
    if (r->rows)
        good = out_close(&r->reasons) && good;
    return good;
}

void rejects_explain(const struct rejects *r, struct buf *to)
{
    const struct out *o = r->file.error ? &r->file : &r->reasons;

    if (o->error)
        out_cause(o, to);
}

static void add_missing(const struct out *o, const char *what, struct buf *to)
{
    if (o->lost_count == 0)
        return;
    buf_format(to, "%s%s: %ld %s%s from %s on %s missing or cut short", to->length > 0 ? "; " : "",
               o->name, o->lost_count, what, o->lost_count == 1 ? "" : "s",
               buf_string(&o->lost_since), o->lost_count == 1 ? "is" : "are");
}

void rejects_missing(const struct rejects *r, struct buf *to)
{
    add_missing(&r->file, "reject", to);
    add_missing(&r->reasons, "reason", to);
}

void rejects_free(struct rejects *r)
{
    item_free(r->last);
    buf_free(&r->last_why);
    out_free(&r->file);
    out_free(&r->reasons);
}
