/* lose_commit.c - one transaction with a probe whose COMMIT is never answered: what tests/it_probe
 * asks of the library.
 *
 *     lose_commit HOW FROM TO TOKEN HOOK [THEN]
 *
 * Inserts TOKEN into the table token of the server FROM, and commits. HOW is `answered', when the
 * server carries COMMIT out and its answer stays in the network; `held', when the server is still
 * at work on it (for what it had been asked before, the answers have arrived); or `kept', when
 * nothing is lost, and that is all. Then HOOK is run, a line of shell, the link is cut, and from
 * then on the same address leads to the server TO; two seconds later to THEN, if that is given. A
 * server is the port of a unix socket in the folder SERVERS.
 *
 * Prints `committed', `rejected' or `unknown', and the error with its detail. */
#include "support/check.h"
#include "support/proxy.h"

#include <evpq/evpq.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static evpq_loop *loop;
static struct proxy *proxy;

static void die(const char *what)
{
    fprintf(stderr, "lose_commit: %s\n", what);
    exit(2);
}

static void run(double seconds)
{
    run_for(evpq_loop_ev(loop), seconds);
}

static void lead_to(const char *server)
{
    proxy_target(proxy, getenv("SERVERS"), atoi(server));
    proxy_cut(proxy);
}

static evpq_txn *begin(evpq_pool *pool, const char *token)
{
    evpq_future *f =
        evpq_pool_begin(pool, &(evpq_txn_opts){.size = sizeof(evpq_txn_opts), .probe = true});
    evpq_await(f);
    evpq_txn *txn = evpq_future_txn(f);
    evpq_future_unref(f);
    if (!txn)
        die("no transaction");
    f = evpq_txn_query(txn, "insert into token values ($1)", EVPQ_ARGS(token));
    if (evpq_await(f))
        die(evpq_error_message(evpq_future_error(f)));
    evpq_future_unref(f);
    return txn;
}

static void arm(bool held)
{
    proxy_arm(proxy, &(struct proxy_trigger){.dir = PROXY_TO_CLIENT,
                                             .act = PROXY_STALL,
                                             .bytes = held ? "ROLLBACK" : "COMMIT",
                                             .before = !held});
}

/* Until COMMIT, or its answer, is where it stays. */
static void wait_for_loss(void)
{
    if (!RUN_UNTIL(evpq_loop_ev(loop), proxy_stats(proxy).fired == 1, 30))
        die("the answers were not seen");
    run(0.2);
}

static void report(evpq_future *end)
{
    static const char *const said[] = {
        [EVPQ_OUTCOME_NOT_SENT] = "not-sent",
        [EVPQ_OUTCOME_REJECTED] = "rejected",
        [EVPQ_OUTCOME_UNKNOWN] = "unknown",
    };
    if (evpq_await(end) == EVPQ_OK) {
        puts("committed");
        return;
    }
    const evpq_error *error = evpq_future_error(end);
    printf("%s %s: %s: %s\n", said[evpq_error_outcome(error)],
           evpq_status_name(evpq_error_status(error)), evpq_error_message(error),
           evpq_error_detail(error));
}

int main(int argc, char **argv)
{
    if (argc < 6 || !getenv("SERVERS"))
        die("usage: lose_commit HOW FROM TO TOKEN HOOK [THEN]");
    const char *how = argv[1], *to = argv[3], *hook = argv[5];
    bool kept = !strcmp(how, "kept"), held = !strcmp(how, "held");
    const char *user = getenv("EVPQ_ROLE") ? getenv("EVPQ_ROLE") : "postgres";
    loop = evpq_loop_new(NULL);
    proxy = proxy_start(getenv("SERVERS"), atoi(argv[2]));
    char conninfo[128];
    snprintf(conninfo, sizeof conninfo, "host=127.0.0.1 port=%d user=%s dbname=postgres",
             proxy_port(proxy), user);
    evpq_pool *pool = evpq_pool_open(
        loop, conninfo, &(evpq_pool_opts){.size = sizeof(evpq_pool_opts), .max_size = 1}, NULL);
    if (!pool)
        die("no pool");
    evpq_txn *txn = begin(pool, argv[4]);
    if (!kept)
        arm(held);
    evpq_future *end = evpq_txn_commit(txn);
    if (!kept) {
        wait_for_loss();
        if (system(hook)) // NOLINT: a line of the test's own
            die("the hook failed");
        lead_to(to);
    }
    if (argc > 6) {
        run(2);
        lead_to(argv[6]);
    }
    report(end);
    evpq_future_unref(end);
    evpq_future *closed = evpq_pool_close(pool, 0);
    evpq_await(closed);
    evpq_future_unref(closed);
    evpq_pool_unref(pool);
    evpq_loop_unref(loop);
    proxy_stop(proxy);
    return 0;
}
