/*
 * A name server on order (F21, F22): stands in front of getaddrinfo in the whole program, libpq
 * included, and treats the names it has been told of as it was told. All others, and numeric
 * addresses, go to the C library untouched. Any thread may look up; rules are set by the test.
 */
#ifndef TESTS_SUPPORT_NAMES_H
#define TESTS_SUPPORT_NAMES_H

/* How a name behaves: it answers after so many seconds, with an error or with addresses. */
struct name {
    const char *host;
    double delay;          /* seconds the calling thread sleeps */
    int error;             /* an EAI_ code, or 0 */
    const char *addresses; /* numeric, separated by commas, in the order in which they are given */
};

/* Set the rule for a name; copied. A second rule for the same name replaces the first. */
void names_set(const struct name *name);

/* How often a name has been looked up since its rule was set. */
long names_calls(const char *host);

/* Forget all rules. No look-up may be under way. */
void names_reset(void);

#endif
