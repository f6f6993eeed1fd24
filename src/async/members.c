/* members.c - futures as they are handed to combine.c and completed.c: any of them may be NULL, or
 * constant and without a loop. */
#include "async/members.h"

#include "words/error.h"

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

evpq_outcome members_give_up(evpq_future *const *fs, size_t n)
{
    evpq_outcome outcome = EVPQ_OUTCOME_NOT_SENT;
    for (size_t i = 0; fs && i < n; i++) {
        evpq_future_cancel(fs[i]);
        if (future_outcome(fs[i]) != EVPQ_OUTCOME_NOT_SENT)
            outcome = EVPQ_OUTCOME_UNKNOWN;
        evpq_future_unref(fs[i]);
    }
    return outcome;
}

evpq_future *members_differ(evpq_loop *loop, evpq_future *const *fs, size_t n)
{
    evpq_loop_ref(loop); /* theirs may be the last */
    evpq_future *failed = future_failed(
        loop, error_new(EVPQ_INVALID, members_give_up(fs, n), "members of different loops"));
    evpq_loop_unref(loop);
    return failed;
}
