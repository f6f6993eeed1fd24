/*
 * The fault proxy (testing/proxy.h) as a carrier of bytes: each fault is seen from both of
 * its ends, which are plain sockets of the test.
 */
#include <dirent.h>
#include <errno.h>
#include <linux/tcp.h>
#include <netinet/in.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <unistd.h>

#include "support/check.h"
#include "support/rig.h"

/* ---- forwarding ---- */

START_TEST(forwards_bytes_unchanged_both_ways)
{
    struct rig r = rig_new();

    rig_exchange(&r, 300000);
    ck_assert_uint_eq(proxy_stats(r.proxy).bytes[PROXY_TO_SERVER], 300000);
    ck_assert_uint_eq(proxy_stats(r.proxy).bytes[PROXY_TO_CLIENT], 300000);
    rig_free(&r);
}
END_TEST

START_TEST(a_source_is_held_back_by_a_slow_reader)
{
    struct rig r = rig_new();
    char *bytes = noise(1 << 20), *got = malloc(1 << 20);
    size_t sent = 0, received = 0;
    ssize_t n;

    while (poll(&(struct pollfd){.fd = r.client, .events = POLLOUT}, 1, SOON) == 1)
        if ((n = send(r.client, bytes, 1 << 20, MSG_NOSIGNAL)) > 0)
            sent += (size_t)n;
    ck_assert_msg(sent < 256 << 20, "%zu bytes went into a proxy that nobody reads", sent);
    while (received < sent) {
        n = get_some(r.server, got, 1 << 20, LONG);
        ck_assert_int_gt(n, 0);
        received += (size_t)n;
    }
    ck_nothing(r.server);
    free(bytes);
    free(got);
    rig_free(&r);
}
END_TEST

START_TEST(an_end_passes_in_its_own_direction)
{
    struct rig r = rig_new();

    ck_put(r.client, "last words");
    shutdown(r.client, SHUT_WR);
    ck_get(r.server, "last words");
    ck_end(r.server);
    ck_put(r.server, "reply");
    ck_get(r.client, "reply");
    shutdown(r.server, SHUT_WR);
    ck_end(r.client);
    rig_wait_open(&r, 0);
    rig_free(&r);
}
END_TEST

START_TEST(split_gives_each_byte_a_segment)
{
    struct rig r = rig_new();
    struct tcp_info info;
    socklen_t size = sizeof info;

    proxy_split(r.proxy, true);
    rig_exchange(&r, 2000);
    ck_assert_int_eq(getsockopt(r.server, IPPROTO_TCP, TCP_INFO, &info, &size), 0);
    ck_assert_uint_ge(info.tcpi_data_segs_in, 1000);
    rig_free(&r);
}
END_TEST

START_TEST(delay_keeps_bytes_back_and_in_order)
{
    struct rig r = rig_new();

    proxy_delay(r.proxy, PROXY_TO_SERVER, 300);
    proxy_split(r.proxy, _i == 1);
    ck_put(r.client, "first, ");
    ck_nothing(r.server);
    proxy_delay(r.proxy, PROXY_TO_SERVER, 0);
    ck_put(r.client, "second");
    ck_get(r.server, "first, second");
    rig_exchange(&r, 5000);
    rig_free(&r);
}
END_TEST

START_TEST(stall_holds_one_direction)
{
    struct rig r = rig_new();

    proxy_stall(r.proxy, PROXY_TO_SERVER, true);
    ck_put(r.client, "ping");
    ck_put(r.server, "pong");
    ck_get(r.client, "pong");
    ck_nothing(r.server);
    proxy_stall(r.proxy, PROXY_TO_SERVER, false);
    ck_get(r.server, "ping");
    rig_free(&r);
}
END_TEST

/* ---- ends ---- */

START_TEST(cut_is_an_orderly_end)
{
    struct rig r = rig_new();

    rig_exchange(&r, 10);
    proxy_cut(r.proxy);
    ck_assert_int_eq(proxy_stats(r.proxy).open, 0);
    ck_end(r.client);
    ck_end(r.server);
    rig_free(&r);
}
END_TEST

START_TEST(reset_is_a_reset)
{
    struct rig r = rig_new();

    rig_exchange(&r, 10);
    proxy_reset(r.proxy);
    ck_reset(r.client);
    ck_reset(r.server);
    rig_free(&r);
}
END_TEST

START_TEST(the_server_s_refusal_ends_the_client)
{
    struct rig r = rig_new();
    int second;

    close(r.listener);
    r.listener = -1;
    ck_assert_int_eq(rig_dial(&r, &second), 0);
    ck_end(second);
    close(second);
    rig_exchange(&r, 10);
    rig_free(&r);
}
END_TEST

START_TEST(counts_connections_and_writes)
{
    struct rig r = rig_new();
    struct rig other = r;

    rig_open(&other);
    for (int i = 0; i < 5; i++) {
        ck_put(r.client, "hello");
        ck_get(r.server, "hello");
    }
    ck_assert_int_eq(proxy_stats(r.proxy).client_segments, 5);
    ck_assert_int_eq(proxy_stats(r.proxy).seen, 2);
    ck_assert_int_eq(proxy_stats(r.proxy).open, 2);
    rig_close(&other);
    rig_wait_open(&r, 1);
    rig_close(&r);
    rig_wait_open(&r, 0);
    ck_assert_int_eq(proxy_stats(r.proxy).client_segments, 5);
    rig_open(&r);
    rig_free(&r);
}
END_TEST

static int open_files(void)
{
    DIR *d = opendir("/proc/self/fd");
    int n = 0;

    while (readdir(d))
        n++;
    closedir(d);
    return n;
}

START_TEST(stop_leaves_no_socket_behind)
{
    int before = open_files();
    struct rig r = rig_new();

    proxy_door(r.proxy, PROXY_IGNORE);
    ck_put(r.client, "on its way");
    proxy_stall(r.proxy, PROXY_TO_CLIENT, true);
    rig_free(&r);
    ck_assert_int_eq(open_files(), before);
    proxy_stop(NULL);
}
END_TEST

/* ---- the door ---- */

START_TEST(refuse_silent_ignore_and_open_again)
{
    struct rig r = rig_new();
    int fd;

    proxy_door(r.proxy, PROXY_REFUSE);
    ck_assert_int_eq(rig_dial(&r, &fd), ECONNREFUSED);
    close(fd);
    rig_exchange(&r, 10);

    proxy_door(r.proxy, PROXY_SILENT);
    ck_assert_int_eq(rig_dial(&r, &fd), 0);
    ck_put(fd, "anybody there?");
    ck_nothing(fd);
    ck_nothing(r.server);
    close(fd);

    proxy_door(r.proxy, PROXY_IGNORE);
    ck_assert_int_eq(rig_dial(&r, &fd), EINPROGRESS);
    close(fd);

    proxy_door(r.proxy, PROXY_OPEN);
    rig_close(&r);
    rig_open(&r);
    rig_exchange(&r, 10);
    rig_free(&r);
}
END_TEST

START_TEST(target_moves_later_connections)
{
    struct rig r = rig_new();
    struct rig second = r;
    int port;

    second.listener = rig_listen(&port);
    proxy_target(r.proxy, "127.0.0.1", port);
    rig_open(&second);
    rig_exchange(&second, 10);
    rig_exchange(&r, 10);
    rig_close(&second);
    close(second.listener);
    rig_free(&r);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("proxy");

    CHECK_ADD(c, forwards_bytes_unchanged_both_ways);
    CHECK_ADD(c, a_source_is_held_back_by_a_slow_reader);
    CHECK_ADD(c, an_end_passes_in_its_own_direction);
    CHECK_ADD(c, split_gives_each_byte_a_segment);
    CHECK_ADD_LOOP(c, delay_keeps_bytes_back_and_in_order, 2);
    CHECK_ADD(c, stall_holds_one_direction);
    CHECK_ADD(c, cut_is_an_orderly_end);
    CHECK_ADD(c, reset_is_a_reset);
    CHECK_ADD(c, the_server_s_refusal_ends_the_client);
    CHECK_ADD(c, counts_connections_and_writes);
    CHECK_ADD(c, stop_leaves_no_socket_behind);
    CHECK_ADD(c, refuse_silent_ignore_and_open_again);
    CHECK_ADD(c, target_moves_later_connections);
    return check_end(c);
}
