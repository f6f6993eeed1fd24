/* opts.c - see opts.h. */
#include "opts.h"

#include "../common/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: jobqueue [OPTION]... setup | produce N | work | status\n"
    "A queue of jobs in a PostgreSQL database. Each job is done exactly once, whatever is killed\n"
    "meanwhile: what it does, and that it is done, are one transaction.\n"
    "\n"
    "  setup      makes the schema jobqueue, where there is none yet\n"
    "  produce N  adds N jobs, and wakes those who work\n"
    "  work       does jobs, until SIGTERM or SIGINT\n"
    "  status     says how many jobs are waiting, done, and done more than once\n"
    "\n"
    "  -d, --conninfo STRING         a connection string or URI; PGHOST, ... fill in the rest\n"
    "      --listen-conninfo STRING  the same for LISTEN, where the other leads to a pooler\n"
    "  -w, --workers N               jobs that are done at once [8]\n"
    "      --poll S                  seconds after which a worker that nobody has woken looks by\n"
    "                                itself: for jobs that others began and did not finish [5]\n"
    "      --busy S                  seconds that a job takes [0]\n"
    "      --until-empty             end when there is no job left\n"
    "      --batch N                 jobs that produce adds at a time [1000]\n"
    "  -q, --quiet                   say nothing of trouble that passes\n"
    "      --help                    print this\n";

enum { OPT_BATCH = 256, OPT_BUSY, OPT_HELP, OPT_LISTEN, OPT_POLL, OPT_UNTIL_EMPTY };

static const struct option long_options[] = {
    {"batch", required_argument, NULL, OPT_BATCH},
    {"busy", required_argument, NULL, OPT_BUSY},
    {"conninfo", required_argument, NULL, 'd'},
    {"help", no_argument, NULL, OPT_HELP},
    {"listen-conninfo", required_argument, NULL, OPT_LISTEN},
    {"poll", required_argument, NULL, OPT_POLL},
    {"quiet", no_argument, NULL, 'q'},
    {"until-empty", no_argument, NULL, OPT_UNTIL_EMPTY},
    {"workers", required_argument, NULL, 'w'},
    {NULL, 0, NULL, 0},
};

static bool read_count(const char *name, const char *text, int most, int *ret_value)
{
    char *end;
    long value = strtol(text, &end, 10);
    *ret_value = (int)value;
    if (end != text && !*end && value >= 1 && value <= most)
        return true;
    fprintf(stderr, "jobqueue: %s %s: must be a whole number from 1 to %d\n", name, text, most);
    return false;
}

static bool read_seconds(const char *name, double least, double *ret_value)
{
    char *end;
    *ret_value = strtod(optarg, &end);
    if (end != optarg && !*end && *ret_value >= least && *ret_value <= 1e6)
        return true;
    fprintf(stderr, "jobqueue: %s %s: must be a number of seconds, %g or more\n", name, optarg,
            least);
    return false;
}

static bool take(struct opts *o, int option)
{
    switch (option) {
    case 'd':
        o->conninfo = cli_take_conninfo(optarg);
        return true;
    case OPT_LISTEN:
        o->listen_conninfo = cli_take_conninfo(optarg);
        return true;
    case 'w':
        return read_count("--workers", optarg, 1000, &o->workers);
    case OPT_BATCH:
        return read_count("--batch", optarg, 1000000, &o->batch);
    case OPT_POLL:
        return read_seconds("--poll", 0.01, &o->poll);
    case OPT_BUSY:
        return read_seconds("--busy", 0, &o->busy);
    case OPT_UNTIL_EMPTY:
        o->until_empty = true;
        return true;
    case 'q':
        o->quiet = true;
        return true;
    default:
        return false; /* getopt_long has said why */
    }
}

static bool read_command(struct opts *o, int n, char **words)
{
    static const char *const names[] = {
        [COMMAND_SETUP] = "setup",
        [COMMAND_PRODUCE] = "produce",
        [COMMAND_WORK] = "work",
        [COMMAND_STATUS] = "status",
    };
    for (int i = 0; n && i < (int)(sizeof names / sizeof *names); i++) {
        o->command = (enum command)i;
        if (strcmp(words[0], names[i]) != 0)
            continue;
        if (i == COMMAND_PRODUCE && n == 2)
            return read_count("produce", words[1], 1000000000, &o->jobs);
        if (i != COMMAND_PRODUCE && n == 1)
            return true;
        break;
    }
    fputs("jobqueue: one of setup, produce N, work and status is needed; --help says more\n",
          stderr);
    return false;
}

bool opts_read(struct opts *o, int argc, char **argv, int *ret_status)
{
    int option;
    *o = (struct opts){.conninfo = "", .workers = 8, .batch = 1000, .poll = 5};
    *ret_status = 2;
    while ((option = getopt_long(argc, argv, "d:qw:", long_options, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(help, stdout);
            *ret_status = fflush(stdout) == 0 ? 0 : 1;
            return false;
        }
        if (!take(o, option))
            return false;
    }
    if (!o->listen_conninfo)
        o->listen_conninfo = o->conninfo;
    return read_command(o, argc - optind, argv + optind);
}
