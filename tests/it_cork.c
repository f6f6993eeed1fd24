/* it_cork.c - several small sends in one packet, where libpq cannot but send at each Sync: the
 * socket is corked while a tick sends, and never afterwards.
 *
 * What this process asks of a socket passes through here and is written down: C corked, U uncorked,
 * r neither, as it was refused, s sent, x closed. */
#undef _FORTIFY_SOURCE

#include "support/proxy.h"
#include "support/server.h"
#include "support/site.h"

#include "libpq/pq.h"
#include "pool/pool.h"

#include <dlfcn.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- what is written down ---- */

static struct {
    int fd; /* of the connection that is watched; 0: none */
    char did[4000];
    size_t n;
    int breaks_at; /* the send that finds the link broken; 0: none */
} notes;

static void note(int fd, char what)
{
    if (fd != notes.fd || !notes.fd)
        return;
    ck_assert_uint_lt(notes.n, sizeof notes.did - 1);
    notes.did[notes.n++] = what;
    notes.did[notes.n] = '\0';
}

#define INTERPOSE __attribute__((visibility("default")))

/* The function of this name that ours stands in front of. */
static void *real(const char *name)
{
    void *found = dlsym(RTLD_NEXT, name);
    if (!found)
        abort();
    return found;
}

INTERPOSE int setsockopt(int fd, int level, int name, const void *value, socklen_t size)
{
    static int (*next)(int, int, int, const void *, socklen_t);
    if (!next)
        *(void **)&next = real("setsockopt");
    int refused = next(fd, level, name, value, size);
    if (level == IPPROTO_TCP && name == TCP_CORK)
        note(fd, refused ? 'r' : *(const int *)value ? 'C' : 'U');
    return refused;
}

INTERPOSE ssize_t send(int fd, const void *bytes, size_t n, int flags)
{
    static ssize_t (*next)(int, const void *, size_t, int);
    if (!next)
        *(void **)&next = real("send");
    note(fd, 's');
    if (fd == notes.fd && notes.breaks_at && !--notes.breaks_at) {
        shutdown(fd, SHUT_RDWR);
        errno = ECONNRESET;
        return -1;
    }
    return next(fd, bytes, n, flags);
}

INTERPOSE int close(int fd)
{
    static int (*next)(int);
    if (!next)
        *(void **)&next = real("close");
    note(fd, 'x');
    if (fd == notes.fd)
        notes.fd = 0;
    return next(fd);
}

/* ---- a lease, whose connection is watched ---- */

static struct site s;
static evpq_lease *lease;
static ev_prepare after;

static bool is_corked(void)
{
    int on = 0;
    socklen_t size = sizeof on;
    return notes.fd && !getsockopt(notes.fd, IPPROTO_TCP, TCP_CORK, &on, &size) && on;
}

/* Each cork is drawn before anything else can happen, or its socket is gone. */
static void ck_drawn(void)
{
    bool corked = false;
    for (size_t i = 0; i < notes.n; i++) {
        char what = notes.did[i];
        if (what == 'C' || what == 'U')
            ck_assert_msg(corked == (what == 'U'), "%s", notes.did);
        corked = what == 'C' || (corked && what == 's');
    }
    ck_assert_msg(!corked, "%s", notes.did);
    ck_assert(!is_corked());
}

static void after_turn(struct ev_loop *ev, ev_prepare *w, int events)
{
    (void)ev, (void)w, (void)events;
    if (pq_sync_flushes())
        ck_drawn();
}

static void forget_notes(void)
{
    notes.n = 0;
    notes.did[0] = '\0';
}

static struct conn *only_conn(void)
{
    struct list *node = list_first(&s.pool->conns[POOL_CONN_LEASED]);
    ck_assert_ptr_nonnull(node);
    return &container_of(node, struct pool_conn, node)->conn;
}

static void begin(const char *conninfo)
{
    s = site_open(conninfo, &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1});
    lease = site_lease(&s);
    notes.fd = pq_socket(only_conn()->pipeline.wire.c);
    ck_assert_int_gt(notes.fd, 0);
    only_conn()->pipeline.peer = PEER_SERVER; /* which would be asked at the second use of a text */
    forget_notes();
    ev_prepare_init(&after, after_turn);
    ev_prepare_start(s.ev, &after);
    ev_unref(s.ev);
}

static void end(void)
{
    evpq_lease_release(lease);
    ck_assert(site_quiet(&s, 10));
    ev_ref(s.ev);
    ev_prepare_stop(s.ev, &after);
    site_close(&s);
}

/* And not what libpq says when a link that is broken is used again. */
static bool is_told_once(const evpq_error *error)
{
    ck_assert_ptr_null(strstr(evpq_error_message(error), "not open"));
    return true;
}

/* In one tick; then all are awaited. Returns how many were not answered. */
static int run(int n, const char *text)
{
    evpq_future *f[40];
    int failures = 0;
    for (int i = 0; i < n; i++)
        f[i] = evpq_lease_query(lease, "select length($1::text)", EVPQ_ARGS(text));
    for (int i = 0; i < n; i++) {
        if (evpq_await(f[i]) == EVPQ_OK)
            ck_assert_int_eq(evpq_result_int4(evpq_future_result(f[i]), 0, 0), (int)strlen(text));
        else
            failures += is_told_once(evpq_future_error(f[i]));
        evpq_future_unref(f[i]);
    }
    return failures;
}

#define ck_did(want)                   \
 do {                                  \
  ck_assert_str_eq(notes.did, (want)); \
  forget_notes();                      \
 } while (0)

/* ---- when ---- */

START_TEST(three_or_more_go_together)
{
    begin(server_conninfo(SERVER_TCP, NULL));
    bool each = pq_sync_flushes();
    for (int round = 0; round < 3; round++) { /* as it is, prepared, and bound only */
        run(1, "a");
        ck_did("s");
        run(2, "a");
        ck_did(each ? "ss" : "s");
        run(3, "a");
        ck_did(each ? "CsssU" : "s");
        run(7, "a");
        ck_did(each ? "CsssssssU" : "s");
    }
    end();
}
END_TEST

START_TEST(a_unix_socket_is_asked_once)
{
    begin(server_conninfo(SERVER_UNIX, NULL));
    bool each = pq_sync_flushes();
    run(2, "a");
    ck_did(each ? "ss" : "s");
    run(3, "a");
    ck_did(each ? "rsss" : "s");
    run(4, "a");
    ck_did(each ? "ssss" : "s");
    end();
}
END_TEST

/* More than the buffers on the way hold: the line is blocked in the middle. */
START_TEST(a_blocked_line_is_not_left_corked)
{
    enum { SIZE = 1 << 20, N = 30 };
    char *text = malloc(SIZE + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'c', SIZE);
    text[SIZE] = '\0';
    struct proxy *p = server_proxy();
    begin(server_conninfo_port(SERVER_TCP, proxy_port(p), NULL));
    proxy_stall(p, PROXY_TO_SERVER, true);
    evpq_future *f[N];
    for (int i = 0; i < N; i++)
        f[i] = evpq_lease_query(lease, "select length($1::text)", EVPQ_ARGS(text));
    ck_assert(RUN_UNTIL(s.ev, wire_is_blocked(&only_conn()->pipeline.wire), 10));
    ck_assert_int_gt(only_conn()->pipeline.n_fresh, 0);
    ck_assert_int_eq(strchr(notes.did, 'C') != NULL, pq_sync_flushes());
    run_for(s.ev, 0.02);
    ck_assert(!is_corked());
    if (_i == 0)
        proxy_stall(p, PROXY_TO_SERVER, false);
    else if (_i == 1)
        proxy_reset(p);
    else
        proxy_cut(p);
    for (int i = 0; i < N; i++) {
        ck_await_status(f[i], _i ? EVPQ_LOST : EVPQ_OK);
        evpq_future_unref(f[i]);
    }
    ck_assert(!is_corked());
    ck_assert_int_eq(strchr(notes.did, 'x') != NULL, _i > 0);
    end();
    proxy_stop(p);
    free(text);
}
END_TEST

/* In the middle of a tick's sends. */
START_TEST(a_link_that_breaks_while_corked)
{
    begin(server_conninfo(SERVER_TCP, NULL));
    run(5, "a");
    forget_notes();
    notes.breaks_at = pq_sync_flushes() ? _i + 1 : 1;
    ck_assert_int_eq(run(5, "a"), 5);
    ck_assert_int_eq(notes.fd, 0); /* closed, and not touched again */
    if (pq_sync_flushes())
        ck_assert_int_eq(notes.did[0], 'C');
    ck_assert_str_eq(notes.did + notes.n - 1, "x");
    ck_assert_int_eq(evpq_lease_backend_pid(lease), 0);
    ck_assert_int_eq(run(5, "a"), 5);
    lease = evpq_lease_release(lease);
    ck_assert_str_eq(site_text(&s, "select 'again'"), "again");
    end();
}
END_TEST

/* ---- what had come by then ---- */

static evpq_future *ask_for(const char *sql)
{
    return evpq_lease_query(lease, sql, EVPQ_ARGS());
}

static bool is_at_work(void)
{
    return server_count(
        strf("select count(*) from pg_stat_activity where pid = %d and state = 'active'",
             evpq_lease_backend_pid(lease)));
}

/* F10: the first send fails, the next takes in what lies there, and the one after that finds the end. */
START_TEST(f10_last_words_that_came_before_a_send_failed_are_told)
{
    evpq_future *f[4];
    begin(server_conninfo(SERVER_UNIX, NULL));
    f[0] = ask_for("select pg_sleep(60)");
    ck_assert(RUN_UNTIL(s.ev, is_at_work(), 10));
    server_exec(strf("select pg_terminate_backend(%d, 30000)", evpq_lease_backend_pid(lease)));
    for (int i = 1; i < 4; i++)
        f[i] = ask_for("select 1");
    for (int i = 0; i < 4; i++) {
        ck_await_status(f[i], EVPQ_LOST);
        ck_assert_str_eq(evpq_error_sqlstate(evpq_future_error(f[i])), "57P01");
        evpq_future_unref(f[i]);
    }
    end();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("cork");
    CHECK_ADD(c, three_or_more_go_together);
    CHECK_ADD(c, a_unix_socket_is_asked_once);
    CHECK_ADD_LOOP(c, a_blocked_line_is_not_left_corked, 3);
    CHECK_ADD_LOOP(c, a_link_that_breaks_while_corked, 5);
    CHECK_ADD(c, f10_last_words_that_came_before_a_send_failed_are_told);
    return check_end(c);
}
