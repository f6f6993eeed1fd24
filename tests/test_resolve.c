/* test_resolve.c - look-ups in threads, against a name server on order. */
#include "wire/resolve.h"

#include "async/loop.h"
#include "support/check.h"
#include "support/names.h"
#include "support/site.h"
#include "support/watch.h"

#include <dirent.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct answer {
    int calls;
    char why[200];
    struct addresses found;
};

static void done(void *owner, const struct addresses *found, const char *why)
{
    struct answer *a = owner;
    a->calls++;
    a->found = *found;
    snprintf(a->why, sizeof a->why, "%s", why ? why : "");
}

static void name(const char *host, double delay, int error, const char *addresses)
{
    names_set(&(struct name){.host = host, .delay = delay, .error = error, .addresses = addresses});
}

/* The loop goes, and then the threads do. */
static void end(evpq_loop *loop)
{
    evpq_loop_unref(loop);
    for (int tries = 0; tries < 200; tries++) {
        DIR *dir = opendir("/proc/self/task");
        ck_assert_ptr_nonnull(dir);
        int tasks = -1; /* ours does not count */
        for (const struct dirent *d; (d = readdir(dir));)
            tasks += d->d_name[0] != '.';
        closedir(dir);
        if (!tasks)
            return;
        usleep(5000);
    } /* ThreadSanitizer has threads of its own, which never go */
}

static struct answer look_up(evpq_loop *loop, const char *host)
{
    struct answer a = {0};
    ck_assert_ptr_nonnull(resolve_start(loop, host, done, &a));
    ck_assert_int_eq(a.calls, 0); /* never from inside */
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), a.calls, 10));
    return a;
}

START_TEST(all_addresses_in_their_order)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    name("three.test", 0, 0, "127.0.0.3,::1,127.0.0.1");
    struct answer a = look_up(loop, "three.test");
    ck_assert_str_eq(a.why, "");
    ck_assert_int_eq(a.found.n, 3);
    ck_assert_str_eq(a.found.is[0], "127.0.0.3");
    ck_assert_str_eq(a.found.is[1], "::1");
    ck_assert_str_eq(a.found.is[2], "127.0.0.1");
    end(loop);
}
END_TEST

START_TEST(an_address_is_told_once)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    name("twins.test", 0, 0, "127.0.0.1,127.0.0.2,127.0.0.1,127.0.0.2");
    struct answer a = look_up(loop, "twins.test");
    ck_assert_int_eq(a.found.n, 2);
    ck_assert_str_eq(a.found.is[1], "127.0.0.2");
    end(loop);
}
END_TEST

START_TEST(what_the_resolver_says_is_told)
{
    static const int errors[] = {EAI_NONAME, EAI_AGAIN, EAI_FAIL, EAI_MEMORY};
    evpq_loop *loop = evpq_loop_new(NULL);
    for (size_t i = 0; i < sizeof errors / sizeof *errors; i++) {
        name("bad.test", 0, errors[i], NULL);
        struct answer a = look_up(loop, "bad.test");
        ck_assert_str_eq(a.why, gai_strerror(errors[i]));
        ck_assert_int_eq(a.found.n, 0);
        ck_assert_int_eq(a.calls, 1);
    }
    end(loop);
}
END_TEST

START_TEST(a_literal_needs_no_look_up)
{
    static const char *const literal[] = {"127.0.0.1", "::1", "10.1.2.3", "2001:db8::7"};
    static const char *const other[] = {"localhost", "", "127.0.0.1.test", "no.such.name.test"};
    struct addresses found;
    watch_begin();
    for (size_t i = 0; i < sizeof literal / sizeof *literal; i++) {
        ck_assert(resolve_literal(literal[i], &found));
        ck_assert_int_eq(found.n, 1);
        ck_assert_str_eq(found.is[0], literal[i]);
    }
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        ck_assert_msg(!resolve_literal(other[i], &found), "%s", other[i]);
    ck_assert_msg(watch_end() == 0, "%s", watch_first());
}
END_TEST

/* F21 */
START_TEST(f21_the_loop_goes_on_meanwhile)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    struct drift d;
    name("slow.test", 0.6, 0, "127.0.0.1");
    watch_begin();
    drift_start(evpq_loop_ev(loop), &d);
    struct answer a = look_up(loop, "slow.test");
    double drift = drift_stop(evpq_loop_ev(loop), &d);
    ck_assert_msg(watch_end() == 0, "%s", watch_first());
    ck_assert_int_eq(a.found.n, 1);
    ck_assert_msg(drift < 0.3, "the loop was away for %g s", drift);
    end(loop);
}
END_TEST

/* They do not wait for each other: the quick one is back while the slow one is out. */
START_TEST(look_ups_run_beside_each_other)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    struct answer slow = {0}, quick = {0};
    name("slow.test", 1, 0, "127.0.0.2");
    name("quick.test", 0, 0, "127.0.0.1");
    ck_assert_ptr_nonnull(resolve_start(loop, "slow.test", done, &slow));
    ck_assert_ptr_nonnull(resolve_start(loop, "quick.test", done, &quick));
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), quick.calls, 10));
    ck_assert_int_eq(slow.calls, 0);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), slow.calls, 10));
    ck_assert_str_eq(slow.found.is[0], "127.0.0.2");
    end(loop);
}
END_TEST

START_TEST(many_at_once)
{
    enum { MANY = 50 };
    static struct answer answers[MANY];
    evpq_loop *loop = evpq_loop_new(NULL);
    name("one.test", 0.01, 0, "127.0.0.1");
    name("two.test", 0.02, 0, "127.0.0.2");
    int back = 0;
    for (int i = 0; i < MANY; i++)
        ck_assert_ptr_nonnull(
            resolve_start(loop, i % 2 ? "two.test" : "one.test", done, &answers[i]));
    for (int i = 0; i < MANY; i++) {
        ck_assert(RUN_UNTIL(evpq_loop_ev(loop), answers[i].calls, 20));
        ck_assert_str_eq(answers[i].found.is[0], i % 2 ? "127.0.0.2" : "127.0.0.1");
        back += answers[i].calls;
    }
    ck_assert_int_eq(back, MANY);
    end(loop);
}
END_TEST

START_TEST(nobody_is_told_after_an_abandon)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    struct answer a = {0};
    name("slow.test", 0.1, 0, "127.0.0.1");
    for (int i = 0; i < 10; i++) {
        struct resolve *r = resolve_start(loop, "slow.test", done, &a);
        ck_assert_ptr_nonnull(r);
        resolve_abandon(r);
    }
    resolve_abandon(NULL);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), names_calls("slow.test") == 10, 10));
    run_for(evpq_loop_ev(loop), 0.3);
    ck_assert_int_eq(a.calls, 0);
    end(loop);
}
END_TEST

/* The thread comes home to nobody, and cleans up after itself: the leak checker sees to it. */
START_TEST(the_loop_may_go_first)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    struct answer a = {0};
    name("slow.test", 0.05, 0, "127.0.0.1");
    for (int i = 0; i < 5; i++)
        resolve_abandon(resolve_start(loop, "slow.test", done, &a));
    end(loop);
    ck_assert_int_eq(names_calls("slow.test"), 5);
    ck_assert_int_eq(a.calls, 0);
}
END_TEST

START_TEST(the_name_is_copied)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    struct answer a = {0};
    char host[] = "copied.test";
    name("copied.test", 0, 0, "127.0.0.4");
    ck_assert_ptr_nonnull(resolve_start(loop, host, done, &a));
    memset(host, 'x', sizeof host - 1);
    ck_assert(RUN_UNTIL(evpq_loop_ev(loop), a.calls, 10));
    ck_assert_str_eq(a.found.is[0], "127.0.0.4");
    end(loop);
}
END_TEST

START_TEST(more_addresses_than_there_is_room_for)
{
    char many[256] = "";
    for (int i = 1; i <= 40; i++)
        sprintf(many + strlen(many), "%s::%d", i > 1 ? "," : "", i);
    evpq_loop *loop = evpq_loop_new(NULL);
    name("many.test", 0, 0, many);
    struct answer a = look_up(loop, "many.test");
    ck_assert_int_eq(a.found.n, RESOLVE_MOST);
    ck_assert_str_eq(a.found.is[RESOLVE_MOST - 1], "::32");
    end(loop);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("resolve");
    CHECK_ADD(c, all_addresses_in_their_order);
    CHECK_ADD(c, an_address_is_told_once);
    CHECK_ADD(c, what_the_resolver_says_is_told);
    CHECK_ADD(c, a_literal_needs_no_look_up);
    CHECK_ADD(c, f21_the_loop_goes_on_meanwhile);
    CHECK_ADD(c, look_ups_run_beside_each_other);
    CHECK_ADD(c, many_at_once);
    CHECK_ADD(c, nobody_is_told_after_an_abandon);
    CHECK_ADD(c, the_loop_may_go_first);
    CHECK_ADD(c, the_name_is_copied);
    CHECK_ADD(c, more_addresses_than_there_is_room_for);
    return check_end(c);
}
