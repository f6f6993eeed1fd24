/* conninfo.c - asking libpq what it would do, without letting it do it.
 *
 * libpq has no call that merges a connection string with PG* variables, a service and its defaults,
 * but for connecting. So a connection is begun that must fail before the network is touched, as its
 * sslmode is not one, and is then asked for its options (PQconninfo). */
#include "libpq/conninfo.h"

#include "base/mem.h"
#include "libpq/conninfo_check.h"
#include "libpq/pq.h"
#include "words/error.h"

#include <libpq-fe.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MAX_HOSTS = 256 };

static const char no_such_mode[] = "evpq-probe";

static const char *option(const PQconninfoOption *options, const char *keyword)
{
    return conninfo_option(options, keyword);
}

/* As libpq tells a connection string from a bare database name. */
static bool is_string_or_uri(const char *text)
{
    return strchr(text, '=') || !strncmp(text, "postgresql://", 13) ||
           !strncmp(text, "postgres://", 11);
}

/* ---- the list of hosts ---- */

static int count_items(const char *list)
{
    int n = list ? 1 : 0;
    for (; list && (list = strchr(list, ',')); list++)
        n++;
    return n;
}

/* Cuts `list` (ours) at its commas; empty items become NULL. A single item serves all n places if
 * `repeat`. */
static void cut(char *list, struct conninfo_host *hosts, int n, size_t member, bool repeat)
{
    const char *item = NULL;
    for (int i = 0; i < n; i++) {
        if (list) {
            item = list;
            list = strchr(list, ',');
            if (list)
                *list++ = '\0';
        } else if (!repeat) {
            item = NULL;
        }
        *(const char **)(void *)((char *)&hosts[i] + member) = item && *item ? item : NULL;
    }
}

static char *copy_after(char **end, const char *text)
{
    if (!text)
        return NULL;
    size_t length = strlen(text) + 1;
    char *copy = memcpy(*end, text, length);
    *end += length;
    return copy;
}

static size_t length_of(const char *text)
{
    return text ? strlen(text) + 1 : 0;
}

/* One block: the struct, its hosts, and the three lists and the text that they point into. */
static struct conninfo *assemble(const char *text, const PQconninfoOption *options, int n)
{
    struct conninfo *ci;
    const char *host = option(options, "host"), *hostaddr = option(options, "hostaddr");
    const char *port = option(options, "port");
    size_t size = sizeof *ci + (size_t)n * sizeof *ci->hosts + length_of(host) +
                  length_of(hostaddr) + length_of(port) + length_of(text);
    ci = mem_zalloc(size);
    if (!ci)
        return NULL;
    ci->n = n;
    ci->hosts = (struct conninfo_host *)(void *)(ci + 1);
    char *end = (char *)(ci->hosts + n);
    cut(copy_after(&end, host), ci->hosts, n, offsetof(struct conninfo_host, host), false);
    cut(copy_after(&end, hostaddr), ci->hosts, n, offsetof(struct conninfo_host, hostaddr), false);
    cut(copy_after(&end, port), ci->hosts, n, offsetof(struct conninfo_host, port), true);
    ci->text = copy_after(&end, text);
    ci->names_hosts = host && *host;
    ci->lists_addresses = n > 1 && hostaddr && *hostaddr;
    return ci;
}

/* ---- the other options ---- */

static bool is(const char *value, const char *word)
{
    return value && !strcmp(value, word);
}

/* Whether the program, or its user by environment, chose this option's value. */
static bool chosen(const char *text, const char *keyword, const char *variable)
{
    if (getenv(variable))
        return true;
    PQconninfoOption *given = text && is_string_or_uri(text) ? PQconninfoParse(text, NULL) : NULL;
    bool found = given && option(given, keyword);
    conninfo_options_free(given);
    return found;
}

static void read_options(struct conninfo *ci, const PQconninfoOption *options)
{
    const char *timeout = option(options, "connect_timeout");
    const char *gss = option(options, "gssencmode");
    const char *settings = option(options, "options");
    ci->connect_timeout = timeout && atoi(timeout) > 0 ? atoi(timeout) : 0;
    ci->prefer_standby = is(option(options, "target_session_attrs"), "prefer-standby");
    ci->shuffle = is(option(options, "load_balance_hosts"), "random");
    ci->disable_gss = is(gss, "prefer") && !chosen(ci->text, "gssencmode", "PGGSSENCMODE");
    ci->set_name = !settings || !strstr(settings, "application_name");
    ci->set_idle = !option(options, "keepalives_idle");
    ci->set_interval = !option(options, "keepalives_interval");
    ci->set_count = !option(options, "keepalives_count");
    ci->set_user_timeout = !option(options, "tcp_user_timeout");
}

/* What libpq means by an empty item in a list: the socket's folder, or localhost; and the port it
 * was built with. It says so of a connection to two such items, which is never begun. */
static evpq_error *find_defaults(struct conninfo *ci)
{
    static const char *const keywords[] = {"host", "hostaddr", "port", "sslmode", NULL};
    static const char *const values[] = {",", ",", ",", no_such_mode, NULL};
    PGconn *probe = PQconnectStartParams(keywords, values, 0);
    if (!probe)
        return evpq_error_ref(error_nomem());
    const char *host = PQhost(probe), *port = PQport(probe);
    snprintf(ci->default_host, sizeof ci->default_host, "%s", host && *host ? host : "localhost");
    snprintf(ci->default_port, sizeof ci->default_port, "%s", port && *port ? port : "5432");
    PQfinish(probe);
    return NULL;
}

static evpq_error *from_options(const char *text, const PQconninfoOption *options,
                                struct conninfo **ret_conninfo)
{
    int n = count_items(option(options, "hostaddr"));
    if (!n)
        n = count_items(option(options, "host"));
    if (!n)
        n = 1;
    if (n > MAX_HOSTS)
        return conninfo_invalid("more than 256 hosts", false);
    struct conninfo *ci = assemble(text, options, n);
    if (!ci)
        return evpq_error_ref(error_nomem());
    evpq_error *error = conninfo_check(ci, options);
    if (!error && n > 1)
        error = find_defaults(ci);
    if (error) {
        conninfo_free(ci);
        return error;
    }
    read_options(ci, options);
    *ret_conninfo = ci;
    return NULL;
}

evpq_error *conninfo_read(const char *text, struct conninfo **ret_conninfo)
{
    static const char *const keywords[] = {"dbname", "sslmode", NULL};
    evpq_error *error = conninfo_check_text(text);
    if (error)
        return error;
    if (text && !is_string_or_uri(text))
        text = NULL; /* blanks, which would be taken for the name of a database */
    const char *const values[] = {text, no_such_mode, NULL};
    PGconn *probe = PQconnectStartParams(keywords, values, 1);
    if (!probe)
        return evpq_error_ref(error_nomem());
    PQconninfoOption *options = NULL;
    if (!strstr(PQerrorMessage(probe),
                no_such_mode)) /* it did not get as far: something else is wrong */
        error = conninfo_invalid(PQerrorMessage(probe), conninfo_is_secret(text));
    else if (!(options = PQconninfo(probe)))
        error = evpq_error_ref(error_nomem());
    else
        error = from_options(text, options, ret_conninfo);
    conninfo_options_free(options);
    PQfinish(probe);
    return error;
}

void conninfo_wipe(struct conninfo *ci)
{
    explicit_bzero(ci->text, length_of(ci->text));
}

void conninfo_free(struct conninfo *ci)
{
    if (ci && ci->text)
        conninfo_wipe(ci);
    mem_free(ci);
}

/* NULL: what the string says, which is no good where that is a list. An address is a host of that
 * name, too. */
static const char *host_of(const struct conninfo *ci, const struct conninfo_host *host)
{
    if (host->host || ci->n == 1)
        return host->host;
    if (host->hostaddr)
        return ci->names_hosts ? host->hostaddr : NULL;
    return ci->default_host;
}

/* A list of the same item twice. NULL without memory. */
static char *twice(const char *item)
{
    size_t length = strlen(item);
    char *list = mem_alloc(2 * length + sizeof ",");
    if (list)
        snprintf(list, 2 * length + sizeof ",", "%s,%s", item, item);
    return list;
}

static struct pg_conn *connect_to(const struct conninfo *ci, const char *host, const char *address,
                                  const char *port, const char *session_attrs)
{
    /* An empty value counts as not given at all. Later ones win over what the string says. */
    const char *const keywords[] = {"fallback_application_name",
                                    "dbname",
                                    "host",
                                    "hostaddr",
                                    "port",
                                    "target_session_attrs",
                                    "gssencmode",
                                    "keepalives_idle",
                                    "keepalives_interval",
                                    "keepalives_count",
                                    "tcp_user_timeout",
                                    NULL};
    const char *const values[] = {
        ci->set_name ? "evpq" : NULL,
        ci->text,
        host,
        address,
        port,
        session_attrs,
        ci->disable_gss ? "disable" : NULL,
        ci->set_idle ? "30" : NULL,
        ci->set_interval ? "10" : NULL,
        ci->set_count ? "3" : NULL,
        ci->set_user_timeout ? "30000" : NULL,
        NULL,
    };
    return pq_connect(keywords, values);
}

/* The string has a list of addresses, and none for this host, a socket's folder. That cannot be said
 * with an empty value, for which libpq takes the list; but with a list whose items are empty. */
static struct pg_conn *connect_without_address(const struct conninfo *ci, const char *host,
                                               const char *port, const char *session_attrs)
{
    char *hosts = twice(host), *ports = twice(port);
    struct pg_conn *c = hosts && ports ? connect_to(ci, hosts, ",", ports, session_attrs) : NULL;
    mem_free(hosts);
    mem_free(ports);
    return c;
}

struct pg_conn *conninfo_connect(const struct conninfo *ci, const struct conninfo_host *host,
                                 const char *address, const char *session_attrs)
{
    const char *default_port = ci->n > 1 ? ci->default_port : NULL;
    const char *port = host->port ? host->port : default_port;
    if (!address)
        address = host->hostaddr;
    if (!address && ci->lists_addresses)
        return connect_without_address(ci, host_of(ci, host), port, session_attrs);
    return connect_to(ci, host_of(ci, host), address, port, session_attrs);
}
