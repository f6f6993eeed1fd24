/*
 * The library's clock in a test's hands: where it matters how long an answer took, or is overdue,
 * and the machine's speed must not.
 *
 * A program that uses this is linked with $(CLOCK_WRAP), which turns each call of clock_gettime in
 * its own objects and in the library's (not in libpq, libev or the C library) into a call that
 * comes here. Only the thread that holds the clock sees it held. Timers are libev's, and go off as
 * ever.
 */
#ifndef TESTS_SUPPORT_CLOCK_H
#define TESTS_SUPPORT_CLOCK_H

/* From now on a microsecond goes by between two looks at the clock, whatever the machine does. */
void clock_hold(void);
void clock_release(void);

/* How often the calling thread has looked, held or not. */
long clock_looks(void);

#endif
