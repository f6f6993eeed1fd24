/* evpq/version.h - the version, and the mark of a public symbol.
 *
 * Semantic versioning: a program built against MAJOR.MINOR runs with every later minor release of
 * the same major version. */
#ifndef EVPQ_VERSION_H
#define EVPQ_VERSION_H

#define EVPQ_VERSION_MAJOR 0
#define EVPQ_VERSION_MINOR 1
#define EVPQ_VERSION_PATCH 0

#define EVPQ_VERSION "0.1.0"

/* Comparable as an integer: 0.1.0 is 100, 1.2.3 is 10203. */
#define EVPQ_VERSION_NUMBER \
 (EVPQ_VERSION_MAJOR * 10000 + EVPQ_VERSION_MINOR * 100 + EVPQ_VERSION_PATCH)

/* EVPQ_NODISCARD marks what gives its caller something to let go of: to drop it is a leak. */
#if defined(__GNUC__) || defined(__clang__)
# define EVPQ_API __attribute__((visibility("default")))
# define EVPQ_PRINTF(fmt, args) __attribute__((format(printf, fmt, args)))
# define EVPQ_NODISCARD __attribute__((warn_unused_result))
#else
# define EVPQ_API
# define EVPQ_PRINTF(fmt, args)
# define EVPQ_NODISCARD
#endif

#ifdef __cplusplus
extern "C" {
#endif

/* The EVPQ_VERSION_NUMBER of the library that is loaded, which may be newer than the header's.
 * Any thread. */
EVPQ_API int evpq_version(void);

#ifdef __cplusplus
}
#endif

#endif
