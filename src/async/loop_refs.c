/* loop_refs.c - who holds a loop, and its end with the last of them. */
#include "async/loop_impl.h"
#include "base/mem.h"

evpq_loop *evpq_loop_ref(evpq_loop *loop)
{
    if (loop)
        loop->refs++;
    return loop;
}

static void loop_free(evpq_loop *loop)
{
    if (loop_forked(loop))
        loop_leave_to_parent(loop);
    if (loop->mailbox)
        loop->mailbox->free(loop->mailbox);
    if (loop->data)
        loop->data->free(loop->data);
    ev_ref(loop->ev);
    ev_fork_stop(loop->ev, &loop->forked);
    ev_ref(loop->ev);
    ev_prepare_stop(loop->ev, &loop->adopting);
    loop_stop_tick(loop);
    embedding_free(loop->embedding);
    if (loop->owns_ev)
        ev_loop_destroy(loop->ev);
    recycler_unref(loop->blocks);
    fork_mark_free(&loop->birth);
    mem_free(loop);
}

void loop_unref(evpq_loop *loop)
{
    if (!--loop->refs)
        loop_free(loop);
}

evpq_loop *evpq_loop_unref(evpq_loop *loop)
{
    if (loop && !loop_elsewhere(loop))
        loop_unref(loop);
    return NULL;
}
