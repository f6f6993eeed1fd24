/* members.c - futures as they are handed to combine.c and completed.c: any of them may be NULL, or
 * constant and without a loop. */
#include "async/members.h"

static evpq_loop *members_loop_of(const evpq_future *f)
{
    return f ? f->loop : NULL;
}

evpq_loop *members_loop(evpq_future *const *fs, size_t n)
{
    evpq_loop *loop = NULL;
    for (size_t i = 0; fs && i < n && !loop; i++)
        loop = members_loop_of(fs[i]);
    return loop;
}

bool members_all_on(evpq_loop *loop, evpq_future *const *fs, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (members_loop_of(fs[i]) && members_loop_of(fs[i]) != loop)
            return false;
    return true;
}

void members_give_up(evpq_future *const *fs, size_t n)
{
    for (size_t i = 0; fs && i < n; i++) {
        evpq_future_cancel(fs[i]);
        evpq_future_unref(fs[i]);
    }
}
