/* message.c - the messages from a client (PostgreSQL documentation, "Message Formats"). What breaks
 * the protocol costs the connection. */
#include "testing/server_impl.h"
#include "testing/types.h"

#include <stdio.h>

enum {
    CANCEL_REQUEST = 80877102,
    SSL_REQUEST = 80877103,
    GSSENC_REQUEST = 80877104,
    PROTOCOL_3 = 3,
    START_MOST = 10000,
    MESSAGE_MOST = 1 << 28,
};

/* What is left of a message. Reading beyond its end sets bad, and gives zeros. */
struct reader {
    const char *at, *end;
    bool bad;
};

static const char *take_bytes(struct reader *r, size_t n)
{
    const char *at = r->at;
    if ((size_t)(r->end - r->at) < n) {
        r->bad = true;
        r->at = r->end;
        return NULL;
    }
    r->at += n;
    return at;
}

static uint32_t take_int(struct reader *r, size_t size)
{
    const char *at = take_bytes(r, size);
    uint32_t value = 0;
    for (size_t i = 0; at && i < size; i++)
        value = value << 8 | (unsigned char)at[i];
    return value;
}

static const char *take_text(struct reader *r)
{
    const char *end = memchr(r->at, '\0', (size_t)(r->end - r->at));
    const char *text = end ? take_bytes(r, (size_t)(end - r->at) + 1) : NULL;
    r->bad |= !text;
    return text ? text : "";
}

static void say_end(struct backend *b, const char *sqlstate, const char *message)
{
    answer_fault(b, 'E',
                 &(struct fault){.severity = "FATAL",
                                 .sqlstate = sqlstate,
                                 .message = message,
                                 .function = "evpq_test_server"});
    backend_flush(b);
    backend_end(b);
}

/* Until Sync all is skipped, as after any other error; also a Flush, which it therefore stands for. */
static void say_error(struct backend *b, const char *sqlstate, const char *message,
                      const char *function)
{
    answer_fault(
        b, 'E',
        &(struct fault){
            .severity = "ERROR", .sqlstate = sqlstate, .message = message, .function = function});
    backend_flush(b);
    b->skips = true;
    if (b->status == 'T')
        b->status = 'E';
}

/* ---- a connection begins ---- */

static void cancel(struct backend *b, struct reader *r)
{
    int pid = (int)take_int(r, 4);
    uint32_t key = take_int(r, 4);
    b->server->cancels++;
    for (struct backend *other = b->server->backends; other; other = other->next)
        if (other->started && other->pid == pid && other->key == key)
            run_canceled(other);
    backend_end(b);
}

static void take_start(struct backend *b, struct reader *r)
{
    uint32_t code = take_int(r, 4);
    struct evpq_test_server *server = b->server;
    if (code == CANCEL_REQUEST) {
        cancel(b, r);
    } else if (code == SSL_REQUEST || code == GSSENC_REQUEST) {
        bytes_put(&b->out, "N", 1);
        backend_flush(b);
    } else if (code >> 16 != PROTOCOL_3) {
        say_end(b, "0A000", "the scripted server speaks protocol 3.0 alone");
    } else if (server->refuses) {
        server->refused++;
        say_end(b, server->refuses, server->refusal);
    } else {
        server->connections++;
        b->started = true;
        if (code & 0xffff) { /* NegotiateProtocolVersion */
            size_t m = message_begin(&b->out, 'v');
            bytes_put_int(&b->out, 4, PROTOCOL_3 << 16);
            bytes_put_int(&b->out, 4, 0);
            message_end(&b->out, m);
        }
        answer_start(b);
    }
}

/* ---- extended queries ---- */

static void parse(struct backend *b, struct reader *r)
{
    const char *name = take_text(r), *sql = take_text(r);
    if (*name && prepared_find(b, name)) {
        say_error(b, "42P05", "prepared statement already exists", "StorePreparedStatement");
        return;
    }
    prepared_forget(b, name);
    struct prepared *p = take_memory(sizeof *p);
    p->name = copy_text(name);
    p->sql = copy_text(sql);
    p->n_types = (int)take_int(r, 2);
    p->types = take_memory((size_t)p->n_types * sizeof *p->types);
    for (int i = 0; i < p->n_types; i++)
        p->types[i] = take_int(r, 4);
    p->next = b->prepared;
    b->prepared = p;
    answer_bare(b, '1');
}

/* Formats, as Bind has them: none, one for all, or one each. */
static int *take_formats(struct reader *r, int *ret_n)
{
    *ret_n = (int)take_int(r, 2);
    int *formats = take_memory((size_t)*ret_n * sizeof *formats);
    for (int i = 0; i < *ret_n; i++)
        formats[i] = (int)take_int(r, 2);
    return formats;
}

static char *take_parameter(struct reader *r, bool binary, uint32_t type)
{
    uint32_t size = take_int(r, 4);
    const char *at = size == UINT32_MAX ? NULL : take_bytes(r, size);
    if (!at)
        return NULL;
    return binary ? type_read_binary(type, at, size) : copy_part(at, size);
}

static void bind(struct backend *b, struct reader *r)
{
    struct portal *p = &b->portal;
    take_text(r); /* libpq has the portal without a name alone */
    const struct prepared *statement = prepared_find(b, take_text(r));
    int n_formats;
    portal_clear(p);
    if (!statement) {
        say_error(b, "26000", "prepared statement does not exist", "FetchPreparedStatement");
        return;
    }
    p->sql = copy_text(statement->sql);
    int *formats = take_formats(r, &n_formats);
    p->n = (int)take_int(r, 2);
    p->parameters = take_memory((size_t)p->n * sizeof *p->parameters);
    for (int i = 0; i < p->n; i++) {
        int format = !n_formats ? 0 : n_formats == 1 ? formats[0] : i < n_formats ? formats[i] : 0;
        uint32_t type = i < statement->n_types ? statement->types[i] : 0;
        p->parameters[i] = take_parameter(r, format == 1, type);
    }
    free(formats);
    p->formats = take_formats(r, &p->n_formats);
    answer_bare(b, '2');
}

static void describe_portal(struct backend *b)
{
    const struct line *l = run_line(b);
    if (own_is(b->portal.sql))
        own_describe(b, b->portal.sql);
    else
        answer_columns(b, l ? l->columns : NULL, l ? l->n_columns : 0, true);
}

/* Which line will answer is not known before it is bound: the columns are told then. */
static void describe(struct backend *b, struct reader *r)
{
    bool of_statement = take_int(r, 1) == 'S';
    const char *name = take_text(r);
    const struct prepared *p = of_statement ? prepared_find(b, name) : NULL;
    if (p) {
        answer_parameters(b, p);
        answer_bare(b, 'n');
    } else if (of_statement) {
        say_error(b, "26000", "prepared statement does not exist", "FetchPreparedStatement");
    } else if (b->portal.sql) {
        describe_portal(b);
    } else {
        say_error(b, "34000", "portal does not exist", "exec_describe_portal_message");
    }
}

static void close_one(struct backend *b, struct reader *r)
{
    if (take_int(r, 1) == 'S')
        prepared_forget(b, take_text(r));
    else
        portal_clear(&b->portal);
    answer_bare(b, '3');
}

static void execute(struct backend *b)
{
    if (b->portal.sql)
        run_portal(b);
    else
        say_error(b, "34000", "portal does not exist", "exec_execute_message");
}

static void query(struct backend *b, struct reader *r)
{
    portal_clear(&b->portal);
    b->portal.sql = copy_text(take_text(r));
    run_query(b);
}

/* ---- one message ---- */

static void take_message(struct backend *b, char type, struct reader *r)
{
    if (b->skips && type != 'S' && type != 'X')
        return;
    switch (type) {
    case 'Q':
        query(b, r);
        break;
    case 'P':
        parse(b, r);
        break;
    case 'B':
        bind(b, r);
        break;
    case 'D':
        describe(b, r);
        break;
    case 'E':
        execute(b);
        break;
    case 'C':
        close_one(b, r);
        break;
    case 'H':
        backend_flush(b);
        break;
    case 'S':
        run_sync(b);
        break;
    case 'X':
        backend_end(b);
        break;
    case 'd':
    case 'c':
    case 'f':
        break; /* of a COPY that has failed */
    default:
        say_end(b, "08P01", "the scripted server does not know that message");
    }
    if (r->bad && b->at != AT_END)
        say_end(b, "08P01", "a message is shorter than what it says");
}

bool message_take(struct backend *b)
{
    size_t there = bytes_size(&b->in), head = b->started ? 5 : 4;
    if (there < head)
        return false;
    const char *begin = bytes_begin(&b->in);
    struct reader r = {begin + head - 4, begin + head, false};
    size_t n = take_int(&r, 4);
    if (n < 4 || n > (b->started ? MESSAGE_MOST : START_MOST)) {
        say_end(b, "08P01", "a message has a length that none can have");
        return false;
    }
    if (there < head - 4 + n)
        return false;
    r.end = begin + head - 4 + n;
    if (b->started)
        take_message(b, *begin, &r);
    else
        take_start(b, &r);
    bytes_take(&b->in, head - 4 + n);
    return true;
}
