/*
 * A client's socket, a proxy, and a server's socket, all in the test's hands: for tests of the
 * proxy itself.
 */
#ifndef TESTS_SUPPORT_RIG_H
#define TESTS_SUPPORT_RIG_H

#include <errno.h>
#include <stddef.h>
#include <sys/types.h>

#include "support/proxy.h"

enum {
    SOON = 100,
    LONG = 10000
}; /* milliseconds: to see that nothing comes; that something does */

struct rig {
    struct proxy *proxy;
    int listener; /* the server's; -1 once closed */
    int client, server;
};

/* With one connection open. Ends with rig_free(). */
struct rig rig_new(void);
void rig_free(struct rig *r);

/* Another connection through the same proxy, in another rig or after rig_close(). */
void rig_open(struct rig *r);
void rig_close(struct rig *r);

/* Send n bytes each way and compare. */
void rig_exchange(struct rig *r, size_t n);

/* Wait for the proxy to have so many connections open. */
void rig_wait_open(struct rig *r, long n);

int rig_listen(int *ret_port);

/* Returns 0 or the errno of connect(), EINPROGRESS when nothing has come of it SOON. */
int rig_dial(const struct rig *r, int *ret_fd);

char *noise(size_t n); /* given: free() */
void put(int fd, const void *bytes, size_t n);
void get(int fd, void *bytes, size_t n);

/* Returns bytes received, 0 at the end, -1 with errno; EAGAIN when nothing comes for so long. */
ssize_t get_some(int fd, void *bytes, size_t n, int milliseconds);

/* For string literals, which may contain zero bytes. */
#define ck_put(fd, text) put((fd), (text), sizeof(text) - 1)
#define ck_get(fd, text)                               \
 do {                                                  \
  char ck_bytes[sizeof(text) - 1];                     \
  get((fd), ck_bytes, sizeof ck_bytes);                \
  ck_assert_mem_eq(ck_bytes, (text), sizeof ck_bytes); \
 } while (0)

/* What reading gives next: nothing for now, the end, or a reset. */
#define ck_nothing(fd) ck_reads((fd), SOON, -1, EAGAIN)
#define ck_end(fd) ck_reads((fd), LONG, 0, 0)
#define ck_reset(fd) ck_reads((fd), LONG, -1, ECONNRESET)
#define ck_reads(fd, milliseconds, want, want_errno)                     \
 do {                                                                    \
  char ck_byte;                                                          \
  errno = 0;                                                             \
  ck_assert_int_eq(get_some((fd), &ck_byte, 1, (milliseconds)), (want)); \
  ck_assert_int_eq(errno, (want_errno));                                 \
 } while (0)

#endif
