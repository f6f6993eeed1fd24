/* opts.c - see opts.h. */
#include "opts.h"

#include "../common/cli.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>

#define JOBS_DEFAULT 8
#define JOBS_MAX 1000
#define TIMEOUT_MAX 1e9

enum {
    OPT_FAIL_FAST = 256,
    OPT_FORMAT,
    OPT_HEADER,
    OPT_ORDER,
    OPT_PROGRESS,
    OPT_REJECTS,
    OPT_RETRIES,
    OPT_RETRY_UNKNOWN,
    OPT_SET,
    OPT_SUMMARY,
    OPT_TIMEOUT,
};

static const char short_options[] = ":d:f:hj:o:p:V";

static const struct option long_options[] = {
    {"dbname", required_argument, NULL, 'd'},
    {"fail-fast", no_argument, NULL, OPT_FAIL_FAST},
    {"file", required_argument, NULL, 'f'},
    {"format", required_argument, NULL, OPT_FORMAT},
    {"header", no_argument, NULL, OPT_HEADER},
    {"help", no_argument, NULL, 'h'},
    {"jobs", required_argument, NULL, 'j'},
    {"order", required_argument, NULL, OPT_ORDER},
    {"output", required_argument, NULL, 'o'},
    {"params", required_argument, NULL, 'p'},
    {"progress", required_argument, NULL, OPT_PROGRESS},
    {"rejects", required_argument, NULL, OPT_REJECTS},
    {"retries", required_argument, NULL, OPT_RETRIES},
    {"retry-unknown", no_argument, NULL, OPT_RETRY_UNKNOWN},
    {"set", required_argument, NULL, OPT_SET},
    {"summary", no_argument, NULL, OPT_SUMMARY},
    {"timeout", required_argument, NULL, OPT_TIMEOUT},
    {"version", no_argument, NULL, 'V'},
    {NULL, 0, NULL, 0},
};

void opts_print_help(FILE *to)
{
    fputs(
        "usage: evpq-run [OPTION]... [SQL]...\n"
        "Runs many SQL statements at once on a PostgreSQL server.\n"
        "\n"
        "What to run\n"
        "  SQL                     statements, parted by `;'\n"
        "  -f, --file FILE         statements from FILE, before those given as arguments; `-' is\n"
        "                          standard input, which is read when nothing else is given\n"
        "  -p, --params FILE.csv   the one statement given, once for each row, the fields as $1, $2, ...\n"
        "                          (a field with nothing in it is NULL, \"\" is the empty string)\n"
        "      --header            the first row of FILE.csv is names\n"
        "How\n"
        "  -d, --dbname CONNINFO   a connection string or URI; PGHOST, PGDATABASE, ... fill in the rest\n"
        "  -j, --jobs JOBS         connections, and statements at a time [8]\n"
        "      --set NAME=VALUE        a setting of every connection, such as search_path=sales\n"
        "      --timeout S         seconds that a statement may take [no limit]\n"
        "      --retries N         run a statement again, up to N times, when it certainly had no effect\n"
        "                          and what stood in its way may pass [0]\n"
        "      --retry-unknown     with --retries: also when it may have had an effect (for statements\n"
        "                          that do no harm when they run twice)\n"
        "      --fail-fast         start nothing more after the first failure\n"
        "What comes of it\n"
        "  -o, --output FILE       where the results go [standard output]\n"
        "      --format FORMAT     table, csv, json (a line for each statement) or none [table]\n"
        "      --order ORDER       input: results in the order of the input; done: as they come [input]\n"
        "      --rejects FILE      what failed, made so that it can be run again\n"
        "      --progress WHEN     a progress line: auto (on a terminal), always or never [auto]\n"
        "      --summary           counts, failures, latencies and rate, at the end\n"
        "  -h, --help              print this\n"
        "  -V, --version           print the version\n"
        "\n"
        "Every statement commits by itself. The first Ctrl-C cancels what runs and reports; a second one quits.\n"
        "Exit status: 0 all went well, 1 something failed, 2 wrong usage, 3 no connection.\n",
        to);
}

static bool wrong(struct opts *o, const char *option, const char *value, const char *wanted)
{
    buf_format(&o->why, "%s %s: %s", option, value, wanted);
    return false;
}

static bool read_int(struct opts *o, const char *option, int least, int most, int *ret_value)
{
    char *end;
    long value;

    errno = 0;
    value = strtol(optarg, &end, 10);
    if (errno == 0 && end != optarg && !*end && value >= least && value <= most) {
        *ret_value = (int)value;
        return true;
    }
    buf_format(&o->why, "%s %s: must be a whole number from %d to %d", option, optarg, least, most);
    return false;
}

static bool read_seconds(struct opts *o, const char *option, double *ret_value)
{
    char *end;
    double value = strtod(optarg, &end);

    if (end == optarg || *end || !(value > 0) || value > TIMEOUT_MAX)
        return wrong(o, option, optarg, "must be a number of seconds from above 0 to 1000000000");
    *ret_value = value;
    return true;
}

static bool read_format(struct opts *o)
{
    o->format = format_find(optarg);
    return o->format || wrong(o, "--format", optarg, "must be table, csv, json or none");
}

static bool read_order(struct opts *o)
{
    o->in_order = strcmp(optarg, "input") == 0;
    return o->in_order || strcmp(optarg, "done") == 0 ||
           wrong(o, "--order", optarg, "must be input or done");
}

static bool read_progress(struct opts *o)
{
    static const char *const words[] = {"auto", "always", "never"};

    for (int i = 0; i < 3; i++)
        if (strcmp(optarg, words[i]) == 0) {
            o->progress = (enum opts_progress)i;
            return true;
        }
    return wrong(o, "--progress", optarg, "must be auto, always or never");
}

static bool add_set(struct opts *o)
{
    const char *sign = strchr(optarg, '=');

    if (!sign || sign == optarg)
        return wrong(o, "--set", optarg, "must be NAME=VALUE");
    o->sets = realloc_array(o->sets, o->set_count + 1, sizeof *o->sets);
    o->sets[o->set_count++] = optarg;
    return true;
}

static void add_file(struct opts *o, const char *file)
{
    o->files = realloc_array(o->files, o->file_count + 1, sizeof *o->files);
    o->files[o->file_count++] = file;
}

static bool take(struct opts *o, int option)
{
    switch (option) {
    case 'd':
        o->conninfo = cli_take_conninfo(optarg);
        return true;
    case 'f':
        add_file(o, optarg);
        return true;
    case 'j':
        return read_int(o, "--jobs", 1, JOBS_MAX, &o->jobs);
    case 'o':
        o->output = optarg;
        return true;
    case 'p':
        o->params = optarg;
        return true;
    case OPT_FAIL_FAST:
        return o->fail_fast = true;
    case OPT_FORMAT:
        return read_format(o);
    case OPT_HEADER:
        return o->header = true;
    case OPT_ORDER:
        return read_order(o);
    case OPT_PROGRESS:
        return read_progress(o);
    case OPT_REJECTS:
        o->rejects = optarg;
        return true;
    case OPT_RETRIES:
        return read_int(o, "--retries", 0, 1000000, &o->retries);
    case OPT_RETRY_UNKNOWN:
        return o->retry_unknown = true;
    case OPT_SET:
        return add_set(o);
    case OPT_SUMMARY:
        return o->summary = true;
    default:
        return read_seconds(o, "--timeout", &o->timeout);
    }
}

static bool fits_together(struct opts *o, bool stdin_is_terminal)
{
    size_t from_stdin = o->params && strcmp(o->params, "-") == 0;

    if (o->file_count == 0 && o->sql_count == 0) {
        if (stdin_is_terminal || from_stdin) {
            buf_text(&o->why, "nothing to run: give SQL, or -f FILE (`-' for standard input)");
            return false;
        }
        add_file(o, "-");
    }
    for (size_t i = 0; i < o->file_count; i++)
        from_stdin += strcmp(o->files[i], "-") == 0;
    if (from_stdin > 1)
        buf_text(&o->why, "standard input can be read only once");
    else if (o->rejects && strcmp(o->rejects, o->output) == 0)
        buf_text(&o->why, "--output and --rejects cannot be the same file");
    else if (o->header && !o->params)
        buf_text(&o->why, "--header belongs to --params");
    else if (o->retry_unknown && o->retries == 0)
        buf_text(&o->why, "--retry-unknown needs --retries");
    return o->why.length == 0;
}

/* What getopt did not understand: a long option stands there whole, a short one perhaps among
 * others. */
static void complain(struct opts *o, const char *word, const char *what)
{
    if (strncmp(word, "--", 2) == 0)
        buf_format(&o->why, "%s: %s", word, what);
    else
        buf_format(&o->why, "-%c: %s", optopt, what);
}

enum opts_verdict opts_read(struct opts *o, int argc, char **argv, bool stdin_is_terminal)
{
    int option;

    *o = (struct opts){
        .conninfo = "",
        .jobs = JOBS_DEFAULT,
        .output = "-",
        .format = &format_table,
        .in_order = true,
    };
    optind = 0;
    while ((option = getopt_long(argc, argv, short_options, long_options, NULL)) != -1) {
        if (option == 'h')
            return OPTS_HELP;
        if (option == 'V')
            return OPTS_VERSION;
        if (option == '?' || option == ':') {
            complain(o, argv[optind - 1], option == ':' ? "wants a value" : "unknown option");
            return OPTS_WRONG;
        }
        if (!take(o, option))
            return OPTS_WRONG;
    }
    o->sql = (const char *const *)argv + optind;
    o->sql_count = (size_t)(argc - optind);
    return fits_together(o, stdin_is_terminal) ? OPTS_RUN : OPTS_WRONG;
}

void opts_free(struct opts *o)
{
    free(o->files);
    free(o->sets);
    buf_free(&o->why);
}
