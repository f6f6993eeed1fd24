/* conninfo_check.c - libpq checks most options when it connects, and some only for each address,
 * when a call is already waiting. Here all are checked beforehand, most of them by libpq itself: by
 * a connection to an address that is none, which fails before the network is touched. */
#include "libpq/conninfo_check.h"

#include "words/error.h"

#include <ctype.h>
#include <errno.h>
#include <limits.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

enum { WHY_ROOM = 512 };

/* With what may be secret in them. */
void conninfo_options_free(PQconninfoOption *options)
{
    for (PQconninfoOption *o = options; o && o->keyword; o++)
        if (o->val && *o->dispchar == '*')
            explicit_bzero(o->val, strlen(o->val));
    PQconninfoFree(options);
}

const char *conninfo_option(const PQconninfoOption *options, const char *keyword)
{
    for (const PQconninfoOption *o = options; o->keyword; o++)
        if (!strcmp(o->keyword, keyword))
            return o->val && *o->val ? o->val : NULL;
    return NULL;
}

/* ---- messages ---- */

/* Copies the first line, with "***" for all that stands in quotes and is longer than a sign: of a
 * text that could not be taken apart any piece may be that of a password. */
static void mask(const char *why, char room[WHY_ROOM])
{
    size_t n = 0;
    for (const char *p = why; *p && *p != '\n' && n < WHY_ROOM - 8;) {
        const char *end = *p == '"' ? strrchr(p + 1, '"') : NULL;
        if (end && end - p > 2) {
            n += (size_t)snprintf(room + n, WHY_ROOM - n, "\"***\"");
            p = end + 1;
        } else {
            room[n++] = *p++;
        }
    }
    room[n] = '\0';
}

evpq_error *conninfo_invalid(const char *why, bool secret)
{
    char room[WHY_ROOM];
    if (secret)
        mask(why, room);
    else
        snprintf(room, sizeof room, "%.*s", (int)strcspn(why, "\n"), why);
    return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "bad connection string: %s", room);
}

/* ---- the text ---- */

static bool is_uri(const char *text)
{
    return !strncmp(text, "postgresql://", 13) || !strncmp(text, "postgres://", 11);
}

bool conninfo_is_secret(const char *text)
{
    return text && (strstr(text, "password") || strchr(text, '@'));
}

/* "postgresq://...": to libpq that is the name of a database, which goes to a server's log with the
 * password in it. */
static bool is_foreign_uri(const char *text)
{
    size_t scheme = 0;
    while (isalnum((unsigned char)text[scheme]) ||
           (scheme && strchr("+.-", text[scheme]) && text[scheme]))
        scheme++;
    return scheme && !strncmp(text + scheme, "://", 3) && !is_uri(text);
}

/* As PQconnectdb has it: a text without an equals sign is not the name of a database. It may be all
 * of a URI but for its beginning. */
evpq_error *conninfo_check_text(const char *text)
{
    static const char blanks[] = " \t\n\v\f\r";
    char *why = NULL;
    if (!text)
        return NULL;
    if (is_foreign_uri(text))
        return conninfo_invalid("it looks like a URI whose scheme is neither postgresql:// nor "
                                "postgres://",
                                false);
    if (!is_uri(text) && !strchr(text, '=') && text[strspn(text, blanks)])
        return conninfo_invalid(
            "it is neither a URI nor made of keyword=value: a database's name is "
            "given as dbname=NAME",
            false);
    PQconninfoOption *parsed = PQconninfoParse(text, &why);
    evpq_error *error = parsed ? NULL
                        : why  ? conninfo_invalid(why, conninfo_is_secret(text))
                               : evpq_error_ref(error_nomem());
    conninfo_options_free(parsed);
    PQfreemem(why);
    return error;
}

/* ---- what libpq checks before it connects ---- */

/* Everything but the hosts is as it will be. */
static evpq_error *check_by_libpq(const struct conninfo *ci)
{
    static const char no_address[] = "evpq-probe";
    static const char *const keywords[] = {"dbname", "host", "hostaddr", "port", NULL};
    const char *const values[] = {ci->text, no_address, no_address, "1", NULL};
    PGconn *probe = PQconnectStartParams(keywords, values, 1);
    evpq_error *error = NULL;
    if (!probe)
        return evpq_error_ref(error_nomem());
    if (!strstr(PQerrorMessage(probe), no_address)) /* it did not get as far */
        error = conninfo_invalid(PQerrorMessage(probe), conninfo_is_secret(ci->text));
    PQfinish(probe);
    return error;
}

/* ---- what it checks later ---- */

/* As parse_int_param (fe-connect.c). */
static bool is_int(const char *text, int *ret_value)
{
    char *end;
    errno = 0;
    long value = strtol(text, &end, 10);
    if (end == text || errno || value < INT_MIN || value > INT_MAX)
        return false;
    while (isspace((unsigned char)*end))
        end++;
    *ret_value = (int)value;
    return !*end;
}

/* The empty text, where it was given, is no number to libpq. */
static bool check_int(const PQconninfoOption *options, const char *keyword, char why[WHY_ROOM])
{
    const char *text = NULL;
    int value;
    for (const PQconninfoOption *o = options; o->keyword; o++)
        if (!strcmp(o->keyword, keyword))
            text = o->val;
    if (!text || is_int(text, &value))
        return true;
    snprintf(why, WHY_ROOM, "invalid integer value \"%s\" for connection option \"%s\"", text,
             keyword);
    return false;
}

/* What setsockopt refuses of libpq's connections it refuses of any socket. */
static bool check_socket(int tcp, const PQconninfoOption *options, const char *keyword, int option,
                         char why[WHY_ROOM])
{
    const char *text = conninfo_option(options, keyword);
    int value;
    if (tcp < 0 || !text || !is_int(text, &value))
        return true;
    if (value < 0) /* as libpq does */
        value = 0;
    if (!setsockopt(tcp, IPPROTO_TCP, option, &value, sizeof value) || errno != EINVAL)
        return true;
    snprintf(why, WHY_ROOM, "value \"%s\" for connection option \"%s\" is refused by the system",
             text, keyword);
    return false;
}

static bool check_sockets(const PQconninfoOption *options, char why[WHY_ROOM])
{
    int tcp = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    bool good = check_socket(tcp, options, "keepalives_idle", TCP_KEEPIDLE, why) &&
                check_socket(tcp, options, "keepalives_interval", TCP_KEEPINTVL, why) &&
                check_socket(tcp, options, "keepalives_count", TCP_KEEPCNT, why);
    if (tcp >= 0)
        close(tcp);
    return good;
}

static bool check_keepalives(const PQconninfoOption *options, char why[WHY_ROOM])
{
    const char *on = conninfo_option(options, "keepalives");
    int value = 1;
    if (!check_int(options, "keepalives", why))
        return false;
    if (on)
        is_int(on, &value);
    return (!value ||
            (check_int(options, "keepalives_idle", why) &&
             check_int(options, "keepalives_interval", why) &&
             check_int(options, "keepalives_count", why) && check_sockets(options, why))) &&
           check_int(options, "tcp_user_timeout", why);
}

static bool check_port(const struct conninfo_host *host, bool *ret_is_int, char why[WHY_ROOM])
{
    int port = 1;
    *ret_is_int = !host->port || is_int(host->port, &port);
    if (*ret_is_int && port >= 1 && port <= 65535)
        return true;
    snprintf(why, WHY_ROOM, "invalid port number: \"%s\"", host->port);
    return false;
}

static bool check_address(const char *address, char why[WHY_ROOM])
{
    const struct addrinfo hint = {.ai_flags = AI_NUMERICHOST, .ai_socktype = SOCK_STREAM};
    struct addrinfo *found = NULL;
    if (!getaddrinfo(address, NULL, &hint, &found)) {
        freeaddrinfo(found);
        return true;
    }
    snprintf(why, WHY_ROOM, "could not parse network address \"%s\"", address);
    return false;
}

static bool is_local(const char *host)
{
    return !host || *host == '/' || *host == '@';
}

static bool check_path(const struct conninfo_host *host, char why[WHY_ROOM])
{
    enum { MOST = sizeof((struct sockaddr_un *)NULL)->sun_path };
    const char *port = host->port ? host->port : "5432";
    if (!host->host || strlen(host->host) + strlen("/.s.PGSQL.") + strlen(port) < MOST)
        return true;
    snprintf(why, WHY_ROOM, "the path of the socket in %.100s... is longer than %d bytes",
             host->host, MOST - 1);
    return false;
}

/* The hosts are tried in order, and one that is good is enough. But a port that is no number ends
 * the attempt. */
static bool check_hosts(const struct conninfo *ci, const PQconninfoOption *options,
                        char why[WHY_ROOM])
{
    bool is_number;
    for (int i = 0; i < ci->n; i++) {
        const struct conninfo_host *host = &ci->hosts[i];
        bool good = check_port(host, &is_number, why);
        if (!is_number)
            return false;
        if (good && host->hostaddr)
            good = check_address(host->hostaddr, why);
        if (good)
            good = !host->hostaddr && is_local(host->host) ? check_path(host, why)
                                                           : check_keepalives(options, why);
        if (good)
            return true;
    }
    return false;
}

evpq_error *conninfo_check(const struct conninfo *ci, const PQconninfoOption *options)
{
    char why[WHY_ROOM] = "";
    evpq_error *error = check_by_libpq(ci);
    const char *database = conninfo_option(options, "dbname");
    if (error)
        return error;
    if (database && strchr(database, '@') && (is_uri(database) || is_foreign_uri(database)))
        return conninfo_invalid("dbname is a URI with a user in it, which libpq takes for the name "
                                "of a database: hand in the URI as the whole connection string",
                                false);
    if (check_int(options, "connect_timeout", why) && check_hosts(ci, options, why))
        return NULL;
    return conninfo_invalid(why, ci->text && is_uri(ci->text));
}
