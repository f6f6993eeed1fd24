/* it_pipeline.c - one connection without a pool: the order of operations in flight, and what each is
 * told, on a line to a real server. */
#include "pipeline/command.h"
#include "pipeline/pipeline.h"

#include "libpq/conninfo.h"
#include "support/check.h"
#include "support/proxy.h"
#include "support/server.h"
#include "wire/dial.h"
#include "words/error.h"

#include <stdlib.h>
#include <string.h>

/* ---- a line ---- */

static evpq_loop *loop;
static struct conninfo *conninfo;
static struct rng rng;
static struct pipeline line;
static int ends;           /* operations over */
static evpq_error *gone;   /* why the link was lost */
static int failed_by_then; /* operations that had been told when the owner was */
static char order[200];    /* names of operations in the order in which they ended */

static void ended(struct pipeline *p)
{
    ck_assert_ptr_eq(p, &line);
    ends++;
}

static void lost(struct pipeline *p, evpq_error *why)
{
    ck_assert_ptr_eq(p, &line);
    ck_assert_ptr_null(gone);
    gone = why;
    failed_by_then = (int)strlen(order);
}

static void notice(struct pipeline *p, evpq_error *n)
{
    (void)p;
    evpq_error_unref(n);
}

static const struct pipeline_owner owner = {.ended = ended, .lost = lost, .notice = notice};

static struct dial *dialing;

static void connected(struct dial_owner *o, struct pg_conn *c, double turnaround)
{
    (void)turnaround;
    (void)o;
    dialing = NULL;
    ck_assert(wire_open(&line.wire, c));
}

static void not_connected(struct dial_owner *o, evpq_error *why)
{
    (void)o;
    dialing = NULL;
    ck_abort_msg("%s", evpq_error_message(why));
}

static void begin_to_dial(const char *text)
{
    static struct dial_owner dialer = {.connected = connected, .failed = not_connected};
    loop = evpq_loop_new(NULL);
    rng_init(&rng);
    ck_assert_ptr_null(conninfo_read(text, &conninfo));
    pipeline_init(&line, loop, &owner);
    dialing = dial_start(loop, conninfo, 10, &rng, &dialer);
}

static void set_up(const char *text)
{
    begin_to_dial(text);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), !dialing, 10));
}

static void tear_down(void)
{
    wire_close(&line.wire);
    gone = evpq_error_unref(gone);
    conninfo_free(conninfo);
    evpq_loop_unref(loop);
}

/* ---- operations that tell what they are told ---- */

struct step {
    struct op op;
    const char *sql;
    char name;
    bool refuses;   /* is not taken by libpq */
    char told[100]; /* R result, E error, A aborted, . end, S sync, x failed unsent, X failed sent,
                       D deserted */
    char sqlstate[6];
    bool over;
};

static void tell(struct step *s, char what)
{
    size_t n = strlen(s->told);
    ck_assert_uint_lt(n + 1, sizeof s->told);
    ck_assert(!s->over);
    s->told[n] = what;
    if (strchr("SxX", what)) {
        s->over = true;
        order[strlen(order)] = s->name;
    }
}

static bool step_send(struct op *op, struct pg_conn *c)
{
    struct step *s = container_of(op, struct step, op);
    op->parts = 1;
    return !s->refuses && pq_send_command(c, s->sql);
}

static void step_feed(struct op *op, enum pq_kind kind, struct pg_result *r)
{
    struct step *s = container_of(op, struct step, op);
    static const char letters[] = {
        [PQ_END] = '.', [PQ_RESULT] = 'R', [PQ_ERROR] = 'E', [PQ_ABORTED] = 'A', [PQ_SYNC] = 'S'};
    if (kind == PQ_ERROR) {
        evpq_error *e = pq_result_error(r, s->sql);
        strcpy(s->sqlstate, evpq_error_sqlstate(e));
        evpq_error_unref(e);
    }
    ck_assert((r != NULL) == (kind == PQ_ROWS || kind == PQ_RESULT || kind == PQ_ERROR));
    pq_clear(r);
    if (kind == PQ_ROWS) /* dropped as they come, when nobody waits any more */
        return;
    tell(s, letters[kind]);
}

static void step_fail(struct op *op, const evpq_error *why, bool sent)
{
    struct step *s = container_of(op, struct step, op);
    ck_assert(why || !sent);
    tell(s, sent ? 'X' : 'x');
}

static void step_tell(struct op *op, const evpq_error *why)
{
    ck_assert_ptr_nonnull(why);
    tell(container_of(op, struct step, op), 'D');
}

static const struct op_class step_class = {
    .send = step_send, .feed = step_feed, .fail = step_fail, .tell_waiter = step_tell};

static struct step step(char name, const char *sql)
{
    struct step s = {.op = {.class = &step_class}, .sql = sql, .name = name};
    return s;
}

static void submit(struct step *s)
{
    list_init(&s->op.node);
    pipeline_submit(&line, &s->op);
}

#define ck_over(s) ck_assert(RUN_UNTIL(evpq_loop_ev(loop), (s).over, 10))

static void ck_empty(void)
{
    ck_assert_int_eq(pipeline_depth(&line), 0);
    ck_assert_int_eq(line.n_awaited, 0);
    ck_assert_int_eq(line.n_abandoned, 0);
    ck_assert_int_eq(line.n_slow, 0);
    ck_assert(list_empty(&line.fresh));
    ck_assert(list_empty(&line.sent));
}

/* ---- before there is one ---- */

START_TEST(a_dial_that_has_not_begun_says_so)
{
    struct why why = {.n = 0};
    begin_to_dial(server_conninfo(SERVER_UNIX, NULL));
    dial_why(dialing, &why);
    ck_assert_str_eq(why.text, "it is about to connect");
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), !dialing, 10));
    tear_down();
}
END_TEST

/* ---- in order ---- */

START_TEST(each_is_told_what_came_for_it)
{
    set_up(server_conninfo((enum server_path)_i, NULL));
    struct step a = step('a', "select 1"), b = step('b', "select 1/0"), c = step('c', ""),
                d = step('d', "set work_mem = '1MB'"), e = step('e', "select 1; select 2");
    submit(&a);
    submit(&b);
    submit(&c);
    submit(&d);
    submit(&e);
    ck_assert_int_eq(line.n_fresh, 5); /* nothing is handed to libpq before the end of the tick */
    ck_over(e);
    ck_assert_str_eq(a.told, "R.S");
    ck_assert_str_eq(b.told, "E.S");
    ck_assert_str_eq(b.sqlstate, "22012");
    ck_assert_str_eq(c.told, "R.S");
    ck_assert_str_eq(d.told, "R.S");
    ck_assert_str_eq(e.told, "E.S");
    ck_assert_str_eq(e.sqlstate, "42601");
    ck_assert_str_eq(order, "abcde");
    ck_assert_int_eq(ends, 5);
    ck_empty();
    tear_down();
}
END_TEST

/* F6 */
START_TEST(f06_a_failure_stops_at_its_sync)
{
    server_exec("create table line_f6(n int)");
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "insert into line_f6 values (1)"), b = step('b', "select 1/0"),
                c = step('c', "insert into line_f6 values (3)");
    submit(&a);
    submit(&b);
    submit(&c);
    ck_over(c);
    ck_assert_str_eq(c.told, "R.S");
    ck_assert_int_eq(server_count("select sum(n) from line_f6"), 4);
    tear_down();
    server_exec("drop table line_f6");
}
END_TEST

START_TEST(the_counters_follow)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "select pg_sleep(0.1)"), b = step('b', "select 1"),
                c = step('c', "select 1");
    a.op.slow = true;
    b.op.unawaited = true;
    submit(&a);
    submit(&b);
    submit(&c);
    ck_assert_int_eq(line.n_slow, 1);
    ck_assert_int_eq(pipeline_depth(&line), 3);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), line.n_sent == 3, 10));
    ck_assert_int_eq(line.n_fresh, 0);
    ck_assert_int_eq(line.n_awaited, 2);
    ck_assert(!pipeline_abandon(&line, &a.op));
    ck_assert(!pipeline_abandon(&line, &a.op)); /* once is enough */
    ck_assert_int_eq(line.n_awaited, 1);
    ck_assert_int_eq(line.n_abandoned, 1);
    ck_over(c);
    ck_assert_str_eq(a.told, "R.S"); /* its answer is read all the same */
    ck_assert(line.head_took < 0.1);
    ck_empty();
    tear_down();
}
END_TEST

START_TEST(an_operation_says_where_it_is)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "select pg_sleep(0.1)"), b = step('b', "select 1");
    ck_assert_int_eq(a.op.state, OP_NEW);
    submit(&a);
    submit(&b);
    ck_assert_int_eq(a.op.state, OP_QUEUED);
    ck_assert(!op_was_sent(&a.op));
    ck_assert(pipeline_abandon(&line, &b.op));
    ck_assert_int_eq(b.op.state, OP_NEW); /* never sent, and not abandoned */
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), line.n_sent == 1, 10));
    ck_assert_int_eq(a.op.state, OP_SENT);
    ck_assert(op_was_sent(&a.op) && !op_is_abandoned(&a.op));
    ck_assert(!pipeline_abandon(&line, &a.op));
    ck_assert_int_eq(a.op.state, OP_ABANDONED);
    submit(&b);
    ck_over(b);
    ck_assert_int_eq(a.op.state, OP_DISCARDED);
    ck_assert(op_was_sent(&a.op) && op_is_abandoned(&a.op));
    ck_assert_int_eq(b.op.state, OP_DONE);
    ck_assert(op_was_sent(&b.op) && !op_is_abandoned(&b.op));
    a.over = false;
    submit(&a);
    ck_assert_int_eq(a.op.state, OP_QUEUED);
    ck_over(a);
    ck_assert_int_eq(a.op.state, OP_DONE); /* as if it had never been abandoned */
    ck_empty();
    tear_down();
}
END_TEST

START_TEST(the_time_at_the_head_is_measured)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "select pg_sleep(0.2)");
    submit(&a);
    ck_over(a);
    ck_assert(line.head_took >= 0.19);
    tear_down();
}
END_TEST

/* The way there and back is no longer than the shortest answer took: signing in may have taken long. */
START_TEST(the_way_is_as_long_as_the_shortest_answer_says)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "select 1"), b = step('b', "select pg_sleep(0.2)");
    line.turnaround = 60;
    submit(&a);
    ck_over(a);
    double shortest = line.turnaround;
    ck_assert(shortest < 30);
    submit(&b);
    ck_over(b);
    ck_assert(line.turnaround <= shortest);
    tear_down();
}
END_TEST

/* ---- which share a Sync ---- */

/* The guard asks who answers; that goes behind those that share its Sync. */
START_TEST(the_first_that_share_a_sync_are_not_parted)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "select 1/0"), b = step('b', "select 1");
    a.op.reads = b.op.reads = true;
    submit(&a);
    submit(&b);
    ck_over(b);
    ck_assert_str_eq(a.told, "E.S");
    ck_assert_str_eq(b.told, "A.S");
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), line.peer == PEER_SERVER && !line.n_sent, 10));
    ck_empty();
    tear_down();
}
END_TEST

/* Refused behind its guard, and sent alone on another line: no answer there is the guard's. */
START_TEST(a_guard_that_was_sent_for_nothing_is_forgotten)
{
    struct step a = step('a', "select 1"), b = step('b', "select 1");
    a.op.reads = b.op.reads = a.refuses = true;
    set_up(server_conninfo(SERVER_UNIX, NULL));
    submit(&a);
    submit(&b);
    ck_over(b);
    ck_assert_str_eq(a.told, "x");
    tear_down();
    set_up(server_conninfo(SERVER_UNIX, NULL));
    a.refuses = a.over = false;
    submit(&a);
    ck_over(a);
    ck_assert_str_eq(a.told, "xR.S");
    ck_empty();
    tear_down();
}
END_TEST

/* That one such statement was committed says nothing of the next, before it is known that each Sync
 * ends a transaction. */
START_TEST(what_changes_data_waits_until_both_are_known)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step s[5];
    for (int i = 0; i < 5; i++) {
        s[i] = step((char)('a' + i), i % 2 ? "select pg_sleep(0.2)" : "select 1");
        s[i].op.changes_data = s[i].op.keeps_block = true;
    }
    submit(&s[0]);
    ck_over(s[0]);
    ck_assert(line.proved);
    ck_assert_int_eq(line.unity, UNITY_UNKNOWN);
    submit(&s[1]);
    submit(&s[2]);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), line.n_sent > 0, 10));
    ck_assert_int_eq(line.n_sent, 1);
    ck_over(s[2]);
    ck_assert_int_eq(line.unity, UNITY_YES);
    submit(&s[3]);
    submit(&s[4]);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), line.n_sent > 0, 10));
    ck_assert_int_eq(line.n_sent, 2);
    ck_over(s[4]);
    ck_assert_str_eq(order, "abcde");
    tear_down();
}
END_TEST

/* ---- before the tick ends ---- */

START_TEST(what_is_fresh_is_taken_back)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "select 1"), b = step('b', "select 1"), c = step('c', "select 1");
    submit(&a);
    submit(&b);
    submit(&c);
    ck_assert(pipeline_abandon(&line, &b.op));
    ck_assert_int_eq(line.n_fresh, 2);
    ck_over(c);
    ck_assert_str_eq(b.told, ""); /* whoever takes it back knows */
    ck_assert_str_eq(order, "ac");

    submit(&b);
    pipeline_return_fresh(&line, NULL);
    ck_assert_str_eq(b.told, "x");
    ck_empty();
    tear_down();
}
END_TEST

/* Whatever became of it before. */
START_TEST(what_is_asked_for_again_is_fresh)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "select pg_sleep(0.05)");
    submit(&a);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), line.n_sent == 1, 10));
    ck_assert(!pipeline_abandon(&line, &a.op));
    ck_over(a);
    a.over = false;
    submit(&a);
    ck_assert(pipeline_abandon(&line, &a.op));
    ck_empty();
    submit(&a);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), line.n_sent == 1, 10));
    ck_assert_int_eq(line.n_awaited, 1);
    ck_over(a);
    ck_assert_str_eq(a.told, "R.SR.S");
    ck_empty();
    tear_down();
}
END_TEST

/* The server is at work, and the socket full: most stay with us, outside libpq's buffers. */
START_TEST(f27_what_the_socket_does_not_take_stays_fresh)
{
    enum { STEPS = 60, SIZE = 100 * 1000 };
    struct step s[STEPS], slow = step('s', "select pg_sleep(0.5)");
    char *sql = malloc(SIZE + 1);
    memset(sql, ' ', SIZE);
    memcpy(sql, "select 1", 8);
    sql[SIZE] = '\0';
    set_up(server_conninfo(SERVER_UNIX, NULL));
    submit(&slow);
    for (int i = 0; i < STEPS; i++) {
        s[i] = step('a', sql);
        s[i].op.size = SIZE;
        submit(&s[i]);
    }
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), line.n_sent > 0, 10));
    ck_assert_int_gt(line.n_fresh, STEPS / 2);
    ck_over(s[STEPS - 1]);
    free(sql);
    tear_down();
}
END_TEST

START_TEST(a_held_pipeline_lets_control_pass)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "select 1"), b = step('b', "select 1"), u = step('u', "select 1");
    pipeline_hold(&line, true);
    submit(&a);
    submit(&b);
    run_for(evpq_loop_ev(loop), 0.05);
    ck_assert_int_eq(line.n_fresh, 2);
    u.op.order = OP_CONTROL;
    submit(&u);
    ck_over(u);
    ck_assert_int_eq(line.n_fresh, 2);
    pipeline_hold(&line, false);
    ck_over(b);
    ck_assert_str_eq(order, "uab");
    tear_down();
}
END_TEST

/* ---- F28 ---- */

/* With nothing else to wake the loop: ev_run returns to us only through what arrives. */
START_TEST(f28_every_entry_has_its_sync_before_the_loop_sleeps)
{
    set_up(server_conninfo((enum server_path)_i, NULL));
    struct step steps[40];
    for (int i = 0; i < 40; i++) {
        steps[i] = step('s', i % 3 ? "select 1" : "select 1/0");
        submit(&steps[i]);
        if (i % 5 == 4)
            while (!steps[i].over)
                ev_run(evpq_loop_ev(loop), EVRUN_ONCE);
    }
    ck_assert_int_eq(ends, 40);
    tear_down();
}
END_TEST

/* ---- commands of the library's own ---- */

static int commands_over;

static void command_over(struct command *k)
{
    ck_assert(!command_is_running(k));
    commands_over++;
}

START_TEST(a_command_tells_whether_it_succeeded)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct command good, bad;
    command_init(&good, "ROLLBACK", command_over);
    command_init(&bad, "NONSENSE", command_over);
    command_run(&bad, &line, false);
    command_run(&good, &line, true);
    ck_assert(command_is_running(&good));
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), commands_over == 2, 10));
    ck_assert(!good.failed);
    ck_assert(bad.failed);
    command_run(&good, &line, false);
    ck_assert(command_is_running(&good));
    wire_break(&line.wire, error_new(EVPQ_LOST, EVPQ_OUTCOME_UNKNOWN, "by the test"));
    ck_assert(!command_is_running(&good));
    ck_assert_int_eq(commands_over, 2);
    tear_down();
}
END_TEST

/* ---- the end ---- */

START_TEST(f10_a_lost_link_fails_each_once_in_order)
{
    struct proxy *p = server_proxy();
    set_up(server_conninfo_port(SERVER_TCP, proxy_port(p), "application_name=line"));
    struct step a = step('a', "select pg_sleep(60)"), b = step('b', "select 1"),
                c = step('c', "select 1"), d = step('d', "select 1");
    submit(&a);
    submit(&b);
    submit(&c);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), line.n_sent == 3, 10));
    ck_assert(!pipeline_abandon(&line, &b.op));
    pipeline_hold(&line, true);
    submit(&d);
    if (_i == 0)
        ck_assert_int_eq(server_kill_backends("line"), 1);
    else if (_i == 1)
        proxy_cut(p);
    else
        proxy_reset(p);
    ck_over(d);
    ck_assert_str_eq(order, "abcd");
    ck_assert_int_eq(failed_by_then, 0); /* the owner is told first */
    ck_assert_str_eq(a.told + strlen(a.told) - 1, "X");
    ck_assert_str_eq(b.told, "X");
    ck_assert_str_eq(c.told, "X");
    ck_assert_str_eq(d.told, "x");
    ck_assert_int_eq(evpq_error_status(gone), EVPQ_LOST);
    /* What the server said last is known if it came: with unread queries behind it, TCP may drop
     * it. */
    ck_assert_str_eq(evpq_error_sqlstate(gone), a.sqlstate);
    ck_assert_ptr_null(line.wire.c);
    ck_empty();
    tear_down();
    proxy_stop(p);
}
END_TEST

START_TEST(an_operation_that_libpq_refuses_breaks_the_line)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "select 1"), b = step('b', "select 1"), c = step('c', "select 1");
    b.refuses = true;
    submit(&a);
    submit(&b);
    submit(&c);
    ck_over(c);
    ck_assert_str_eq(b.told, "x");
    ck_assert_str_eq(c.told, "x");
    ck_assert_ptr_nonnull(gone);
    ck_empty();
    tear_down();
}
END_TEST

START_TEST(detaching_tells_everybody_and_reads_on)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "select pg_sleep(0.1)"), b = step('b', "select 1");
    submit(&a);
    submit(&b);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), line.n_sent == 2, 10));
    evpq_error *why = error_new(EVPQ_CLOSED, EVPQ_OUTCOME_UNKNOWN, "by the test");
    pipeline_detach(&line, why);
    pipeline_detach(&line, why);
    evpq_error_unref(why);
    ck_assert_str_eq(a.told, "D");
    ck_assert_str_eq(b.told, "D");
    ck_assert_int_eq(line.n_abandoned, 2);
    ck_assert_int_eq(line.n_awaited, 0);
    ck_over(b);
    ck_assert_str_eq(a.told, "DR.S");
    ck_assert_str_eq(b.told, "DR.S");
    ck_empty();
    tear_down();
}
END_TEST

/* F29: a COPY in the line is found out, ends the connection, and no one is given another's
 * answer. */
START_TEST(f29_a_copy_in_the_line)
{
    set_up(server_conninfo(SERVER_UNIX, NULL));
    struct step a = step('a', "select 1"),
                b = step('b', _i ? "copy pg_class from stdin" : "copy (select 1) to stdout"),
                c = step('c', "select 1");
    submit(&a);
    submit(&b);
    submit(&c);
    ck_over(c);
    ck_assert_str_eq(a.told, "R.S");
    ck_assert_str_eq(b.told, "X");
    ck_assert_str_eq(c.told, "X");
    ck_assert_ptr_nonnull(gone);
    ck_assert_ptr_null(line.wire.c);
    ck_empty();
    tear_down();
}
END_TEST

START_TEST(an_idle_line_notices_its_end)
{
    struct proxy *p = server_proxy();
    set_up(server_conninfo_port(SERVER_TCP, proxy_port(p), "application_name=line-idle"));
    if (_i == 0)
        ck_assert_int_eq(server_kill_backends("line-idle"), 1);
    else
        proxy_reset(p);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), gone != NULL, 10));
    ck_assert_str_eq(evpq_error_sqlstate(gone), _i == 0 ? "57P01" : "");
    tear_down();
    proxy_stop(p);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("line");
    CHECK_ADD(c, a_dial_that_has_not_begun_says_so);
    CHECK_ADD_LOOP(c, each_is_told_what_came_for_it, 2);
    CHECK_ADD(c, f06_a_failure_stops_at_its_sync);
    CHECK_ADD(c, the_counters_follow);
    CHECK_ADD(c, an_operation_says_where_it_is);
    CHECK_ADD(c, the_time_at_the_head_is_measured);
    CHECK_ADD(c, the_way_is_as_long_as_the_shortest_answer_says);
    CHECK_ADD(c, the_first_that_share_a_sync_are_not_parted);
    CHECK_ADD(c, a_guard_that_was_sent_for_nothing_is_forgotten);
    CHECK_ADD(c, what_changes_data_waits_until_both_are_known);
    CHECK_ADD(c, what_is_fresh_is_taken_back);
    CHECK_ADD(c, what_is_asked_for_again_is_fresh);
    CHECK_ADD(c, f27_what_the_socket_does_not_take_stays_fresh);
    CHECK_ADD(c, a_held_pipeline_lets_control_pass);
    CHECK_ADD_LOOP(c, f28_every_entry_has_its_sync_before_the_loop_sleeps, 2);
    CHECK_ADD(c, a_command_tells_whether_it_succeeded);
    CHECK_ADD_LOOP(c, f10_a_lost_link_fails_each_once_in_order, 3);
    CHECK_ADD(c, an_operation_that_libpq_refuses_breaks_the_line);
    CHECK_ADD(c, detaching_tells_everybody_and_reads_on);
    CHECK_ADD_LOOP(c, f29_a_copy_in_the_line, 2);
    CHECK_ADD_LOOP(c, an_idle_line_notices_its_end, 2);
    return check_end(c);
}
