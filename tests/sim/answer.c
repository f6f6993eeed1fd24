/* answer.c - what a session says: see answer.h. */
#include "sim/answer.h"

#include "sim/copying.h"
#include "sim/net.h"
#include "sim/notify.h"

#include <stdio.h>
#include <string.h>

const struct server_error says_deferred = {"23503", "insert violates foreign key constraint",
                                           "ri_ReportViolation"};
const struct server_error says_in_failed = {"25P02", "current transaction is aborted",
                                            "exec_execute_message"};
const struct server_error says_read_only = {"25006", "cannot write in a read-only transaction",
                                            "PreventCommandIfReadOnly"};
const struct server_error says_division = {"22012", "division by zero", "int8div"};
const struct server_error says_in_block = {"25001", "cannot run inside a transaction block",
                                           "PreventInTransactionBlock"};
const struct server_error says_serialization = {"40001", "could not serialize access",
                                                "heap_lock_tuple"};
const struct server_error says_resources = {"53200", "out of shared memory", "LockAcquire"};
const struct server_error says_canceled = {"57014", "canceling statement due to user request",
                                           "ProcessInterrupts"};
const struct server_error says_terminated = {
    "57P01", "terminating connection due to administrator command", "ProcessInterrupts"};
const struct server_error says_no_statement = {"26000", "prepared statement does not exist",
                                               "FetchPreparedStatement"};
const struct server_error says_no_block = {"25P01", "can only be used in transaction blocks",
                                           "CheckTransactionBlock"};
const struct server_error says_no_savepoint = {"3B001", "savepoint does not exist",
                                               "RollbackToSavepoint"};
const struct server_error says_plan_changed = {"0A000", "cached plan must not change result type",
                                               "RevalidateCachedQuery"};
const struct server_error says_crashed = {"08P01", "server conn crashed?", ""};
const struct server_error says_copy_failed = {"57014", "COPY from stdin failed: given up",
                                              "CopyGetData"};
const struct server_error says_table_exists = {"42P07", "relation \"tokens\" already exists",
                                               "heap_create_with_catalog"};
const struct server_error says_syntax = {"42601", "syntax error", "scanner_yyerror"};
const struct server_error says_no_table = {"42P01", "relation does not exist",
                                           "RangeVarGetRelidExtended"};
const struct server_error says_statement_exists = {"42P05", "prepared statement already exists",
                                                   "StorePreparedStatement"};

/* ---- messages ---- */

struct message {
    struct buffer *out;
    size_t length_at; /* from the beginning of what is kept */
};

static struct message begin(struct backend *b, char type)
{
    buffer_put(&b->out, &type, 1);
    struct message m = {&b->out, buffer_size(&b->out)};
    buffer_put_int(&b->out, 4, 0);
    return m;
}

static void finish(struct message m)
{
    size_t length = buffer_size(m.out) - m.length_at;
    for (int i = 0; i < 4; i++)
        m.out->bytes[m.out->from + m.length_at + (size_t)i] = (char)(length >> (24 - 8 * i));
}

static void put_text(struct buffer *out, const char *text)
{
    buffer_put(out, text, strlen(text) + 1);
}

static void answer_bare(struct backend *b, char type)
{
    finish(begin(b, type));
}

/* ---- results ---- */

static uint64_t size_of_type(unsigned type)
{
    enum { BOOL = 16, INT8 = 20, INT4 = 23, OID = 26 };
    return type == INT8 ? 8 : type == INT4 || type == OID ? 4 : type == BOOL ? 1 : 0xffff;
}

static void put_columns(struct backend *b, enum statement s, bool binary)
{
    struct column_of columns[COLUMNS_MOST];
    int n = statement_columns(s, columns);
    if (!n) {
        answer_bare(b, 'n'); /* NoData */
        return;
    }
    struct message m = begin(b, 'T');
    buffer_put_int(&b->out, 2, (uint64_t)n);
    for (int i = 0; i < n; i++) {
        put_text(&b->out, columns[i].name);
        buffer_put_int(&b->out, 4, 0); /* of no table */
        buffer_put_int(&b->out, 2, 0);
        buffer_put_int(&b->out, 4, columns[i].type);
        buffer_put_int(&b->out, 2, size_of_type(columns[i].type));
        buffer_put_int(&b->out, 4, 0xffffffff);
        buffer_put_int(&b->out, 2, binary);
    }
    finish(m);
}

static void put_number(struct backend *b, int64_t number, int size)
{
    char text[24];
    if (b->binary) {
        buffer_put_int(&b->out, 4, (uint64_t)size);
        buffer_put_int(&b->out, size, (uint64_t)number);
        return;
    }
    int n = snprintf(text, sizeof text, "%lld", (long long)number);
    buffer_put_int(&b->out, 4, (uint64_t)n);
    buffer_put(&b->out, text, (size_t)n);
}

static void put_flag(struct backend *b, bool set)
{
    buffer_put_int(&b->out, 4, set);
    if (set)
        buffer_put(&b->out, "1", 1);
}

void answer_row(struct backend *b, enum statement s)
{
    struct message m = begin(b, 'D');
    buffer_put_int(&b->out, 2, s == WHO ? 2 : 1);
    switch (s) {
    case WHO:
        put_number(b, b->session->pid, 4);
        put_flag(b, true);
        break;
    case TOGETHER:
        put_flag(b, b->together);
        break;
    case NOTIFY:
        buffer_put_int(&b->out, 4, 0);
        break;
    case GUARD:
        put_flag(b, true);
        break;
    case ROWS:
        put_number(b, b->token + b->rows, 8);
        break;
    default:
        put_number(b, b->token, 8);
        break;
    }
    finish(m);
}

static void put_string(struct backend *b, const char *text)
{
    buffer_put_int(&b->out, 4, strlen(text));
    buffer_put(&b->out, text, strlen(text));
}

static void put_null(struct backend *b)
{
    buffer_put_int(&b->out, 4, 0xffffffff);
}

static void put_bool(struct backend *b, bool is)
{
    char as_byte = (char)is, as_text = is ? 't' : 'f';
    buffer_put_int(&b->out, 4, 1);
    buffer_put(&b->out, b->binary ? &as_byte : &as_text, 1);
}

static void put_format(struct backend *b, const char *format, int number)
{
    char text[TEXT_MOST];
    snprintf(text, sizeof text, format, number);
    put_string(b, text);
}

void answer_types(struct backend *b)
{
    bool known = server_schema() % 2 == 0;
    struct message m = begin(b, 'D');
    buffer_put_int(&b->out, 2, 3);
    put_string(b, TYPE_NAME);
    for (int oid = 70001; oid <= 70002; oid++) {
        if (known)
            put_number(b, oid, 4);
        else
            put_null(b);
    }
    finish(m);
}

void answer_xact(struct backend *b)
{
    struct message m = begin(b, 'D');
    buffer_put_int(&b->out, 2, 4);
    if (b->xact)
        put_format(b, "%d", b->xact);
    else
        put_null(b);
    put_format(b, "start %d", server_starts());
    put_format(b, "mark %d", server_recoveries());
    put_format(b, "0/%d", b->xact);
    finish(m);
}

void answer_xact_status(struct backend *b, bool standby)
{
    char start[TEXT_MOST], mark[TEXT_MOST];
    snprintf(start, sizeof start, "start %d", server_starts());
    snprintf(mark, sizeof mark, "mark %d", server_recoveries());
    bool same = !strcmp(b->texts[1], start), whole = !strcmp(b->texts[2], mark);
    struct message m = begin(b, 'D');
    buffer_put_int(&b->out, 2, 4);
    if (same && !standby)
        put_string(b, xact_status(atoi(b->texts[0])));
    else
        put_null(b);
    put_bool(b, same);
    put_bool(b, whole);
    put_bool(b, standby);
    finish(m);
}

/* One column, of PostgreSQL's own type. */
void answer_columns(struct backend *b, bool hidden)
{
    struct message m = begin(b, 'D');
    buffer_put_int(&b->out, 2, COLUMNS_MOST);
    put_string(b, "token");
    put_number(b, 20, 4);
    put_string(b, "token");
    put_string(b, hidden ? "hidden.tokens" : "public.tokens");
    put_string(b, "bigint");
    for (int nulls = 3; nulls; nulls--)
        put_null(b);
    finish(m);
}

void answer_complete(struct backend *b, const char *tag)
{
    struct message m = begin(b, 'C');
    put_text(&b->out, tag);
    finish(m);
}

void answer_empty(struct backend *b)
{
    answer_bare(b, 'I');
}

void answer_notification(struct backend *b, int channel, int64_t number)
{
    char text[24];
    struct buffer out = b->out;
    b->out = b->heard;
    struct message m = begin(b, 'A');
    buffer_put_int(&b->out, 4, 99);
    put_text(&b->out, notify_channel(channel));
    snprintf(text, sizeof text, "%lld", (long long)number);
    put_text(&b->out, text);
    finish(m);
    b->heard = b->out;
    b->out = out;
}

void answer_heard(struct backend *b)
{
    if (buffer_size(&b->heard))
        buffer_put(&b->out, b->heard.bytes + b->heard.from, buffer_size(&b->heard));
    buffer_take(&b->heard, buffer_size(&b->heard));
}

static void answer_copy(struct backend *b, char type)
{
    bool binary = statement_copies_binary(b->portal->is);
    struct message m = begin(b, type);
    buffer_put_int(&b->out, 1, binary);
    int columns = b->portal->is == COPY_ROWS_OUT ? 2 : 1;
    buffer_put_int(&b->out, 2, (uint64_t)columns);
    for (int i = 0; i < columns; i++)
        buffer_put_int(&b->out, 2, binary);
    finish(m);
}

void answer_copy_in(struct backend *b)
{
    answer_copy(b, 'G');
}

void answer_copy_out(struct backend *b)
{
    answer_copy(b, 'H');
}

void answer_copy_row(struct backend *b, int number)
{
    struct message m = begin(b, 'd');
    if (statement_copies_binary(b->portal->is))
        copying_put_row(&b->out, number, chance_one_in(server_faults()->garbles));
    else
        copying_put_line(&b->out, number);
    finish(m);
}

void answer_copy_end(struct backend *b)
{
    if (statement_copies_binary(b->portal->is)) {
        struct message m = begin(b, 'd');
        copying_put_end(&b->out);
        finish(m);
    }
    answer_bare(b, 'c');
}

void answer_ready(struct backend *b)
{
    struct message m = begin(b, 'Z');
    buffer_put_int(&b->out, 1, (uint64_t)b->status);
    finish(m);
}

static void say(struct backend *b, char type, const char *severity, const struct server_error *e)
{
    struct message m = begin(b, type);
    const struct {
        char field;
        const char *text;
    } fields[] = {{'S', severity},
                  {'V', severity},
                  {'C', e->sqlstate},
                  {'M', e->message},
                  {'R', e->function}};
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++) {
        buffer_put(&b->out, &fields[i].field, 1);
        put_text(&b->out, fields[i].text);
    }
    buffer_put_int(&b->out, 1, 0);
    finish(m);
}

void answer_error(struct backend *b, const char *severity, const struct server_error *error)
{
    say(b, 'E', severity, error);
}

void answer_warning(struct backend *b, const char *message)
{
    say(b, 'N', "WARNING", &(struct server_error){"25P01", message, "UserAbortTransactionBlock"});
}

void answer_flush(struct backend *b)
{
    if (b->link)
        net_answer(b->link, b->out.bytes + b->out.from, buffer_size(&b->out));
    buffer_take(&b->out, buffer_size(&b->out));
}

void answer_start(struct backend *b)
{
    static const char *const settings[][2] = {{"server_version", "16.4"},
                                              {"server_encoding", "UTF8"},
                                              {"client_encoding", "UTF8"},
                                              {"standard_conforming_strings", "on"}};
    struct message m = begin(b, 'R'); /* AuthenticationOk */
    buffer_put_int(&b->out, 4, 0);
    finish(m);
    for (size_t i = 0; i < sizeof settings / sizeof *settings; i++) {
        m = begin(b, 'S');
        put_text(&b->out, settings[i][0]);
        put_text(&b->out, settings[i][1]);
        finish(m);
    }
    m = begin(b, 'K');
    buffer_put_int(&b->out, 4, (uint64_t)b->pid);
    buffer_put_int(&b->out, 4, b->key);
    finish(m);
    answer_ready(b);
}

void answer_description(struct backend *b, const struct prepared *p, bool of_statement)
{
    if (of_statement) { /* ParameterDescription */
        unsigned types[PARAMETERS_MOST];
        int n = statement_parameters(p->is, types);
        struct message m = begin(b, 't');
        buffer_put_int(&b->out, 2, (uint64_t)n);
        for (int i = 0; i < n; i++)
            buffer_put_int(&b->out, 4, types[i]);
        finish(m);
    }
    put_columns(b, p->is, !of_statement && b->binary);
}

void answer_done(struct backend *b, char type)
{
    answer_bare(b, type);
}
