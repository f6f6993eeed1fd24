/* notify.h - what was notified on each channel, in the order in which it was committed. */
#ifndef TESTS_SIM_NOTIFY_H
#define TESTS_SIM_NOTIFY_H

#include <stdint.h>

enum { CHANNELS = 2 };

void notify_begin(void);
const char *notify_channel(int channel); /* its name */
int notify_channel_of(const char *name); /* -1: of none */

/* A notification is committed: all who listen hear it. */
void notify_commit(int channel, int64_t number);
int notify_count(int channel);
/* Where it stands among those of its channel, from 0; -1: it was never committed. */
int notify_place(int channel, int64_t number);

#endif
