/* it_conninfo.c - a connection string means what it means to libpq: each of a table of strings is
 * given to both, on the same machine (F60). */
#include "support/pools.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

/* What follows the server's own connection string, of which the later of two wins. */
static const char *const strings[] = {
    "",
    "connect_timeout=5",
    "connect_timeout=0",
    "connect_timeout=-1",
    "connect_timeout=abc",
    "connect_timeout=5x",
    "connect_timeout='5 '",
    "connect_timeout=5000000000",
    "sslmode=disable",
    "sslmode=prefer",
    "sslmode=maybe",
    "sslmode=''",
    "target_session_attrs=any",
    "target_session_attrs=read-write",
    "target_session_attrs=primary",
    "target_session_attrs=prefer-standby",
    "target_session_attrs=slave",
    "gssencmode=disable",
    "gssencmode=prefer",
    "gssencmode=maybe",
    "channel_binding=prefer",
    "channel_binding=disable",
    "channel_binding=maybe",
    "ssl_min_protocol_version=TLSv1.2",
    "ssl_min_protocol_version=SSLv9",
    "ssl_min_protocol_version=TLSv1.3 ssl_max_protocol_version=TLSv1.2",
    "load_balance_hosts=random",
    "load_balance_hosts=disable",
    "load_balance_hosts=maybe",
    "require_auth=none",
    "require_auth=nothing",
    "require_auth=scram-sha-256,scram-sha-256",
    "sslcertmode=maybe",
    "port=0",
    "port=65536",
    "port=abc",
    "port=1,2",
    "host=127.0.0.1,127.0.0.1 port=1,2,3",
    "host=127.0.0.1,127.0.0.1 port=abc",
    "host=127.0.0.1 keepalives=0",
    "host=127.0.0.1 keepalives=1",
    "host=127.0.0.1 keepalives=yes",
    "host=127.0.0.1 keepalives_idle=10",
    "host=127.0.0.1 keepalives_idle=x",
    "host=127.0.0.1 keepalives=0 keepalives_idle=x",
    "host=127.0.0.1 keepalives_interval=1s",
    "host=127.0.0.1 keepalives_count=''",
    "host=127.0.0.1 keepalives_count=x",
    "host=127.0.0.1 tcp_user_timeout=0",
    "host=127.0.0.1 tcp_user_timeout=x",
    "hostaddr=127.0.0.1",
    "hostaddr=localhost",
    "hostaddr=300.0.0.1",
    "hostaddr=127.0.0.1,127.0.0.1 host=a",
    "hostaddr=127.0.0.1, host=,/nowhere",
    "hostaddr=,127.0.0.1 host=/nowhere,",
    "hostaddr=300.0.0.1,127.0.0.1 host=a,",
    "hostaddr=127.0.0.1,127.0.0.1 host=,",
    "host=,127.0.0.1",
    "host=127.0.0.1,",
    "host=,127.0.0.1 port=1,1",
    "options=-csearch_path=public",
    "replication=maybe",
    "client_encoding=UTF8",
    "client_encoding=nonsense",
    "service=nobody",
    "passfile=/nonexistent",
    "krbsrvname=x",
    "nonsense=1",
    "application_name=x fallback_application_name=y",
    "sslsni=0",
};

/* As they are, with the rest from the environment. */
static const char *const wholes[] = {"",
                                     "   ",
                                     "\t",
                                     "postgres",
                                     " postgres",
                                     " postgresql:///postgres",
                                     "postgresql:/postgres",
                                     "postgresql:///postgres",
                                     "postgres://?dbname=postgres",
                                     "dbname = postgres",
                                     "=",
                                     "''",
                                     "dbname",
                                     "dbname=postgresql:///postgres"};

/* It got as far as an address, or further. */
static bool was_sent(const char *why)
{
    return strstr(why, "connection to server") && !strstr(why, "invalid integer value") &&
           !strstr(why, "invalid port number") && !strstr(why, "must be an integer") &&
           !strstr(why, "could not parse");
}

static void compare(const char *text)
{
    char why[1024] = "";
    PGconn *conn = PQconnectdb(text);
    bool libpq = PQstatus(conn) == CONNECTION_OK;
    snprintf(why, sizeof why, "%s", libpq ? "" : PQerrorMessage(conn));
    PQfinish(conn);

    evpq_error *error = NULL;
    evpq_loop *own = evpq_loop_new(NULL);
    const evpq_pool_opts opts = {.size = sizeof opts, .max_size = 1, .acquire_timeout = 20};
    evpq_pool *p = evpq_pool_open(own, text, &opts, &error);
    if (!p) {
        ck_assert_msg(!libpq && !was_sent(why), "%s: refused, and libpq says \"%s\": %s", text, why,
                      evpq_error_message(error));
        ck_assert_int_eq(evpq_error_status(error), EVPQ_INVALID);
    } else {
        ck_assert_msg(libpq || was_sent(why), "%s: opens, and libpq says: %s", text, why);
        evpq_future *f = evpq_pool_connect(p);
        bool ours = evpq_await(f) == EVPQ_OK;
        ck_assert_msg(ours == libpq, "%s: %s, and libpq says: %s", text,
                      evpq_error_message(evpq_future_error(f)), why);
        evpq_future_unref(f);
    }
    evpq_error_unref(error);
    evpq_pool_unref(p);
    evpq_loop_run(own);
    evpq_loop_unref(own);
}

START_TEST(f60_a_connection_string_means_what_it_means_to_libpq)
{
    char text[1024];
    for (size_t i = 0; i < sizeof strings / sizeof *strings; i++) {
        snprintf(text, sizeof text, "%s %s", server_conninfo(SERVER_UNIX, ""), strings[i]);
        compare(text);
    }
    for (size_t i = 0; i < sizeof wholes / sizeof *wholes; i++)
        compare(wholes[i]);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("conninfo");
    CHECK_ADD(c, f60_a_connection_string_means_what_it_means_to_libpq);
    return check_end(c);
}
