/* notify.c - see notify.h. */
#include "sim/notify.h"

#include "sim/server.h"

#include <string.h>

enum { NOTIFIED_MOST = 1024 };

static struct {
    int n;
    int64_t numbers[NOTIFIED_MOST];
} channels[CHANNELS];

static const char *const names[CHANNELS] = {"a", "b"};

void notify_begin(void)
{
    for (int i = 0; i < CHANNELS; i++)
        channels[i].n = 0;
}

const char *notify_channel(int channel)
{
    return names[channel];
}

int notify_channel_of(const char *name)
{
    for (int i = 0; i < CHANNELS; i++)
        if (!strcmp(names[i], name))
            return i;
    return -1;
}

void notify_commit(int channel, int64_t number)
{
    if (channels[channel].n == NOTIFIED_MOST)
        violation("more than %d notifications", NOTIFIED_MOST);
    trace("notify %s %lld", names[channel], (long long)number);
    channels[channel].numbers[channels[channel].n++] = number;
    server_notify(channel, number);
}

int notify_count(int channel)
{
    return channels[channel].n;
}

int notify_place(int channel, int64_t number)
{
    for (int i = 0; i < channels[channel].n; i++)
        if (channels[channel].numbers[i] == number)
            return i;
    return -1;
}
