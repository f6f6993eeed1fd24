/* copy_rows_in.c - rows to the server: the table's columns are looked up, and each row is encoded
 * as they want it. */
#include "base/mem.h"
#include "flows/copy_rows.h"
#include "values/encode.h"
#include "words/error.h"

#include <stdio.h>

/* ---- the columns ---- */

/* Of a type that is not PostgreSQL's own, the one of those whose input and receive functions do the
 * same: then a text means the same for both. An enum reads its label in either form, as text does;
 * citext's are text's by another name. NULL: there is none. */
#define LIKE(t)                                                                               \
 " case when " t ".typtype operator(pg_catalog.=) 'e'::pg_catalog.\"char\" then 25"           \
 " when " t ".oid operator(pg_catalog.>=) 16384::pg_catalog.oid then"                         \
 " (select k.oid from pg_catalog.pg_type k, pg_catalog.pg_proc ki, pg_catalog.pg_proc kr,"    \
 " pg_catalog.pg_proc i, pg_catalog.pg_proc r where k.oid operator(pg_catalog.=) any (array[" \
 "16, 17, 20, 21, 23, 25, 700, 701, 869, 1082, 1700, 2950, 3802, 114]::pg_catalog.oid[])"     \
 " and ki.oid operator(pg_catalog.=) k.typinput"                                              \
 " and kr.oid operator(pg_catalog.=) k.typreceive"                                            \
 " and i.oid operator(pg_catalog.=) " t ".typinput"                                           \
 " and r.oid operator(pg_catalog.=) " t ".typreceive"                                         \
 " and i.prolang operator(pg_catalog.=) 12::pg_catalog.oid"                                   \
 " and r.prolang operator(pg_catalog.=) 12::pg_catalog.oid"                                   \
 " and i.prosrc operator(pg_catalog.=) ki.prosrc"                                             \
 " and r.prosrc operator(pg_catalog.=) kr.prosrc limit 1) end"

/* Not as SQL would look the columns up, which takes the right to read them. Of a domain over
 * another domain the innermost type is meant. Every name is said with its schema, as in types.c. */
static const char columns_of_table[] =
    "with recursive wanted(place, name, type) as ("
    "select w.place, w.name, a.atttypid"
    " from pg_catalog.unnest($2::pg_catalog.text[]) with ordinality as w(name, place)"
    " left join pg_catalog.pg_attribute a"
    " on a.attrelid operator(pg_catalog.=) $1::pg_catalog.regclass::pg_catalog.oid"
    " and a.attname operator(pg_catalog.=) w.name"
    " and a.attnum operator(pg_catalog.>) 0::pg_catalog.int2 and not a.attisdropped"
    " union all "
    "select a.attnum, a.attname, a.atttypid from pg_catalog.pg_attribute a"
    " where $2::pg_catalog.text[] is null"
    " and a.attrelid operator(pg_catalog.=) $1::pg_catalog.regclass::pg_catalog.oid"
    " and a.attnum operator(pg_catalog.>) 0::pg_catalog.int2 and not a.attisdropped"
    " and a.attgenerated operator(pg_catalog.=) ''::pg_catalog.\"char\""
    "), base(place, name, type) as ("
    "select place, name, type from wanted"
    " union all "
    "select b.place, b.name, t.typbasetype from base b join pg_catalog.pg_type t"
    " on t.oid operator(pg_catalog.=) b.type"
    " where t.typtype operator(pg_catalog.=) 'd'::pg_catalog.\"char\")"
    " select b.name, b.type, pg_catalog.quote_ident(b.name),"
    " (select pg_catalog.format('%I.%I', s.nspname, c.relname)"
    " from pg_catalog.pg_class c join pg_catalog.pg_namespace s"
    " on s.oid operator(pg_catalog.=) c.relnamespace"
    " where c.oid operator(pg_catalog.=) $1::pg_catalog.regclass::pg_catalog.oid),"
    " pg_catalog.format_type(b.type, null)," LIKE("t") ", e.oid, " LIKE(
        "e") " from base b left join pg_catalog.pg_type t on t.oid operator(pg_catalog.=) b.type"
             " left join pg_catalog.pg_type e on e.oid operator(pg_catalog.=) t.typelem"
             " and t.typcategory operator(pg_catalog.=) 'A'::pg_catalog.\"char\""
             " where t.typtype is null or t.typtype operator(pg_catalog.<>) 'd'::pg_catalog.\"char\""
             " order by b.place";

enum { NAME, TYPE, QUOTED, TABLE, TYPE_NAME, LIKE_OF_TYPE, ELEMENT, LIKE_OF_ELEMENT };

evpq_error *copy_rows_ask_table(evpq_copy *c, const char *table, const char *const *columns,
                                size_t n)
{
    if (!table)
        return copy_refused(NULL, "the table is a NULL pointer", NULL);
    if (columns && !n)
        return copy_refused(NULL, "a list of no columns", "for all columns pass NULL");
    if (!columns && n)
        return copy_refused(NULL, "the list of columns is a NULL pointer", NULL);
    for (size_t i = 0; i < n; i++)
        if (!columns[i])
            return copy_refused(NULL, "the name of a column is a NULL pointer", NULL);
    if (!copy_rows_new(c))
        return copy_no_memory();
    const evpq_arg args[] = {evpq_text(table), columns ? evpq_texts(columns, n) : evpq_null()};
    return copy_rows_set_question(c, columns_of_table, (evpq_args){.n = 2, .v = args});
}

static evpq_error *no_such_column(const evpq_result *answer, int row)
{
    return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "the table %s has no column %s",
                     evpq_result_text(answer, row, TABLE), evpq_result_text(answer, row, QUOTED));
}

static void add_likeness(struct copy_rows *rows, int row, int type, int like)
{
    if (evpq_result_is_null(rows->answer, row, like))
        return;
    rows->likenesses[rows->rules.n++] = (struct likeness){evpq_result_oid(rows->answer, row, type),
                                                          evpq_result_oid(rows->answer, row, like)};
}

static evpq_error *read_columns(struct copy_rows *rows)
{
    rows->columns = mem_zalloc(rows->n * sizeof *rows->columns);
    rows->likenesses = mem_zalloc(2 * rows->n * sizeof *rows->likenesses);
    if (!rows->columns || !rows->likenesses)
        return copy_no_memory();
    for (size_t i = 0; i < rows->n; i++) {
        if (evpq_result_is_null(rows->answer, (int)i, TYPE))
            return no_such_column(rows->answer, (int)i);
        rows->columns[i].type = evpq_result_oid(rows->answer, (int)i, TYPE);
        rows->columns[i].name = evpq_result_text(rows->answer, (int)i, NAME);
        add_likeness(rows, (int)i, TYPE, LIKE_OF_TYPE);
        add_likeness(rows, (int)i, ELEMENT, LIKE_OF_ELEMENT);
    }
    rows->rules.likenesses = rows->likenesses;
    const evpq_error *fault = evpq_result_fault(rows->answer);
    return fault ? evpq_error_ref(fault) : NULL;
}

/* Given; NULL without memory. */
static char *copy_to_table(const struct copy_rows *rows)
{
    struct bytes sql = {.data = NULL};
    bool put = copy_put_text(&sql, "copy ") &&
               copy_put_text(&sql, evpq_result_text(rows->answer, 0, TABLE));
    for (size_t i = 0; i < rows->n; i++)
        put = put && copy_put_text(&sql, i ? ", " : " (") &&
              copy_put_text(&sql, evpq_result_text(rows->answer, (int)i, QUOTED));
    put = put && copy_put_text(&sql, ") from stdin (format binary)") && bytes_put1(&sql, '\0');
    if (!put)
        bytes_free(&sql);
    return sql.data;
}

static bool put_head(struct bytes *to)
{
    return bytes_put(to, copy_signature, sizeof copy_signature) && bytes_put4(to, 0) &&
           bytes_put4(to, 0);
}

char *copy_rows_in_known(struct copy_op *k, const evpq_result *answer, evpq_error **ret_error)
{
    struct copy_rows *rows = copy_of_op(k)->rows;
    char *sql = NULL;
    rows->answer = evpq_result_ref(answer);
    rows->n = (size_t)evpq_result_rows(answer);
    evpq_error *error =
        rows->n
            ? read_columns(rows)
            : copy_refused(k->question.sql, "the table has no columns that could be written", NULL);
    if (!error && (!(sql = copy_to_table(rows)) || !put_head(&k->filling)))
        error = copy_no_memory();
    if (!error && k->data == COPY_IN_FINISHED)
        error = copy_rows_end(copy_of_op(k));
    if (!error)
        return sql;
    mem_free(sql);
    *ret_error = error;
    return NULL;
}

/* ---- rows to the server ---- */

static evpq_error *wrong_count(const struct copy_rows *rows, size_t n)
{
    return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                     "row %zu has %zu values, and %zu columns are to be written", rows->taken + 1,
                     n, rows->n);
}

/* With the column's name and type. Takes the error. */
static evpq_error *in_column(evpq_error *error, const struct copy_rows *rows, size_t i)
{
    char message[512];
    const char *type = evpq_result_text(rows->answer, (int)i, TYPE_NAME);
    snprintf(message, sizeof message, "%s (column %s, type %s)", evpq_error_message(error),
             evpq_result_text(rows->answer, (int)i, QUOTED), type);
    evpq_error *named = error_build(&(struct error_fields){
        .status = evpq_error_status(error),
        .outcome = EVPQ_OUTCOME_NOT_SENT,
        .message = message,
        .hint = evpq_error_hint(error),
        .detail = evpq_error_detail(error),
        .table = evpq_result_text(rows->answer, 0, TABLE),
        .column = rows->columns[i].name,
        .datatype = type,
    });
    evpq_error_unref(error);
    return named;
}

evpq_error *copy_rows_put(evpq_copy *c, const evpq_args *args)
{
    struct copy_rows *rows = c->rows;
    struct bytes *to = &c->op.filling;
    size_t start = to->length;
    if (args->n != rows->n || !args->v)
        return wrong_count(rows, args->v ? args->n : 0);
    if (!bytes_put2(to, (uint16_t)rows->n))
        return copy_no_memory();
    const struct spot row = {.noun = "row ", .number = rows->taken + 1, .rules = &rows->rules};
    for (size_t i = 0; i < rows->n; i++) {
        const struct spot spot = {.outer = &row, .noun = "column ", .number = i + 1};
        evpq_error *error = encode_field(to, &args->v[i], rows->columns[i].type, &spot);
        if (error) {
            to->length = start;
            return in_column(error, rows, i);
        }
    }
    rows->taken++;
    return NULL;
}

evpq_error *copy_rows_end(evpq_copy *c)
{
    return !c->rows->n || bytes_put2(&c->op.filling, copy_end_mark) ? NULL : copy_no_memory();
}
