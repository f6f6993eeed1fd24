/* test_channel_schedules.c - F46: random schedules of sends, receives and all that may become of
 * them, held against a model that knows of each item no more than where it is. */
#include "async/future.h"

#include "support/check.h"
#include "support/dice.h"

#include <evpq/sync.h>
#include <string.h>

enum { MOST = 32, STEPS = 32 };

static evpq_loop *loop;
static char things[MOST]; /* items are addresses in here */
static int freed[MOST];

static void free_thing(void *item)
{
    freed[(char *)item - things]++;
}

enum fate { UNSENT, WAITS, IN, OUT, TAKEN, FREED }; /* of an item; OUT: in a receive */

struct item {
    enum fate fate;
    evpq_future *send; /* while it is ours */
    evpq_status status;
};

struct reception {
    evpq_future *f; /* while it is ours */
    bool waits;
    int item; /* -1: none */
    evpq_status status;
};

static struct {
    struct dice dice;
    evpq_channel *channel;
    bool closed;
    size_t capacity;
    struct item items[MOST];
    struct reception receptions[MOST];
    int sends, receives;
} m;

#define MUST(condition) DICE_HOLDS(&m.dice, condition)

static int first_item(enum fate fate)
{
    for (int i = 0; i < m.sends; i++)
        if (m.items[i].fate == fate)
            return i;
    return -1;
}

static size_t items_of(enum fate fate)
{
    size_t n = 0;
    for (int i = 0; i < m.sends; i++)
        n += m.items[i].fate == fate;
    return n;
}

/* The first who waits and can be seen. */
static struct reception *first_reception(void)
{
    for (int i = 0; i < m.receives; i++)
        if (m.receptions[i].waits && m.receptions[i].f)
            return &m.receptions[i];
    return NULL;
}

static void model_serve(void)
{
    struct reception *r;
    int i;
    while ((i = first_item(IN)) >= 0 || (i = first_item(WAITS)) >= 0) {
        if (!(r = first_reception()))
            break;
        *r = (struct reception){.f = r->f, .item = i, .status = EVPQ_OK};
        m.items[i].fate = OUT;
        m.items[i].status = EVPQ_OK;
    }
    while (items_of(IN) < m.capacity && (i = first_item(WAITS)) >= 0) {
        m.items[i].fate = IN;
        m.items[i].status = EVPQ_OK;
    }
}

static void model_close(void)
{
    m.closed = true;
    for (int i = 0; i < m.sends; i++)
        if (m.items[i].fate == WAITS)
            m.items[i] = (struct item){FREED, m.items[i].send, EVPQ_CLOSED};
    for (int i = 0; i < m.receives; i++)
        if (m.receptions[i].waits) {
            m.receptions[i].waits = false;
            m.receptions[i].status = EVPQ_CLOSED;
        }
}

static void do_send(void)
{
    if (m.sends == MOST || !m.channel)
        return;
    struct item *i = &m.items[m.sends];
    *i = (struct item){WAITS, evpq_channel_send(m.channel, &things[m.sends]), EVPQ_PENDING};
    if (m.closed)
        *i = (struct item){FREED, i->send, EVPQ_CLOSED};
    m.sends++;
    model_serve();
}

static void do_receive(void)
{
    if (m.receives == MOST || !m.channel)
        return;
    struct reception *r = &m.receptions[m.receives++];
    *r = (struct reception){evpq_channel_receive(m.channel), true, -1, EVPQ_PENDING};
    model_serve();
    if (m.closed && r->waits) {
        r->waits = false;
        r->status = EVPQ_CLOSED;
    }
}

static void do_cancel_send(struct item *i)
{
    evpq_future_cancel(i->send);
    if (i->send && i->fate == WAITS) {
        i->fate = FREED;
        i->status = EVPQ_CANCELED;
    }
}

static void do_cancel_receive(struct reception *r)
{
    evpq_future_cancel(r->f);
    if (r->f && r->waits) {
        r->waits = false;
        r->status = EVPQ_CANCELED;
    }
}

static void do_let_go_receive(struct reception *r)
{
    if (!r->f)
        return;
    r->f = evpq_future_unref(r->f);
    if (r->item >= 0)
        m.items[r->item].fate = m.channel ? IN : FREED;
    r->item = -1;
    model_serve();
}

static void do_take(struct reception *r)
{
    char *item = evpq_channel_item(r->f);
    MUST(item == (r->f && r->item >= 0 ? &things[r->item] : NULL));
    if (r->f && r->item >= 0)
        m.items[r->item].fate = TAKEN;
    r->item = r->f ? -1 : r->item;
}

static void do_time_out(struct reception *r)
{
    if (!r->f)
        return;
    evpq_future *f = evpq_timeout(evpq_future_ref(r->f), -1.);
    evpq_loop_run(loop);
    MUST(evpq_future_status(f) == (r->waits ? EVPQ_TIMEOUT : r->status));
    evpq_future_unref(f);
    if (r->waits) {
        r->waits = false;
        r->status = EVPQ_CANCELED;
    }
}

static void do_close(void)
{
    evpq_channel_close(m.channel);
    if (m.channel)
        model_close();
}

static void do_end(void)
{
    if (!m.channel)
        return;
    m.channel = evpq_channel_unref(m.channel);
    model_close();
    for (int i = 0; i < m.sends; i++)
        if (m.items[i].fate == IN)
            m.items[i].fate = FREED;
}

static void check_model(void)
{
    for (int i = 0; i < m.sends; i++) {
        MUST(freed[i] == (m.items[i].fate == FREED));
        MUST(!m.items[i].send || evpq_future_status(m.items[i].send) == m.items[i].status);
    }
    for (int i = 0; i < m.receives; i++)
        MUST(!m.receptions[i].f || evpq_future_status(m.receptions[i].f) == m.receptions[i].status);
    MUST(evpq_channel_count(m.channel) == (m.channel ? items_of(IN) : 0));
}

static void step(void)
{
    struct item *i = &m.items[dice_below(&m.dice, (unsigned)m.sends + 1)];
    struct reception *r = &m.receptions[dice_below(&m.dice, (unsigned)m.receives + 1)];
    bool has_item = i < &m.items[m.sends], has_reception = r < &m.receptions[m.receives];
    unsigned what = dice_below(&m.dice, 24);
    if (what < 7)
        do_send();
    else if (what < 14)
        do_receive();
    else if (what < 16 && has_item)
        do_cancel_send(i);
    else if (what < 17 && has_item)
        i->send = evpq_future_unref(i->send);
    else if (what < 18 && has_reception)
        do_cancel_receive(r);
    else if (what < 20 && has_reception)
        do_let_go_receive(r);
    else if (what < 22 && has_reception)
        do_take(r);
    else if (what < 23 && has_reception)
        do_time_out(r);
    else if (dice_below(&m.dice, 8) == 0)
        (dice_below(&m.dice, 3) ? do_close : do_end)();
    check_model();
}

static void schedule(void)
{
    memset(freed, 0, sizeof freed);
    m.sends = m.receives = 0;
    m.closed = false;
    m.capacity = dice_below(&m.dice, 4);
    m.channel = evpq_channel_new(loop, m.capacity, free_thing);
    for (unsigned n = STEPS / 2 + dice_below(&m.dice, STEPS); n; n--)
        step();
    do_end();
    check_model();
    for (int i = 0; i < m.receives; i++)
        do_let_go_receive(&m.receptions[i]);
    for (int i = 0; i < m.sends; i++)
        m.items[i].send = evpq_future_unref(m.items[i].send);
    for (int i = 0; i < m.sends; i++)
        MUST(m.items[i].fate == TAKEN || m.items[i].fate == FREED);
    check_model();
}

START_TEST(f46_every_item_of_any_schedule_is_taken_once_in_order_or_freed_once)
{
    loop = evpq_loop_new(NULL);
    dice_schedules(&m.dice, schedule);
    evpq_loop_run(loop);
    evpq_loop_unref(loop);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("channel_schedules");
    CHECK_ADD_SLOW(c, f46_every_item_of_any_schedule_is_taken_once_in_order_or_freed_once, 300);
    return check_end(c);
}
