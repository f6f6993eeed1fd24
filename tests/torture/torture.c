/* torture.c - see torture.h.
 *
 *     torture TOKENS FAULTS [SEED]
 *
 * Behind tests/with-postgres, and with a pooler of tests/with-pgbouncer or tests/with-pgpool
 * through that. Prints the figures; exits with 1 when anything was said that was not so.
 * EVPQ_TORTURE_TRACE prints each call and each fault. The seed repeats the dice, not the race. */
#include "torture.h"

#include <ev.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "support/dice.h"

enum { WORKERS = 16 };

struct torture t;
static struct dice dice;

unsigned below(unsigned n)
{
    return dice_below(&dice, n);
}

void pause_for(double seconds)
{
    evpq_future *f = evpq_sleep(t.loop, seconds);
    evpq_await(f);
    evpq_future_unref(f);
}

static void die(const char *what)
{
    fprintf(stderr, "torture: %s\n", what);
    exit(2);
}

static const char *env(const char *name)
{
    const char *text = getenv(name);
    return text ? text : "";
}

/* ---- set up ---- */

static struct proxy *make_proxy(void)
{
    static const char *const ways[][2] = {{"PGPOOL_HOST", "PGPOOL_PORT"},
                                          {"PGBOUNCER_HOST", "PGBOUNCER_PORT"},
                                          {"EVPQ_TEST_TCP_HOST", "PGPORT"}};
    for (int i = 0; i < 3; i++)
        if (*env(ways[i][0]))
            return proxy_start(env(ways[i][0]), atoi(env(ways[i][1])));
    die("there is no server: run it behind tests/with-postgres");
    return NULL;
}

static void open_pools(void)
{
    char conninfo[256];
    bool pooled = *env("PGPOOL_HOST") || *env("PGBOUNCER_HOST");
    snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 port=%d dbname=%s", proxy_port(t.proxy),
             env("PGDATABASE"));
    evpq_pool_opts opts = {
        .size = sizeof opts,
        .max_size = 8,
        .acquire_timeout = 5,
        .query_timeout = 2,
        .connect_timeout = 3,
        .cancel_timeout = 1,
        .backoff_max = 0.2,
        .prepare = pooled && *env("EVPQ_TORTURE_NO_PREPARE") ? EVPQ_PREPARE_OFF : 0,
    };
    t.pool = evpq_pool_open(t.loop, conninfo, &opts, NULL);
    snprintf(conninfo, sizeof conninfo,
             "application_name=torture-admin options='-c synchronous_commit=local -c"
             " statement_timeout=0 -c lock_timeout=0 -c idle_in_transaction_session_timeout=0'");
    opts = (evpq_pool_opts){.size = sizeof opts, .max_size = 2, .backoff_max = 0.2};
    t.admin = evpq_pool_open(t.loop, conninfo, &opts, NULL);
    if (!t.pool || !t.admin)
        die("there is no pool");
}

static void make_table(void)
{
    static const char race[] =
        "create or replace function lose_a_race() returns void language plpgsql as $$ begin"
        " if random() < 0.4 then raise 'lost a race' using errcode = '40001'; end if; end $$";
    static const char *const steps[] = {
        "drop table if exists token, nobody", "create table nobody (id int primary key)",
        "create table token (t int8 not null, late int references nobody initially deferred)",
        "create index on token (t)", race};
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        evpq_future *f = evpq_pool_query(t.admin, steps[i], EVPQ_ARGS());
        if (evpq_await(f))
            die(evpq_error_message(evpq_future_error(f)));
        evpq_future_unref(f);
    }
}

/* ---- the work ---- */

/* As many tokens between two faults, whatever those take. */
static bool may_go_on(void)
{
    if (t.faults >= t.faults_most)
        return t.tokens < t.tokens_most;
    return t.tokens < t.tokens_most * (t.faults + 1) / t.faults_most;
}

static evpq_future *work(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    while (!t.over) {
        if (may_go_on())
            verbs_call();
        else
            pause_for(0.01);
    }
    return NULL;
}

static void tell_progress(void)
{
    printf("# %d faults, %lld tokens, %.0f s\n", t.faults, (long long)t.tokens,
           ev_time() - t.begun);
    fflush(stdout);
}

static evpq_future *cause_faults(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    while (t.faults < t.faults_most) {
        pause_for(0.01 + below(150) / 1e3);
        faults_cause();
        if (t.faults % 100 == 0)
            tell_progress();
    }
    faults_end();
    for (int i = 0; t.tokens < t.tokens_most && i < 3000; i++)
        pause_for(0.02);
    t.over = true;
    pause_for(3);
    proxy_cut(t.proxy); /* what is still under way, and has no deadline */
    return NULL;
}

static void run(void)
{
    evpq_future *tasks[WORKERS + 1];
    for (int i = 0; i < WORKERS; i++)
        tasks[i] = evpq_task_spawn(t.loop, work, NULL, NULL);
    tasks[WORKERS] = evpq_task_spawn(t.loop, cause_faults, NULL, NULL);
    evpq_future *all = evpq_all_settled(tasks, WORKERS + 1);
    evpq_await(all);
    evpq_future_unref(all);
    evpq_future *closed = evpq_pool_close(t.pool, 5);
    evpq_await(closed);
    evpq_future_unref(closed);
}

int main(int argc, char **argv)
{
    if (argc < 3)
        die("usage: torture TOKENS FAULTS [SEED]");
    t = (struct torture){.tokens_most = atoll(argv[1]), .faults_most = atoi(argv[2])};
    t.trace = *env("EVPQ_TORTURE_TRACE");
    t.seed = dice.state = argc > 3 ? strtoull(argv[3], NULL, 10) : (uint64_t)time(NULL);
    t.loop = evpq_loop_new(NULL);
    t.proxy = make_proxy();
    open_pools();
    make_table();
    t.begun = ev_time();
    run();
    /* No session of before is left then. */
    if (system(
            "\"$EVPQ_PG_CTL\" restart >&2 || { tail -n 20 \"$EVPQ_PGLOG\" >&2; exit 1; }")) // NOLINT
        die("the server does not restart");
    printf("# seed %llu, %lld tokens, %d faults, %.0f s\n", (unsigned long long)t.seed,
           (long long)t.tokens, t.faults, ev_time() - t.begun);
    faults_print();
    long violations = ledger_settle();
    evpq_future *closed = evpq_pool_close(t.admin, 0);
    evpq_await(closed);
    evpq_future_unref(closed);
    evpq_pool_unref(t.pool);
    evpq_pool_unref(t.admin);
    evpq_loop_unref(t.loop);
    proxy_stop(t.proxy);
    return violations ? 1 : 0;
}
