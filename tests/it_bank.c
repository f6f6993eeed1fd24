/* it_bank.c - workers that move money between accounts at SERIALIZABLE, while their server
 * processes are killed, and answers to COMMIT cut off: the sum never changes, what was acknowledged
 * is there, nothing is there twice, and what a lost COMMIT came to is what the probe says (F40).
 *
 * EVPQ_BANK_SECONDS is how long (3), EVPQ_BANK_CRASHES how often the server itself is taken down
 * meanwhile by kill -9 of one of its processes (0). */
#include "support/txns.h"

#include "support/dice.h"
#include "support/proxy.h"

#include <stdio.h>

enum { WORKERS = 32, ACCOUNTS = 100, CREDIT = 1000, CONNECTIONS = 12 };

enum fate { UNASKED, ACKNOWLEDGED, REFUSED, UNKNOWN };

struct transfer {
    int64_t id;
    int from, to, amount, tries;
};

static struct {
    double ends;
    struct dice dice;
    int64_t next_id;
    unsigned char *fates; /* by id */
    size_t room;
    long acknowledged, refused, unknown, again, kills;
    struct proxy *proxy;
    struct ev_timer killer, auditor;
    evpq_future *audit;
} bank;

/* ---- a transfer ---- */

static evpq_future *transfer(evpq_txn *txn, void *arg)
{
    struct transfer *t = arg;
    t->tries++;
    evpq_future *f =
        evpq_txn_query(txn, "select credit from account where id = $1", EVPQ_ARGS(t->from));
    if (evpq_await(f) != EVPQ_OK)
        return f;
    int64_t credit = evpq_result_int8(evpq_future_result(f), 0, 0);
    evpq_future_unref(f);
    if (credit < t->amount)
        return evpq_future_failed(loop, EVPQ_INVALID, "not enough");
    const evpq_statement v[] = {
        {"update account set credit = credit - $2 where id = $1", EVPQ_ARGS(t->from, t->amount)},
        {"update account set credit = credit + $2 where id = $1", EVPQ_ARGS(t->to, t->amount)},
        {"insert into ledger values ($1)", EVPQ_ARGS(t->id)},
    };
    return evpq_txn_batch(txn, v, 3);
}

static enum fate fate_of(const evpq_future *f)
{
    const evpq_error *error = evpq_future_error(f);
    if (!error)
        return ACKNOWLEDGED;
    if (evpq_error_status(error) == EVPQ_INVALID) /* not enough: rolled back */
        return REFUSED;
    return evpq_error_outcome(error) == EVPQ_OUTCOME_UNKNOWN ? UNKNOWN : REFUSED;
}

static evpq_future *worker(evpq_task *self, void *arg)
{
    (void)self, (void)arg;
    while (ev_now(evpq_loop_ev(loop)) < bank.ends) {
        struct transfer t = {.id = bank.next_id++,
                             .from = (int)dice_below(&bank.dice, ACCOUNTS),
                             .to = (int)dice_below(&bank.dice, ACCOUNTS),
                             .amount = 1 + (int)dice_below(&bank.dice, 50)};
        if ((size_t)t.id >= bank.room)
            break;
        evpq_future *f = evpq_transact(pool,
                                       TXN_OPTS(.isolation = EVPQ_ISOLATION_SERIALIZABLE,
                                                .probe = true, .tries = 20, .backoff_min = 0.002,
                                                .backoff_max = 0.1, .timeout = 60),
                                       transfer, &t);
        evpq_await(f);
        enum fate fate = fate_of(f);
        bank.fates[t.id] = (unsigned char)fate;
        bank.acknowledged += fate == ACKNOWLEDGED;
        bank.refused += fate == REFUSED;
        bank.unknown += fate == UNKNOWN;
        bank.again += t.tries > 1 ? t.tries - 1 : 0;
        evpq_future_unref(f);
    }
    return NULL;
}

/* ---- trouble ---- */

/* Not by a call that waits: the loop goes on. And the next answer to a COMMIT does not arrive. */
static void kill_one(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)ev, (void)timer, (void)events;
    bank.kills++;
    proxy_disarm(bank.proxy);
    proxy_arm(bank.proxy,
              &(struct proxy_trigger){
                  .dir = PROXY_TO_CLIENT, .act = PROXY_CUT, .bytes = "COMMIT", .before = true});
    evpq_future_unref(
        query("select pg_terminate_backend(pid) from pg_stat_activity where application_name ="
              " current_setting('application_name') and pid <> pg_backend_pid()"
              " order by random() limit 1"));
}

/* The sum, seen from outside at any moment. */
static void check_sum(struct ev_loop *ev, ev_timer *timer, int events)
{
    (void)ev, (void)timer, (void)events;
    if (bank.audit && evpq_future_status(bank.audit) == EVPQ_OK)
        ck_assert_int_eq(evpq_result_int8(evpq_future_result(bank.audit), 0, 0), ACCOUNTS * CREDIT);
    if (bank.audit && evpq_future_status(bank.audit) == EVPQ_PENDING)
        return;
    evpq_future_unref(bank.audit);
    bank.audit = query("select sum(credit)::int8 from account");
}

static void crash(void)
{
    server_kill9((int)server_count("select pid from pg_stat_activity where application_name like"
                                   " 'evpq%' and pid <> pg_backend_pid() limit 1"));
    server_wait_up();
}

/* ---- the ledger ---- */

static bool in_ledger(int64_t id, const evpq_result *r)
{
    return evpq_result_bool(r, (int)id, 0);
}

static void ck_ledger(void)
{
    evpq_future *f = evpq_pool_query(pool,
                                     "select l.id is not null from generate_series(0, $1::int8) i"
                                     " left join ledger l on l.id = i order by i",
                                     EVPQ_ARGS(bank.next_id));
    ck_await_ok(f);
    const evpq_result *r = evpq_future_result(f);
    for (int64_t id = 0; id < bank.next_id; id++) {
        if (bank.fates[id] == ACKNOWLEDGED)
            ck_assert_msg(in_ledger(id, r), "transfer %ld was acknowledged, and is not there",
                          (long)id);
        if (bank.fates[id] == REFUSED)
            ck_assert_msg(!in_ledger(id, r), "transfer %ld was refused, and is there", (long)id);
    }
    evpq_future_unref(f);
    ck_assert_int_eq(ask("select sum(credit) from account"), ACCOUNTS * CREDIT);
    ck_assert_int_eq(ask("select count(*) - count(distinct id) from ledger"), 0);
}

static void set_up(void)
{
    server_exec("set client_min_messages = warning; drop table if exists account, ledger;"
                " create table account (id int primary key, credit int8 not null);"
                " create table ledger (id int8 not null)"); /* where nothing stops a second one */
    server_exec(strf("insert into account select i, %d from generate_series(0, %d) i", CREDIT,
                     ACCOUNTS - 1));
    bank.dice.state = bank.dice.seed =
        dice_environment("EVPQ_SEED", (uint64_t)time(NULL) * 1000003);
    bank.room = 1000000;
    bank.fates = calloc(bank.room, 1);
}

START_TEST(f40_the_sum_never_changes)
{
    double seconds = (double)dice_environment("EVPQ_BANK_SECONDS", 3);
    int crashes = (int)dice_environment("EVPQ_BANK_CRASHES", 0);
    evpq_future *workers[WORKERS];
    set_up();
    bank.proxy = server_proxy();
    open_pool_at(server_conninfo_port(SERVER_TCP, proxy_port(bank.proxy), NULL),
                 .max_size = CONNECTIONS, .backoff_min = 0.01, .backoff_max = 0.1);
    struct ev_loop *ev = evpq_loop_ev(loop);
    bank.ends = ev_now(ev) + seconds;
    ev_timer_init(&bank.killer, kill_one, 0.1, 0.1);
    ev_timer_init(&bank.auditor, check_sum, 0.05, 0.05);
    ev_timer_start(ev, &bank.killer);
    ev_timer_start(ev, &bank.auditor);
    for (int i = 0; i < WORKERS; i++)
        workers[i] = spawn(worker, NULL);
    for (int i = 1; i <= crashes; i++) {
        run_for(ev, seconds / (crashes + 1));
        crash();
    }
    for (int i = 0; i < WORKERS; i++)
        ck_done(workers[i]);
    ev_timer_stop(ev, &bank.killer);
    ev_timer_stop(ev, &bank.auditor);
    bank.audit = evpq_future_unref(bank.audit);
    proxy_disarm(bank.proxy);
    ck_all_over();
    fprintf(stderr,
            "# %.0f s: %ld acknowledged, %ld refused, %ld unknown, %ld tries more; %ld kills,"
            " %ld answers to COMMIT cut off\n",
            seconds, bank.acknowledged, bank.refused, bank.unknown, bank.again, bank.kills,
            proxy_stats(bank.proxy).fired);
    ck_assert_int_gt(bank.acknowledged, 0);
    ck_ledger();
    free(bank.fates);
    server_exec("drop table account, ledger");
    pools_end();
    proxy_stop(bank.proxy);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("a bank");
    double seconds = (double)dice_environment("EVPQ_BANK_SECONDS", 3);
    CHECK_ADD_SLOW(c, f40_the_sum_never_changes, 60 + 4 * seconds);
    return check_end(c);
}
