/* it_unwatched.c - descriptors that the kernel refuses to watch, as where a user has as many watches as
 * /proc/sys/fs/epoll/max_user_watches allows: all goes on, if more slowly, and no turn is wasted. */
#include "async/loop.h"

#include "support/check.h"
#include "support/server.h"
#include "support/site.h"

#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

/* ---- the kernel's side ---- */

static bool full; /* for what a file of this kind is: */
static mode_t of_kind;
static int refused; /* so many times */

/* In place of the C library's, which libev would call. */
__attribute__((visibility("default"))) int epoll_ctl(int epoll, int op, int fd,
                                                     struct epoll_event *event)
{
    struct stat st;
    if (full && op != EPOLL_CTL_DEL && fstat(fd, &st) == 0 && (st.st_mode & S_IFMT) == of_kind) {
        refused++;
        errno = ENOSPC;
        return -1;
    }
    return (int)syscall(SYS_epoll_ctl, epoll, op, fd, event);
}

static void refuse(mode_t kind)
{
    full = true;
    of_kind = kind;
    refused = 0;
}

/* ---- a pipe ---- */

static evpq_loop *loop;
static struct ev_loop *ev;
static int ends[2];

static struct tap {
    struct io io;
    int ready;
} tap;

static void tap_is_ready(struct io *io)
{
    char byte;
    ck_assert_int_eq(read(ends[0], &byte, 1), 1);
    tap.ready++;
    io_stop(io);
}

static void open_pipe(void)
{
    loop = evpq_loop_new(NULL);
    ev = evpq_loop_ev(loop);
    ck_assert_int_eq(pipe(ends), 0);
    tap.ready = 0;
    io_init(&tap.io, loop, tap_is_ready);
    refuse(S_IFIFO);
    io_start(&tap.io, ends[0], IO_READ);
}

static void close_pipe(void)
{
    full = false;
    close(ends[0]);
    close(ends[1]);
    evpq_loop_unref(loop);
}

static void write_byte(struct ev_loop *l, ev_timer *w, int events)
{
    (void)l, (void)w, (void)events;
    ck_assert_int_eq(write(ends[1], "x", 1), 1);
}

START_TEST(it_is_looked_at_and_keeps_the_loop)
{
    ev_timer later;
    open_pipe();
    ev_timer_init(&later, write_byte, 0.05, 0.);
    ev_timer_start(ev, &later);
    evpq_loop_run(loop); /* ends, as nothing is left */
    ck_assert_int_eq(tap.ready, 1);
    ck_assert_int_ge(refused, 2);
    ck_assert(!io_active(&tap.io));
    close_pipe();
}
END_TEST

START_TEST(it_is_watched_once_there_is_room)
{
    open_pipe();
    ev_run(ev, EVRUN_NOWAIT);
    ck_assert(refused > 0 && io_active(&tap.io));
    full = false;
    for (int i = 0; i < 3; i++) /* the look, and what libev tells the kernel after it */
        ev_run(ev, i ? EVRUN_NOWAIT : EVRUN_ONCE);
    refuse(S_IFIFO);
    write_byte(ev, NULL, 0);
    ev_run(ev, EVRUN_NOWAIT);
    ck_assert_int_eq(tap.ready, 1);
    ck_assert_int_eq(refused, 0);
    close_pipe();
}
END_TEST

/* One of an idle pool's: it does not keep the loop. */
START_TEST(what_does_not_keep_the_loop_does_not_here)
{
    open_pipe();
    loop_release(loop);
    evpq_loop_run(loop);
    ck_assert_int_gt(refused, 0);
    ck_assert(io_active(&tap.io));
    loop_hold(loop);
    io_stop(&tap.io);
    ck_assert(!io_active(&tap.io));
    evpq_loop_run(loop);
    close_pipe();
}
END_TEST

/* The program's loop outlives ours: no timer is left on it. */
START_TEST(nothing_is_left_behind)
{
    struct ev_loop *own = ev_loop_new(EVBACKEND_EPOLL);
    loop = evpq_loop_new(own);
    ck_assert_int_eq(pipe(ends), 0);
    io_init(&tap.io, loop, tap_is_ready);
    refuse(S_IFIFO);
    io_start(&tap.io, ends[0], IO_READ);
    ev_run(own, EVRUN_NOWAIT);
    io_stop(&tap.io);
    close_pipe();
    ck_assert_uint_eq(ev_pending_count(own), 0);
    ev_run(own, 0);
    ev_loop_destroy(own);
}
END_TEST

START_TEST(a_host_is_told_of_it)
{
    loop = evpq_loop_new_embedded();
    ck_assert_int_eq(pipe(ends), 0);
    io_init(&tap.io, loop, tap_is_ready);
    refuse(S_IFIFO);
    io_start(&tap.io, ends[0], IO_READ);
    struct pollfd host = {.fd = evpq_loop_fd(loop), .events = POLLIN};
    for (int i = 0; i < 1000 && !tap.ready; i++) {
        ck_assert_int_eq(poll(&host, 1, 5000), 1);
        evpq_loop_turn(loop);
        if (i == 5)
            write_byte(NULL, NULL, 0);
    }
    ck_assert_int_eq(tap.ready, 1);
    ck_assert_int_ge(refused, 2);
    close_pipe();
}
END_TEST

/* ---- a server ---- */

static struct site site;

static int turns;

static void count_turn(struct ev_loop *l, ev_prepare *w, int events)
{
    (void)l, (void)w, (void)events;
    turns++;
}

static void wait_a_second(void)
{
    ev_prepare w;
    turns = 0;
    ev_prepare_init(&w, count_turn);
    ev_prepare_start(site.ev, &w);
    ev_unref(site.ev);
    evpq_future_unref(site_query(&site, "select pg_sleep(1)"));
    ev_ref(site.ev);
    ev_prepare_stop(site.ev, &w);
    ck_assert_int_gt(turns, 20);
    ck_assert_int_lt(turns, 500);
}

static const enum server_path paths[] = {SERVER_UNIX, SERVER_TCP};

/* Much to send, which takes the socket several times; much to read. */
START_TEST(a_pool_goes_on)
{
    enum { MUCH = 8 << 20 };
    char *text = malloc(MUCH + 1);
    ck_assert_ptr_nonnull(text);
    memset(text, 'x', MUCH);
    text[MUCH] = 0;
    refuse(S_IFSOCK);
    site = site_open(server_conninfo(paths[_i], NULL), NULL);
    wait_a_second();
    evpq_future *f = evpq_pool_query(site.pool, "select $1 || 'y'", EVPQ_ARGS((const char *)text));
    ck_await_ok(f);
    ck_assert_uint_eq(evpq_result_length(evpq_future_result(f), 0, 0), MUCH + 1);
    evpq_future_unref(f);
    ck_assert_int_gt(refused, 20);
    full = false;
    ck_assert_str_eq(site_text(&site, "select 1"), "1");
    site_close(&site);
    free(text);
}
END_TEST

START_TEST(deadlines_and_cancels_hold)
{
    refuse(S_IFSOCK);
    site = site_open(server_conninfo(paths[_i], NULL),
                     &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1});
    evpq_future *f =
        evpq_timeout(evpq_pool_query(site.pool, "select pg_sleep(30)", EVPQ_ARGS()), 0.2);
    ck_await_status(f, EVPQ_TIMEOUT);
    evpq_future_unref(f);
    ck_assert_str_eq(site_text(&site, "select 1"), "1");
    site_close(&site);
    full = false;
}
END_TEST

int main(void)
{
    struct check *c = check_begin("unwatched");
    CHECK_ADD(c, it_is_looked_at_and_keeps_the_loop);
    CHECK_ADD(c, it_is_watched_once_there_is_room);
    CHECK_ADD(c, what_does_not_keep_the_loop_does_not_here);
    CHECK_ADD(c, nothing_is_left_behind);
    CHECK_ADD(c, a_host_is_told_of_it);
    CHECK_ADD_LOOP(c, a_pool_goes_on, 2);
    CHECK_ADD_LOOP(c, deadlines_and_cancels_hold, 2);
    return check_end(c);
}
