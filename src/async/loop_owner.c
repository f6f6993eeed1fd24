/* loop_owner.c - whose a loop is: which thread runs it, and whether this process was forked since. */
#include "async/loop_impl.h"
#include "words/error.h"

bool loop_forked(const evpq_loop *loop)
{
    return fork_mark_forked(&loop->birth);
}

bool loop_running(const evpq_loop *loop)
{
    return ev_depth(loop->ev) > 0;
}

bool loop_is_mine(const evpq_loop *loop)
{
    return atomic_load_explicit(&loop->owner, memory_order_relaxed) == &thread_mark;
}

bool loop_elsewhere(const evpq_loop *loop)
{
    return !loop_is_mine(loop) && ev_depth(loop->ev) > 0;
}

const evpq_error *loop_refusal(const evpq_loop *loop)
{
    if (!loop)
        return error_invalid();
    return loop_forked(loop) ? error_forked() : error_elsewhere();
}
