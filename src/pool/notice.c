/* notice.c - see notice.h. */
#include "pool/notice.h"

#include "base/mem.h"

struct telling {
    struct job job;
    evpq_error *notice;
    struct notice_fn (*who)(void *);
    void (*let_go)(void *);
    void *owner;
};

static void notice_tell(struct job *job)
{
    struct telling *t = container_of(job, struct telling, job);
    struct notice_fn to = t->who(t->owner);
    if (to.fn)
        to.fn(t->notice, to.arg);
    evpq_error_unref(t->notice);
    t->let_go(t->owner);
    mem_free(t);
}

void notice_tell_later(evpq_loop *loop, evpq_error *notice, struct notice_fn (*who)(void *),
                       void (*let_go)(void *), void *owner)
{
    struct telling *t = mem_alloc(sizeof *t);
    if (!t) {
        evpq_error_unref(notice);
        let_go(owner);
        return;
    }
    *t = (struct telling){.notice = notice, .who = who, .let_go = let_go, .owner = owner};
    job_init(&t->job, notice_tell);
    loop_defer(loop, &t->job);
}
