/* opts.c - see opts.h. */
#include "opts.h"

#include "../common/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "usage: loader [OPTION]... TABLE\n"
    "Reads a table in a new random order every epoch, in batches as a training loop would take them,\n"
    "and tells how fast that was. Each row once an epoch, whatever is written meanwhile.\n"
    "\n"
    "  -d, --conninfo STRING   a connection string or URI; PGHOST, PGDATABASE, ... fill in the rest\n"
    "  -c, --columns LIST      a select list, such as 'id, price::float8' [*]\n"
    "  -b, --batch N           rows in a batch [4096]\n"
    "  -e, --epochs N          [1]\n"
    "  -s, --seed N            the same seed is the same order [0]\n"
    "  -j, --connections N     that fetch at once [4]\n"
    "      --range N           blocks that are fetched at once [64, fewer where rows are long]\n"
    "      --mix N             ranges whose rows are mixed with each other [16]\n"
    "      --ahead N           batches that are ready before they are asked for [2]\n"
    "      --drop-last         no batch of fewer rows at the end of an epoch\n"
    "      --row-security      load the rows that row-level security lets the role see; without this a\n"
    "                          table where it hides any is refused\n"
    "\n"
    "      --state FILE        write every second, and at the end, where to go on\n"
    "      --resume FILE       go on there; seed, range and mix are those of then\n"
    "      --batches N         end after so many\n"
    "\n"
    "      --check             checksums of what came, and of the order in which it came\n"
    "      --unique COLUMN     count the different values of a column of integers: a bit for each\n"
    "                          value up to the greatest\n"
    "      --stats             what it took\n"
    "      --quiet             say nothing but failures, and what the three above are to say\n"
    "      --help              print this\n"
    "\n"
    "SIGINT and SIGTERM: end behind the batch at hand, with the state written. Ends with 0; 1 when it\n"
    "failed, or a value of --unique came twice; 2 for a wrong command line.\n";

enum {
    OPT_AHEAD = 256,
    OPT_BATCHES,
    OPT_CHECK,
    OPT_DROP_LAST,
    OPT_HELP,
    OPT_MIX,
    OPT_QUIET,
    OPT_RANGE,
    OPT_RESUME,
    OPT_ROW_SECURITY,
    OPT_STATE,
    OPT_STATS,
    OPT_UNIQUE,
};

static const struct option long_options[] = {
    {"ahead", required_argument, NULL, OPT_AHEAD},
    {"batch", required_argument, NULL, 'b'},
    {"batches", required_argument, NULL, OPT_BATCHES},
    {"check", no_argument, NULL, OPT_CHECK},
    {"columns", required_argument, NULL, 'c'},
    {"connections", required_argument, NULL, 'j'},
    {"conninfo", required_argument, NULL, 'd'},
    {"drop-last", no_argument, NULL, OPT_DROP_LAST},
    {"epochs", required_argument, NULL, 'e'},
    {"help", no_argument, NULL, OPT_HELP},
    {"mix", required_argument, NULL, OPT_MIX},
    {"quiet", no_argument, NULL, OPT_QUIET},
    {"range", required_argument, NULL, OPT_RANGE},
    {"resume", required_argument, NULL, OPT_RESUME},
    {"row-security", no_argument, NULL, OPT_ROW_SECURITY},
    {"seed", required_argument, NULL, 's'},
    {"state", required_argument, NULL, OPT_STATE},
    {"stats", no_argument, NULL, OPT_STATS},
    {"unique", required_argument, NULL, OPT_UNIQUE},
    {NULL, 0, NULL, 0},
};

static bool read_number(const char *name, uint64_t least, uint64_t most, uint64_t *ret)
{
    char *end;
    errno = 0;
    *ret = strtoull(optarg, &end, 10);
    if (*optarg >= '0' && *optarg <= '9' && !*end && !errno && *ret >= least && *ret <= most)
        return true;
    fprintf(stderr, "loader: --%s %s: must be a whole number from %llu to %llu\n", name, optarg,
            (unsigned long long)least, (unsigned long long)most);
    return false;
}

static bool take_number(struct opts *o, int option)
{
    struct loader_opts *l = &o->loader;
    uint64_t n = 0;
    bool good = false;
    switch (option) {
    case 'b':
        good = read_number("batch", 1, 1 << 30, &n);
        l->batch_rows = n;
        break;
    case 'e':
        good = read_number("epochs", 1, UINT64_MAX, &l->epochs);
        break;
    case 's':
        good = read_number("seed", 0, UINT64_MAX, &l->seed);
        break;
    case 'j':
        good = read_number("connections", 1, 1000, &n);
        l->connections = (int)n;
        break;
    case OPT_RANGE:
        good = read_number("range", 1, 1 << 20, &n);
        l->range = (uint32_t)n;
        break;
    case OPT_MIX:
        good = read_number("mix", 1, 1 << 20, &n);
        l->mix = (uint32_t)n;
        break;
    case OPT_AHEAD:
        good = read_number("ahead", 1, 1 << 20, &n);
        l->ahead = n;
        break;
    case OPT_BATCHES:
        good = read_number("batches", 1, UINT64_MAX, &o->batches);
        break;
    }
    return good;
}

static bool take(struct opts *o, int option)
{
    switch (option) {
    case 'c':
        o->loader.columns = optarg;
        return true;
    case 'd':
        o->conninfo = cli_take_conninfo(optarg);
        return true;
    case OPT_CHECK:
        return o->check = true;
    case OPT_DROP_LAST:
        return o->loader.drop_last = true;
    case OPT_ROW_SECURITY:
        return o->loader.row_security = true;
    case OPT_QUIET:
        return o->quiet = true;
    case OPT_RESUME:
        o->resume = optarg;
        return true;
    case OPT_STATE:
        o->state = optarg;
        return true;
    case OPT_STATS:
        return o->stats = true;
    case OPT_UNIQUE:
        o->unique = optarg;
        return true;
    case '?':
        return false; /* getopt_long has said why */
    default:
        return take_number(o, option);
    }
}

bool opts_read(struct opts *o, int argc, char **argv, int *ret_status)
{
    int option;
    *o = (struct opts){.conninfo = "", .loader.connections = 4};
    *ret_status = 2;
    while ((option = getopt_long(argc, argv, "b:c:d:e:j:s:", long_options, NULL)) != -1) {
        if (option == OPT_HELP) {
            fputs(help, stdout);
            *ret_status = fflush(stdout) == 0 ? 0 : 1;
            return false;
        }
        if (!take(o, option))
            return false;
    }
    if (optind == argc - 1) {
        o->loader.table = argv[optind];
        return true;
    }
    fputs("loader: one table is to be named; --help says more\n", stderr);
    return false;
}
