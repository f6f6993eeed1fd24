/* opts_read.c - sizes that grow from version to version, checked before anything else is read. */
#include "words/opts_read.h"

#include "words/error.h"

#include <math.h>
#include <stdbool.h>
#include <string.h>

/* No struct of options becomes as large; what is beyond was not meant as a size. Nor is what no
 * struct that begins with a size_t can have: it would cut a field in two. */
enum { MOST_SIZE = 4096, UNIT = _Alignof(size_t) };

static size_t opts_size_of(const void *given)
{
    size_t size;
    memcpy(&size, given, sizeof size);
    return size;
}

static evpq_error *check_size(const struct opts_kind *kind, size_t size)
{
    if (size >= kind->least && size <= MOST_SIZE && size % UNIT == 0)
        return NULL;
    return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                     "%s: the field size is %zu; set it to sizeof(%s), which is %zu here",
                     kind->name, size, kind->name, kind->size);
}

static bool is_zero(const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (bytes[i])
            return false;
    return true;
}

evpq_error *opts_read(const struct opts_kind *kind, const void *given, void *ret_opts)
{
    size_t size = given ? opts_size_of(given) : 0;
    memset(ret_opts, 0, kind->size);
    evpq_error *error = given ? check_size(kind, size) : NULL;
    if (error)
        return error;
    if (given)
        memcpy(ret_opts, given, size < kind->size ? size : kind->size);
    memcpy(ret_opts, &kind->size, sizeof kind->size);
    if (size <= kind->size || is_zero((const char *)given + kind->size, size - kind->size))
        return NULL;
    return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT,
                     "%s: of %zu bytes this version of evpq knows %zu, and a field beyond these is "
                     "set: leave it zero, or run with the version that the program was built for",
                     kind->name, size, kind->size);
}

evpq_error *opts_write_begin(const struct opts_kind *kind, void *given, size_t *ret_size)
{
    size_t size = opts_size_of(given);
    evpq_error *error = check_size(kind, size);
    if (error)
        return error;
    if (size > kind->size)
        memset((char *)given + kind->size, 0, size - kind->size);
    *ret_size = size < kind->size ? size : kind->size;
    return NULL;
}

evpq_error *opts_wrong(const char *name, const char *what)
{
    return error_new(EVPQ_INVALID, EVPQ_OUTCOME_NOT_SENT, "%s: %s", name, what);
}

evpq_error *opts_check_times(const char *name, const double *times, size_t n)
{
    for (size_t i = 0; i < n; i++)
        if (!isfinite(times[i]))
            return opts_wrong(name, "a time is not a finite number of seconds");
    return NULL;
}
