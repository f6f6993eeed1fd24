/*
 * The fault proxy: its thread and its controls; see proxy.h. The thread holds
 * the lock for a whole turn and gives it up only to poll(). A control changes the state under the
 * lock, wakes the thread, and waits until a turn with the change in force is over.
 */
#include "support/proxy.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <math.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>
#include <unistd.h>

#include "support/proxy_impl.h"

struct proxy {
    pthread_t thread;
    pthread_mutex_t lock;
    pthread_cond_t turned;
    unsigned long turns;
    int wake;
    bool stop;
    enum { END_NONE, END_CUT, END_RESET } end_all;

    struct door door;
    enum proxy_door wanted;

    struct link *links;
    struct controls controls;
    struct proxy_stats stats; /* segments: of links that have ended */
    struct pollfd *polls;
    size_t polls_size;
};

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

static void turn(struct proxy *p)
{
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
    p->turns++;
    pthread_cond_broadcast(&p->turned);
}

/* Fill in polls; returns their number and the time to wait, in milliseconds or -1. */
static nfds_t prepare_polls(struct proxy *p, int *ret_timeout)
{
    size_t need = 2 + 2 * (size_t)p->stats.open;
    nfds_t n = 0;
    double soonest = 0;

    if (need > p->polls_size) {
        p->polls_size = need * 2;
        p->polls = realloc(p->polls, p->polls_size * sizeof *p->polls);
        if (!p->polls)
            proxy_die("realloc");
    }
    p->polls[n++] = (struct pollfd){.fd = p->wake, .events = POLLIN};
    p->polls[n++] =
        (struct pollfd){.fd = door_is_open(&p->door) ? p->door.listener : -1, .events = POLLIN};
    for (const struct link *l = p->links; l; l = l->next, n += 2) {
        double due = link_poll(l, &p->controls, p->polls + n);
        if (due != 0 && (soonest == 0 || due < soonest))
            soonest = due;
    }
    double wait = soonest - proxy_now();
    *ret_timeout = soonest == 0 ? -1 : wait <= 0 ? 0 : (int)ceil(wait * 1e3);
    return n;
}

static void *run(void *arg)
{
    struct proxy *p = arg;
    uint64_t kicks;

    pthread_mutex_lock(&p->lock);
    while (!p->stop) {
        int timeout;

        turn(p);
        nfds_t n = prepare_polls(p, &timeout);
        pthread_mutex_unlock(&p->lock);
        if (poll(p->polls, n, timeout) < 0 && errno != EINTR)
            proxy_die("poll");
        if (p->polls[0].revents && read(p->wake, &kicks, sizeof kicks) < 0 && errno != EAGAIN)
            proxy_die("read");
        pthread_mutex_lock(&p->lock);
    }
    p->end_all = END_CUT;
    turn(p);
    pthread_mutex_unlock(&p->lock);
    return NULL;
}

/* ---- the test's side ---- */

static void kick(struct proxy *p)
{
    uint64_t one = 1;

    if (write(p->wake, &one, sizeof one) < 0 && errno != EAGAIN)
        proxy_die("write");
}

static void begin(struct proxy *p)
{
    pthread_mutex_lock(&p->lock);
}

/* The thread holds the lock except in poll(), so the next turn to end has seen the change. */
static void commit(struct proxy *p)
{
    unsigned long before = p->turns;

    kick(p);
    while (p->turns == before)
        pthread_cond_wait(&p->turned, &p->lock);
    pthread_mutex_unlock(&p->lock);
}

static void set_target(struct controls *c, const char *host, int port)
{
    memset(&c->target, 0, sizeof c->target);
    if (host[0] == '/') {
        struct sockaddr_un *un = (struct sockaddr_un *)&c->target;
        int n = snprintf(un->sun_path, sizeof un->sun_path, "%s/.s.PGSQL.%d", host, port);

        un->sun_family = AF_UNIX;
        c->target_size = sizeof *un;
        if (n < 0 || (size_t)n >= sizeof un->sun_path)
            proxy_die(host);
        return;
    }
    struct sockaddr_in *in = (struct sockaddr_in *)&c->target;
    in->sin_family = AF_INET;
    in->sin_port = htons((uint16_t)port);
    c->target_size = sizeof *in;
    if (inet_pton(AF_INET, host, &in->sin_addr) != 1)
        proxy_die(host);
}

/* The thread takes no signal: they are for the program that is tested. */
static void start_thread(struct proxy *p)
{
    sigset_t all, old;

    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &old);
    errno = pthread_create(&p->thread, NULL, run, p);
    if (errno != 0)
        proxy_die("pthread_create");
    pthread_sigmask(SIG_SETMASK, &old, NULL);
}

struct proxy *proxy_start(const char *host, int port)
{
    struct proxy *p = calloc(1, sizeof *p);

    if (!p)
        proxy_die("calloc");
    set_target(&p->controls, host, port);
    p->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (p->wake < 0)
        proxy_die("eventfd");
    door_open(&p->door);
    pthread_condattr_t attr;
    pthread_condattr_init(&attr);
    pthread_condattr_setclock(&attr, CLOCK_MONOTONIC);
    pthread_cond_init(&p->turned, &attr);
    pthread_condattr_destroy(&attr);
    pthread_mutex_init(&p->lock, NULL);
    start_thread(p);
    return p;
}

int proxy_port(const struct proxy *p)
{
    return p->door.port;
}

void proxy_target(struct proxy *p, const char *host, int port)
{
    begin(p);
    set_target(&p->controls, host, port);
    commit(p);
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

static void arm(struct proxy *p, const struct proxy_trigger *trigger, uint64_t left)
{
    begin(p);
    errno = EINVAL;
    if ((trigger->act == PROXY_SWALLOW && trigger->dir != PROXY_TO_SERVER) ||
        (trigger->act == PROXY_SPOIL && (!trigger->bytes || trigger->before)) ||
        !traps_arm(&p->controls, trigger, left))
        proxy_die("proxy_arm");
    commit(p);
}

void proxy_arm(struct proxy *p, const struct proxy_trigger *trigger)
{
    errno = EINVAL;
    if (!trigger->message && !trigger->bytes)
        proxy_die("proxy_arm");
    arm(p, trigger, 0);
}

void proxy_arm_after(struct proxy *p, enum proxy_dir dir, uint64_t bytes, enum proxy_act act)
{
    arm(p, &(struct proxy_trigger){.dir = dir, .act = act}, bytes);
}

void proxy_disarm(struct proxy *p)
{
    begin(p);
    for (int i = 0; i < PROXY_TRIGGERS_MAX; i++)
        p->controls.traps[i].serial = 0;
    commit(p);
}

struct proxy_stats proxy_stats(struct proxy *p)
{
    struct proxy_stats stats;

    pthread_mutex_lock(&p->lock);
    stats = p->stats;
    for (struct link *l = p->links; l; l = l->next)
        stats.client_segments += link_segments(l);
    pthread_mutex_unlock(&p->lock);
    return stats;
}

bool proxy_wait_fired(struct proxy *p, long fired, double seconds)
{
    struct timespec until;
    bool done;

    clock_gettime(CLOCK_MONOTONIC, &until);
    seconds += (double)until.tv_nsec / 1e9;
    until.tv_sec += (time_t)seconds;
    until.tv_nsec = (long)((seconds - floor(seconds)) * 1e9);
    pthread_mutex_lock(&p->lock);
    while (p->stats.fired < fired)
        if (pthread_cond_timedwait(&p->turned, &p->lock, &until) != 0)
            break;
    done = p->stats.fired >= fired;
    pthread_mutex_unlock(&p->lock);
    return done;
}

void proxy_stop(struct proxy *p)
{
    if (!p)
        return;
    pthread_mutex_lock(&p->lock);
    p->stop = true;
    kick(p);
    pthread_mutex_unlock(&p->lock);
    pthread_join(p->thread, NULL);
    door_close(&p->door);
    close(p->wake);
    pthread_cond_destroy(&p->turned);
    pthread_mutex_destroy(&p->lock);
    free(p->polls);
    free(p);
}
