/* test_task_schedules.c - F46: random tasks, which wait for each other and for random things, are
 * canceled, run out of time and let go of in random order. Each begins once or never, ends once,
 * and runs what it deferred once, last first; no group ends before its tasks; nothing stays
 * behind. */
#include "tasks/task.h"

#include "support/check.h"
#include "support/dice.h"

#include <math.h>

enum { MOST = 9, PROMISES = 3, STEPS = 10, SCRIPT = 6, DEFERRED = 8, ROUNDS = 40 };

struct node {
    evpq_future *f;
    bool ours;         /* a reference is held */
    bool loose;        /* it may be let go of before the end, and nobody waits for it */
    int begun, ended;  /* its function */
    int freed;         /* its argument */
    int watched, told; /* callbacks added and called */
    evpq_status status;
    bool dropped;            /* its future was canceled */
    bool late;               /* it has been told that its time is up */
    int canceled;            /* so often it has been told that */
    int pushed[DEFERRED], n; /* deferred, by number */
    int numbers;
    struct family *family; /* whose child it is */
};

/* A group; it is gone when its join has settled. */
struct family {
    evpq_group *group;
    bool canceled; /* the join's future was, and settled at once */
};

static struct {
    struct dice dice;
    evpq_loop *loop;
    struct node nodes[MOST];
    int n;
    struct family families[MOST];
    int n_families;
    evpq_future *promises[PROMISES];
    int stops, deadlines; /* so many there were */
    long values;          /* given and not freed yet */
} s;

#define HOLDS(condition) DICE_HOLDS(&s.dice, condition)

static unsigned below(unsigned n)
{
    return dice_below(&s.dice, n);
}

static struct node *some_node(void)
{
    return &s.nodes[below((unsigned)s.n)];
}

/* What others may wait for: in the end it can be canceled, for those who wait in a circle. */
static evpq_future *some_task(void)
{
    struct node *t = some_node();
    return t->loose ? evpq_sleep(s.loop, 0.) : evpq_future_ref(t->f);
}

static evpq_future *some_promise(void)
{
    return s.promises[below(PROMISES)];
}

static void free_value(void *value)
{
    s.values--;
}

/* ---- from outside ---- */

static void told(evpq_future *f, void *arg)
{
    struct node *t = arg;
    evpq_status status = evpq_future_status(f);
    HOLDS(status != EVPQ_PENDING);
    HOLDS(t->told == 0 || t->status == status);
    HOLDS(t->dropped || (t->begun == t->ended && t->n == 0 && t->freed == 1));
    HOLDS(t->begun || status == EVPQ_CANCELED || status == EVPQ_TIMEOUT);
    t->told++;
    t->status = status;
}

static void watch(struct node *t)
{
    if (!t->ours)
        return;
    t->watched++;
    HOLDS(evpq_future_on_done(t->f, told, t) == EVPQ_OK);
}

static void let_go(struct node *t)
{
    if (t->ours && t->loose) {
        evpq_future_unref(t->f);
        t->ours = false;
    }
}

static void cancel(struct node *t)
{
    s.stops++;
    if (t->ours)
        evpq_task_cancel(t->f);
}

static void cancel_future(struct node *t)
{
    if (!t->ours)
        return;
    s.stops++;
    t->dropped |= evpq_future_status(t->f) == EVPQ_PENDING;
    evpq_future_cancel(t->f);
    HOLDS(evpq_future_status(t->f) != EVPQ_PENDING);
}

static void settle(evpq_future *f)
{
    if (below(3) == 0) {
        evpq_future_set_error(f, EVPQ_LOST, "lost");
    } else {
        s.values += evpq_future_status(f) == EVPQ_PENDING;
        evpq_future_set_value(f, &s, free_value);
    }
}

/* ---- from inside ---- */

/* Of a future that nobody else has, pending as it began to wait. */
static void check_private(struct node *t, evpq_status status)
{
    switch (status) {
    case EVPQ_OK:
        HOLDS(!t->late);
        break;
    case EVPQ_CANCELED:
        HOLDS(!t->late);
        HOLDS(++t->canceled <= s.stops);
        break;
    case EVPQ_TIMEOUT:
        HOLDS(s.deadlines > 0);
        t->late = true;
        break;
    default:
        HOLDS(!"another outcome");
    }
}

static evpq_status wait_for(evpq_future *f)
{
    evpq_status status = evpq_await(f);
    HOLDS(status != EVPQ_PENDING);
    /* A task that is late is told so by what is done, too. */
    HOLDS(status == evpq_future_status(f) || status == EVPQ_DEADLOCK ||
          (status == EVPQ_TIMEOUT && evpq_future_status(f) == EVPQ_OK));
    evpq_future_unref(f);
    return status;
}

static void deferred(void *arg)
{
    struct node *t = &s.nodes[(uintptr_t)arg % MOST];
    HOLDS(t->n > 0 && t->pushed[--t->n] == (int)((uintptr_t)arg / MOST));
    HOLDS(t->ended == 1 && t->freed == 0);
    if (below(4) == 0)
        cancel(t);
    if (below(2))
        HOLDS(wait_for(evpq_sleep(s.loop, 0.)) == EVPQ_OK);
}

static void defer(evpq_task *self, struct node *t)
{
    if (t->n == DEFERRED)
        return;
    int number = ++t->numbers;
    uintptr_t arg = (uintptr_t)number * MOST + (uintptr_t)(t - s.nodes);
    HOLDS(evpq_task_defer(self, deferred, (void *)arg) == EVPQ_OK);
    t->pushed[t->n++] = number;
}

static evpq_future *some_future(void)
{
    evpq_future *two[2];
    switch (below(6)) {
    case 0:
        return some_task();
    case 1:
        return evpq_timeout(evpq_future_ref(some_promise()), below(2) ? 0. : 1e6);
    case 2:
        two[0] = evpq_future_ref(some_promise());
        two[1] = some_task();
        s.stops++; /* it may be canceled with the other */
        for (int i = 0; i < s.n; i++)
            s.nodes[i].dropped |= s.nodes[i].f == two[1];
        return below(2) ? evpq_all(two, 2) : evpq_race(two, 2);
    case 3:
        return evpq_shield(some_task());
    default:
        return evpq_future_ref(some_promise());
    }
}

static void spawn(struct family *family);

static evpq_future *run_family(void)
{
    if (s.n_families == MOST)
        return NULL;
    struct family *family = &s.families[s.n_families++];
    evpq_group_opts opts = {.size = sizeof opts, .limit = (int)below(3)};
    *family = (struct family){.group = evpq_group_open(s.loop, &opts)};
    for (unsigned n = below(4); n; n--)
        spawn(family);
    s.stops += 3; /* one of them may fail, and the group be canceled, and left to its end */
    if (below(4) == 0)
        evpq_group_cancel(family->group);
    if (below(4) == 0)
        return NULL;
    return evpq_group_join(family->group);
}

static void check_family(const struct family *family, evpq_status status)
{
    for (int i = 0; i < s.n; i++) {
        const struct node *t = &s.nodes[i];
        if (t->family != family)
            continue;
        HOLDS(t->freed == 1 && t->begun == t->ended);
        if (!t->ours)
            continue;
        HOLDS(evpq_future_status(t->f) != EVPQ_PENDING);
        HOLDS(status != EVPQ_OK || evpq_future_status(t->f) == EVPQ_OK ||
              evpq_future_status(t->f) == EVPQ_CANCELED);
    }
}

static void one_step(evpq_task *self, struct node *t)
{
    switch (below(12)) {
    case 0:
        check_private(t, wait_for(evpq_sleep(s.loop, 0.)));
        break;
    case 1:
        check_private(t, evpq_yield(self));
        break;
    case 2:
    case 3:
        defer(self, t);
        break;
    case 4:
        cancel(some_node());
        break;
    case 5:
        cancel_future(some_node());
        break;
    case 6:
        s.deadlines++;
        HOLDS(evpq_task_set_deadline(self, below(3) ? 1e6 : 0.) == EVPQ_OK);
        break;
    case 7: {
        int before = s.n_families;
        evpq_future *join = run_family();
        if (join) {
            evpq_status status = wait_for(join);
            if (status != EVPQ_DEADLOCK)
                check_family(&s.families[before], status);
        }
        break;
    }
    case 8:
        settle(some_promise());
        break;
    case 9:
        if (below(2))
            let_go(some_node());
        else
            spawn(NULL);
        break;
    default:
        wait_for(some_future());
        break;
    }
}

static evpq_future *script(evpq_task *self, void *arg)
{
    struct node *t = arg;
    HOLDS(t->begun++ == 0 && t->freed == 0);
    HOLDS(evpq_task_current(s.loop) == self);
    for (unsigned n = below(SCRIPT); n; n--) {
        one_step(self, t);
        HOLDS(evpq_task_current(s.loop) == self);
    }
    t->ended++;
    switch (below(5)) {
    case 0:
        return evpq_future_failed(s.loop, EVPQ_TYPE, "on purpose");
    case 1:
        s.values++;
        return evpq_future_ok(s.loop, &s, free_value);
    case 2:
        return below(2) ? evpq_future_ref(some_promise()) : some_task();
    case 3:
        return run_family();
    default:
        return NULL;
    }
}

static void free_arg(void *arg)
{
    struct node *t = arg;
    HOLDS(t->freed++ == 0 && t->begun == t->ended && t->n == 0);
}

static void spawn(struct family *family)
{
    static const double deadlines[] = {0., 0., 0., 1e6, 1e-9, -1.};
    if (s.n == MOST)
        return;
    struct node *t = &s.nodes[s.n++];
    evpq_task_opts opts = {.size = sizeof opts, .deadline = deadlines[below(6)]};
    opts.free_arg = free_arg;
    s.deadlines += opts.deadline > 0;
    *t = (struct node){.ours = true, .loose = below(2), .family = family};
    t->f = family ? evpq_group_spawn(family->group, script, t, &opts)
                  : evpq_task_spawn(s.loop, script, t, &opts);
    watch(t);
}

/* ---- schedules ---- */

static void run_a_turn(void)
{
    ev_run(evpq_loop_ev(s.loop), EVRUN_NOWAIT);
}

static void step(void)
{
    switch (below(8)) {
    case 0:
        settle(some_promise());
        break;
    case 1:
        cancel(some_node());
        break;
    case 2:
        cancel_future(some_node());
        break;
    case 3:
        let_go(some_node());
        break;
    case 4:
        watch(some_node());
        break;
    case 5:
        spawn(NULL);
        break;
    default:
        run_a_turn();
        break;
    }
}

static bool any_left(void)
{
    struct loop_data *data = *loop_data_of(s.loop);
    return !list_empty(&container_of(data, struct tasks, loop_data)->live);
}

/* First of themselves, then by being canceled; those that wait in a circle by their futures. */
static void finish(void)
{
    for (int round = 0; any_left() && round < ROUNDS; round++) {
        for (int i = 0; i < PROMISES; i++)
            settle(s.promises[i]);
        run_a_turn();
    }
    for (int round = 0; any_left() && round < 2 * ROUNDS; round++) {
        for (int i = 0; i < s.n; i++)
            (round < ROUNDS ? cancel : cancel_future)(&s.nodes[i]);
        run_a_turn();
    }
    HOLDS(!any_left());
    while (ev_run(evpq_loop_ev(s.loop), EVRUN_NOWAIT))
        ;
}

static void check_all(void)
{
    for (int i = 0; i < s.n; i++) {
        struct node *t = &s.nodes[i];
        HOLDS(t->begun <= 1 && t->ended == t->begun && t->freed == 1 && t->n == 0);
        HOLDS(t->told == t->watched);
        HOLDS(!t->ours || evpq_future_status(t->f) == t->status);
        evpq_future_unref(t->ours ? t->f : NULL);
    }
    HOLDS(s.values == 0);
}

static void schedule(void)
{
    s.n = s.n_families = s.stops = s.deadlines = 0;
    for (int i = 0; i < PROMISES; i++)
        s.promises[i] = evpq_future_new(s.loop, NULL, NULL);
    for (unsigned n = 1 + below(4); n; n--)
        spawn(NULL);
    for (unsigned n = 1 + below(STEPS); n; n--)
        step();
    finish();
    for (int i = 0; i < PROMISES; i++) {
        settle(s.promises[i]);
        evpq_future_unref(s.promises[i]);
    }
    check_all();
}

START_TEST(f46_each_task_of_any_schedule_ends_exactly_once)
{
    s.loop = evpq_loop_new(NULL);
    dice_schedules(&s.dice, schedule);
    evpq_loop_unref(s.loop);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("task schedules");
    CHECK_ADD_SLOW(c, f46_each_task_of_any_schedule_ends_exactly_once, 300);
    return check_end(c);
}
