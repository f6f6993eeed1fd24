/* answer.c - the messages to a client (PostgreSQL documentation, "Message Formats"). */
#include "testing/server_impl.h"
#include "testing/types.h"

#include <ctype.h>

void answer_bare(struct backend *b, char type)
{
    message_end(&b->out, message_begin(&b->out, type));
}

/* ---- a session begins ---- */

static void put_setting(struct bytes *out, const char *name, const char *value)
{
    size_t m = message_begin(out, 'S');
    bytes_put_text(out, name);
    bytes_put_text(out, value);
    message_end(out, m);
}

void answer_start(struct backend *b)
{
    struct bytes *out = &b->out;
    size_t m = message_begin(out, 'R');
    bytes_put_int(out, 4, 0);
    message_end(out, m);
    put_setting(out, "server_version", b->server->version);
    put_setting(out, "server_encoding", "UTF8");
    put_setting(out, "client_encoding", "UTF8");
    put_setting(out, "DateStyle", "ISO, MDY");
    put_setting(out, "IntervalStyle", "postgres");
    put_setting(out, "TimeZone", "UTC");
    put_setting(out, "integer_datetimes", "on");
    put_setting(out, "standard_conforming_strings", "on");
    put_setting(out, "default_transaction_read_only", "off"); /* else target_session_attrs asks */
    put_setting(out, "in_hot_standby", "off");
    m = message_begin(out, 'K');
    bytes_put_int(out, 4, (uint64_t)b->pid);
    bytes_put_int(out, 4, b->key);
    message_end(out, m);
    answer_ready(b);
}

/* ---- statements ---- */

void answer_fault(struct backend *b, char type, const struct fault *f)
{
    const struct {
        char field;
        const char *text;
    } fields[] = {{'S', f->severity}, {'V', f->severity}, {'C', f->sqlstate},   {'M', f->message},
                  {'D', f->detail},   {'H', f->hint},     {'n', f->constraint}, {'R', f->function}};
    size_t m = message_begin(&b->out, type);
    for (size_t i = 0; i < sizeof fields / sizeof *fields; i++)
        if (fields[i].text) {
            bytes_put(&b->out, &fields[i].field, 1);
            bytes_put_text(&b->out, fields[i].text);
        }
    bytes_put_int(&b->out, 1, 0);
    message_end(&b->out, m);
}

int portal_format(const struct portal *p, size_t i)
{
    if (!p->n_formats)
        return 0;
    if (p->n_formats == 1)
        return p->formats[0];
    return i < (size_t)p->n_formats ? p->formats[i] : 0;
}

void answer_columns(struct backend *b, const struct column *columns, size_t n, bool of_portal)
{
    struct bytes *out = &b->out;
    if (!n) {
        answer_bare(b, 'n'); /* NoData */
        return;
    }
    size_t m = message_begin(out, 'T');
    bytes_put_int(out, 2, n);
    for (size_t i = 0; i < n; i++) {
        bytes_put_text(out, columns[i].name);
        bytes_put_int(out, 4, 0); /* of no table */
        bytes_put_int(out, 2, 0);
        bytes_put_int(out, 4, columns[i].type);
        bytes_put_int(out, 2, (uint64_t)type_size(columns[i].type));
        bytes_put_int(out, 4, UINT32_MAX);
        bytes_put_int(out, 2, of_portal ? (uint64_t)portal_format(&b->portal, i) : 0);
    }
    message_end(out, m);
}

/* The highest $n of a text. */
static int last_parameter(const char *sql)
{
    long most = 0;
    for (const char *at = sql; (at = strchr(at, '$')); at++)
        if (isdigit((unsigned char)at[1])) {
            long n = strtol(at + 1, NULL, 10);
            most = n > most && n <= UINT16_MAX ? n : most;
        }
    return (int)most;
}

/* A type that was not declared is taken for text. */
void answer_parameters(struct backend *b, const struct prepared *p)
{
    int n = last_parameter(p->sql);
    n = n > p->n_types ? n : p->n_types;
    size_t m = message_begin(&b->out, 't');
    bytes_put_int(&b->out, 2, (uint64_t)n);
    for (int i = 0; i < n; i++)
        bytes_put_int(&b->out, 4, i < p->n_types && p->types[i] ? p->types[i] : 25);
    message_end(&b->out, m);
}

void answer_row(struct backend *b, const struct column *columns, size_t n, const char *const *cells)
{
    struct bytes *out = &b->out;
    size_t m = message_begin(out, 'D');
    bytes_put_int(out, 2, n);
    for (size_t i = 0; i < n; i++) {
        struct bytes cell = {0};
        if (!cells[i]) {
            bytes_put_int(out, 4, UINT32_MAX);
            continue;
        }
        if (portal_format(&b->portal, i))
            type_put_binary(&cell, columns[i].type, cells[i]);
        else
            bytes_put(&cell, cells[i], strlen(cells[i]));
        bytes_put_int(out, 4, bytes_size(&cell));
        bytes_put(out, cell.at, bytes_size(&cell));
        bytes_free(&cell);
    }
    message_end(out, m);
}

void answer_complete(struct backend *b, const char *tag)
{
    size_t m = message_begin(&b->out, 'C');
    bytes_put_text(&b->out, tag);
    message_end(&b->out, m);
}

void answer_notification(struct bytes *to, int pid, const char *channel, const char *payload)
{
    size_t m = message_begin(to, 'A');
    bytes_put_int(to, 4, (uint64_t)pid);
    bytes_put_text(to, channel);
    bytes_put_text(to, payload);
    message_end(to, m);
}

void answer_ready(struct backend *b)
{
    size_t m = message_begin(&b->out, 'Z');
    bytes_put(&b->out, &b->status, 1);
    message_end(&b->out, m);
    backend_flush(b);
}
