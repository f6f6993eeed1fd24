/* message.c - what a session is told: see answer.h. */
#include "sim/answer.h"

#include "sim/net.h"

#include <stdio.h>
#include <string.h>

/* What is left of a message. Its length is right, as libpq wrote it. */
struct reader {
    const char *at, *end;
};

static uint32_t take_int(struct reader *r, int bytes)
{
    uint32_t value = 0;
    while (bytes--)
        value = value << 8 | (unsigned char)*r->at++;
    return value;
}

static const char *take_text(struct reader *r)
{
    const char *text = r->at;
    r->at += strlen(text) + 1;
    return text;
}

static int64_t number_of(const char *bytes, size_t n, bool binary)
{
    while (!binary && n > 1 && *bytes == '0') {
        bytes++;
        n--;
    }
    struct reader r = {bytes, bytes + n};
    char text[ARGUMENT_MOST] = "";
    if (binary)
        return n == 8 ? (int64_t)((uint64_t)take_int(&r, 4) << 32 | take_int(&r, 4))
                      : (int64_t)take_int(&r, (int)n);
    memcpy(text, bytes, n < sizeof text ? n : sizeof text - 1);
    return atoll(text);
}

/* ---- prepared statements ---- */

static struct prepared *find(struct backend *b, const char *name)
{
    if (!*name)
        return &b->session->prepared[0];
    for (int i = 1; i < PREPARED_MOST; i++)
        if (!strcmp(b->session->prepared[i].name, name))
            return &b->session->prepared[i];
    return NULL;
}

static struct prepared *find_free(struct backend *b)
{
    for (int i = 1; i < PREPARED_MOST; i++)
        if (!b->session->prepared[i].name[0])
            return &b->session->prepared[i];
    violation("backend %d: more than %d prepared statements", b->pid, PREPARED_MOST);
}

static void parse(struct backend *b, struct reader *r)
{
    const char *name = take_text(r), *sql = take_text(r);
    struct prepared *p = find(b, name);
    if (*name && p) {
        backend_fail(b, &says_statement_exists);
        return;
    }
    if (statement_of(sql) == SPOILED) {
        backend_fail(b, &says_syntax);
        return;
    }
    p = p ? p : find_free(b);
    p->is = statement_of(sql);
    if (b->status == 'E' && !statement_runs_in_failed(p->is)) {
        backend_fail(b, &says_in_failed);
        return;
    }
    p->version = server_schema();
    snprintf(p->name, sizeof p->name, "%s", name);
    snprintf(p->argument, sizeof p->argument, "%s", statement_argument(p->is, sql));
    trace("backend %d: parses %s%s%s", b->pid, statement_name(p->is), *name ? " as " : "", name);
    answer_done(b, '1');
}

static void bind(struct backend *b, struct reader *r)
{
    take_text(r);
    const char *name = take_text(r);
    const struct prepared *p = find(b, name);
    if (!p) {
        backend_fail(b, &says_no_statement);
        return;
    }
    if (*name && p->version != server_schema() && statement_gives_tokens(p->is)) {
        backend_fail(b, &says_plan_changed);
        return;
    }
    bool binary = false;
    for (uint32_t n = take_int(r, 2); n; n--)
        binary = take_int(r, 2);
    b->token = -1;
    uint32_t args = take_int(r, 2);
    for (uint32_t i = 0; i < args; i++) {
        uint32_t size = take_int(r, 4);
        if (size == UINT32_MAX) /* NULL */
            continue;
        if (i < PARAMETERS_MOST && size < TEXT_MOST)
            snprintf(b->texts[i], TEXT_MOST, "%.*s", (int)size, r->at);
        b->token = number_of(r->at, size, binary);
        r->at += size;
    }
    b->binary = false;
    for (uint32_t n = take_int(r, 2); n; n--)
        b->binary = take_int(r, 2);
    b->portal = p;
    answer_done(b, '2');
}

static void describe(struct backend *b, struct reader *r)
{
    bool of_statement = take_int(r, 1) == 'S';
    const struct prepared *p = of_statement ? find(b, r->at) : b->portal;
    if (p)
        answer_description(b, p, of_statement);
    else
        backend_fail(b, &says_no_statement);
}

static void close_statement(struct backend *b, struct reader *r)
{
    struct prepared *p = take_int(r, 1) == 'S' ? find(b, r->at) : NULL;
    if (p)
        p->name[0] = '\0';
    answer_done(b, '3');
}

/* ---- simple queries ---- */

static void query(struct backend *b, struct reader *r)
{
    const char *sql = take_text(r);
    struct prepared *p = &b->query;
    p->is = statement_of(sql);
    snprintf(p->argument, sizeof p->argument, "%s", statement_argument(p->is, sql));
    b->portal = p;
    b->binary = false;
    backend_query(b);
}

/* ---- one message ---- */

enum { CANCEL_REQUEST = 80877102, PROTOCOL_3 = 3 << 16 };

/* False: the process ends. */
static bool take_start(struct backend *b, const char *packet, size_t n)
{
    struct reader r = {packet + 4, packet + n};
    uint32_t code = take_int(&r, 4);
    if (code == CANCEL_REQUEST) {
        server_cancel(packet, n);
        backend_die(b);
        return false;
    }
    if (code != PROTOCOL_3)
        violation("a session begins with the code %u", (unsigned)code);
    b->started = true;
    answer_start(b);
    return true;
}

/* False: the process ends. */
static bool take_message(struct backend *b, char type, struct reader *r)
{
    if (b->skips && type != 'S' && type != 'X')
        return true;
    b->between = false;
    switch (type) {
    case 'Q':
        query(b, r);
        break;
    case 'd':
        if (b->copies)
            buffer_put(&b->copied, r->at, (size_t)(r->end - r->at));
        break; /* else of a COPY that has failed */
    case 'c':
    case 'f':
        if (b->copies)
            backend_copied(b, type == 'c');
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
        backend_execute(b);
        break;
    case 'C':
        close_statement(b, r);
        break;
    case 'H':
        answer_flush(b);
        break;
    case 'S':
        if (!b->copies)
            backend_sync(b);
        break;
    case 'X':
        backend_die(b);
        return false;
    default:
        violation("backend %d: a message of type %c", b->pid, type);
    }
    return true;
}

/* The first so many bytes leave the kernel's buffer, which may be smaller than a message. */
static void read_in(struct backend *b, size_t n)
{
    if (b->link)
        net_taken(b->link, n - b->n_read);
    b->n_read = n;
}

enum taken message_take(struct backend *b)
{
    size_t there = buffer_size(&b->in), head = b->started ? 5 : 4;
    const char *bytes = b->in.bytes + b->in.from;
    struct reader r = {bytes + head - 4, NULL};
    size_t n = there < head ? head : head - 4 + take_int(&r, 4);
    if (there < n) {
        read_in(b, there);
        return NOT_WHOLE;
    }
    if (b->started && *bytes != 'X' && !pooler_lend(b))
        return NOT_WHOLE;
    r.end = bytes + n;
    buffer_take(&b->in, n); /* which leaves them where they are */
    read_in(b, n);
    b->n_read = 0;
    return (b->started ? take_message(b, *bytes, &r) : take_start(b, bytes, n)) ? TAKEN : ENDED;
}
