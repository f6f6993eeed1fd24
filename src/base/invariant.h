/* invariant.h - what must hold whenever the code is right.
 *
 * INVARIANT(condition) ends the program, and says where and what, in builds with --enable-debug or
 * --enable-sanitizers (EVPQ_CHECKS). In other builds it costs nothing: the condition is compiled,
 * and not evaluated. So it may look at much, and must change nothing. What can come from outside
 * (the server, the program) is checked in every build, and not by this. */
#ifndef BASE_INVARIANT_H
#define BASE_INVARIANT_H

#if EVPQ_CHECKS
# define INVARIANT(condition) \
  ((condition) ? (void)0 : invariant_broken(__FILE__, __LINE__, #condition))
#else
# define INVARIANT(condition) ((void)(0 && (condition)))
#endif

_Noreturn void invariant_broken(const char *file, int line, const char *condition);

#endif
