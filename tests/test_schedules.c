/* test_schedules.c - F46: random trees of futures, settled, canceled, timed out and let go of in
 * random order. Each has one outcome, told once, and nothing of it stays behind. */
#include "async/future.h"

#include "support/check.h"
#include "support/dice.h"

#include <math.h>

enum kind { PROMISE, SLEEP, OK, FAILED, ALL, ALL_SETTLED, ANY, RACE, TIMEOUT, SHIELD, THEN, KINDS };
enum { LEAVES = OK + 2, MOST = 12, MEMBERS = 3, STEPS = 10 };

static const char *const names[KINDS] = {"promise", "sleep",       "ok",  "failed",
                                         "all",     "all_settled", "any", "race",
                                         "timeout", "shield",      "then"};

struct node {
    enum kind kind;
    evpq_future *f;
    bool ours;          /* a reference is held */
    bool open;          /* a promise that can still be settled, with or without a reference */
    int watched, told;  /* callbacks added and called */
    evpq_status status; /* as first told */
};

static struct {
    struct dice dice;
    evpq_loop *loop;
    struct node nodes[MOST];
    int n;
    long values; /* given and not freed yet */
} s;

/* Not by ck_assert, which makes a system call each time it holds. */
#define HOLDS(condition, node) \
 do {                          \
  if (!(condition))            \
   broken(#condition, node);   \
 } while (0)

static void broken(const char *what, const struct node *node)
{
    ck_abort_msg("%s: node %d, a %s (%s); EVPQ_SEED=%llu EVPQ_SCHEDULES=1", what,
                 (int)(node - s.nodes), names[node->kind],
                 node->ours ? check_future_text(node->f) : "let go of",
                 (unsigned long long)s.dice.seed);
}

static unsigned below(unsigned n)
{
    return dice_below(&s.dice, n);
}

/* ---- what must hold ---- */

/* Which members may be pending when a future of this kind has settled. */
static bool ends_its_members(enum kind kind)
{
    return kind >= ALL && kind != SHIELD;
}

static int members_with(const evpq_future *f, evpq_status status)
{
    int n = 0;
    for (size_t i = 0; i < evpq_future_count(f); i++)
        n += evpq_future_status(evpq_future_at(f, i)) == status;
    return n;
}

static void check_outcome(const struct node *node, evpq_future *f)
{
    int n = (int)evpq_future_count(f), ok = members_with(f, EVPQ_OK);
    bool done = evpq_future_status(f) == EVPQ_OK;
    if (ends_its_members(node->kind))
        HOLDS(members_with(f, EVPQ_PENDING) == 0, node);
    HOLDS(done == !evpq_future_error(f), node);
    switch (node->kind) {
    case ALL:
        HOLDS(done ? ok == n : ok < n || evpq_future_status(f) == EVPQ_CANCELED, node);
        break;
    case ANY:
    case RACE:
    case SHIELD:
    case THEN:
        HOLDS(!done || ok > 0, node);
        break;
    case TIMEOUT:
        HOLDS(!done || ok == 1, node);
        HOLDS(evpq_future_status(f) != EVPQ_TIMEOUT || ok == 0, node);
        break;
    case OK:
        HOLDS(done, node);
        break;
    case FAILED:
        HOLDS(evpq_future_status(f) == EVPQ_LOST, node);
        break;
    default:
        break;
    }
}

static void told(evpq_future *f, void *arg)
{
    struct node *node = arg;
    evpq_status status = evpq_future_status(f);
    HOLDS(status != EVPQ_PENDING, node);
    HOLDS(node->told == 0 || node->status == status, node);
    node->told++;
    node->status = status;
    check_outcome(node, f);
}

/* ---- trees ---- */

static void closed(evpq_future *f, void *arg)
{
    ((struct node *)arg)->open = false;
}

static void free_value(void *value)
{
    s.values--;
}

static void watch(struct node *node)
{
    node->watched++;
    HOLDS(evpq_future_on_done(node->f, told, node) == EVPQ_OK, node);
}

static evpq_future *some_member(void)
{
    struct node *node = &s.nodes[below((unsigned)s.n)];
    return node->ours ? evpq_future_ref(node->f) : evpq_sleep(s.loop, 0.);
}

static double some_time(void)
{
    static const double times[] = {0., -1., 1e6, INFINITY};
    return times[below(4)];
}

static struct node *grow(enum kind kind);

static evpq_future *then_function(evpq_future *first, void *arg)
{
    switch (below(4)) {
    case 0:
        return evpq_future_ref(first);
    case 1:
        return NULL;
    case 2:
        return evpq_timeout(evpq_sleep(s.loop, 1e6), 0.);
    default:
        return s.n < MOST ? evpq_future_ref(grow(PROMISE)->f) : evpq_sleep(s.loop, 0.);
    }
}

static evpq_future *make(enum kind kind, struct node *node)
{
    static evpq_future *(*const combinators[])(evpq_future *const *, size_t) = {
        [ALL] = evpq_all, [ALL_SETTLED] = evpq_all_settled, [ANY] = evpq_any, [RACE] = evpq_race};
    evpq_future *members[MEMBERS];
    unsigned n = 1 + below(MEMBERS);
    switch (kind) {
    case PROMISE:
        node->open = true;
        return evpq_future_new(s.loop, closed, node);
    case SLEEP:
        return evpq_sleep(s.loop, 0.);
    case OK:
        s.values++;
        return evpq_future_ok(s.loop, &s, free_value);
    case FAILED:
        return evpq_future_failed(s.loop, EVPQ_LOST, "failed");
    case TIMEOUT:
        return evpq_timeout(some_member(), some_time());
    case SHIELD:
        return evpq_shield(some_member());
    case THEN:
        return evpq_then(some_member(), then_function, NULL);
    default:
        for (unsigned i = 0; i < n; i++)
            members[i] = some_member();
        return combinators[kind](members, n);
    }
}

static struct node *grow(enum kind kind)
{
    struct node *node = &s.nodes[s.n];
    *node = (struct node){.kind = kind, .ours = true};
    node->f = make(kind, node);
    s.n++;
    watch(node);
    return node;
}

/* ---- schedules ---- */

static void settle(struct node *node)
{
    if (!node->open)
        return;
    node->open = false;
    if (below(3) == 0) {
        HOLDS(evpq_future_set_error(node->f, EVPQ_LOST, "lost"), node);
    } else {
        s.values++;
        HOLDS(evpq_future_set_value(node->f, &s, free_value), node);
    }
}

/* A canceled promise tells at the next turn; until then it is only known to have settled by its
 * status. */
static void cancel(struct node *node)
{
    if (!node->ours)
        return;
    evpq_future_cancel(node->f);
    HOLDS(evpq_future_status(node->f) != EVPQ_PENDING, node);
    for (int i = 0; i < s.n; i++)
        if (s.nodes[i].open && evpq_future_status(s.nodes[i].f) != EVPQ_PENDING)
            s.nodes[i].open = false;
}

static void let_go(struct node *node)
{
    if (node->ours)
        evpq_future_unref(node->f);
    node->ours = false;
}

static void step(void)
{
    struct node *node = &s.nodes[below((unsigned)s.n)];
    switch (below(8)) {
    case 0:
    case 1:
        settle(node);
        break;
    case 2:
        cancel(node);
        break;
    case 3:
        let_go(node);
        break;
    case 4:
        if (node->ours)
            watch(node);
        break;
    case 5:
        if (s.n < MOST)
            grow(below(KINDS));
        break;
    default:
        ev_run(evpq_loop_ev(s.loop), EVRUN_NOWAIT);
        break;
    }
}

static bool any_open(void)
{
    for (int i = 0; i < s.n; i++)
        if (s.nodes[i].open)
            return true;
    return false;
}

/* Settles what only the program can settle, and what grows meanwhile, until nothing is under
 * way. */
static void finish(void)
{
    bool alive;
    do {
        for (int i = 0; i < s.n; i++)
            settle(&s.nodes[i]);
        alive = ev_run(evpq_loop_ev(s.loop), EVRUN_NOWAIT);
    } while (alive || any_open());
}

static void check_all(void)
{
    for (int i = 0; i < s.n; i++) {
        struct node *node = &s.nodes[i];
        HOLDS(node->told == node->watched, node);
        HOLDS(!node->ours || evpq_future_status(node->f) == node->status, node);
        let_go(node);
    }
    HOLDS(s.values == 0, &s.nodes[0]); /* all that was given was freed */
}

static void schedule(void)
{
    s.n = 0;
    for (unsigned n = 1 + below(3); n; n--)
        grow(below(LEAVES));
    for (unsigned n = 1 + below(3); n; n--)
        grow(ALL + below(KINDS - ALL));
    for (unsigned n = 1 + below(STEPS); n; n--)
        step();
    finish();
    check_all();
}

START_TEST(f46_each_future_of_any_schedule_has_exactly_one_outcome)
{
    s.loop = evpq_loop_new(NULL);
    dice_schedules(&s.dice, schedule);
    evpq_loop_unref(s.loop);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("schedules");
    CHECK_ADD_SLOW(c, f46_each_future_of_any_schedule_has_exactly_one_outcome, 300);
    return check_end(c);
}
