/*
 * Two watches over the loop's thread.
 *
 * The first sees calls that could block it (F26): poll, ppoll, select and pselect with a timeout
 * other than zero, and getaddrinfo of a name. It stands in front of these functions in the whole
 * program, libpq included; libev is not caught as long as it waits in epoll_wait.
 *
 * The second measures the longest time the loop was away from its watchers (F21).
 */
#ifndef TESTS_SUPPORT_WATCH_H
#define TESTS_SUPPORT_WATCH_H

#include <ev.h>

/* Begin to record what the calling thread does, from zero. */
void watch_begin(void);

/* Stop recording. Returns the number of blocking calls made since watch_begin(). */
long watch_end(void);

/* What the first of them was, as "poll(timeout -1)", or "" if there was none. Borrowed until the
   next watch_begin(). */
const char *watch_first(void);

/* Blocking calls between these two are allowed to the calling thread. They nest. */
void watch_pause(void);
void watch_resume(void);

/* For the other functions that stand in front of the C library's. */
void watch_note(const char *format, ...) __attribute__((format(printf, 1, 2)));

struct drift {
    ev_timer timer;
    ev_check check;
    double last;
    double longest; /* seconds beyond the timer's own interval */
};

/* Keep the loop turning every 5 ms and note the gaps. Ends with drift_stop(). */
void drift_start(struct ev_loop *loop, struct drift *d);

/* Returns the longest delay of a turn, in seconds. The time since the last turn counts as well:
   call it as soon as the loop has been left. */
double drift_stop(struct ev_loop *loop, struct drift *d);

#endif
