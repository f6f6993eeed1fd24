/*
 * What evpq-run writes (examples/evpq-run): order.h, out.h, sink.h and rejects.h, on files that can
 * be written and on files that cannot.
 */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "../examples/evpq-run/rejects.h"
#include "../examples/evpq-run/sink.h"
#include "support/check.h"

/* ---- files ---- */

static char folder[] = "/tmp/evpq-run-XXXXXX";

static const char *path_of(const char *name)
{
    static char path[2][128];
    static int turn;

    turn = !turn;
    snprintf(path[turn], sizeof path[turn], "%s/%s", folder, name);
    return path[turn];
}

static const char *contents(const char *name)
{
    static char room[4096];
    int fd = open(path_of(name), O_RDONLY);
    ssize_t n = fd < 0 ? -1 : read(fd, room, sizeof room - 1);

    if (fd >= 0)
        close(fd);
    ck_assert_int_ge(n, 0);
    room[n] = '\0';
    return room;
}

static void make(const char *name, const char *text)
{
    FILE *f = fopen(path_of(name), "w");

    ck_assert_ptr_nonnull(f);
    fputs(text, f);
    ck_assert_int_eq(fclose(f), 0);
}

/* ---- order ---- */

static void note(void *arg, const struct piece *piece, const char *place)
{
    buf_format(arg, "%s%s@%s ", buf_string(&piece->head), buf_string(&piece->body), place);
}

static void put(struct order *o, long number)
{
    struct piece piece = {0};
    char place[32];

    snprintf(place, sizeof place, "%ld", number);
    buf_format(&piece.body, "p%ld", number);
    order_put(o, number, &piece, place);
    ck_assert_ptr_null(piece.body.data);
}

START_TEST(order_is_the_inputs)
{
    struct buf seen = {0};
    struct order *o = order_new(4, 1000, note, &seen);

    put(o, 2);
    put(o, 3);
    ck_assert_str_eq(buf_string(&seen), "");
    put(o, 1);
    ck_assert_str_eq(buf_string(&seen), "p1@1 p2@2 p3@3 ");
    put(o, 4);
    ck_assert_str_eq(buf_string(&seen), "p1@1 p2@2 p3@3 p4@4 ");
    order_free(o);
    buf_free(&seen);
}
END_TEST

START_TEST(order_bounds_what_waits)
{
    struct buf seen = {0};
    struct order *o = order_new(4, 5, note, &seen);

    ck_assert(order_has_room(o, 1));
    ck_assert(order_has_room(o, 4));
    ck_assert(!order_has_room(o, 5));
    put(o, 2);
    ck_assert(order_has_room(o, 3));
    put(o, 3);
    put(o, 4);
    ck_assert(!order_has_room(o, 4));
    ck_assert(order_has_room(o, 1));
    put(o, 1);
    ck_assert(order_has_room(o, 5));
    ck_assert(order_has_room(o, 8));
    ck_assert(!order_has_room(o, 9));
    order_free(o);
    buf_free(&seen);
}
END_TEST

START_TEST(order_of_any_permutation)
{
    srand(5);
    for (int round = 0; round < 300; round++) {
        struct buf seen = {0}, want = {0};
        struct order *o = order_new(8, 1 << 20, note, &seen);
        bool open[101] = {false};
        long next = 1;
        int under_way = 0;

        for (long ended = 0; ended < 100;) {
            while (next <= 100 && order_has_room(o, next)) {
                open[next++] = true;
                under_way++;
            }
            ck_assert_int_gt(under_way, 0);
            for (long i = 1 + rand() % 100;; i = i % 100 + 1)
                if (open[i]) {
                    open[i] = false;
                    put(o, i);
                    break;
                }
            ended++;
            under_way--;
        }
        for (int i = 1; i <= 100; i++)
            buf_format(&want, "p%d@%d ", i, i);
        ck_assert_str_eq(buf_string(&seen), buf_string(&want));
        order_free(o);
        buf_free(&seen);
        buf_free(&want);
    }
}
END_TEST

START_TEST(order_dropped_halfway)
{
    struct buf seen = {0};
    struct order *o = order_new(4, 100, note, &seen);

    put(o, 3);
    order_free(o);
    ck_assert_str_eq(buf_string(&seen), "");
}
END_TEST

/* ---- out ---- */

START_TEST(out_writes_what_was_added)
{
    struct out o;

    make("out", "old and long contents");
    ck_assert(out_open(&o, path_of("out"), 0666));
    ck_assert_str_eq(contents("out"), "old and long contents");
    ck_assert(out_truncate(&o));
    ck_assert(out_add(&o, "one\n", 4, "a:1"));
    ck_assert(out_add(&o, NULL, 0, "a:2"));
    ck_assert(out_add(&o, "two\n", 4, "a:3"));
    ck_assert(out_close(&o));
    ck_assert_str_eq(contents("out"), "one\ntwo\n");
    out_free(&o);
}
END_TEST

START_TEST(out_cannot_open)
{
    struct out o;

    ck_assert(!out_open(&o, path_of("no/such/folder"), 0666));
    ck_assert_int_eq(errno, ENOENT);
    ck_assert(!out_open(&o, folder, 0666));
    ck_assert_int_eq(errno, EISDIR);
}
END_TEST

START_TEST(full_disk_is_noticed_at_the_end)
{
    struct out o;
    struct buf why = {0};

    ck_assert(out_open(&o, "/dev/full", 0666));
    o.immediate = false;
    ck_assert(out_add(&o, "x", 1, "a.sql:3"));
    ck_assert(out_add(&o, "x", 1, "a.sql:5"));
    ck_assert(!out_close(&o));
    out_explain(&o, &why);
    ck_assert_str_eq(buf_string(&why),
                     "/dev/full: cannot write: No space left on device; the output of 2 statements "
                     "from a.sql:3 on is missing or cut short");
    buf_free(&why);
    out_free(&o);
}
END_TEST

START_TEST(full_disk_is_noticed_on_the_way)
{
    struct out o;
    char *much = calloc(1, 100000);

    ck_assert(out_open(&o, "/dev/full", 0666));
    ck_assert(!out_add(&o, much, 100000, "a:1"));
    ck_assert(!out_add(&o, "x", 1, "a:2"));
    ck_assert_int_eq(o.error, ENOSPC);
    ck_assert_int_eq(o.lost_count, 2);
    ck_assert(!out_close(&o));
    out_free(&o);
    free(much);
}
END_TEST

START_TEST(closed_pipe_is_an_error_not_a_death)
{
    struct out o = {.name = dup_string("pipe"), .immediate = true};
    int ends[2];

    signal(SIGPIPE, SIG_IGN);
    ck_assert_int_eq(pipe(ends), 0);
    close(ends[0]);
    o.fd = ends[1];
    ck_assert(!out_add(&o, "x", 1, "a:1"));
    ck_assert_int_eq(o.error, EPIPE);
    out_close(&o);
    out_free(&o);
}
END_TEST

/* A reader that takes its time over a pipe in non-blocking mode. */
static pid_t slow_reader(const int *ends, size_t expected)
{
    pid_t pid = fork();
    char room[4096];
    size_t got = 0;
    ssize_t n;

    if (pid != 0)
        return pid;
    close(ends[1]);
    usleep(200000);
    while ((n = read(ends[0], room, sizeof room)) > 0 || (n < 0 && errno == EAGAIN)) {
        got += n > 0 ? (size_t)n : 0;
        usleep(n > 0 ? 0 : 1000);
    }
    _exit(got == expected ? 0 : 1);
}

START_TEST(f74_pipe_in_nonblocking_mode_is_waited_for)
{
    struct out o = {.name = dup_string("pipe"), .immediate = true};
    static const char much[1 << 20];
    int ends[2], status = -1;
    pid_t reader;

    ck_assert_int_eq(pipe2(ends, O_NONBLOCK | O_CLOEXEC), 0);
    reader = slow_reader(ends, sizeof much);
    o.fd = ends[1];
    ck_assert(out_add(&o, much, sizeof much, "a:1"));
    ck_assert_int_eq(o.error, 0);
    ck_assert(out_close(&o));
    ck_assert_int_eq(waitpid(reader, &status, 0), reader);
    ck_assert_int_eq(status, 0);
    close(ends[0]);
    out_free(&o);
}
END_TEST

/* ---- sink ---- */

static void put_csv(struct sink *s, long number, const char *head, const char *body)
{
    struct piece piece = {0};

    buf_text(&piece.head, head);
    buf_text(&piece.body, body);
    sink_put(s, number, &piece, "a:1");
}

START_TEST(sink_writes_a_head_where_it_changes)
{
    struct out o;
    struct sink s;

    ck_assert(out_open(&o, path_of("sink"), 0666));
    sink_open(&s, &o, 8);
    put_csv(&s, 4, "b\n", "4\n");
    put_csv(&s, 1, "a\n", "1\n");
    put_csv(&s, 2, "", "");
    put_csv(&s, 3, "a\n", "3\n");
    put_csv(&s, 5, "a\n", "5\n");
    sink_free(&s);
    ck_assert(out_close(&o));
    ck_assert_str_eq(contents("sink"), "a\n1\n3\nb\n4\na\n5\n");
    out_free(&o);
}
END_TEST

START_TEST(sink_without_order)
{
    struct out o;
    struct sink s;

    ck_assert(out_open(&o, path_of("done"), 0666));
    sink_open(&s, &o, 0);
    ck_assert(sink_has_room(&s, 1000000));
    put_csv(&s, 2, "", "2\n");
    put_csv(&s, 1, "", "1\n");
    sink_free(&s);
    ck_assert(out_close(&o));
    ck_assert_str_eq(contents("done"), "2\n1\n");
    out_free(&o);
}
END_TEST

/* ---- rejects ---- */

static struct item *item_of(long line, const char *text)
{
    struct item *item = alloc(sizeof *item);

    item->file = "in";
    item->line = line;
    item->text = dup_string(text);
    item->length = strlen(text);
    return item;
}

static struct source *source_of(const char *sql)
{
    const struct source_options options = {.sql = &sql, .sql_count = 1};
    char *why = NULL;

    return source_open(&options, &why);
}

static const struct out nowhere = {.fd = -1};

static const struct failure duplicate = {
    .code = "23505", .outcome = "rejected", .message = "duplicate\nkey", .detail = "Key (1)"};

START_TEST(rejected_statements_can_be_run_again)
{
    struct rejects r;
    struct source *source = source_of("select 1");
    struct item *cut = item_of(9, "select 'x");
    char *why = NULL;

    cut->last = true;
    make("rej", "old");
    ck_assert(rejects_open(&r, path_of("rej"), false, source, &nowhere, &why));
    ck_assert_str_eq(contents("rej"), "old");
    rejects_truncate(&r);
    ck_assert(rejects_add(&r, item_of(3, "insert\n into t"), &duplicate, NULL));
    ck_assert_str_eq(contents("rej"), "-- in:3: 23505: duplicate key; Key (1) (rejected)\n"
                                      "insert\n into t;\n");
    ck_assert(
        rejects_add(&r, cut, &(struct failure){"input", "not sent", "open", NULL, NULL}, NULL));
    ck_assert(rejects_add(&r, item_of(5, "b"), &duplicate, NULL));
    ck_assert(rejects_close(&r, NULL));
    ck_assert_str_eq(contents("rej"), "-- in:3: 23505: duplicate key; Key (1) (rejected)\n"
                                      "insert\n into t;\n"
                                      "-- in:5: 23505: duplicate key; Key (1) (rejected)\n"
                                      "b;\n"
                                      "-- in:9: open (not sent)\n"
                                      "select 'x\n");
    ck_assert_int_eq(r.count, 3);
    rejects_free(&r);
    source_close(source);
}
END_TEST

START_TEST(rejected_rows_keep_their_header)
{
    struct rejects r;
    struct source *source = source_of("select 1");
    char *why = NULL;

    ck_assert(rejects_open(&r, path_of("rows"), true, source, &nowhere, &why));
    ck_assert(rejects_add(&r, item_of(3, "1,\"a\nb\""), &duplicate, "id,name"));
    ck_assert(rejects_add(&r, item_of(5, "2,"), &duplicate, "id,name"));
    ck_assert(rejects_close(&r, "id,name"));
    ck_assert_str_eq(contents("rows"), "id,name\n1,\"a\nb\"\n2,\n");
    ck_assert_str_eq(contents("rows.reasons"), "in:3: 23505: duplicate key; Key (1) (rejected)\n"
                                               "in:5: 23505: duplicate key; Key (1) (rejected)\n");
    rejects_free(&r);
    source_close(source);
}
END_TEST

START_TEST(rejects_spare_the_input)
{
    struct rejects r;
    struct source *source;
    const char *file;
    char *why = NULL;

    make("in.sql", "select 1");
    file = path_of("in.sql");
    source = source_open(&(struct source_options){.files = &file, .file_count = 1}, &why);
    ck_assert_ptr_nonnull(source);
    ck_assert(!rejects_open(&r, file, false, source, &nowhere, &why));
    ck_assert_ptr_nonnull(strstr(why, "cannot be input and rejects at once"));
    free(why);
    rejects_free(&r);
    source_close(source);
    ck_assert_str_eq(contents("in.sql"), "select 1");
}
END_TEST

static void check_refused(const char *results, const char *rejects)
{
    struct source *source = source_of("select 1");
    struct rejects r;
    struct out o;
    char *why = NULL;

    make("results", "kept");
    ck_assert(out_open(&o, path_of(results), 0666));
    ck_assert(!rejects_open(&r, path_of(rejects), true, source, &o, &why));
    ck_assert_ptr_nonnull(strstr(why, "cannot take both the results and the rejects"));
    ck_assert_str_eq(contents("results"), "kept");
    free(why);
    rejects_free(&r);
    out_free(&o);
    source_close(source);
}

START_TEST(rejects_spare_the_results)
{
    check_refused("results", "./results");
    ck_assert_int_eq(symlink("results", path_of("link.reasons")), 0);
    check_refused("results", "link");
}
END_TEST

START_TEST(rejects_and_reasons_are_two_files)
{
    struct source *source = source_of("select 1");
    struct rejects r;
    char *why = NULL;

    make("one", "kept");
    ck_assert_int_eq(symlink("one", path_of("one.reasons")), 0);
    ck_assert(!rejects_open(&r, path_of("one"), true, source, &nowhere, &why));
    ck_assert_ptr_nonnull(strstr(why, "cannot take both the rejects and their reasons"));
    ck_assert_str_eq(contents("one"), "kept");
    free(why);
    rejects_free(&r);
    source_close(source);
}
END_TEST

START_TEST(rejects_that_cannot_be_written)
{
    struct rejects r;
    struct source *source = source_of("select 1");
    struct buf text = {0};
    char *why = NULL;

    ck_assert(!rejects_open(&r, path_of("no/such"), false, source, &nowhere, &why));
    ck_assert_ptr_nonnull(strstr(why, "No such file or directory"));
    free(why);
    rejects_free(&r);
    ck_assert(rejects_open(&r, "/dev/full", false, source, &nowhere, &why));
    rejects_explain(&r, &text);
    rejects_missing(&r, &text);
    ck_assert_str_eq(buf_string(&text), "");
    ck_assert(!rejects_add(&r, item_of(7, "a"), &duplicate, NULL));
    ck_assert(!rejects_add(&r, item_of(8, "b"), &duplicate, NULL));
    ck_assert(!rejects_close(&r, NULL));
    rejects_explain(&r, &text);
    ck_assert_str_eq(buf_string(&text), "/dev/full: cannot write: No space left on device");
    buf_clear(&text);
    rejects_missing(&r, &text);
    ck_assert_str_eq(buf_string(&text),
                     "/dev/full: 2 rejects from in:7 on are missing or cut short");
    buf_free(&text);
    rejects_free(&r);
    source_close(source);
}
END_TEST

START_TEST(reasons_that_cannot_be_written)
{
    struct rejects r;
    struct source *source = source_of("select 1");
    struct buf text = {0};
    char *why = NULL;

    ck_assert_int_eq(symlink("/dev/full", path_of("whole.reasons")), 0);
    ck_assert(rejects_open(&r, path_of("whole"), true, source, &nowhere, &why));
    ck_assert(!rejects_add(&r, item_of(7, "a"), &duplicate, NULL));
    ck_assert(!rejects_close(&r, NULL));
    ck_assert_str_eq(contents("whole"), "a\n");
    rejects_missing(&r, &text);
    ck_assert_ptr_nonnull(
        strstr(buf_string(&text), "whole.reasons: 1 reason from in:7 on is missing or cut short"));
    ck_assert_ptr_null(strstr(buf_string(&text), "reject from"));
    buf_free(&text);
    rejects_free(&r);
    source_close(source);
}
END_TEST

int main(void)
{
    static const char *const made[] = {
        "out",     "sink", "done",         "rej", "rows",        "rows.reasons", "in.sql",
        "results", "link", "link.reasons", "one", "one.reasons", "whole",        "whole.reasons"};
    struct check *c = check_begin("run_output");
    int status;

    if (!mkdtemp(folder))
        return 1;
    CHECK_ADD(c, order_is_the_inputs);
    CHECK_ADD(c, order_bounds_what_waits);
    CHECK_ADD(c, order_of_any_permutation);
    CHECK_ADD(c, order_dropped_halfway);
    CHECK_ADD(c, out_writes_what_was_added);
    CHECK_ADD(c, out_cannot_open);
    CHECK_ADD(c, full_disk_is_noticed_at_the_end);
    CHECK_ADD(c, full_disk_is_noticed_on_the_way);
    CHECK_ADD(c, closed_pipe_is_an_error_not_a_death);
    CHECK_ADD(c, f74_pipe_in_nonblocking_mode_is_waited_for);
    CHECK_ADD(c, sink_writes_a_head_where_it_changes);
    CHECK_ADD(c, sink_without_order);
    CHECK_ADD(c, rejected_statements_can_be_run_again);
    CHECK_ADD(c, rejected_rows_keep_their_header);
    CHECK_ADD(c, rejects_spare_the_input);
    CHECK_ADD(c, rejects_spare_the_results);
    CHECK_ADD(c, rejects_and_reasons_are_two_files);
    CHECK_ADD(c, rejects_that_cannot_be_written);
    CHECK_ADD(c, reasons_that_cannot_be_written);
    status = check_end(c);
    for (size_t i = 0; i < sizeof made / sizeof *made; i++)
        unlink(path_of(made[i]));
    rmdir(folder);
    return status;
}
