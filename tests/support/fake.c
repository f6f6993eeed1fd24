/* fake.c - see fake.h. */
#include "support/fake.h"

#include "support/check.h"
#include "support/server.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

/* ---- messages ---- */

void fake_add(struct fake_bytes *b, char type, const void *body, size_t n)
{
    uint32_t length = htonl((uint32_t)n + 4);
    ck_assert_uint_lt(b->n + n + 5, sizeof b->at);
    b->at[b->n++] = (unsigned char)type;
    memcpy(b->at + b->n, &length, 4);
    if (n)
        memcpy(b->at + b->n + 4, body, n);
    b->n += 4 + n;
}

void fake_add_status(struct fake_bytes *b, char status)
{
    fake_add(b, 'Z', &status, 1);
}

void fake_add_ready(struct fake_bytes *b)
{
    fake_add_status(b, 'I');
}

/* The answer to "select 1", a text column of one row; without its Parse and Bind where those have
 * been answered. */
void fake_add_one(struct fake_bytes *b)
{
    fake_add(b, '1', NULL, 0);
    fake_add(b, '2', NULL, 0);
    fake_add(b, 'T', "\0\1c\0\0\0\0\0\0\0\0\0\0\31\377\377\377\377\377\377\0\0", 22);
    fake_add(b, 'D', "\0\1\0\0\0\1\061", 7);
    FAKE_ADD(b, 'C', "SELECT 1");
    fake_add_ready(b);
}

/* ---- the server ---- */

struct fake fake;

static bool get(int fd, void *to, size_t n)
{
    return n == 0 || recv(fd, to, n, MSG_WAITALL) == (ssize_t)n;
}

static bool get_body(int fd, uint32_t *ret_code)
{
    uint32_t length;
    unsigned char body[4096];
    if (!get(fd, &length, 4))
        return false;
    size_t n = ntohl(length) - 4;
    if (n > sizeof body || !get(fd, body, n))
        return false;
    if (ret_code && n >= 4) {
        memcpy(ret_code, body, 4);
        *ret_code = ntohl(*ret_code);
    }
    return true;
}

static bool put(int fd, const struct fake_bytes *b)
{
    return send(fd, b->at, b->n, MSG_NOSIGNAL) == (ssize_t)b->n;
}

static bool greet(int fd)
{
    uint32_t code = 0;
    if (!get_body(fd, &code))
        return false;
    if (code == 80877103) { /* SSLRequest */
        if (send(fd, "N", 1, MSG_NOSIGNAL) != 1 || !get_body(fd, &code))
            return false;
    }
    return code == 196608 && put(fd, &fake.hello) && !fake.hangs_up_at_once;
}

static void serve(int fd, const struct fake_bytes *one)
{
    char type;
    while (get(fd, &type, 1) && get_body(fd, NULL)) {
        if (type != 'S' && type != 'Q' && type != 'c')
            continue;
        int i = fake.given < fake.answers ? fake.given++ : -1;
        if (!put(fd, i < 0 ? one : &fake.answer[i]) || (i >= 0 && fake.hangs_up[i]))
            return;
    }
}

static void *run_fake(void *arg)
{
    static struct fake_bytes one;
    (void)arg;
    fake_add_one(&one);
    for (int fd; (fd = accept(fake.listener, NULL, NULL)) >= 0; close(fd))
        if (greet(fd)) {
            fake.connections++;
            serve(fd, &one);
        }
    return NULL;
}

static pthread_t fake_thread;

const char *fake_start(void)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    fake.listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(fake.listener, (struct sockaddr *)&a, size), 0);
    ck_assert_int_eq(listen(fake.listener, 10), 0);
    ck_assert_int_eq(getsockname(fake.listener, (struct sockaddr *)&a, &size), 0);
    ck_assert_int_eq(pthread_create(&fake_thread, NULL, run_fake, NULL), 0);
    fake.port = ntohs(a.sin_port);
    return strf("host=127.0.0.1 port=%d user=u dbname=d sslmode=disable", fake.port);
}

void fake_stop(void)
{
    shutdown(fake.listener, SHUT_RDWR);
    pthread_join(fake_thread, NULL);
    close(fake.listener);
}

void fake_hello(void)
{
    fake_add(&fake.hello, 'R', "\0\0\0\0", 4);
    fake_add(&fake.hello, 'K', "\0\0\0\7\0\0\0\10", 8);
    fake_add_ready(&fake.hello);
}

struct fake_bytes *fake_next_answer(void)
{
    ck_assert_int_lt(fake.answers, FAKE_ANSWERS);
    return &fake.answer[fake.answers++];
}
