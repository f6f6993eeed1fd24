/*
 * The fault proxy: its thread and its controls; see proxy.h. A control changes the state under the
 * worker's lock, and waits until a turn with the change in force is over.
 */
#include "testing/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "testing/proxy_impl.h"

struct proxy {
    struct worker worker;
    enum { END_NONE, END_CUT, END_RESET } end_all;

    struct door door;
    enum proxy_door wanted;

    struct link *links;
    struct controls controls;
    struct proxy_stats stats; /* segments: of links that have ended */
};

static struct proxy *proxy_of(const struct worker *w)
{
    return (struct proxy *)((uintptr_t)w - offsetof(struct proxy, worker));
}

/* ---- the thread ---- */

static void sweep(struct proxy *p)
{
    for (struct link **at = &p->links; *at;) {
        struct link *l = *at;

        if (!l->dead) {
            at = &l->next;
            continue;
        }
        *at = l->next;
        p->stats.open--;
        p->stats.client_segments += link_segments(l);
        link_free(l);
    }
}

static void accept_all(struct proxy *p)
{
    int client;

    while ((client = door_accept(&p->door)) >= 0) {
        struct link *l = link_new(client, p->door.is == PROXY_SILENT);

        l->next = p->links;
        p->links = l;
        p->stats.seen++;
        p->stats.open++;
    }
}

static void proxy_turn(struct worker *w)
{
    struct proxy *p = proxy_of(w);

    if (p->wanted != p->door.is)
        door_set(&p->door, p->wanted);
    accept_all(p);
    for (struct link *l = p->links; l; l = l->next) {
        if (p->end_all != END_NONE)
            link_end(l, p->end_all == END_RESET);
        link_turn(l, &p->controls, &p->stats);
    }
    p->end_all = END_NONE;
    sweep(p);
}

static size_t proxy_count(const struct worker *w)
{
    return 1 + 2 * (size_t)proxy_of(w)->stats.open;
}

static double proxy_fill(struct worker *w, struct pollfd *polls)
{
    struct proxy *p = proxy_of(w);
    double soonest = 0;

    *polls++ =
        (struct pollfd){.fd = door_is_open(&p->door) ? p->door.listener : -1, .events = POLLIN};
    for (const struct link *l = p->links; l; l = l->next, polls += 2) {
        double due = link_poll(l, &p->controls, polls);
        if (due != 0 && (soonest == 0 || due < soonest))
            soonest = due;
    }
    return soonest;
}

/* ---- the test's side ---- */

static void begin(struct proxy *p)
{
    worker_begin(&p->worker);
}

static void commit(struct proxy *p)
{
    worker_commit(&p->worker);
}

/* False, with errno. */
static bool set_target(struct controls *c, const char *host, int port)
{
    struct sockaddr_un *un = (struct sockaddr_un *)&c->target;
    struct sockaddr_in *in = (struct sockaddr_in *)&c->target;

    errno = EINVAL;
    memset(&c->target, 0, sizeof c->target);
    if (host[0] == '/') {
        int n = snprintf(un->sun_path, sizeof un->sun_path, "%s/.s.PGSQL.%d", host, port);

        un->sun_family = AF_UNIX;
        c->target_size = sizeof *un;
        return n > 0 && (size_t)n < sizeof un->sun_path;
    }
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)port);
    c->target_size = sizeof *in;
    return inet_pton(AF_INET, host, &in->sin_addr) == 1;
}

struct proxy *proxy_try_start(const char *host, int port)
{
    static const struct worker_class class = {proxy_turn, proxy_count, proxy_fill};
    struct proxy *p = calloc(1, sizeof *p);

    if (!p)
        return NULL;
    if (set_target(&p->controls, host, port) && door_open(&p->door)) {
        if (worker_start(&p->worker, &class))
            return p;
        int error = errno;
        door_close(&p->door);
        errno = error;
    }
    free(p); /* which leaves errno alone */
    return NULL;
}

struct proxy *proxy_start(const char *host, int port)
{
    struct proxy *p = proxy_try_start(host, port);

    if (!p)
        testing_die(host);
    return p;
}

int proxy_port(const struct proxy *p)
{
    return p->door.port;
}

bool proxy_try_target(struct proxy *p, const char *host, int port)
{
    struct controls c;

    if (!set_target(&c, host, port))
        return false;
    begin(p);
    p->controls.target = c.target;
    p->controls.target_size = c.target_size;
    commit(p);
    return true;
}

void proxy_target(struct proxy *p, const char *host, int port)
{
    if (!proxy_try_target(p, host, port))
        testing_die(host);
}

void proxy_door(struct proxy *p, enum proxy_door door)
{
    begin(p);
    p->wanted = door;
    commit(p);
}

void proxy_delay(struct proxy *p, enum proxy_dir dir, int milliseconds)
{
    begin(p);
    p->controls.delay[dir] = milliseconds;
    commit(p);
}

void proxy_stall(struct proxy *p, enum proxy_dir dir, bool stalled)
{
    begin(p);
    p->controls.stall[dir] = stalled;
    commit(p);
}

void proxy_split(struct proxy *p, bool split)
{
    begin(p);
    p->controls.split = split;
    commit(p);
}

void proxy_strip_key(struct proxy *p, bool strip)
{
    begin(p);
    p->controls.strip_key = strip;
    commit(p);
}

void proxy_cancels(struct proxy *p, enum proxy_cancel what, int delay)
{
    begin(p);
    p->controls.cancel = what;
    p->controls.cancel_delay = delay;
    commit(p);
}

void proxy_cut(struct proxy *p)
{
    begin(p);
    p->end_all = END_CUT;
    commit(p);
}

void proxy_reset(struct proxy *p)
{
    begin(p);
    p->end_all = END_RESET;
    commit(p);
}

bool proxy_try_arm(struct proxy *p, const struct proxy_trigger *trigger, uint64_t bytes)
{
    begin(p);
    bool armed = traps_arm(&p->controls, trigger, bytes);
    commit(p);
    return armed;
}

static void arm(struct proxy *p, const struct proxy_trigger *trigger, uint64_t left)
{
    errno = EINVAL;
    if ((trigger->act == PROXY_SWALLOW && trigger->dir != PROXY_TO_SERVER) ||
        (trigger->act == PROXY_SPOIL && (!trigger->bytes || trigger->before)) ||
        !proxy_try_arm(p, trigger, left))
        testing_die("proxy_arm");
}

void proxy_arm(struct proxy *p, const struct proxy_trigger *trigger)
{
    errno = EINVAL;
    if (!trigger->message && !trigger->bytes)
        testing_die("proxy_arm");
    arm(p, trigger, 0);
}

void proxy_arm_after(struct proxy *p, enum proxy_dir dir, uint64_t bytes, enum proxy_act act)
{
    arm(p, &(struct proxy_trigger){.dir = dir, .act = act}, bytes);
}

static void disarm(struct proxy *p)
{
    for (int i = 0; i < PROXY_TRIGGERS_MAX; i++)
        p->controls.traps[i].serial = 0;
}

void proxy_disarm(struct proxy *p)
{
    begin(p);
    disarm(p);
    commit(p);
}

void proxy_heal(struct proxy *p)
{
    struct controls *c = &p->controls;

    begin(p);
    p->wanted = PROXY_OPEN;
    c->delay[PROXY_TO_SERVER] = c->delay[PROXY_TO_CLIENT] = 0;
    c->stall[PROXY_TO_SERVER] = c->stall[PROXY_TO_CLIENT] = false;
    c->split = c->strip_key = false;
    c->cancel = PROXY_CANCEL_PASS;
    disarm(p);
    commit(p);
}

struct proxy_stats proxy_stats(struct proxy *p)
{
    struct proxy_stats stats;

    begin(p);
    stats = p->stats;
    for (struct link *l = p->links; l; l = l->next)
        stats.client_segments += link_segments(l);
    worker_end(&p->worker);
    return stats;
}

static bool has_fired(const struct worker *w, const void *times)
{
    return proxy_of(w)->stats.fired >= *(const long *)times;
}

bool proxy_wait_fired(struct proxy *p, long fired, double seconds)
{
    begin(p);
    bool done = worker_wait(&p->worker, has_fired, &fired, seconds);
    worker_end(&p->worker);
    return done;
}

void proxy_stop(struct proxy *p)
{
    if (!p)
        return;
    worker_stop(&p->worker);
    p->end_all = END_CUT;
    proxy_turn(&p->worker);
    door_close(&p->door);
    free(p);
}
