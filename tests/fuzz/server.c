/* server.c - a server that says what the input says: to the library with the real libpq, over a socket. Whatever it
 * says, each future settles, the pool closes, and nothing is left.
 *
 * The first byte: what the client asks, and whether the server greets it as one does; the second, how much is sent at a
 * time. The rest is sent once the client has asked, and behind each ReadyForQuery once it has asked again. Nothing waits
 * for a time: where neither side has more to say, the server goes on, and hangs up at its end. */
#include "fuzz/fuzz.h"
#include "support/ask.h"

#include <errno.h>
#include <ev.h>
#include <evpq/evpq.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

/* AuthenticationOk, two parameters, BackendKeyData, ReadyForQuery. */
#define PARAMETER(length, name, value) "S\0\0\0" length name "\0" value "\0"
static const char greeting[] = "R\0\0\0\10\0\0\0\0" PARAMETER("\31", "client_encoding", "UTF8")
    PARAMETER("\30", "server_version", "15.0") "K\0\0\0\14\0\0\0\1\0\0\0\2"
                                               "Z\0\0\0\5I";

enum { PATIENCE = 12 };

static struct fake {
    char folder[64], conninfo[192];
    int listener;

    /* Of one input. */
    struct ev_loop *ev;
    ev_io heard, connected;
    ev_idle turned;
    int patience; /* turns until it goes on by itself */
    int fd;       /* -1: nobody is connected */
    const uint8_t *bytes;
    size_t left, piece;
    bool greets, asked, over;
} fake;

/* What libpq itself forgets when a server breaks the protocol: the description of rows before a COPY. What becomes of
 * its results in good hands the other tests see. */
const char *__lsan_default_suppressions(void);
const char *__lsan_default_suppressions(void)
{
    return "leak:libpq.so\n";
}

/* ---- the server ---- */

static void hang_up(void)
{
    ev_io_stop(fake.ev, &fake.heard);
    if (fake.fd >= 0)
        close(fake.fd);
    fake.fd = -1;
    fake.over = true;
}

static void on_heard(struct ev_loop *ev, ev_io *w, int events)
{
    char room[4096];
    ssize_t n;
    (void)ev, (void)w, (void)events;
    while ((n = read(fake.fd, room, sizeof room)) > 0)
        ;
    if (!n || errno != EAGAIN) {
        hang_up();
        return;
    }
    if (fake.greets) {
        fake.greets = false;
        if (send(fake.fd, greeting, sizeof greeting - 1, MSG_NOSIGNAL) < 0)
            hang_up();
        return;
    }
    fake.asked = true;
}

/* Whoever comes later, and who comes to cancel something, finds nobody. */
static void on_connected(struct ev_loop *ev, ev_io *w, int events)
{
    (void)events;
    int fd = accept(w->fd, NULL, NULL);
    if (fd >= 0 && (fake.over || fake.fd >= 0)) {
        close(fd);
        return;
    }
    fake.fd = fd;
    fcntl(fd, F_SETFL, O_NONBLOCK);
    ev_io_init(&fake.heard, on_heard, fd, EV_READ);
    ev_io_start(ev, &fake.heard);
}

/* libpq believes a length, makes room for as much, and waits: that is not to be looked at here, and slow. */
static void shorten(uint8_t *at, size_t left)
{
    while (left > 4) {
        at[1] = at[2] = 0;
        size_t length = 1 + (size_t)at[3] * 256 + at[4];
        if (length > left)
            return;
        at += length;
        left -= length;
    }
}

/* How much there is up to the end of the next ReadyForQuery. */
static size_t until_ready(void)
{
    static const char ready[] = "Z\0\0\0\5";
    const uint8_t *at = memmem(fake.bytes, fake.left, ready, sizeof ready - 1);
    size_t n = at ? (size_t)(at - fake.bytes) + sizeof ready : fake.left;
    return n < fake.left ? n : fake.left;
}

static void say(void)
{
    size_t whole = until_ready(), n = fake.piece < whole ? fake.piece : whole;
    ssize_t sent = n ? send(fake.fd, fake.bytes, n, MSG_NOSIGNAL) : -1;
    if (sent < 0) {
        if (!n || errno != EAGAIN)
            hang_up();
        return;
    }
    fake.bytes += sent;
    fake.left -= (size_t)sent;
    fake.asked = (size_t)sent < whole;
}

/* Once a turn. */
static void on_turned(struct ev_loop *ev, ev_idle *w, int events)
{
    (void)ev, (void)w, (void)events;
    if (fake.fd < 0 || (!fake.asked && --fake.patience))
        return;
    fake.patience = PATIENCE;
    if (fake.greets) /* who does not even begin is not waited for */
        hang_up();
    else
        say();
}

static void clean_up(void)
{
    char path[128];
    snprintf(path, sizeof path, "%s/.s.PGSQL.5432", fake.folder);
    unlink(path);
    rmdir(fake.folder);
}

static void listen_once(void)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    if (fake.folder[0])
        return;
    strcpy(fake.folder, "/tmp/evpq-fuzz.XXXXXX");
    if (!mkdtemp(fake.folder))
        abort();
    snprintf(address.sun_path, sizeof address.sun_path, "%s/.s.PGSQL.5432", fake.folder);
    snprintf(fake.conninfo, sizeof fake.conninfo,
             "host=%s port=5432 user=u dbname=d sslmode=disable gssencmode=disable", fake.folder);
    fake.listener = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    if (bind(fake.listener, (struct sockaddr *)&address, sizeof address) ||
        listen(fake.listener, 16))
        abort();
    atexit(clean_up);
}

/* ---- the client ---- */

static void take(evpq_future *f)
{
    if (evpq_await(f) == EVPQ_OK && evpq_future_result(f))
        fuzz_holds(ask_everything(evpq_future_result(f), 2));
    FUZZ_HOLDS(evpq_future_status(f) != EVPQ_PENDING);
    evpq_future_unref(f);
}

static void asks(evpq_pool *pool)
{
    evpq_future *fs[4];
    for (int i = 0; i < 4; i++)
        fs[i] = evpq_pool_query(pool, i < 2 ? "select $1::int" : "insert into t values ($1)",
                                EVPQ_ARGS(i));
    for (int i = 0; i < 4; i++)
        take(fs[i]);
}

static void asks_twice(evpq_pool *pool)
{
    take(evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(1)));
    take(evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(2)));
    take(evpq_pool_query(pool, "select $1::int", EVPQ_ARGS(3)));
}

static void streams(evpq_pool *pool)
{
    evpq_stream *stream = evpq_pool_stream(pool, "select * from t", EVPQ_ARGS(), NULL);
    for (int i = 0; i < 20; i++) {
        evpq_future *f = evpq_stream_next(stream);
        bool more = evpq_await(f) == EVPQ_OK && evpq_future_result(f);
        take(f);
        if (!more)
            break;
    }
    evpq_stream_close(stream);
}

static void copies_out(evpq_pool *pool, bool rows)
{
    evpq_copy *copy = rows ? evpq_pool_copy_rows_out(pool, "select * from t")
                           : evpq_pool_copy_out(pool, "copy t to stdout");
    for (int i = 0; i < 20; i++) {
        evpq_future *f = evpq_copy_read(copy);
        bool more = evpq_await(f) == EVPQ_OK && (evpq_future_bytes(f, NULL) || rows);
        take(f);
        if (!more)
            break;
    }
    evpq_copy_close(copy);
}

static void copies_in(evpq_pool *pool, bool rows)
{
    evpq_copy *copy = rows ? evpq_pool_copy_rows_in(pool, "t", NULL, 0)
                           : evpq_pool_copy_in(pool, "copy t from stdin");
    for (int i = 0; i < 3; i++) {
        take(evpq_copy_drain(copy));
        if (rows)
            evpq_copy_row(copy, EVPQ_ARGS(i, "x"));
        else
            evpq_copy_write(copy, "1\tx\n", 4);
    }
    take(evpq_copy_finish(copy));
}

static void transacts(evpq_pool *pool)
{
    evpq_future *begun = evpq_pool_begin(pool, NULL);
    if (evpq_await(begun) == EVPQ_OK) {
        evpq_txn *txn = evpq_future_txn(begun);
        evpq_future *f = evpq_txn_query(txn, "insert into t values ($1)", EVPQ_ARGS(1));
        evpq_future *g = evpq_txn_query(txn, "select 1", EVPQ_ARGS());
        take(f);
        take(evpq_txn_commit(txn));
        take(g);
    }
    evpq_future_unref(begun);
}

static void listens(evpq_loop *loop)
{
    evpq_listener *listener = evpq_listener_open(loop, fake.conninfo, NULL, NULL);
    evpq_subscription *s = evpq_listener_subscribe(listener, "jobs", NULL, NULL);
    evpq_future *ready = evpq_subscription_ready(s), *next = evpq_subscription_next(s);
    for (int i = 0; i < 40 && evpq_future_status(next) == EVPQ_PENDING; i++)
        take(evpq_sleep(loop, 0));
    take(evpq_listener_close(listener));
    evpq_subscription_unref(s);
    take(ready);
    take(next);
    evpq_listener_unref(listener);
}

static void client(evpq_loop *loop, evpq_pool *pool, unsigned what)
{
    switch (what % 9) {
    case 0:
        asks(pool);
        break;
    case 1:
        asks_twice(pool);
        break;
    case 2:
        streams(pool);
        break;
    case 3:
    case 4:
        copies_out(pool, what % 9 == 4);
        break;
    case 5:
    case 6:
        copies_in(pool, what % 9 == 6);
        break;
    case 7:
        transacts(pool);
        break;
    default:
        listens(loop);
        break;
    }
}

/* ---- one input ---- */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    listen_once();
    uint8_t what = fuzz_byte(&data, &size), piece = fuzz_byte(&data, &size);
    evpq_loop *loop = evpq_loop_new(NULL);
    fake.ev = evpq_loop_ev(loop);
    fake.fd = -1;
    uint8_t *bytes = (uint8_t *)fuzz_text(data, size);
    shorten(bytes, size);
    fake.bytes = bytes;
    fake.left = size;
    fake.piece = piece >= 0x80 ? 1 << 14 : piece + 1u;
    fake.patience = PATIENCE;
    fake.greets = what & 1;
    fake.asked = fake.over = false;
    ev_io_init(&fake.connected, on_connected, fake.listener, EV_READ);
    ev_io_start(fake.ev, &fake.connected);
    ev_idle_init(&fake.turned, on_turned);
    ev_idle_start(fake.ev, &fake.turned);

    evpq_pool_opts opts = {.size = sizeof opts,
                           .max_size = 1,
                           .backoff_min = 60,
                           .backoff_max = 60,
                           .acquire_timeout = 0.001,
                           .cancel_timeout = 0.001};
    evpq_pool *pool = evpq_pool_open(loop, fake.conninfo, &opts, NULL);
    take(evpq_pool_connect(pool));
    client(loop, pool, what >> 1);
    evpq_future *closed = evpq_pool_close(pool, 0);
    FUZZ_HOLDS(evpq_await(closed) == EVPQ_OK);
    evpq_future_unref(closed);
    evpq_pool_unref(pool);
    hang_up();
    ev_io_stop(fake.ev, &fake.connected);
    ev_idle_stop(fake.ev, &fake.turned);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
    free(bytes);
    return 0;
}
