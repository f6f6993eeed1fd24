/* notice.h - a notice of the server's on its way to the program, which the run queue calls. */
#ifndef POOL_NOTICE_H
#define POOL_NOTICE_H

#include "async/loop.h"

#include <evpq/pool.h>

/* Who is to hear it. */
struct notice_fn {
    evpq_notice_fn *fn; /* NULL: nobody */
    void *arg;
};

/* Tells the notice (taken) later. who(owner) names then whom. The caller gives a reference to
 * `owner`; let_go gives it back. Notices are told in the order of these calls. Without memory one
 * is dropped. */
void notice_tell_later(evpq_loop *loop, evpq_error *notice, struct notice_fn (*who)(void *owner),
                       void (*let_go)(void *owner), void *owner);

#endif
