/* hosts.h - loops of several kinds, each with evpq in it, as a test and a measurement run them.
 *
 * Each kind is a file of its own, since names of their headers clash. libev is among them, to be
 * compared with. Hosts see the public headers alone. */
#ifndef TESTS_HOSTS_HOSTS_H
#define TESTS_HOSTS_HOSTS_H

#include <evpq/loop.h>

struct host {
    const char *name;
    /* A loop that begin() takes. Given: evpq_loop_unref, after end(). */
    evpq_loop *(*loop_new)(void);
    /* A host with `loop` in it. Given: end(). Ends the program where there is none to be had. */
    void *(*begin)(evpq_loop *loop);
    /* Runs it until stop() is called, or a timer of the host's own goes off after so many seconds. */
    void (*run)(void *h, double seconds);
    void (*stop)(void *h);
    /* Takes the loop out, and puts it in again. */
    void (*detach)(void *h);
    void (*attach)(void *h);
    void (*end)(void *h);
    bool nests; /* a callback may call run() */
};

/* Those that were there to be built, NULL at the end; libev's is the first. */
extern const struct host *const hosts[];
extern const int n_hosts;

/* Each is in the file of its name. */
extern const struct host host_libev, host_epoll, host_glib, host_libevent, host_sd_event, host_uv;

/* Ends the program, with a message, if not `ok`. */
void host_needs(bool ok, const char *what);

#endif
