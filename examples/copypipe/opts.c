/* opts.c - see opts.h. */
#include "opts.h"

#include "../common/cli.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char help[] =
    "Usage: copypipe [OPTION]... TABLE [TARGET]\n"
    "Moves the rows of a table into another: to the server named by --to, to the table TARGET\n"
    "there, or both. All of them arrive, or none. Memory stays the same, however many they are.\n"
    "\n"
    "  -f, --from CONNINFO   the server that has the rows [what PG* variables say]\n"
    "  -t, --to CONNINFO     the server that gets them [likewise]\n"
    "  -c, --columns LIST    these alone, as in SQL: 'id, \"Name\"' [all but generated ones]\n"
    "  -s, --select QUERY    its rows instead of those of TABLE, which then is the target\n"
    "      --format FORMAT   of COPY: binary, where both have the same types; or text [binary]\n"
    "      --row-security    move the rows that row-level security lets the role see; without this a\n"
    "                        table where it hides any is refused\n"
    "  -q, --quiet           show no progress\n"
    "  -h, --help\n"
    "\n"
    "Tables are written as in SQL, in UTF-8: sales.\"Order\". Both ends have the same encoding, date\n"
    "style and the like meanwhile, as pg_dump has it, and an empty search_path but for QUERY. Progress\n"
    "goes to standard error, if that is a terminal. Exit status: 0 all rows were moved, 1 none were, 2\n"
    "the command line is wrong.\n";

static _Noreturn void wrong(const char *what)
{
    fprintf(stderr, "copypipe: %s; see copypipe --help\n", what);
    exit(2);
}

static void check(const struct opts *o)
{
    if (strcmp(o->format, "binary") != 0 && strcmp(o->format, "text") != 0)
        wrong("the format is binary or text");
    if (!o->query && strcmp(o->from, o->to) == 0 && strcmp(o->source, o->target) == 0)
        wrong("that is the same table");
}

struct opts opts_read(int argc, char **argv)
{
    enum { FORMAT = 256, ROW_SECURITY };
    static const struct option options[] = {
        {"from", required_argument, NULL, 'f'},
        {"to", required_argument, NULL, 't'},
        {"columns", required_argument, NULL, 'c'},
        {"select", required_argument, NULL, 's'},
        {"format", required_argument, NULL, FORMAT},
        {"row-security", no_argument, NULL, ROW_SECURITY},
        {"quiet", no_argument, NULL, 'q'},
        {"help", no_argument, NULL, 'h'},
        {0},
    };
    struct opts o = {.from = "", .to = "", .format = "binary"};
    for (int c; (c = getopt_long(argc, argv, "f:t:c:s:qh", options, NULL)) != -1;) {
        switch (c) {
        case 'f':
            o.from = cli_take_conninfo(optarg);
            break;
        case 't':
            o.to = cli_take_conninfo(optarg);
            break;
        case 'c':
            o.columns = optarg;
            break;
        case 's':
            o.query = optarg;
            break;
        case FORMAT:
            o.format = optarg;
            break;
        case ROW_SECURITY:
            o.row_security = true;
            break;
        case 'q':
            o.quiet = true;
            break;
        case 'h':
            fputs(help, stdout);
            exit(0);
        default:
            exit(2);
        }
    }
    if (optind == argc || argc - optind > 2)
        wrong("one table, or two");
    o.source = argv[optind];
    o.target = argv[argc - 1];
    check(&o);
    return o;
}
