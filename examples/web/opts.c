/* opts.c - see opts.h. */
#include "opts.h"

#include "../common/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>

static const char help[] =
    "usage: web [OPTION]...\n"
    "The routes of the TechEmpower benchmarks on a PostgreSQL database: /json /plaintext /db\n"
    "/queries?queries=N /updates?queries=N /fortunes, and /health. schema.sql makes the tables.\n"
    "\n"
    "  -l, --listen ADDRESS    numeric, IPv4 or IPv6 [127.0.0.1]\n"
    "  -p, --port PORT         0: one that is free [8080]\n"
    "  -d, --conninfo STRING   a connection string or URI; PGHOST, PGDATABASE, ... fill in the rest\n"
    "      --pool N            connections to the database [8]\n"
    "      --max-waiting N     queries that may wait for one; a request with one more is answered\n"
    "                          503 [128000]\n"
    "      --max-requests N    requests at once that ask the database; one more is answered 503\n"
    "                          [256]; of 500 queries each so many fit into --max-waiting\n"
    "      --max-clients N     connections at once; more have to wait until one ends [10000]\n"
    "      --client-timeout S\n"
    "                          seconds that a client has for its next request, head and body, from\n"
    "                          its connection or its last answer on, and for taking an answer; who\n"
    "                          is slower loses the connection [30]\n"
    "      --deadline S        seconds after which a request is answered 504, and its queries are\n"
    "                          canceled; so the end waits no longer for them [5]\n"
    "      --help              print this\n"
    "\n"
    "SIGTERM and SIGINT: listen no more, answer whoever has asked, end with 0. A second one quits.\n";

enum {
    OPT_CLIENT_TIMEOUT = 256,
    OPT_DEADLINE,
    OPT_HELP,
    OPT_MAX_CLIENTS,
    OPT_MAX_REQUESTS,
    OPT_MAX_WAITING,
    OPT_POOL,
};

static const struct option long_options[] = {
    {"client-timeout", required_argument, NULL, OPT_CLIENT_TIMEOUT},
    {"conninfo", required_argument, NULL, 'd'},
    {"deadline", required_argument, NULL, OPT_DEADLINE},
    {"help", no_argument, NULL, OPT_HELP},
    {"listen", required_argument, NULL, 'l'},
    {"max-clients", required_argument, NULL, OPT_MAX_CLIENTS},
    {"max-requests", required_argument, NULL, OPT_MAX_REQUESTS},
    {"max-waiting", required_argument, NULL, OPT_MAX_WAITING},
    {"pool", required_argument, NULL, OPT_POOL},
    {"port", required_argument, NULL, 'p'},
    {NULL, 0, NULL, 0},
};

static bool read_count(const char *name, int *ret_value)
{
    char *end;
    long value = strtol(optarg, &end, 10);
    *ret_value = (int)value;
    if (end != optarg && !*end && value >= 1 && value <= 1000000)
        return true;
    fprintf(stderr, "web: --%s %s: must be a whole number from 1 to 1000000\n", name, optarg);
    return false;
}

static bool is_port(const char *text)
{
    char *end;
    long value = strtol(text, &end, 10);
    if (end != text && !*end && value >= 0 && value <= 65535)
        return true;
    fprintf(stderr, "web: --port %s: must be a whole number from 0 to 65535\n", text);
    return false;
}

static bool read_seconds(const char *name, double *ret_value)
{
    char *end;
    *ret_value = strtod(optarg, &end);
    if (end != optarg && !*end && *ret_value > 0 && *ret_value <= 1e6)
        return true;
    fprintf(stderr, "web: --%s %s: must be a number of seconds above 0\n", name, optarg);
    return false;
}

static bool take(struct opts *o, int option)
{
    switch (option) {
    case 'l':
        o->address = optarg;
        return true;
    case 'p':
        o->port = optarg;
        return is_port(optarg);
    case 'd':
        o->conninfo = cli_take_conninfo(optarg);
        return true;
    case OPT_POOL:
        return read_count("pool", &o->pool);
    case OPT_MAX_WAITING:
        return read_count("max-waiting", &o->max_waiting);
    case OPT_MAX_CLIENTS:
        return read_count("max-clients", &o->max_clients);
    case OPT_MAX_REQUESTS:
        return read_count("max-requests", &o->max_requests);
    case OPT_CLIENT_TIMEOUT:
        return read_seconds("client-timeout", &o->client_timeout);
    case OPT_DEADLINE:
        return read_seconds("deadline", &o->deadline);
    default:
        return false; /* getopt_long has said why */
    }
}

bool opts_read(struct opts *o, int argc, char **argv, int *ret_status)
{
    int option;
    *o = (struct opts){
        .address = "127.0.0.1",
        .port = "8080",
        .conninfo = "",
        .pool = 8,
        .max_waiting = 128000,
        .max_requests = 256,
        .max_clients = 10000,
        .client_timeout = 30,
        .deadline = 5,
    };
    while ((option = getopt_long(argc, argv, "d:l:p:", long_options, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(help, stdout);
            *ret_status = fflush(stdout) == 0 ? 0 : 1;
            return false;
        }
        if (!take(o, option)) {
            *ret_status = 2;
            return false;
        }
    }
    if (optind == argc)
        return true;
    fprintf(stderr, "web: %s: there are only options; --help says which\n", argv[optind]);
    *ret_status = 2;
    return false;
}
