/*
 * What evpq-run reads (examples/evpq-run/source.h), its command line (opts.h), and what it makes of
 * failures (failure.h).
 */
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "../examples/evpq-run/failure.h"
#include "../examples/evpq-run/opts.h"
#include "../examples/evpq-run/source.h"
#include "support/check.h"

/* A file that is gone with the process; its name is /dev/fd/N. */
static const char *file_of(const char *text)
{
    static char name[2][32];
    static int turn;
    FILE *f = tmpfile();

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fflush(f), 0);
    turn = !turn;
    snprintf(name[turn], sizeof name[turn], "/dev/fd/%d", fileno(f));
    return name[turn];
}

static struct source *open_good(struct source_options options)
{
    char *why = NULL;
    struct source *s = source_open(&options, &why);

    ck_assert_msg(s != NULL, "%s", why);
    return s;
}

/* All that is left in it: "NUMBER:LINE[text]" or "NUMBER:LINE!why[text]", "." after the last that
 * can be. */
static const char *drained(struct source *s)
{
    static struct buf seen;
    struct item *item = NULL;

    buf_clear(&seen);
    while (source_next(s, &item) == SOURCE_ITEM) {
        buf_format(&seen, "%ld:%ld", item->number, item->line);
        if (item->bad)
            buf_format(&seen, "!%ld:%ld:%s", item->bad_line, item->bad_column, item->bad);
        buf_format(&seen, "[%s]%s", item->text, item->last ? "." : "");
        item_free(item);
    }
    return buf_string(&seen);
}

START_TEST(files_and_then_arguments)
{
    const char *files[] = {file_of("a;\nb"), file_of("\nc;")};
    const char *sql[] = {"d;e", "f"};
    struct source *s = open_good(
        (struct source_options){.files = files, .file_count = 2, .sql = sql, .sql_count = 2});

    ck_assert_int_eq(source_total(s), 4 + 3 + 3 + 1);
    ck_assert_str_eq(source_place(s), "");
    ck_assert_str_eq(drained(s), "1:1[a]2:2[b]3:2[c]4:1[d]5:1[e]6:1[f]");
    ck_assert_int_eq(source_consumed(s), 11);
    ck_assert_str_eq(source_place(s), "argument 2:1");
    source_close(s);
}
END_TEST

START_TEST(waits_for_a_pipe)
{
    const char *files[] = {"-"};
    struct source *s;
    struct item *item;
    int ends[2];

    ck_assert_int_eq(pipe(ends), 0);
    dup2(ends[0], STDIN_FILENO);
    s = open_good((struct source_options){.files = files, .file_count = 1});
    ck_assert_int_eq(source_total(s), -1);
    ck_assert_int_eq(source_next(s, &item), SOURCE_WAIT);
    ck_assert_int_eq(source_fd(s), STDIN_FILENO);
    ck_assert_int_eq(write(ends[1], "a;b", 3), 3);
    ck_assert_int_eq(source_next(s, &item), SOURCE_ITEM);
    ck_assert_str_eq(item->text, "a");
    ck_assert_str_eq(item->file, "(standard input)");
    item_free(item);
    ck_assert_int_eq(source_next(s, &item), SOURCE_WAIT);
    close(ends[1]);
    ck_assert_int_eq(source_next(s, &item), SOURCE_ITEM);
    ck_assert_str_eq(item->text, "b");
    item_free(item);
    ck_assert_int_eq(source_next(s, &item), SOURCE_END);
    ck_assert_int_eq(source_next(s, &item), SOURCE_END);
    source_close(s);
}
END_TEST

START_TEST(rows_with_a_header)
{
    const char *sql[] = {"insert into t values ($1, $2)"};
    struct source *s = open_good((struct source_options){
        .sql = sql, .sql_count = 1, .params = file_of("id,n\n1,\n\"2\",\"\"\n"), .header = true});
    struct item *item;

    ck_assert_int_eq(source_total(s), 15);
    ck_assert_ptr_null(source_header(s));
    ck_assert_int_eq(source_next(s, &item), SOURCE_ITEM);
    ck_assert_str_eq(source_header(s), "id,n");
    ck_assert_str_eq(item->sql, sql[0]);
    ck_assert_str_eq(item->text, "1,");
    ck_assert_uint_eq(item->count, 2);
    ck_assert_str_eq(item->fields[0], "1");
    ck_assert_ptr_null(item->fields[1]);
    ck_assert_int_eq(item->number, 1);
    item_free(item);
    ck_assert_str_eq(drained(s), "2:3[\"2\",\"\"]");
    source_close(s);
}
END_TEST

START_TEST(bad_rows_are_items)
{
    const char *sql[] = {"select $1, $2"};
    struct source *s = open_good((struct source_options){
        .sql = sql, .sql_count = 1, .params = file_of("1,2\n1\n1,2,3\na\"b,2\n\"x,\n")});

    ck_assert_str_eq(drained(s),
                     "1:1[1,2]"
                     "2:2!2:0:the row has 1 field, but the statement takes 2 parameters[1]"
                     "3:3!3:0:the row has 3 fields, but the statement takes 2 parameters[1,2,3]"
                     "4:4!4:2:quote inside a field that does not begin with one[a\"b,2]"
                     "5:5!5:1:quote that is never closed[\"x,].");
    source_close(s);
}
END_TEST

START_TEST(bad_header_is_an_item)
{
    const char *sql[] = {"select $1"};
    struct source *s = open_good((struct source_options){
        .sql = sql, .sql_count = 1, .params = file_of("a\"b\n1\n"), .header = true});

    ck_assert_str_eq(drained(s), "1:1!1:2:quote inside a field that does not begin "
                                 "with one[a\"b]2:2[1]");
    ck_assert_ptr_null(source_header(s));
    source_close(s);
}
END_TEST

START_TEST(nothing_after_what_must_not_be_passed)
{
    const char *sql[] = {"a; begin; b; commit", "c"};
    struct source *s = open_good((struct source_options){.sql = sql, .sql_count = 2});
    const char *seen = drained(s);

    ck_assert_int_eq(strncmp(seen, "1:1[a]2:1!1:0:transaction control", 33), 0);
    ck_assert_str_eq(seen + strlen(seen) - 8, "[begin].");
    source_close(s);
}
END_TEST

START_TEST(params_want_one_statement)
{
    static const struct {
        const char *sql, *why;
    } cases[] = {
        {"select $1; select $1", "exactly one"},
        {" ; -- nothing", "exactly one"},
        {"select 1", "needs a statement with parameters"},
        {"select '", "unterminated"},
        {"begin", "transaction control"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct source_options options = {
            .sql = &cases[i].sql, .sql_count = 1, .params = "/dev/null"};
        char *why = NULL;

        ck_assert_ptr_null(source_open(&options, &why));
        ck_assert_msg(strstr(why, cases[i].why) != NULL, "%s: %s", cases[i].sql, why);
        free(why);
    }
}
END_TEST

START_TEST(what_cannot_be_opened)
{
    static const char *const paths[] = {"/no/such/file", "/"};
    static const char *const reasons[] = {"No such file", "Is a directory"};

    for (int i = 0; i < 2; i++) {
        const struct source_options options = {.files = &paths[i], .file_count = 1};
        char *why = NULL;

        ck_assert_ptr_null(source_open(&options, &why));
        ck_assert_msg(strstr(why, reasons[i]) && strstr(why, paths[i]), "%s", why);
        free(why);
    }
}
END_TEST

START_TEST(an_input_that_fails_halfway)
{
    const char *file = "/proc/self/mem"; /* opens, and reading at 0 is an error */
    struct source *s = open_good((struct source_options){.files = &file, .file_count = 1});
    struct item *item;

    ck_assert_int_eq(source_next(s, &item), SOURCE_FAILED);
    ck_assert_ptr_nonnull(strstr(source_why(s), "cannot read"));
    ck_assert_int_eq(source_next(s, &item), SOURCE_END);
    source_close(s);
}
END_TEST

/* ---- the command line ---- */

static struct opts opts;

static enum opts_verdict read_line(const char *line)
{
    static char words[256];
    static char *argv[40];
    int argc = 0;

    opts_free(&opts);
    snprintf(words, sizeof words, "evpq-run %s", line);
    for (char *w = strtok(words, " "); w; w = strtok(NULL, " "))
        argv[argc++] = w;
    argv[argc] = NULL;
    return opts_read(&opts, argc, argv, true);
}

START_TEST(options_have_defaults)
{
    ck_assert_int_eq(read_line("select"), OPTS_RUN);
    ck_assert_int_eq(opts.jobs, 8);
    ck_assert_str_eq(opts.conninfo, "");
    ck_assert_str_eq(opts.output, "-");
    ck_assert_ptr_eq(opts.format, &format_table);
    ck_assert(opts.in_order);
    ck_assert(opts.timeout == 0);
    ck_assert_int_eq(opts.retries, 0);
    ck_assert_uint_eq(opts.sql_count, 1);
    ck_assert_uint_eq(opts.file_count, 0);
}
END_TEST

START_TEST(options_are_read)
{
    ck_assert_int_eq(read_line("-d x -j20 -f a --file=b -p c --header -o d --format json "
                               "--order=done --timeout 1.5 --retries 3 --retry-unknown --fail-fast "
                               "--rejects e --progress never --summary -- -s"),
                     OPTS_RUN);
    ck_assert_str_eq(opts.conninfo, "dbname=x");
    ck_assert_int_eq(opts.jobs, 20);
    ck_assert_uint_eq(opts.file_count, 2);
    ck_assert_str_eq(opts.files[1], "b");
    ck_assert_str_eq(opts.params, "c");
    ck_assert(opts.header && opts.fail_fast && opts.summary && opts.retry_unknown);
    ck_assert_str_eq(opts.output, "d");
    ck_assert_ptr_eq(opts.format, &format_json);
    ck_assert(!opts.in_order);
    ck_assert(opts.timeout == 1.5);
    ck_assert_int_eq(opts.retries, 3);
    ck_assert_str_eq(opts.rejects, "e");
    ck_assert_int_eq(opts.progress, PROGRESS_NEVER);
    ck_assert_str_eq(opts.sql[0], "-s");
}
END_TEST

START_TEST(wrong_options_say_why)
{
    static const struct {
        const char *line, *why;
    } cases[] = {
        {"", "nothing to run"},
        {"-p x", "nothing to run"},
        {"-j 0 x", "--jobs 0: must be"},
        {"-j x x", "--jobs x: must be"},
        {"-j 99999999999999999999 x", "must be"},
        {"--timeout 0 x", "--timeout 0"},
        {"--timeout nan x", "--timeout nan"},
        {"--timeout 1s x", "--timeout 1s"},
        {"--retries -1 x", "--retries -1"},
        {"--format xml x", "table, csv, json or none"},
        {"--order up x", "input or done"},
        {"--progress x x", "auto, always or never"},
        {"--frob x", "--frob: unknown"},
        {"-jx", "--jobs x"},
        {"-z x", "-z: unknown"},
        {"x -j", "-j: wants a value"},
        {"x --jobs", "--jobs: wants a value"},
        {"--header x", "--header belongs"},
        {"--retry-unknown x", "needs --retries"},
        {"-f - -p - x", "only once"},
        {"-f - -f - x", "only once"},
        {"-o a --rejects a x", "same file"},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        ck_assert_msg(read_line(cases[i].line) == OPTS_WRONG, "%s", cases[i].line);
        ck_assert_msg(strstr(buf_string(&opts.why), cases[i].why) != NULL, "%s: %s", cases[i].line,
                      buf_string(&opts.why));
    }
}
END_TEST

START_TEST(help_and_version)
{
    ck_assert_int_eq(read_line("--help"), OPTS_HELP);
    ck_assert_int_eq(read_line("-h x"), OPTS_HELP);
    ck_assert_int_eq(read_line("--version"), OPTS_VERSION);
    ck_assert_int_eq(read_line("-V"), OPTS_VERSION);
}
END_TEST

START_TEST(standard_input_when_nothing_else_is_given)
{
    char name[] = "evpq-run";
    char *argv[] = {name, NULL};

    opts_free(&opts);
    ck_assert_int_eq(opts_read(&opts, 1, argv, false), OPTS_RUN);
    ck_assert_uint_eq(opts.file_count, 1);
    ck_assert_str_eq(opts.files[0], "-");
}
END_TEST

/* ---- failures ---- */

START_TEST(pauses_grow_and_are_bounded)
{
    for (int n = 1; n < 100; n++) {
        ck_assert(failure_pause(n, 0) > 0);
        ck_assert(failure_pause(n, 0) <= failure_pause(n + 1, 0));
        ck_assert(failure_pause(n, 0.999) <= 7.5);
        ck_assert(failure_pause(n, 0.999) > 2 * failure_pause(n, 0));
    }
    ck_assert(failure_pause(1, 0.5) == 0.1);
    ck_assert(failure_pause(2, 0.5) == 0.2);
}
END_TEST

START_TEST(failures_are_one_line)
{
    struct failure f = failure_of_input("a\nb\tc\x7f");
    struct buf b = {0};

    f.detail = "d\r\n";
    failure_describe(&f, &b);
    ck_assert_str_eq(buf_string(&b), "a b c ; d   (not sent)");
    buf_free(&b);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("run_source");

    CHECK_ADD(c, files_and_then_arguments);
    CHECK_ADD(c, waits_for_a_pipe);
    CHECK_ADD(c, rows_with_a_header);
    CHECK_ADD(c, bad_rows_are_items);
    CHECK_ADD(c, bad_header_is_an_item);
    CHECK_ADD(c, nothing_after_what_must_not_be_passed);
    CHECK_ADD(c, params_want_one_statement);
    CHECK_ADD(c, what_cannot_be_opened);
    CHECK_ADD(c, an_input_that_fails_halfway);
    CHECK_ADD(c, options_have_defaults);
    CHECK_ADD(c, options_are_read);
    CHECK_ADD(c, wrong_options_say_why);
    CHECK_ADD(c, help_and_version);
    CHECK_ADD(c, standard_input_when_nothing_else_is_given);
    CHECK_ADD(c, pauses_grow_and_are_bounded);
    CHECK_ADD(c, failures_are_one_line);
    return check_end(c);
}
