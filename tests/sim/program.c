/* program.c - the pool of the workload, with options that are drawn, and a call on it. */
#include "sim/asks.h"

#include "sim/memory.h"
#include "sim/server.h"
#include "sim/sql.h"

struct program program;

static double seconds_of(sim_time t)
{
    return (double)t * 1e-9;
}

/* Now and then it fails, and the connection goes. */
static evpq_future *hook(evpq_lease *lease, void *arg)
{
    (void)arg;
    switch (chance_below(6)) {
    case 0:
        return NULL;
    case 1:
        return evpq_lease_query(lease, SQL_FAIL, EVPQ_ARGS(0));
    default:
        return evpq_lease_query(lease, SQL_ECHO, EVPQ_ARGS(0));
    }
}

static evpq_hook_fn *maybe_hook(void)
{
    return chance_one_in(8) ? hook : NULL;
}

void program_noticed(const evpq_error *notice, void *arg)
{
    (void)arg;
    trace("notice: %s", evpq_error_message(notice));
}

/* At the first of them nobody is, now and then. */
static const char *hosts(void)
{
    return chance_one_in(12)
               ? "host=10.0.0.2,10.0.0.1 port=5432,5432 user=sim dbname=sim passfile=/none "
                 "sslmode=disable gssencmode=disable client_encoding=UTF8"
               : "host=10.0.0.1 port=5432 user=sim dbname=sim passfile=/none sslmode=disable "
                 "gssencmode=disable client_encoding=UTF8";
}

void program_open_pool(void)
{
    static const int depths[] = {1, 2, 8, 128};
    program.next_token = 1; /* 0 is that of hooks */
    program.max_size = program.most = 1 + (int)chance_below(4);
    program.query_timeout = chance_one_in(3) ? chance_time(20 * SIM_MS, 3 * SIM_S) : SIM_NEVER;
    program.acquire_timeout = chance_time(50 * SIM_MS, 10 * SIM_S);
    program.flows = chance_one_in(2) ? 2 + chance_below(6) : 0;
    program.listens = !server_faults()->pooled && chance_one_in(3) ? 1 + chance_below(5) : 0;
    program.hurries = chance_one_in(3) ? 2 + chance_below(3) : 0;
    program.eager = chance_one_in(12) ? 4 + chance_below(12) : 0;
    program.cancel_timeout = chance_one_in(8) ? 5 * SIM_S : chance_time(20 * SIM_MS, 3 * SIM_S);
    bool full = chance_one_in(2), pooled = server_faults()->pooled, usual = chance_one_in(4);
    program.hides = full && !pooled && chance_one_in(3) ? 2 + chance_below(6) : 0;
    program.forgets = !pooled && chance_one_in(4) ? 2 + chance_below(6) : 0;
    program.misuses = chance_one_in(10) ? 3 + chance_below(6) : 0;
    program.probes = chance_one_in(2) ? 1 + chance_below(3) : 0;
    program.result_most = chance_one_in(12) ? 3600 + chance_below(1500) : 0;
    if (program.result_most)
        oracle_results_are_limited();
    bool patient = chance_one_in(8);
    if (patient)
        program.acquire_timeout = SIM_NEVER;
    evpq_hook_fn *after_connect = maybe_hook();
    program.after_connect = after_connect;
    evpq_pool_opts opts = {
        .size = sizeof opts,
        .min_size = chance_one_in(2) ? (int)chance_below((unsigned)program.max_size + 1) : 0,
        .max_size = program.max_size,
        .max_waiting = chance_one_in(4) ? 1 + (int)chance_below(8) : 0,
        .acquire_timeout = patient ? -1 : seconds_of(program.acquire_timeout),
        .query_timeout = program.query_timeout == SIM_NEVER ? 0 : seconds_of(program.query_timeout),
        .connect_timeout = chance_one_in(16) ? 0 : seconds_of(chance_time(50 * SIM_MS, 3 * SIM_S)),
        .cancel_timeout =
            program.cancel_timeout == 5 * SIM_S ? 0 : seconds_of(program.cancel_timeout),
        .idle_timeout = chance_one_in(3) ? seconds_of(chance_time(SIM_MS, SIM_S)) : 0,
        .lifetime_jitter = chance_one_in(8) ? 0.0001 : 0,
        .max_lifetime = chance_one_in(3) ? seconds_of(chance_time(SIM_MS, 3 * SIM_S)) : 0,
        .backoff_min = 0.005,
        .backoff_max = 0.1,
        .pipeline_depth = depths[chance_below(4)],
        .prepare = chance_one_in(4) ? EVPQ_PREPARE_OFF : EVPQ_PREPARE_AUTO,
        .prepared_max = chance_one_in(2) ? 1 + (int)chance_below(4) : 0,
        .prepared_lifetime = chance_one_in(6) ? 0.05 : 0,
        .after_connect = after_connect,
        .before_acquire = maybe_hook(),
        .after_release = maybe_hook(),
        .reset = !full   ? EVPQ_RESET_ROLLBACK
                 : usual ? EVPQ_RESET_DEFAULT
                         : EVPQ_RESET_FULL,
        .max_result_bytes = program.result_most,
        .max_buffer_bytes = chance_one_in(12) ? 64 + chance_below(4000) : 0,
        .on_notice = chance_one_in(2) ? program_noticed : NULL,
    };
    evpq_error *error = NULL;
    program.pool = evpq_pool_open(program.loop, hosts(), &opts, &error);
    if (!program.pool)
        violation("no pool: %s", evpq_error_message(error));
}

evpq_txn_opts draw_txn_opts(sim_time *ret_due)
{
    sim_time timeout = chance_one_in(3) ? chance_time(5 * SIM_MS, 3 * SIM_S) : SIM_NEVER;
    *ret_due = timeout == SIM_NEVER ? SIM_NEVER : world_now() + timeout;
    return (evpq_txn_opts){
        .size = sizeof(evpq_txn_opts),
        .isolation = (evpq_isolation)chance_below(EVPQ_ISOLATION_SERIALIZABLE + 1),
        .deferrable = chance_one_in(8),
        .probe = chance_one_in(program.probes),
        .tries = (int)chance_below(4),
        .backoff_min = chance_one_in(2) ? 0.001 : 0,
        .backoff_max = chance_one_in(2) ? 0.1 : 0,
        .timeout = timeout == SIM_NEVER ? (chance_one_in(2) ? -1 : 0) : seconds_of(timeout),
    };
}

/* ---- one call ---- */

int64_t take_tokens(int n)
{
    int64_t first = program.next_token;
    program.next_token += n;
    return first;
}

/* With a deadline, or without one; now and then so that giving it up does not stop it. */
static evpq_future *limited(evpq_future *f, bool shields, sim_time *due)
{
    bool scarce = memory_is_scarce(false);
    if (shields && chance_one_in(16))
        f = evpq_shield(f);
    if (chance_one_in(2)) {
        sim_time in = chance_time(SIM_MS, 3 * SIM_S);
        if (world_now() + in < *due)
            *due = world_now() + in;
        f = evpq_timeout(f, seconds_of(in));
    }
    memory_is_scarce(scarce);
    return f;
}

/* By when the pool's own limits end it. */
static sim_time pool_limits(enum verb verb)
{
    switch (verb) {
    case VERB_INSERT:
    case VERB_BATCH:
    case VERB_MANY:
    case VERB_PART:
    case VERB_DELETE:
    case VERB_COMMIT:
    case VERB_READ:
    case VERB_SEE:
    case VERB_BEGIN_SQL:
    case VERB_HIDE:
    case VERB_SERIES:
        return program.query_timeout == SIM_NEVER ? SIM_NEVER : world_now() + program.query_timeout;
    case VERB_ACQUIRE:
    case VERB_BEGIN:
        return program.acquire_timeout == SIM_NEVER ? SIM_NEVER
                                                    : world_now() + program.acquire_timeout;
    default:
        return SIM_NEVER;
    }
}

struct call *ask(enum verb verb, evpq_future *f, int64_t first, int n, void *owner)
{
    return ask_by(verb, f, first, n, owner, SIM_NEVER);
}

struct call *ask_by(enum verb verb, evpq_future *f, int64_t first, int n, void *owner, sim_time due)
{
    if (pool_limits(verb) < due)
        due = pool_limits(verb);
    /* The end of a transaction, given up so, would leave its lease borrowed. */
    f = limited(f, verb != VERB_COMMIT && verb != VERB_ROLLBACK, &due);
    return oracle_note(verb, f, first, n, due, owner);
}
