/* thread_mark.h - which thread this is, as an address that no other living thread has: two
 * instructions, and no call. */
#ifndef BASE_THREAD_MARK_H
#define BASE_THREAD_MARK_H

#if defined(__GNUC__) || defined(__clang__)
extern _Thread_local char thread_mark
    __attribute__((visibility("hidden"), tls_model("initial-exec")));
#else
extern _Thread_local char thread_mark;
#endif

#endif
