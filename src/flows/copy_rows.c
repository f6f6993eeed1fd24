/* copy_rows.c - what rows have in common, whichever way they go. */
#include "flows/copy_rows.h"

#include "base/mem.h"
#include "words/error.h"

#include <string.h>

bool copy_rows_new(evpq_copy *c)
{
    c->rows = mem_zalloc(sizeof *c->rows);
    return c->rows != NULL;
}

void copy_rows_free(struct copy_rows *rows)
{
    if (!rows)
        return;
    evpq_result_unref(rows->answer);
    bytes_free(&rows->data);
    bytes_free(&rows->spans);
    mem_free(rows->columns);
    mem_free(rows->likenesses);
    mem_free(rows->query);
    mem_free(rows->question);
    mem_free(rows);
}

evpq_error *copy_no_memory(void)
{
    return evpq_error_ref(error_nomem());
}

evpq_error *copy_rows_set_question(evpq_copy *c, const char *sql, evpq_args args)
{
    struct request_size size;
    evpq_error *error = request_measure(sql, &args, &size);
    if (error)
        return error;
    c->rows->question = mem_alloc(size.block);
    if (!c->rows->question)
        return copy_no_memory();
    request_write(&c->op.question, c->rows->question, sql, &args, &size);
    return NULL;
}

evpq_error *copy_refused(const char *sql, const char *message, const char *hint)
{
    return error_build(&(struct error_fields){
        .status = EVPQ_INVALID,
        .outcome = EVPQ_OUTCOME_NOT_SENT,
        .message = message,
        .hint = hint,
        .sql = sql,
    });
}

bool copy_put_text(struct bytes *b, const char *text)
{
    return bytes_put(b, text, strlen(text));
}
