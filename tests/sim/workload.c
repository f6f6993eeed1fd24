/* workload.c - a program that uses a pool in every way, at random.
 *
 * Something is done at random times from outside the loop, and now and then from a callback. Which
 * things a run may do, and how often, is drawn at its beginning: a run with everything would hide
 * what happens when only two things meet. */
#include "sim/workload.h"

#include "sim/asks.h"
#include "sim/child.h"
#include "sim/kernel.h"
#include "sim/listening.h"
#include "sim/memory.h"
#include "sim/net.h"
#include "sim/notify.h"
#include "sim/oracle.h"
#include "sim/server.h"

#include <ev.h>
#include <string.h>

enum { ACTIONS_MOST = 60, TURNS_MOST = 200000 };

/* One in so many actions is one of these; 0: none. */
static struct {
    unsigned kills, cuts, silences, crashes, stalls, resizes, cancels, drains, changes, forks;
    unsigned memory; /* one in so many allocations fails */
    bool scarce;     /* memory, also while the pool closes */
} habits;

static int actions_left;
static bool acts; /* it is time for the next action */
static struct event next_action;
static sim_time pause_most;

/* ---- what befalls it ---- */

static void cut_some_link(void)
{
    struct link *l = net_some_link();
    if (l)
        net_cut(l, chance_one_in(2));
}

static void silence_some_link(void)
{
    struct link *l = net_some_link();
    if (l)
        net_silence(l);
}

static void kill_some_backend(void)
{
    struct backend *b = server_some_backend();
    if (b && chance_one_in(4))
        backend_die(b);
    else if (b)
        backend_terminate(b);
}

/* The program does something else; the world goes on. */
static void stall(void)
{
    sim_time lasts = chance_time(SIM_MS, 2 * SIM_S);
    trace("stall of %lld us", (long long)(lasts / SIM_US));
    world_run_until(world_now() + lasts);
    oracle_stalled(lasts);
}

/* Once in a run: it takes its time. */
static void be_forked(void)
{
    habits.forks = 0;
    child_live();
}

static bool misfortune(void)
{
    if (chance_one_in(habits.kills))
        kill_some_backend();
    else if (chance_one_in(habits.cuts))
        cut_some_link();
    else if (chance_one_in(habits.silences))
        silence_some_link();
    else if (chance_one_in(habits.crashes))
        server_crash(chance_one_in(12) ? 40 * SIM_S : chance_time(SIM_MS, 2 * SIM_S));
    else if (chance_one_in(habits.stalls))
        stall();
    else if (chance_one_in(habits.changes))
        server_change_schema();
    else if (chance_one_in(habits.forks))
        be_forked();
    else
        return false;
    return true;
}

/* ---- what it does ---- */

static void resize(void)
{
    int most = 1 + (int)chance_below(5), least = (int)chance_below((unsigned)most + 1);
    trace("resize to %d..%d", least, most);
    if (evpq_pool_resize(program.pool, least, most) != EVPQ_OK)
        violation("a pool cannot be resized");
    program.max_size = most;
    if (most > program.most)
        program.most = most;
}

static void cancel_some_call(void)
{
    struct call *c = oracle_some_pending();
    if (!c)
        return;
    trace("cancel of call %d", c->number);
    evpq_future_cancel(c->f);
}

static void act(void)
{
    if (chance_one_in(habits.cancels))
        cancel_some_call();
    else if (chance_one_in(habits.resizes))
        resize();
    else if (chance_one_in(habits.drains))
        oracle_note(VERB_DRAIN, evpq_pool_drain(program.pool), 0, 0, SIM_NEVER, NULL);
    else
        ask_something();
}

static void told(struct call *c)
{
    asks_told(c);
    if (actions_left > 0 && chance_one_in(4 * habits.stalls))
        stall();
    if (actions_left > 0 && chance_one_in(6)) {
        actions_left--;
        act();
    }
}

static void time_to_act(struct event *e)
{
    acts = true;
    sim_time most = chance_one_in(program.hurries) ? 100 * SIM_US : pause_most;
    event_set(e, world_now() + chance_time(SIM_US, most));
    kernel_interrupt();
}

/* Connections over a new limit go when they are idle. */
static void look(void)
{
    static const evpq_pool_stats none;
    evpq_pool_stats s = none;
    s.size = sizeof s;
    oracle_hear();
    if (evpq_pool_get_stats(program.pool, &s) != EVPQ_OK)
        violation("a pool has no statistics");
    int total = s.connecting + s.idle + s.busy + s.leased + s.closing;
    if (program.most < program.max_size || total <= program.max_size)
        program.most = program.max_size;
    oracle_turn(program.pool, program.most);
}

static unsigned long long turns_made; /* in all runs */

unsigned long long workload_turns(void)
{
    return turns_made;
}

static void turn(struct ev_loop *ev)
{
    turns_made++;
    ev_run(ev, EVRUN_ONCE);
    look();
    if (program.listens)
        listening_go_on();
}

/* ---- a run ---- */

static unsigned maybe(unsigned one_in_runs, unsigned n)
{
    return chance_one_in(one_in_runs) ? n : 0;
}

static struct weather weather;
static struct server_faults faults;

/* What is 0 where there is nothing of the kind. */
static const struct {
    const char *name;
    unsigned *is;
} kinds[] = {
    {"splits", &weather.splits},
    {"refuses", &weather.refuses},
    {"silent-connects", &weather.silent_connects},
    {"small-rooms", &weather.small_rooms},
    {"errors", &faults.errors},
    {"slow", &faults.slow},
    {"slow-ends", &faults.slow_ends},
    {"cancel-misses", &faults.cancel_misses},
    {"late-signals", &faults.late_signals},
    {"pooler", &faults.pooled},
    {"apart", &faults.apart},
    {"left-open", &faults.left_open},
    {"kills", &habits.kills},
    {"cuts", &habits.cuts},
    {"silences", &habits.silences},
    {"crashes", &habits.crashes},
    {"stalls", &habits.stalls},
    {"changes", &habits.changes},
    {"resizes", &habits.resizes},
    {"cancels", &habits.cancels},
    {"drains", &habits.drains},
    {"memory", &habits.memory},
    {"flows", &program.flows},
    {"listener", &program.listens},
    {"hurries", &program.hurries},
    {"hides", &program.hides},
    {"forgets", &program.forgets},
    {"eager", &program.eager},
    {"misuses", &program.misuses},
    {"probes", &program.probes},
    {"garbles", &faults.garbles},
    {"forks", &habits.forks},
};
enum { KINDS = sizeof kinds / sizeof *kinds };

const char *workload_kind(int bit)
{
    return bit < KINDS ? kinds[bit].name : NULL;
}

static void leave_out(const struct less *less)
{
    for (int i = 0; less && i < KINDS; i++)
        if (less->without & 1U << i)
            *kinds[i].is = 0;
    if (less && less->actions && less->actions < actions_left)
        actions_left = less->actions;
}

static void draw_world(void)
{
    weather = (struct weather){
        .delay_most = chance_one_in(3) ? 100 * SIM_MS : SIM_MS,
        .splits = maybe(2, 3),
        .refuses = maybe(4, 6),
        .silent_connects = maybe(6, 8),
        .small_rooms = maybe(3, 2),
    };
    faults = (struct server_faults){
        .errors = maybe(3, 12),
        .slow = maybe(2, 6),
        .slow_ends = maybe(2, 4),
        .cancel_misses = maybe(4, 4),
        .late_signals = maybe(3, 3),
        .standbys = maybe(2, 3),
        .garbles = maybe(6, 40),
        .pooled = chance_one_in(4) ? 1 + chance_below(4) : 0,
    };
    faults.apart = faults.pooled ? 0 : maybe(6, 1);
    faults.left_open = faults.apart ? maybe(2, 1 + chance_below(4)) : 0;
    habits.kills = maybe(3, 12);
    habits.cuts = maybe(3, 12);
    /* A silent link would keep a pooler's session for hours. */
    habits.silences = faults.pooled ? 0 : maybe(5, 16);
    habits.crashes = maybe(6, 30);
    habits.stalls = maybe(5, 16);
    habits.changes = maybe(4, 6);
    habits.resizes = maybe(3, 12);
    habits.cancels = maybe(2, 5);
    habits.drains = maybe(6, 20);
    habits.forks = maybe(120, 20);
    habits.scarce = chance_one_in(2);
    habits.memory = maybe(5, 4 + chance_below(400));
    actions_left = 5 + (int)chance_below(ACTIONS_MOST);
    pause_most = chance_time(20 * SIM_US, 400 * SIM_MS);
}

static void live(struct ev_loop *ev)
{
    int turns = 0;
    event_init(&next_action, time_to_act);
    event_set(&next_action, 0);
    while (actions_left > 0) {
        acts = false;
        turn(ev);
        if (++turns > TURNS_MOST)
            violation("%d turns of the loop, and no end", turns);
        if (acts && actions_left-- > 0 && !misfortune())
            act();
    }
    event_cancel(&next_action);
}

/* Nothing befalls it any more: what is notified now is heard in the end. */
static void fall_silent(struct ev_loop *ev)
{
    sim_time until = world_now() + 400 * SIM_S, next = 0;
    while (!listening_is_even() || !next) {
        if (world_now() > until)
            violation("a notification is not heard");
        if (world_now() >= next) {
            listening_notify_all();
            next = world_now() + 7 * SIM_S;
        }
        turn(ev);
    }
    listening_close();
    while (listening_left())
        turn(ev);
}

/* All is given back; then what is still asked for has its time, or the pool's close has. */
static void end(struct ev_loop *ev)
{
    program.hurries = program.forgets = 0;
    bool waits = chance_one_in(2);
    double seconds = waits ? -1 : (double)chance_time(0, 3 * SIM_S) * 1e-9;
    trace("close in %.3f s", seconds);
    sim_time due =
        waits ? SIM_NEVER : world_now() + (sim_time)(seconds * 1e9) + 8 * program.cancel_timeout;
    oracle_note(VERB_CLOSE, evpq_pool_close(program.pool, seconds), 0, 0, due, NULL);
    for (int turns = 0; oracle_pending() || asks_hold_something(); turns++) {
        if (waits || !oracle_pending() || chance_one_in(8))
            asks_give_back();
        turn(ev);
        if (turns > TURNS_MOST)
            violation("%d turns of the loop, and no end", turns);
    }
}

void workload_run(const struct less *less)
{
    memset(&program, 0, sizeof program);
    draw_world();
    leave_out(less);
    net_begin(&weather);
    server_begin(&faults);
    memory_begin(habits.memory);
    table_begin();
    notify_begin();
    kernel_begin();
    oracle_begin();
    oracle_on_told(told);
    asks_begin();
    struct ev_loop *ev = kernel_loop();
    program.loop = evpq_loop_new(ev);
    program_open_pool();
    leave_out(less);
    if (program.listens)
        listening_open();
    memory_is_scarce(true);
    live(ev);
    memory_is_scarce(false);
    if (program.listens)
        fall_silent(ev);
    memory_is_scarce(habits.scarce);
    end(ev);
    memory_is_scarce(false);
    oracle_end();
    asks_end();
    evpq_pool_unref(program.pool);
    ev_run(ev, 0);
    evpq_loop_unref(program.loop);
    if (ev_run(ev, EVRUN_NOWAIT))
        violation("a watcher is left");
    ev_loop_destroy(ev);
    while (world_next() != SIM_NEVER)
        world_run_until(world_next());
    pooler_end();
    if (kernel_open_files() || kernel_threads() || server_backends() || net_links())
        violation("left are %d descriptors, %d threads, %d backends, %d links", kernel_open_files(),
                  kernel_threads(), server_backends(), net_links());
}
