/* transitions.c - see transitions.h. */
#include "sim/transitions.h"

#include "base/state.h"

#if EVPQ_CHECKS

# include <stdio.h>
# include <stdlib.h>
# include <string.h>

/* Their states are bits of an unsigned. */
enum { MOST_MACHINES = 64, MOST_STATES = 32 };

static struct machine {
    const char *next; /* borrowed */
    unsigned made[MOST_STATES];
} machines[MOST_MACHINES];

static struct machine *machine_of(const char *next)
{
    for (struct machine *m = machines; m < machines + MOST_MACHINES; m++) {
        if (!m->next)
            m->next = next;
        if (m->next == next || !strcmp(m->next, next))
            return m;
    }
    fprintf(stderr, "sim: more than %d state machines\n", MOST_MACHINES);
    abort();
}

static void note(const char *next, unsigned from, unsigned to)
{
    machine_of(next)->made[from] |= TO(to);
}

void transitions_watch(void)
{
    state_watcher = note;
}

static void write_machine(FILE *f, const struct machine *m)
{
    int length = (int)(strlen(m->next) - strlen("_next"));
    for (unsigned from = 0; from < MOST_STATES; from++)
        for (unsigned to = 0; to < MOST_STATES; to++)
            if (m->made[from] & TO(to))
                fprintf(f, "%.*s %u %u\n", length, m->next, from, to);
}

bool transitions_write(const char *path)
{
    FILE *f = fopen(path, "w");
    if (!f)
        return false;
    for (const struct machine *m = machines; m < machines + MOST_MACHINES && m->next; m++)
        write_machine(f, m);
    return !fclose(f);
}

#else

void transitions_watch(void)
{
}

bool transitions_write(const char *path)
{
    return true;
}

#endif
