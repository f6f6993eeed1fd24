/* test_scripted_wire.c - the scripted server of libevpq-test: by libpq alone, by bytes, and where it is asked for what
 * makes no sense. */
#include "support/scripted.h"
#include "support/server.h"

#include <libpq-fe.h>
#include <math.h>
#include <netinet/in.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* ---- plain libpq ---- */

static PGconn *plain(void)
{
    PGconn *c = PQconnectdb(evpq_test_server_conninfo(server));
    ck_assert_msg(PQstatus(c) == CONNECTION_OK, "%s", PQerrorMessage(c));
    return c;
}

START_TEST(simple_queries)
{
    alone(NULL);
    ANSWER(.sql = "select a", .columns = "a int4, b text", .rows = 2, CELLS("1", "x", "2", NULL));
    ANSWER(.sql = "bad", .sqlstate = "22012", .message = "no");
    PGconn *c = plain();
    PGresult *r = PQexec(c, "select a;");
    ck_assert_int_eq(PQresultStatus(r), PGRES_TUPLES_OK);
    ck_assert_str_eq(PQgetvalue(r, 1, 0), "2");
    ck_assert(PQgetisnull(r, 1, 1));
    PQclear(r);
    r = PQexec(c, "bad");
    ck_assert_str_eq(PQresultErrorField(r, PG_DIAG_SQLSTATE), "22012");
    PQclear(r);
    r = PQexec(c, " ");
    ck_assert_int_eq(PQresultStatus(r), PGRES_EMPTY_QUERY);
    PQclear(r);
    r = PQexec(c, "select pg_catalog.set_config('transaction_read_only', 'on', true)");
    ck_assert_str_eq(PQgetvalue(r, 0, 0), "on");
    PQclear(r);
    PQclear(PQexec(c, "begin"));
    ck_assert_int_eq(PQtransactionStatus(c), PQTRANS_INTRANS);
    PQclear(PQexec(c, "bad"));
    ck_assert_int_eq(PQtransactionStatus(c), PQTRANS_INERROR);
    PQclear(PQexec(c, "rollback"));
    ck_assert_int_eq(PQtransactionStatus(c), PQTRANS_IDLE);
    PQfinish(c);
    end();
}
END_TEST

/* What a client is told of its transaction behind each statement. */
START_TEST(comments_and_chains)
{
    static const struct {
        const char *sql;
        PGTransactionStatusType status;
    } cases[] = {
        {"-- first\nbegin", PQTRANS_INTRANS},
        {"commit and chain", PQTRANS_INTRANS},
        {"end work and chain", PQTRANS_INTRANS},
        {"/* last */ commit and no chain", PQTRANS_IDLE},
        {"begin", PQTRANS_INTRANS},
        {"bad", PQTRANS_INERROR},
        {"commit /* AND */ and chain", PQTRANS_INTRANS},
        {"rollback transaction and chain", PQTRANS_INTRANS},
        {"rollback and", PQTRANS_IDLE},
    };
    alone(NULL);
    ANSWER(.sql = "bad", .sqlstate = "22012");
    PGconn *c = plain();
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        PQclear(PQexec(c, cases[i].sql));
        ck_assert_msg(PQtransactionStatus(c) == cases[i].status, "%s", cases[i].sql);
    }
    PGresult *r = PQexec(c, "rollback and chain");
    ck_assert_str_eq(PQresultErrorField(r, PG_DIAG_SQLSTATE), "25P01");
    PQclear(r);
    r = PQexec(c, " /* nothing */ ; -- at all");
    ck_assert_int_eq(PQresultStatus(r), PGRES_EMPTY_QUERY);
    PQclear(r);
    PQfinish(c);
    end();
}
END_TEST

START_TEST(prepared_by_hand)
{
    static const Oid types[] = {20, 0};
    static const char *const values[] = {"1", "2"};
    alone(NULL);
    ANSWER(.part = "select", .columns = "a int4", .rows = 1, CELLS("1"));
    PGconn *c = plain();
    PGresult *r = PQprepare(c, "p", "select $1, $2", 2, types);
    ck_assert_int_eq(PQresultStatus(r), PGRES_COMMAND_OK);
    PQclear(r);
    r = PQprepare(c, "p", "select 3", 0, NULL);
    ck_assert_str_eq(PQresultErrorField(r, PG_DIAG_SQLSTATE), "42P05");
    PQclear(r);
    r = PQdescribePrepared(c, "p");
    ck_assert_int_eq(PQnparams(r), 2);
    ck_assert_uint_eq(PQparamtype(r, 0), 20);
    ck_assert_uint_eq(PQparamtype(r, 1), 25);
    PQclear(r);
    r = PQexecPrepared(c, "p", 2, values, NULL, NULL, 0);
    ck_assert_int_eq(PQntuples(r), 1);
    PQclear(r);
    ck_assert_str_eq(evpq_test_server_parameter(server, 0, 1), "2");
    PQclear(PQexec(c, _i ? "discard all" : "deallocate prepare p"));
    r = PQexecPrepared(c, "p", 2, values, NULL, NULL, 0);
    ck_assert_str_eq(PQresultErrorField(r, PG_DIAG_SQLSTATE), "26000");
    PQclear(r);
    r = PQdescribePrepared(c, "p");
    ck_assert_str_eq(PQresultErrorField(r, PG_DIAG_SQLSTATE), "26000");
    PQclear(r);
    PQfinish(c);
    end();
}
END_TEST

/* libpq takes it from what is said at the beginning, and asks no more. */
START_TEST(it_can_be_written_to)
{
    alone(NULL);
    PGconn *c =
        PQconnectdb(strf("%s target_session_attrs=read-write", evpq_test_server_conninfo(server)));
    ck_assert_msg(PQstatus(c) == CONNECTION_OK, "%s", PQerrorMessage(c));
    PQfinish(c);
    end();
}
END_TEST

/* One is told behind its transaction; UNLISTEN is the end of it. */
START_TEST(notifications_wait_for_the_end_of_a_transaction)
{
    alone(NULL);
    PGconn *c = plain();
    PQclear(PQexec(c, "LISTEN \"Jobs\""));
    PQclear(PQexec(c, "listen OTHERS"));
    PQclear(PQexec(c, "begin"));
    evpq_test_server_notify(server, "Jobs", "1");
    evpq_test_server_notify(server, "others", NULL);
    PQclear(PQexec(c, "set a = 1"));
    ck_assert_ptr_null(PQnotifies(c));
    PQclear(PQexec(c, "commit"));
    PGnotify *n = PQnotifies(c);
    ck_assert_ptr_nonnull(n);
    ck_assert_str_eq(n->extra, "1");
    PQfreemem(n);
    n = PQnotifies(c);
    ck_assert_str_eq(n->relname, "others");
    PQfreemem(n);
    PQclear(PQexec(c, _i ? "unlisten *" : "unlisten \"Jobs\""));
    evpq_test_server_notify(server, "Jobs", "2");
    evpq_test_server_notify(server, "others", "3");
    PQclear(PQexec(c, "set a = 1"));
    n = PQnotifies(c);
    ck_assert_pstr_eq(n ? n->extra : NULL, _i ? NULL : "3");
    PQfreemem(n);
    PQfinish(c);
    end();
}
END_TEST

START_TEST(the_environment_does_not_lead_elsewhere)
{
    setenv("PGHOSTADDR", "127.0.0.2", 1);
    alone(NULL);
    PQfinish(plain());
    end();
}
END_TEST

START_TEST(on_a_unix_socket)
{
    char folder[] = "/tmp/evpq-test it's.XXXXXX";
    ck_assert_ptr_nonnull(mkdtemp(folder));
    evpq_test_server_opts o = {.size = sizeof o, .unix_folder = folder, .server_version = "17.2"};
    alone(&o);
    ck_assert_int_eq(evpq_test_server_port(server), 5432);
    PGconn *c = plain();
    ck_assert_int_eq(PQserverVersion(c), 170002);
    ck_assert_int_eq(evpq_test_server_port(server), atoi(PQport(c)));
    PQfinish(c);
    char *error = NULL;
    ck_assert_ptr_null(evpq_test_server_start(&o, &error));
    ck_assert_ptr_nonnull(strstr(error, "cannot listen"));
    free(error);
    end();
    ck_assert_int_eq(rmdir(folder), 0); /* the socket is gone */
}
END_TEST

static void *ask_later(void *arg)
{
    PGconn *c = arg;
    usleep(50000);
    PQclear(PQexec(c, "set a = 1"));
    return NULL;
}

START_TEST(waits_for_what_another_thread_asks)
{
    pthread_t thread;
    alone(NULL);
    ck_assert(!evpq_test_server_wait(server, "set", 1, 0.01));
    PGconn *c = plain();
    ck_assert_int_eq(pthread_create(&thread, NULL, ask_later, c), 0);
    ck_assert(evpq_test_server_wait(server, "set", 1, 20));
    pthread_join(thread, NULL);
    PQfinish(c);
    end();
}
END_TEST

/* ---- what makes no sense ---- */

START_TEST(answers_that_make_no_sense)
{
    static const char *const a[] = {"x"}, *const big[] = {"32768"};
    static const struct {
        evpq_test_answer answer;
        const char *why;
    } cases[] = {
        {{.size = 3, .sql = "a"}, "the field size is 3"},
        {{.size = 0}, "sql or part"},
        {{.sql = "a", .part = "b"}, "sql or part"},
        {{.part = ""}, "part is empty"},
        {{.sql = "a", .times = -1}, "times"},
        {{.sql = "a", .delay = -1}, "delay"},
        {{.sql = "a", .delay = NAN}, "delay"},
        {{.sql = "a", .then = 9}, "evpq_test_then"},
        {{.sql = "a", .rows = 1}, "columns or cells"},
        {{.sql = "a", .columns = "a"}, "columns: it is to be a list"},
        {{.sql = "a", .columns = "a int4, b"}, "columns: it is to be a list"},
        {{.sql = "a", .columns = "a money"}, "its oid will do"},
        {{.sql = "a", .columns = "a int4", .rows = 1, .cells = a}, "no value of its column"},
        {{.sql = "a", .columns = "a int2", .rows = 1, .cells = big}, "no value of its column"},
        {{.sql = "a", .columns = "a bool", .rows = 1, .cells = a}, "no value of its column"},
        {{.sql = "a", .columns = "a uuid", .rows = 1, .cells = a}, "no value of its column"},
        {{.sql = "a", .columns = "a float8", .rows = 1, .cells = a}, "no value of its column"},
        {{.sql = "a", .columns = "a oid", .rows = 1, .cells = a}, "no value of its column"},
        {{.sql = "a", .columns = "a bytea", .rows = 1, .cells = a}, "no value of its column"},
        {{.sql = "a", .sqlstate = "4000"}, "five digits"},
        {{.sql = "a", .sqlstate = "22012", .tag = "A"}, "neither columns nor a tag"},
        {{.sql = "a", .message = "no"}, "sqlstate is not"},
        {{.sql = "a", .sqlstate = "22012", .severity = "PANIC"}, "ERROR or FATAL"},
    };
    alone(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        evpq_test_answer answer = cases[i].answer;
        char *error = NULL;
        answer.size = answer.size ? answer.size : sizeof answer;
        ck_assert_msg(!evpq_test_server_answer(server, &answer, &error), "%zu", i);
        ck_assert_msg(strstr(error, cases[i].why), "%s", error);
        free(error);
    }
    char *error = NULL;
    ck_assert(!evpq_test_server_answer(server, NULL, &error));
    free(error);
    ANSWER(.sql = "a", .columns = "  a   790 ,b   double precision ", .rows = 1,
           CELLS("$1", "1e3"));
    char *complaint = evpq_test_server_complaint(server);
    ck_assert_ptr_nonnull(complaint);
    free(complaint);
    evpq_test_server_stop(server);
}
END_TEST

START_TEST(options_that_make_no_sense)
{
    static const struct {
        evpq_test_server_opts opts;
        const char *why;
    } cases[] = {
        {{.size = 4}, "the field size is 4"},
        {{.port = -1}, "port"},
        {{.port = 65536}, "port"},
        {{.second = -1}, "second"},
        {{.second = NAN}, "second"},
        {{.unix_folder = "here"}, "does not begin with /"},
        {{.unix_folder = "/nowhere/at/all"}, "cannot listen: No such file"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        evpq_test_server_opts opts = cases[i].opts;
        char *error = NULL;
        opts.size = opts.size ? opts.size : sizeof opts;
        ck_assert_msg(!evpq_test_server_start(&opts, &error), "%zu", i);
        ck_assert_msg(strstr(error, cases[i].why), "%s", error);
        free(error);
        ck_assert_ptr_null(evpq_test_server_start(&opts, NULL));
    }
    struct {
        evpq_test_server_opts opts;
        size_t more;
    } newer = {{.size = sizeof newer}, 1};
    char *error = NULL;
    ck_assert_ptr_null(evpq_test_server_start(&newer.opts, &error));
    ck_assert_ptr_nonnull(strstr(error, "does not know"));
    free(error);
    newer.more = 0;
    alone(&newer.opts);
    evpq_test_server_stats stats = {.size = 1};
    ck_assert(!evpq_test_server_get_stats(server, &stats));
    struct {
        evpq_test_server_stats stats;
        uint64_t more;
    } all = {{.size = sizeof all}, 7};
    ck_assert(evpq_test_server_get_stats(server, &all.stats));
    ck_assert_uint_eq(all.more, 0);
    ck_assert_uint_eq(all.stats.size, sizeof all);
    evpq_test_server_stop(server);
    evpq_test_server_stop(NULL);
}
END_TEST

/* ---- who breaks the protocol ---- */

static int knock(void)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)evpq_test_server_port(server)),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    ck_assert_int_eq(connect(fd, (struct sockaddr *)&at, sizeof at), 0);
    return fd;
}

/* In a process of its own: nothing is left to accept a connection with, which matters once somebody
 * comes. _i: to the proxy. */
static void run_out_of_sockets(int told, int i)
{
    evpq_test_server *s = i ? NULL : evpq_test_server_start(NULL, NULL);
    evpq_test_proxy *p = i ? evpq_test_proxy_start("127.0.0.1", 1, NULL) : NULL;
    int port = i ? evpq_test_proxy_port(p) : evpq_test_server_port(s);
    struct sockaddr_in at = {.sin_family = AF_INET,
                             .sin_port = htons((uint16_t)port),
                             .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct rlimit none = {0, 0}, files = {(rlim_t)fd + 1, (rlim_t)fd + 1};
    dup2(told, STDERR_FILENO);
    setrlimit(RLIMIT_CORE, &none);
    setrlimit(RLIMIT_NOFILE, &files);
    if (i) /* a turn */
        evpq_test_proxy_cut(p);
    else
        evpq_test_server_cut(s);
    fputs("idle\n", stderr);
    signal(SIGALRM, SIG_DFL); /* Check's would end the test, and say nothing of why */
    alarm(45);
    if (connect(fd, (struct sockaddr *)&at, sizeof at) < 0)
        perror("connect");
    pause();
    _exit(0);
}

START_TEST(without_a_socket_the_program_ends)
{
    char told[256] = "";
#ifdef __SANITIZE_THREAD__
    return; /* it needs descriptors of its own */
#endif
    if (check_on_valgrind()) /* which does, too */
        return;
    int ends[2], status;
    ck_assert_int_eq(pipe(ends), 0);
    pid_t pid = fork();
    if (pid == 0)
        run_out_of_sockets(ends[1], _i);
    close(ends[1]);
    ck_assert_int_eq(waitpid(pid, &status, 0), pid);
    ck_assert_int_gt(read(ends[0], told, sizeof told - 1), 0);
    ck_assert_str_eq(told, "idle\nevpq-test: accept4: Too many open files\n");
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGABRT);
    close(ends[0]);
}
END_TEST

#define HELLO "\0\0\0\x08\0\3\0\0"
#define SAID(bytes) bytes, sizeof(bytes) - 1

struct heard {
    char bytes[8192];
    size_t n;
};

/* What is said to those bytes, up to its end. */
static struct heard hear(const char *bytes, size_t size)
{
    struct heard h = {.n = 0};
    ssize_t got;
    int fd = knock();
    ck_assert_int_eq(send(fd, bytes, size, 0), (int)size);
    while ((got = recv(fd, h.bytes + h.n, sizeof h.bytes - h.n, 0)) > 0)
        h.n += (size_t)got;
    close(fd);
    return h;
}

static bool has(const struct heard *h, const char *text)
{
    return memmem(h->bytes, h->n, text, strlen(text)) != NULL;
}

START_TEST(fatal_is_the_last_word)
{
    alone(NULL);
    ANSWER(.sql = "a", .sqlstate = "57P05", .severity = "FATAL");
    struct heard h = hear(SAID(HELLO "Q\0\0\0\6a\0"));
    ck_assert(has(&h, "57P05"));
    end();
}
END_TEST

/* What only looks like evpq's own is a program's statement. */
START_TEST(a_program_speaks_of_what_evpq_asks)
{
    alone(NULL);
    ANSWER(.sql = "bad", .sqlstate = "22012");
    PGconn *c = plain();
    PQclear(PQexec(c, "begin"));
    PQclear(PQexec(c, "bad"));
    PQclear(PQexec(c, "rollback -- set_config('evpq.together'"));
    ck_assert_int_eq(PQtransactionStatus(c), PQTRANS_IDLE);
    PQfinish(c);
    ck_assert_uint_eq(evpq_test_server_count(server, "evpq.together"), 1);
    end();
}
END_TEST

/* Each of them a statement of one letter. */
#define PARSE(letter) "P\0\0\0\x09\0" letter "\0\0\0"
#define BIND "B\0\0\0\x0c\0\0\0\0\0\0\0\0"
#define EXECUTE "E\0\0\0\x09\0\0\0\0\0"
#define FLUSH "H\0\0\0\4"
#define SYNC "S\0\0\0\4"

/* _i: what was flushed before has been sent. */
START_TEST(a_cut_takes_what_was_not_flushed_with_it)
{
    alone(NULL);
    ANSWER(.sql = "a", .tag = "FIRST");
    ANSWER(.sql = "b", .then = EVPQ_TEST_THEN_CUT_BEFORE);
    struct heard h =
        _i ? hear(SAID(HELLO PARSE("a") BIND EXECUTE FLUSH PARSE("b") BIND EXECUTE SYNC))
           : hear(SAID(HELLO PARSE("a") BIND EXECUTE PARSE("b") BIND EXECUTE SYNC));
    ck_assert(has(&h, "server_version"));
    ck_assert_int_eq(has(&h, "FIRST"), _i);
    ck_assert_uint_eq(evpq_test_server_count(server, NULL), 2);
    end();
}
END_TEST

/* False when that does not come. */
static bool hears(int fd, const char *text)
{
    struct heard h = {.n = 0};
    struct timeval most = {.tv_sec = 20};
    ssize_t got;
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &most, sizeof most);
    while (!has(&h, text) && (got = recv(fd, h.bytes + h.n, sizeof h.bytes - h.n, 0)) > 0)
        h.n += (size_t)got;
    return has(&h, text);
}

/* A client has it that waits for it before it says Sync. */
START_TEST(an_error_is_sent_at_once)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *sqlstate;
    } cases[] = {
        {SAID(HELLO PARSE("a") BIND EXECUTE FLUSH), "22012"},
        {SAID(HELLO PARSE("b") BIND EXECUTE FLUSH), "58000"},
        {SAID(HELLO EXECUTE FLUSH), "34000"},
    };
    alone(NULL);
    ANSWER(.sql = "a", .sqlstate = "22012");
    int fd = knock();
    ck_assert_int_eq(send(fd, cases[_i].bytes, cases[_i].n, 0), (int)cases[_i].n);
    ck_assert(hears(fd, cases[_i].sqlstate));
    close(fd);
    evpq_test_server_stop(server);
}
END_TEST

/* Until ReadyForQuery it is busy, and told nothing. */
START_TEST(no_notification_between_an_error_and_its_sync)
{
    static const char said[] = HELLO "Q\0\0\0\x0dlisten a\0" PARSE("b") BIND EXECUTE;
    char byte;
    alone(NULL);
    int fd = knock();
    ck_assert_int_eq(send(fd, SAID(said), 0), (int)sizeof said - 1);
    ck_assert(hears(fd, "58000"));
    while (recv(fd, &byte, 1, MSG_DONTWAIT) == 1)
        ;
    evpq_test_server_notify(server, "a", "news");
    ck_assert_int_eq(recv(fd, &byte, 1, MSG_DONTWAIT), -1);
    ck_assert_int_eq(send(fd, SAID(SYNC), 0), 5);
    ck_assert(hears(fd, "news"));
    close(fd);
    evpq_test_server_stop(server);
}
END_TEST

/* A client of a later minor version is told at once which one is spoken. */
START_TEST(the_version_is_negotiated)
{
    alone(NULL);
    struct heard h = hear(SAID("\0\0\0\x08\0\3\0\2X\0\0\0\4"));
    ck_assert_mem_eq(h.bytes, "v\0\0\0\x0c\0\3\0\0", 9);
    ck_assert(has(&h, "server_version"));
    end();
}
END_TEST

START_TEST(who_breaks_the_protocol_is_shown_out)
{
    static const struct {
        const char *bytes;
        size_t n;
        const char *sqlstate;
    } cases[] = {
        {SAID("\0\0\0\3"), "08P01"},
        {SAID("\x7f\0\0\0"), "08P01"},
        {SAID("\0\0\0\x08\0\2\0\0"), "0A000"},
        {SAID(HELLO "Q\0\0\0\3"), "08P01"},
        {SAID(HELLO "Q\xff\xff\xff\xff"), "08P01"},
        {SAID(HELLO "~\0\0\0\4"), "08P01"},
        {SAID(HELLO "P\0\0\0\6ab"), "08P01"},
        {SAID(HELLO "P\0\0\0\x0a\0\0\0\5\0\0"), "08P01"},
        {SAID(HELLO "P\0\0\0\x08\0\0\0\0B\0\0\0\x0c\0\0\0\0\0\1\0\0"), "08P01"},
        {SAID(HELLO "E\0\0\0\x09\0\0\0\0\0S\0\0\0\4X\0\0\0\4"), "34000"},
        {SAID(HELLO "D\0\0\0\6P\0S\0\0\0\4X\0\0\0\4"), "34000"},
        {SAID(HELLO "C\0\0\0\6P\0S\0\0\0\4X\0\0\0\4"), ""},
    };
    alone(NULL);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct heard h = hear(cases[i].bytes, cases[i].n);
        ck_assert_msg(has(&h, cases[i].sqlstate), "%zu: no %s in %zu bytes", i, cases[i].sqlstate,
                      h.n);
    }
    evpq_test_server_stop(server);
}
END_TEST

/* Whatever is said to it, it goes on. */
START_TEST(noise_ends_nothing_but_its_connection)
{
    srandom(7);
    alone(NULL);
    for (int i = 0; i < check_rounds(1000); i++) {
        char said[64] = HELLO;
        size_t n = 8 + (size_t)random() % 56;
        for (size_t k = 8; k < n; k++)
            said[k] = (char)(random() % 4 ? random() % 12 : "PBDESQCXH"[random() % 9]);
        int fd = knock();
        send(fd, said, n, MSG_NOSIGNAL);
        close(fd);
    }
    PQfinish(plain());
    evpq_test_server_stop(server);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("scripted_wire");
    CHECK_ADD(c, simple_queries);
    CHECK_ADD(c, comments_and_chains);
    CHECK_ADD_LOOP(c, prepared_by_hand, 2);
    CHECK_ADD(c, it_can_be_written_to);
    CHECK_ADD_LOOP(c, notifications_wait_for_the_end_of_a_transaction, 2);
    CHECK_ADD(c, the_environment_does_not_lead_elsewhere);
    CHECK_ADD(c, on_a_unix_socket);
    CHECK_ADD(c, waits_for_what_another_thread_asks);
    CHECK_ADD(c, answers_that_make_no_sense);
    CHECK_ADD(c, options_that_make_no_sense);
    CHECK_ADD_LOOP(c, without_a_socket_the_program_ends, 2);
    CHECK_ADD(c, fatal_is_the_last_word);
    CHECK_ADD(c, a_program_speaks_of_what_evpq_asks);
    CHECK_ADD_LOOP(c, a_cut_takes_what_was_not_flushed_with_it, 2);
    CHECK_ADD_LOOP(c, an_error_is_sent_at_once, 3);
    CHECK_ADD(c, no_notification_between_an_error_and_its_sync);
    CHECK_ADD(c, the_version_is_negotiated);
    CHECK_ADD(c, who_breaks_the_protocol_is_shown_out);
    CHECK_ADD(c, noise_ends_nothing_but_its_connection);
    return check_end(c);
}
