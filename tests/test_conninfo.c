/* test_conninfo.c - what a connection string, the environment and a service file come to; without a
 * look at the network. */
#include "libpq/conninfo.h"

#include "libpq/pq.h"
#include "support/check.h"
#include "support/names.h"
#include "support/oom.h"
#include "support/server.h"
#include "support/watch.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Whatever the machine's own environment says. */
static void clear_environment(void)
{
    static const char *const names[] = {"PGHOST",
                                        "PGHOSTADDR",
                                        "PGPORT",
                                        "PGDATABASE",
                                        "PGUSER",
                                        "PGSERVICE",
                                        "PGSERVICEFILE",
                                        "PGSSLMODE",
                                        "PGCONNECT_TIMEOUT",
                                        "PGGSSENCMODE",
                                        "PGOPTIONS",
                                        "PGPASSFILE",
                                        "PGTARGETSESSIONATTRS"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        unsetenv(names[i]);
}

static struct conninfo *read_ok(const char *text)
{
    struct conninfo *ci = NULL;
    evpq_error *error = conninfo_read(text, &ci);
    ck_assert_msg(!error, "%s: %s", text, evpq_error_message(error));
    ck_assert_ptr_nonnull(ci);
    return ci;
}

static void ck_bad(const char *text, const char *says)
{
    struct conninfo *ci = NULL;
    evpq_error *error = conninfo_read(text, &ci);
    ck_assert_msg(error != NULL, "%s is taken", text);
    ck_assert_ptr_null(ci);
    ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    ck_assert_int_eq(evpq_error_outcome(error), EVPQ_OUTCOME_NOT_SENT);
    ck_assert_msg(strstr(evpq_error_message(error), says) != NULL, "\"%s\" is not in \"%s\"", says,
                  evpq_error_message(error));
    ck_assert_ptr_null(strchr(evpq_error_message(error), '\n'));
    evpq_error_unref(error);
}

static void ck_host(const struct conninfo *ci, int i, const char *host, const char *hostaddr,
                    const char *port)
{
    ck_assert_int_lt(i, ci->n);
    ck_assert_pstr_eq(ci->hosts[i].host, host);
    ck_assert_pstr_eq(ci->hosts[i].hostaddr, hostaddr);
    ck_assert_pstr_eq(ci->hosts[i].port, port);
}

START_TEST(one_host)
{
    clear_environment();
    struct conninfo *ci = read_ok("host=db.test port=7777");
    ck_assert_int_eq(ci->n, 1);
    ck_host(ci, 0, "db.test", NULL, "7777");
    ck_assert(ci->connect_timeout == 0);
    ck_assert(!ci->prefer_standby);
    ck_assert(!ci->shuffle);
    conninfo_free(ci);

    ci = read_ok("host=db.test hostaddr=127.0.0.1");
    ck_host(ci, 0, "db.test", "127.0.0.1", "5432");
    conninfo_free(ci);

    ci = read_ok("hostaddr=::1 connect_timeout=7");
    ck_host(ci, 0, NULL, "::1", "5432");
    ck_assert(ci->connect_timeout == 7);
    conninfo_free(ci);
}
END_TEST

START_TEST(nothing_at_all)
{
    static const char *const texts[] = {NULL, "", " \t\r\n\v\f", "dbname=mydb"};
    clear_environment();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct conninfo *ci = read_ok(texts[i]);
        ck_assert_int_eq(ci->n, 1);
        ck_host(ci, 0, NULL, NULL, "5432");
        conninfo_free(ci);
    }
}
END_TEST

START_TEST(several_hosts)
{
    clear_environment();
    struct conninfo *ci = read_ok("host=a,b,/tmp port=1,2,3");
    ck_assert_int_eq(ci->n, 3);
    ck_host(ci, 0, "a", NULL, "1");
    ck_host(ci, 1, "b", NULL, "2");
    ck_host(ci, 2, "/tmp", NULL, "3");
    conninfo_free(ci);

    ci = read_ok("host=a,b port=9");
    ck_host(ci, 0, "a", NULL, "9");
    ck_host(ci, 1, "b", NULL, "9");
    conninfo_free(ci);

    ci = read_ok("host=a,b,c hostaddr=127.0.0.1,,127.0.0.3 port=1,,3");
    ck_assert_int_eq(ci->n, 3);
    ck_host(ci, 0, "a", "127.0.0.1", "1");
    ck_host(ci, 1, "b", NULL, NULL); /* libpq's default port */
    ck_host(ci, 2, "c", "127.0.0.3", "3");
    conninfo_free(ci);

    ci = read_ok("hostaddr=127.0.0.1,127.0.0.2");
    ck_assert_int_eq(ci->n, 2);
    ck_host(ci, 1, NULL, "127.0.0.2", "5432");
    conninfo_free(ci);
}
END_TEST

START_TEST(f60_an_empty_item_is_libpqs_default)
{
    clear_environment();
    struct conninfo *ci = read_ok("host=a,,b port=1,,3");
    ck_assert_int_eq(ci->n, 3);
    ck_host(ci, 1, NULL, NULL, NULL);
    ck_assert(*ci->default_host == '/' || !strcmp(ci->default_host, "localhost"));
    ck_assert_str_eq(ci->default_port, "5432");
    conninfo_free(ci);
    ci = read_ok("hostaddr=,127.0.0.1");
    ck_assert_int_eq(ci->n, 2);
    conninfo_free(ci);
}
END_TEST

START_TEST(f60_what_libpq_refuses_later_is_refused_now)
{
    static const char *const bad[] = {"host=h port=0",
                                      "host=h port=65536",
                                      "host=h port=abc",
                                      "host=a,b port=x,1",
                                      "host=h connect_timeout=abc",
                                      "host=h connect_timeout=99999999999",
                                      "host=h sslmode=maybe",
                                      "host=h target_session_attrs=maybe",
                                      "host=h gssencmode=maybe",
                                      "host=h channel_binding=maybe",
                                      "host=h ssl_min_protocol_version=SSLv9",
                                      "host=h keepalives=yes",
                                      "host=h keepalives_idle=1s",
                                      "host=h keepalives_interval=x",
                                      "host=h keepalives_count=1.5",
                                      "host=h keepalives_idle=-1",
                                      "host=h keepalives_idle=99999999",
                                      "host=h keepalives_interval=0",
                                      "host=h keepalives_count=1000",
                                      "host=h tcp_user_timeout=x",
                                      "hostaddr=db.example",
                                      "hostaddr=300.1.1.1,x"};
    static const char *const good[] = {"host=a,b port=0,1",
                                       "host=/tmp keepalives_idle=x",
                                       "host=h keepalives=0 keepalives_idle=x",
                                       "host=h keepalives=0 keepalives_idle=-1",
                                       "host=/tmp keepalives_count=1000",
                                       "host=h keepalives_idle=30 keepalives_count=127",
                                       "host=h connect_timeout=' 3 '",
                                       "hostaddr=x,127.0.0.1",
                                       "host=h tcp_user_timeout=-1"};
    clear_environment();
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_bad(bad[i], "bad connection string");
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        conninfo_free(read_ok(good[i]));
}
END_TEST

START_TEST(f60_only_what_nobody_has_set_is_set)
{
    clear_environment();
    struct conninfo *ci = read_ok("host=h");
    ck_assert(ci->set_idle && ci->set_interval && ci->set_count && ci->set_user_timeout);
    conninfo_free(ci);
    ci = read_ok("host=h keepalives_interval=7");
    ck_assert(ci->set_idle && !ci->set_interval && ci->set_count && ci->set_user_timeout);
    conninfo_free(ci);
    ci = read_ok("host=h keepalives_idle=7 keepalives_count=2 tcp_user_timeout=0");
    ck_assert(!ci->set_idle && ci->set_interval && !ci->set_count && !ci->set_user_timeout);
    conninfo_free(ci);
}
END_TEST

START_TEST(f60_a_uri_of_another_scheme_is_no_database)
{
    ck_bad("postgresq://u:hushhush@host/db", "scheme");
    ck_bad("http://u:hushhush@host/db?sslmode=require", "scheme");
}
END_TEST

/* What PQconnectdb takes for no connection string is no name of a database either: it may hold a
 * password, which would go to the default server and its log. */
START_TEST(f60_a_uri_is_no_database_in_dbname)
{
    clear_environment();
    ck_bad("host=h dbname=postgresql://u:secret@h/db", "dbname is a URI");
    ck_bad("host=h dbname='postgresq://u:secret@h/db'", "dbname is a URI");
    setenv("PGDATABASE", "postgres://u:secret@h/db", 1);
    ck_bad("host=h", "dbname is a URI");
    clear_environment();
}
END_TEST

START_TEST(f60_a_bare_word_is_no_database)
{
    static const char *const texts[] = {"mydb",
                                        " mydb",
                                        " postgresql://u:hushhush@host/db",
                                        "\tpostgres:///db",
                                        "postgresql:/u:hushhush@host/db",
                                        "u:hushhush@host/db",
                                        "''",
                                        "h"};
    clear_environment();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_bad(texts[i], "dbname=NAME");
}
END_TEST

START_TEST(f60_a_name_in_the_options_is_kept)
{
    clear_environment();
    struct conninfo *ci = read_ok("options='-c application_name=mine'");
    ck_assert(!ci->set_name);
    conninfo_free(ci);
    ci = read_ok("options='-c search_path=mine'");
    ck_assert(ci->set_name);
    conninfo_free(ci);
}
END_TEST

START_TEST(f80_no_message_holds_the_password)
{
    static const char *const texts[] = {"postgresq://u:hushhush@host/db",
                                        "postgresql://u:hushhush@[::1/db",
                                        "postgresql://u:hushhush@host/db?nonsense=1",
                                        "postgresql://u:hush%zzhush@host/db",
                                        "postgresql://u:hushhush@host:x/db",
                                        "host=h password='hushhush",
                                        "password=x hushhush",
                                        "password=hushhush nonsense=1",
                                        "password=hushhush sslmode=maybe",
                                        "postgresql://u:hushhush/x@host/db"};
    clear_environment();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct conninfo *ci = NULL;
        evpq_error *error = conninfo_read(texts[i], &ci);
        ck_assert_msg(error != NULL, "%s is taken", texts[i]);
        ck_assert_msg(!strstr(evpq_error_message(error), "hush"), "%s", evpq_error_message(error));
        evpq_error_unref(error);
    }
}
END_TEST

START_TEST(f80_the_password_is_overwritten)
{
    clear_environment();
    struct conninfo *ci = read_ok("host=h password=hushhush");
    size_t length = strlen(ci->text);
    ck_assert_ptr_nonnull(strstr(ci->text, "hushhush"));
    conninfo_wipe(ci);
    for (size_t i = 0; i < length; i++)
        ck_assert_int_eq(ci->text[i], 0);
    conninfo_free(ci);
}
END_TEST

START_TEST(uris)
{
    clear_environment();
    struct conninfo *ci = read_ok("postgresql://me:secret@one.test:1111,two.test:2222/db"
                                  "?connect_timeout=3&target_session_attrs=prefer-standby");
    ck_assert_int_eq(ci->n, 2);
    ck_host(ci, 0, "one.test", NULL, "1111");
    ck_host(ci, 1, "two.test", NULL, "2222");
    ck_assert(ci->connect_timeout == 3);
    ck_assert(ci->prefer_standby);
    conninfo_free(ci);

    ci = read_ok("postgres://[::1]:99/db?hostaddr=127.0.0.9");
    ck_host(ci, 0, "::1", "127.0.0.9", "99");
    conninfo_free(ci);

    ci = read_ok("postgresql:///db?host=/var/run/pg");
    ck_host(ci, 0, "/var/run/pg", NULL, "5432");
    conninfo_free(ci);
}
END_TEST

START_TEST(the_environment_fills_in)
{
    clear_environment();
    setenv("PGHOST", "env.test", 1);
    setenv("PGPORT", "1234", 1);
    setenv("PGCONNECT_TIMEOUT", "11", 1);
    setenv("PGTARGETSESSIONATTRS", "prefer-standby", 1);
    struct conninfo *ci = read_ok(NULL);
    ck_host(ci, 0, "env.test", NULL, "1234");
    ck_assert(ci->connect_timeout == 11);
    ck_assert(ci->prefer_standby);
    conninfo_free(ci);
    ci = read_ok("host=mine connect_timeout=5 target_session_attrs=any");
    ck_host(ci, 0, "mine", NULL, "1234");
    ck_assert(ci->connect_timeout == 5);
    ck_assert(!ci->prefer_standby);
    conninfo_free(ci);
}
END_TEST

START_TEST(a_service_fills_in)
{
    clear_environment();
    char path[] = "/tmp/evpq-service-XXXXXX";
    FILE *file = fdopen(mkstemp(path), "w");
    ck_assert_ptr_nonnull(file);
    fputs("[other]\nhost=wrong.test\n[mine]\nhost=s1.test,s2.test\nport=5\nconnect_timeout=9\n",
          file);
    fclose(file);
    setenv("PGSERVICEFILE", path, 1);
    struct conninfo *ci = read_ok("service=mine port=6");
    ck_assert_int_eq(ci->n, 2);
    ck_host(ci, 0, "s1.test", NULL, "6");
    ck_host(ci, 1, "s2.test", NULL, "6");
    ck_assert(ci->connect_timeout == 9);
    conninfo_free(ci);
    setenv("PGSERVICE", "mine", 1);
    ci = read_ok(NULL);
    ck_host(ci, 1, "s2.test", NULL, "5");
    conninfo_free(ci);
    ck_bad("service=nobody", "nobody");
    remove(path);
    ck_bad("service=mine", "not found");
}
END_TEST

START_TEST(times_that_mean_no_limit)
{
    static const char *const texts[] = {"connect_timeout=0", "connect_timeout=-1", ""};
    clear_environment();
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        struct conninfo *ci = read_ok(texts[i]);
        ck_assert(ci->connect_timeout == 0);
        conninfo_free(ci);
    }
}
END_TEST

/* Known since libpq 16: either it is heard or it is refused. */
START_TEST(hosts_in_random_order)
{
    clear_environment();
    struct conninfo *ci = NULL;
    evpq_error *error = conninfo_read("host=a,b load_balance_hosts=random", &ci);
    ck_assert(error || ci->shuffle);
    ck_assert(error != NULL || PQlibVersion() >= 160000);
    evpq_error_unref(error);
    conninfo_free(ci);
}
END_TEST

START_TEST(what_is_wrong_is_said)
{
    clear_environment();
    ck_bad("host='open", "unterminated");
    ck_bad("nonsense=1", "nonsense");
    ck_bad("sslmodes=prefer", "\"sslmodes\""); /* one letter from an option that exists */
    ck_bad("host=a,b port=1,2,3", "3");
    ck_bad("host=a,b hostaddr=127.0.0.1", "host");
    ck_bad("postgresql://host/db?nonsense=1", "nonsense");
    ck_bad("postgresql://[::1/", "]");
}
END_TEST

START_TEST(too_many_hosts)
{
    clear_environment();
    char text[2000] = "host=h";
    for (int i = 1; i < 256; i++)
        strcat(text, ",h");
    struct conninfo *ci = read_ok(text);
    ck_assert_int_eq(ci->n, 256);
    conninfo_free(ci);
    strcat(text, ",h");
    ck_bad(text, "256");
}
END_TEST

START_TEST(nothing_is_looked_up_or_waited_for)
{
    clear_environment();
    names_set(&(struct name){.host = "look.test", .delay = 5, .addresses = "127.0.0.1"});
    watch_begin();
    struct conninfo *ci = read_ok("host=look.test,look.test,127.0.0.1");
    conninfo_free(ci);
    ck_bad("host=look.test nonsense=1", "nonsense");
    ck_assert_msg(watch_end() == 0, "%s", watch_first());
    ck_assert_int_eq(names_calls("look.test"), 0);
}
END_TEST

/* ---- what reaches libpq ---- */

/* An option of a connection that was begun. Borrowed as strf's. */
static const char *option_of(struct pg_conn *c, const char *keyword)
{
    PQconninfoOption *options = PQconninfo(c);
    const char *value = NULL;
    ck_assert_ptr_nonnull(options);
    for (PQconninfoOption *o = options; o->keyword; o++)
        if (!strcmp(o->keyword, keyword))
            value = strf("%s", o->val ? o->val : "");
    PQconninfoFree(options);
    ck_assert_ptr_nonnull(value);
    return value;
}

static struct pg_conn *begin(const char *text, const char *address, const char *attrs)
{
    struct conninfo *ci = read_ok(text);
    struct pg_conn *c = conninfo_connect(ci, &ci->hosts[ci->n - 1], address, attrs);
    ck_assert_ptr_nonnull(c);
    conninfo_free(ci);
    return c;
}

START_TEST(one_host_and_its_address_reach_libpq)
{
    clear_environment();
    struct pg_conn *c = begin("host=a.test,b.test port=1,2 dbname=d user=u", "127.0.0.1", NULL);
    ck_assert_str_eq(option_of(c, "host"), "b.test");
    ck_assert_str_eq(option_of(c, "hostaddr"), "127.0.0.1");
    ck_assert_str_eq(option_of(c, "port"), "2");
    ck_assert_str_eq(option_of(c, "dbname"), "d");
    ck_assert_str_eq(option_of(c, "user"), "u");
    ck_assert_str_eq(option_of(c, "fallback_application_name"), "evpq");
    ck_assert_str_ne(option_of(c, "gssencmode"), "prefer");
    pq_finish(c);
    c = begin("postgresql://u@a.test:1,b.test:2/d?target_session_attrs=read-write", "127.0.0.1",
              "standby");
    ck_assert_str_eq(option_of(c, "host"), "b.test");
    ck_assert_str_eq(option_of(c, "target_session_attrs"), "standby");
    pq_finish(c);
}
END_TEST

START_TEST(a_dead_peer_is_noticed_unless_the_program_says_otherwise)
{
    clear_environment();
    struct pg_conn *c = begin("host=127.0.0.1 port=1 user=u", NULL, NULL);
    ck_assert_str_eq(option_of(c, "keepalives_idle"), "30");
    ck_assert_str_eq(option_of(c, "keepalives_interval"), "10");
    ck_assert_str_eq(option_of(c, "keepalives_count"), "3");
    ck_assert_str_eq(option_of(c, "tcp_user_timeout"), "30000");
    pq_finish(c);
    c = begin("host=127.0.0.1 port=1 user=u keepalives_idle=77 tcp_user_timeout=5", NULL, NULL);
    ck_assert_str_eq(option_of(c, "keepalives_idle"), "77");
    ck_assert_str_eq(option_of(c, "tcp_user_timeout"), "5");
    pq_finish(c);
}
END_TEST

/* Each allocation of ours fails once: NOMEM or success, and nothing is left. */
START_TEST(without_memory)
{
    clear_environment();
    for (long n = 1;; n++) {
        struct conninfo *ci = NULL;
        oom_fail_at(n);
        evpq_error *error = conninfo_read("host=a,b port=1 connect_timeout=3", &ci);
        bool failed = oom_end();
        if (!failed) {
            ck_assert_ptr_null(error);
            conninfo_free(ci);
            ck_assert_int_gt(n, 1);
            break;
        }
        ck_assert_ptr_nonnull(error);
        ck_assert_int_eq(evpq_error_status(error), EVPQ_NOMEM);
        evpq_error_unref(error);
    }
}
END_TEST

int main(void)
{
    struct check *c = check_begin("conninfo");
    CHECK_ADD(c, one_host);
    CHECK_ADD(c, nothing_at_all);
    CHECK_ADD(c, several_hosts);
    CHECK_ADD(c, f60_an_empty_item_is_libpqs_default);
    CHECK_ADD(c, f60_what_libpq_refuses_later_is_refused_now);
    CHECK_ADD(c, f60_only_what_nobody_has_set_is_set);
    CHECK_ADD(c, f60_a_uri_of_another_scheme_is_no_database);
    CHECK_ADD(c, f60_a_uri_is_no_database_in_dbname);
    CHECK_ADD(c, f60_a_bare_word_is_no_database);
    CHECK_ADD(c, f60_a_name_in_the_options_is_kept);
    CHECK_ADD(c, f80_no_message_holds_the_password);
    CHECK_ADD(c, f80_the_password_is_overwritten);
    CHECK_ADD(c, uris);
    CHECK_ADD(c, the_environment_fills_in);
    CHECK_ADD(c, a_service_fills_in);
    CHECK_ADD(c, times_that_mean_no_limit);
    CHECK_ADD(c, hosts_in_random_order);
    CHECK_ADD(c, what_is_wrong_is_said);
    CHECK_ADD(c, too_many_hosts);
    CHECK_ADD(c, nothing_is_looked_up_or_waited_for);
    CHECK_ADD(c, one_host_and_its_address_reach_libpq);
    CHECK_ADD(c, a_dead_peer_is_noticed_unless_the_program_says_otherwise);
    CHECK_ADD(c, without_memory);
    return check_end(c);
}
