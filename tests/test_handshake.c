/* test_handshake.c - F62: a server that lets the client compute. It is a thread that speaks SCRAM
 * and asks for as many iterations as the test says; then it refuses the password. */
#include "wire/handshake.h"

#include "support/server.h"
#include "support/site.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

static struct {
    int listener, port;
    long iterations;
    int finals; /* proofs that were computed */
    pthread_t thread;
} scram;

static bool get_message(int fd, char *type, char *body, size_t room)
{
    uint32_t length;
    if (type && recv(fd, type, 1, MSG_WAITALL) != 1)
        return false;
    if (recv(fd, &length, 4, MSG_WAITALL) != 4)
        return false;
    size_t n = ntohl(length) - 4;
    if (n >= room || recv(fd, body, n, MSG_WAITALL) != (ssize_t)n)
        return false;
    body[n] = '\0';
    return true;
}

static bool say(int fd, uint32_t code, const char *text, size_t n)
{
    char bytes[512] = "R";
    uint32_t length = htonl((uint32_t)n + 8), net = htonl(code);
    memcpy(bytes + 1, &length, 4);
    memcpy(bytes + 5, &net, 4);
    memcpy(bytes + 9, text, n);
    return send(fd, bytes, n + 9, MSG_NOSIGNAL) == (ssize_t)n + 9;
}

static void exchange(int fd)
{
    static const char refusal[] = "E\0\0\0\x1cSFATAL\0C28P01\0Mrefused\0";
    char type, body[1024], text[256];
    if (!get_message(fd, NULL, body, sizeof body) || !say(fd, 10, "SCRAM-SHA-256\0", 15) ||
        !get_message(fd, &type, body, sizeof body))
        return;
    const char *nonce = NULL; /* behind the mechanism's name and a length: "n,,n=,r=..." */
    for (size_t i = 0; i + 2 < sizeof body && !nonce; i++)
        if (!memcmp(body + i, "r=", 2))
            nonce = body + i;
    snprintf(text, sizeof text, "%.100sserver,s=c2FsdHNhbHRzYWx0c2FsdA==,i=%ld", nonce ? nonce : "",
             scram.iterations);
    if (!say(fd, 11, text, strlen(text)) || !get_message(fd, &type, body, sizeof body))
        return;
    __atomic_add_fetch(&scram.finals, type == 'p', __ATOMIC_SEQ_CST);
    if (send(fd, refusal, sizeof refusal, MSG_NOSIGNAL) < 0)
        return;
}

static void *serve(void *arg)
{
    (void)arg;
    for (int fd; (fd = accept(scram.listener, NULL, NULL)) >= 0; close(fd))
        exchange(fd);
    return NULL;
}

static const char *scram_start(long iterations)
{
    struct sockaddr_in a = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof a;
    scram.iterations = iterations;
    scram.listener = socket(AF_INET, SOCK_STREAM, 0);
    ck_assert_int_eq(bind(scram.listener, (struct sockaddr *)&a, size), 0);
    ck_assert_int_eq(listen(scram.listener, 10), 0);
    ck_assert_int_eq(getsockname(scram.listener, (struct sockaddr *)&a, &size), 0);
    ck_assert_int_eq(pthread_create(&scram.thread, NULL, serve, NULL), 0);
    return strf("host=127.0.0.1 port=%d user=u password=p dbname=d sslmode=disable",
                ntohs(a.sin_port));
}

static void scram_stop(void)
{
    shutdown(scram.listener, SHUT_RDWR);
    pthread_join(scram.thread, NULL);
    close(scram.listener);
}

static int ticks;

static void tick(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)ev, (void)timer, (void)events;
    ticks++;
}

static struct site begin(long iterations, ev_timer *timer)
{
    struct site s =
        site_open(scram_start(iterations), &(evpq_pool_opts){.size = sizeof(evpq_pool_opts),
                                                             .max_size = 1,
                                                             .connect_timeout = 200,
                                                             .acquire_timeout = 200});
    ev_timer_init(timer, tick, 0.002, 0.002);
    ev_timer_start(s.ev, timer);
    return s;
}

static void end(struct site *s, ev_timer *timer)
{
    ev_timer_stop(s->ev, timer);
    site_close(s);
    scram_stop();
}

/* So many iterations take a tenth of a second or more. */
START_TEST(f62_the_loop_goes_on_while_a_password_is_hashed)
{
    ev_timer timer;
    struct site s = begin(100 * 1000, &timer);
    evpq_future *f = evpq_pool_query(s.pool, "select 1", EVPQ_ARGS());
    ck_assert(RUN_UNTIL(s.ev, __atomic_load_n(&scram.finals, __ATOMIC_SEQ_CST), 200));
    ck_assert_int_ge(ticks, 5);
    ck_assert(RUN_UNTIL(s.ev, evpq_future_status(f) != EVPQ_PENDING, 10));
    ck_failed(f, EVPQ_CONNECT, "28P01", EVPQ_OUTCOME_NOT_SENT);
    evpq_future_unref(f);
    end(&s, &timer);
}
END_TEST

/* The usual number is computed where it was. */
START_TEST(f62_the_usual_number_is_computed)
{
    ev_timer timer;
    struct site s = begin(4096, &timer);
    evpq_future *f = evpq_pool_query(s.pool, "select 1", EVPQ_ARGS());
    ck_assert(RUN_UNTIL(s.ev, evpq_future_status(f) != EVPQ_PENDING, 10));
    ck_failed(f, EVPQ_CONNECT, "28P01", EVPQ_OUTCOME_NOT_SENT);
    ck_assert_int_eq(scram.finals, 1);
    evpq_future_unref(f);
    end(&s, &timer);
}
END_TEST

START_TEST(f62_what_nobody_means_is_refused)
{
    ev_timer timer;
    struct site s = begin(_i ? 2147483647L : 10 * 1000 * 1000 + 1, &timer);
    evpq_future *f = evpq_pool_connect(s.pool);
    ck_assert(RUN_UNTIL(s.ev, evpq_future_status(f) != EVPQ_PENDING, 10));
    ck_assert_int_eq(evpq_future_status(f), EVPQ_CONNECT);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(f)), "iterations of SCRAM"));
    ck_assert_int_eq(scram.finals, 0);
    evpq_future_unref(f);
    end(&s, &timer);
}
END_TEST

/* The thread closes the connection when it is through, whether or not there is a loop by then. */
START_TEST(f62_a_pool_is_closed_while_a_thread_computes)
{
    ev_timer timer;
    struct site s = begin(100 * 1000, &timer);
    evpq_future *f = evpq_pool_query(s.pool, "select 1", EVPQ_ARGS());
    run_for(s.ev, 0.02 + 0.05 * _i);
    evpq_future_cancel(f);
    evpq_future_unref(f);
    end(&s, &timer);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("handshake");
    CHECK_ADD(c, f62_the_loop_goes_on_while_a_password_is_hashed);
    CHECK_ADD(c, f62_the_usual_number_is_computed);
    CHECK_ADD_LOOP(c, f62_what_nobody_means_is_refused, 2);
    CHECK_ADD_LOOP(c, f62_a_pool_is_closed_while_a_thread_computes, 3);
    return check_end(c);
}
