/* ask.h - every question that a result answers, for values that nobody has looked at before. */
#ifndef TESTS_SUPPORT_ASK_H
#define TESTS_SUPPORT_ASK_H

#include <evpq/result.h>

/* Asks each value everything, as `scale` too, and what is in it likewise. Returns what does not hold of the answers,
 * or NULL; that nothing is read or written that is not theirs a sanitizer sees. */
const char *ask_everything(const evpq_result *r, int scale);

#endif
