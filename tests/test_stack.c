/* test_stack.c - stacks: calls that run on them, leave, are entered again; memory that is touched
 * only as it is used; what lies below is out of bounds. Built twice: as test_stack_ucontext with
 * the switch for other processors. */
#include "tasks/stack.h"

#include "support/check.h"

#include <fenv.h>
#include <signal.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

enum { SIZE = 64 * 1024 };

static struct stacks stacks;

static void setup(void)
{
    stacks_init(&stacks);
}

static void teardown(void)
{
    stacks_free(&stacks);
}

struct count {
    struct stack *s;
    void *place;
    int times, so_far;
};

/* Leaves so many times, then ends. */
static void count_up(void *arg)
{
    struct count *c = arg;
    while (c->so_far < c->times) {
        c->so_far++;
        stack_leave(c->s, &c->place);
    }
    c->so_far = -1;
}

START_TEST(what_runs_there_leaves_and_is_entered_again)
{
    setup();
    struct count c = {.s = stack_take(&stacks, SIZE), .times = 3};
    c.place = stack_aim(c.s, count_up, &c, "count");
    for (int i = 1; i <= 3; i++) {
        stack_enter(c.s, c.place);
        ck_assert_int_eq(c.so_far, i);
    }
    stack_enter(c.s, c.place);
    ck_assert_int_eq(c.so_far, -1);
    stack_give(c.s);
    teardown();
}
END_TEST

START_TEST(many_are_under_way_at_once_and_keep_apart)
{
    setup();
    enum { N = 300 };
    static struct count c[N];
    for (int i = 0; i < N; i++) {
        c[i] = (struct count){.s = stack_take(&stacks, SIZE), .times = i % 7};
        c[i].place = stack_aim(c[i].s, count_up, &c[i], "count");
    }
    for (int left = N; left;)
        for (int i = 0; i < N; i++) {
            if (c[i].so_far < 0)
                continue;
            stack_enter(c[i].s, c[i].place);
            left -= c[i].so_far < 0;
        }
    for (int i = 0; i < N; i++)
        stack_give(c[i].s);
    teardown();
}
END_TEST

START_TEST(the_last_used_is_the_next_to_be_used)
{
    setup();
    struct stack *a = stack_take(&stacks, SIZE), *b = stack_take(&stacks, SIZE);
    struct stack *other = stack_take(&stacks, 2 * SIZE);
    stack_give(a);
    stack_give(b);
    ck_assert_ptr_eq(stack_take(&stacks, SIZE), b);
    ck_assert_ptr_eq(stack_take(&stacks, SIZE), a);
    ck_assert_ptr_ne(stack_take(&stacks, SIZE), other);
    teardown();
}
END_TEST

START_TEST(one_that_ended_is_used_again_many_times)
{
    setup();
    for (int i = 0; i < 1000; i++) {
        struct count c = {.s = stack_take(&stacks, SIZE), .times = 1};
        c.place = stack_aim(c.s, count_up, &c, "count");
        stack_enter(c.s, c.place);
        stack_enter(c.s, c.place);
        ck_assert_int_eq(c.so_far, -1);
        stack_give(c.s);
    }
    teardown();
}
END_TEST

struct nest {
    struct stack *inner;
    int sum;
};

static void enter_inner(void *arg)
{
    struct nest *n = arg;
    struct count c = {.s = n->inner, .times = 5};
    c.place = stack_aim(n->inner, count_up, &c, "inner");
    while (c.so_far >= 0) {
        stack_enter(n->inner, c.place);
        n->sum++;
    }
}

START_TEST(one_stack_may_enter_another)
{
    setup();
    struct nest n = {.inner = stack_take(&stacks, SIZE)};
    struct stack *outer = stack_take(&stacks, SIZE);
    stack_enter(outer, stack_aim(outer, enter_inner, &n, "outer"));
    ck_assert_int_eq(n.sum, 6);
    stack_give(outer);
    stack_give(n.inner);
    teardown();
}
END_TEST

/* What the unit for floating point makes of a third, whatever fegetround reads. */
static double third(void)
{
    volatile double one = 1, three = 3;
    return one / three;
}

/* What a function may rely on across a call: its variables, wherever the compiler keeps them, and
 * how floating point rounds. */
static void keep_values(void *arg)
{
    struct count *c = arg;
    volatile int seed = c->times;
    long a = seed + 1, b = seed + 2, d = seed + 3, e = seed + 4, f = seed + 5, g = seed + 6;
    double x = seed + 0.5;
    fesetround(FE_UPWARD);
    for (int i = 0; i < 3; i++) {
        stack_leave(c->s, &c->place);
        a += 1, b += 2, d += 3, e += 4, f += 5, g += 6, x += 0.25;
    }
    ck_assert_int_eq(fegetround(), FE_UPWARD);
    if (!check_on_valgrind()) /* which always rounds to the nearest */
        ck_assert_double_gt(third(), 1. / 3);
    ck_assert(a == seed + 4 && b == seed + 8 && d == seed + 12 && e == seed + 16);
    ck_assert(f == seed + 20 && g == seed + 24 && x == seed + 1.25);
    fesetround(FE_TONEAREST);
    c->so_far = -1;
}

START_TEST(variables_and_the_rounding_mode_are_kept_apart)
{
    setup();
    struct count c[2] = {{.times = 100}, {.times = 200}};
    for (int i = 0; i < 2; i++) {
        c[i].s = stack_take(&stacks, SIZE);
        c[i].place = stack_aim(c[i].s, keep_values, &c[i], "values");
    }
    for (int round = 0; round < 4; round++)
        for (int i = 0; i < 2; i++) {
            stack_enter(c[i].s, c[i].place);
            ck_assert_int_eq(fegetround(), FE_TONEAREST);
            ck_assert_double_eq(third(), 1. / 3);
        }
    ck_assert_int_eq(c[0].so_far + c[1].so_far, -2);
    teardown();
}
END_TEST

/* ---- memory ---- */

static volatile char sink;

static int use_up(int kilobytes)
{
    volatile char room[1024];
    room[0] = (char)kilobytes;
    sink = room[0];
    return kilobytes ? use_up(kilobytes - 1) + room[0] : 0;
}

static void use_most(void *arg)
{
    (void)arg;
    use_up(16);
}

static void use_all(void *arg)
{
    (void)arg;
    use_up(1 << 20);
}

START_TEST(as_much_as_was_asked_for_can_be_used)
{
    setup();
    struct stack *s = stack_take(&stacks, SIZE);
    stack_enter(s, stack_aim(s, use_most, NULL, "most"));
    stack_give(s);
    teardown();
}
END_TEST

START_TEST(one_that_needs_more_dies_on_the_guard)
{
    if (check_on_valgrind())
        return;
    setup();
    struct stack *s[2] = {stack_take(&stacks, SIZE), stack_take(&stacks, SIZE)};
    int status = 0;
    pid_t child = fork();
    if (!child) {
        setrlimit(RLIMIT_CORE, &(struct rlimit){0});
        signal(SIGSEGV, SIG_DFL); /* no sanitizer's report */
        stack_enter(s[_i], stack_aim(s[_i], use_all, NULL, "all"));
        _exit(0);
    }
    ck_assert_int_eq(waitpid(child, &status, 0), child);
    ck_assert(WIFSIGNALED(status));
    ck_assert_int_eq(WTERMSIG(status), SIGSEGV);
    teardown();
}
END_TEST

static void touch_top(void *arg)
{
    *(volatile void **)arg = &arg;
}

/* Pages in memory of the 64 KiB up to the page that `top` is in. */
static size_t resident(const void *top)
{
    size_t page = (size_t)sysconf(_SC_PAGESIZE), n = SIZE / page, sum = 0;
    uintptr_t end = ((uintptr_t)top | (page - 1)) + 1;
    unsigned char seen[SIZE / 4096];
    ck_assert_int_eq(mincore((void *)(end - SIZE), SIZE, seen), 0);
    for (size_t i = 0; i < n; i++)
        sum += seen[i] & 1;
    return sum;
}

START_TEST(pages_come_as_they_are_touched)
{
    setup();
    struct stack *s = stack_take(&stacks, SIZE);
    void *top;
    stack_enter(s, stack_aim(s, touch_top, &top, "top"));
    ck_assert_uint_le(resident(top), 2);
    stack_give(s);
    teardown();
}
END_TEST

START_TEST(beyond_four_thousand_free_ones_the_pages_go_back)
{
    setup();
    enum { N = 4200 };
    static struct stack *s[N];
    static void *top[N];
    size_t kept = 0;
    for (int i = 0; i < N; i++) {
        s[i] = stack_take(&stacks, SIZE);
        stack_enter(s[i], stack_aim(s[i], touch_top, &top[i], "top"));
    }
    for (int i = 0; i < N; i++)
        stack_give(s[i]);
    for (int i = 0; i < N; i++)
        kept += resident(top[i]) > 0;
    ck_assert_uint_eq(kept, 4096);
    for (int i = 0; i < N; i++) { /* and all can be used again */
        s[i] = stack_take(&stacks, SIZE);
        stack_enter(s[i], stack_aim(s[i], touch_top, &top[i], "top"));
    }
    teardown();
}
END_TEST

START_TEST(more_than_there_is_is_null)
{
    setup();
    ck_assert_ptr_null(stack_take(&stacks, (size_t)1 << 60));
    ck_assert_ptr_null(stack_take(&stacks, SIZE_MAX));
    teardown();
}
END_TEST

int main(void)
{
    struct check *c = check_begin("stack");
    CHECK_ADD(c, what_runs_there_leaves_and_is_entered_again);
    CHECK_ADD(c, many_are_under_way_at_once_and_keep_apart);
    CHECK_ADD(c, the_last_used_is_the_next_to_be_used);
    CHECK_ADD(c, one_that_ended_is_used_again_many_times);
    CHECK_ADD(c, one_stack_may_enter_another);
    CHECK_ADD(c, variables_and_the_rounding_mode_are_kept_apart);
    CHECK_ADD(c, as_much_as_was_asked_for_can_be_used);
    CHECK_ADD_LOOP(c, one_that_needs_more_dies_on_the_guard, 2);
    CHECK_ADD(c, pages_come_as_they_are_touched);
    CHECK_ADD(c, beyond_four_thousand_free_ones_the_pages_go_back);
    CHECK_ADD(c, more_than_there_is_is_null);
    return check_end(c);
}
