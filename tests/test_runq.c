/* test_runq.c - the run queue: order, calling off, and jobs that run others. */
#include "async/runq.h"

#include "support/check.h"

struct note {
    struct job job;
    char name;
    struct note *pushes;    /* queued when this one runs */
    struct note *calls_off; /* taken off when this one runs */
    bool runs_others;
};

static struct runq q;
static struct note a, b, c, d;
static char order[16];
static int ran;

static void run_all(void)
{
    while (!runq_empty(&q))
        runq_run_first(&q);
}

static void note_run(struct job *job)
{
    struct note *n = container_of(job, struct note, job);
    order[ran++] = n->name;
    if (n->pushes)
        runq_push(&q, &n->pushes->job);
    if (n->calls_off)
        list_remove(&n->calls_off->job.node);
    if (n->runs_others)
        run_all();
}

static void start(void)
{
    struct note *notes[] = {&a, &b, &c, &d};
    runq_init(&q);
    for (int i = 0; i < 4; i++) {
        *notes[i] = (struct note){.name = (char)('a' + i)};
        job_init(&notes[i]->job, note_run);
    }
}

static void push(struct note *n)
{
    runq_push(&q, &n->job);
}

START_TEST(jobs_run_in_the_order_they_were_queued)
{
    start();
    ck_assert(runq_empty(&q));
    push(&b), push(&a), push(&c);
    ck_assert(!runq_empty(&q));
    run_all();
    ck_assert_str_eq(order, "bac");
    ck_assert(runq_empty(&q));
    runq_run_first(&q);
    ck_assert_str_eq(order, "bac");
}
END_TEST

START_TEST(a_job_queued_twice_runs_once_in_its_first_place)
{
    start();
    push(&a), push(&b), push(&a);
    run_all();
    ck_assert_str_eq(order, "ab");
}
END_TEST

START_TEST(what_a_job_queues_comes_last)
{
    start();
    a.pushes = &c;
    push(&a), push(&b);
    run_all();
    ck_assert_str_eq(order, "abc");
}
END_TEST

START_TEST(a_job_may_queue_itself_again)
{
    start();
    a.pushes = &a;
    push(&a);
    for (int i = 0; i < 3; i++)
        runq_run_first(&q);
    ck_assert_str_eq(order, "aaa");
}
END_TEST

START_TEST(a_job_may_call_off_another)
{
    start();
    a.calls_off = &b;
    push(&a), push(&b), push(&c);
    run_all();
    ck_assert_str_eq(order, "ac");
}
END_TEST

START_TEST(a_job_may_run_the_others_in_order)
{
    start();
    a.pushes = &d;
    a.runs_others = true;
    push(&a), push(&b), push(&c);
    run_all();
    ck_assert_str_eq(order, "abcd");
    ck_assert(runq_empty(&q));
}
END_TEST

START_TEST(a_called_off_job_can_be_queued_again)
{
    start();
    push(&a), push(&b);
    list_remove(&a.job.node);
    push(&a);
    run_all();
    ck_assert_str_eq(order, "ba");
}
END_TEST

int main(void)
{
    struct check *suite = check_begin("runq");
    CHECK_ADD(suite, jobs_run_in_the_order_they_were_queued);
    CHECK_ADD(suite, a_job_queued_twice_runs_once_in_its_first_place);
    CHECK_ADD(suite, what_a_job_queues_comes_last);
    CHECK_ADD(suite, a_job_may_queue_itself_again);
    CHECK_ADD(suite, a_job_may_call_off_another);
    CHECK_ADD(suite, a_job_may_run_the_others_in_order);
    CHECK_ADD(suite, a_called_off_job_can_be_queued_again);
    return check_end(suite);
}
