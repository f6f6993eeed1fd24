/*
 * Both ends of a proxy in one hand: see rig.h. Sockets do not block; waiting is in poll().
 */
#include "support/rig.h"

#include <arpa/inet.h>
#include <check.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

int rig_listen(int *ret_port)
{
    struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof at;
    int fd = socket(AF_INET, SOCK_STREAM, 0);

    ck_assert_int_eq(bind(fd, (struct sockaddr *)&at, size), 0);
    ck_assert_int_eq(listen(fd, 16), 0);
    ck_assert_int_eq(getsockname(fd, (struct sockaddr *)&at, &size), 0);
    *ret_port = ntohs(at.sin_port);
    return fd;
}

int rig_dial(const struct rig *r, int *ret_fd)
{
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)proxy_port(r->proxy)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
    int one = 1, error;
    socklen_t size = sizeof error;

    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    *ret_fd = fd;
    if (connect(fd, (struct sockaddr *)&at, sizeof at) == 0)
        return 0;
    if (errno != EINPROGRESS)
        return errno;
    if (poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, SOON) == 0)
        return EINPROGRESS;
    getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &size);
    return error;
}

void rig_open(struct rig *r)
{
    ck_assert_int_eq(rig_dial(r, &r->client), 0);
    ck_assert_int_eq(poll(&(struct pollfd){.fd = r->listener, .events = POLLIN}, 1, LONG), 1);
    r->server = accept4(r->listener, NULL, NULL, SOCK_NONBLOCK);
    ck_assert_int_ge(r->server, 0);
}

void rig_close(struct rig *r)
{
    close(r->client);
    close(r->server);
}

struct rig rig_new(void)
{
    struct rig r;
    int port;

    r.listener = rig_listen(&port);
    r.proxy = proxy_start("127.0.0.1", port);
    rig_open(&r);
    return r;
}

void rig_free(struct rig *r)
{
    rig_close(r);
    if (r->listener >= 0)
        close(r->listener);
    proxy_stop(r->proxy);
}

void put(int fd, const void *bytes, size_t n)
{
    for (const char *at = bytes; n > 0;) {
        ssize_t sent = send(fd, at, n, MSG_NOSIGNAL);

        if (sent < 0) {
            ck_assert_int_eq(errno, EAGAIN);
            ck_assert_int_eq(poll(&(struct pollfd){.fd = fd, .events = POLLOUT}, 1, LONG), 1);
            continue;
        }
        at += sent;
        n -= (size_t)sent;
    }
}

ssize_t get_some(int fd, void *bytes, size_t n, int milliseconds)
{
    poll(&(struct pollfd){.fd = fd, .events = POLLIN}, 1, milliseconds);
    return recv(fd, bytes, n, 0);
}

void get(int fd, void *bytes, size_t n)
{
    for (char *at = bytes; n > 0;) {
        ssize_t got = get_some(fd, at, n, LONG);

        ck_assert_msg(got > 0, "%zu bytes are missing (%s)", n, got < 0 ? strerror(errno) : "end");
        at += got;
        n -= (size_t)got;
    }
}

char *noise(size_t n)
{
    char *bytes = malloc(n);

    ck_assert_ptr_nonnull(bytes);
    for (size_t i = 0; i < n; i++)
        bytes[i] = (char)((i * 2654435761u) >> 13);
    return bytes;
}

void rig_exchange(struct rig *r, size_t n)
{
    char *sent = noise(n), *got = noise(n);

    memset(got, 0, n);
    put(r->client, sent, n);
    get(r->server, got, n);
    ck_assert_mem_eq(sent, got, n);
    memset(got, 0, n);
    put(r->server, sent, n);
    get(r->client, got, n);
    ck_assert_mem_eq(sent, got, n);
    free(sent);
    free(got);
}

void rig_wait_open(struct rig *r, long n)
{
    for (int i = 0; i < LONG && proxy_stats(r->proxy).open != n; i++)
        usleep(1000);
    ck_assert_int_eq(proxy_stats(r->proxy).open, n);
}
