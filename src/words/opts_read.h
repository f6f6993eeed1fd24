/* opts_read.h - a struct that begins with its size, as a program of any version handed it in.
 *
 * The one reader of all such structs. */
#ifndef WORDS_OPTS_READ_H
#define WORDS_OPTS_READ_H

#include <evpq/error.h>
#include <stddef.h>

/* The struct `name` (borrowed, for messages) as this library knows it: so many bytes, of which its
 * first field behind the size ends at `least`. */
struct opts_kind {
    const char *name;
    size_t least, size;
};

#define OPTS_KIND(type, first)                                                            \
 (&(const struct opts_kind){#type, offsetof(type, first) + sizeof(((type *)NULL)->first), \
                            sizeof(type)})

/* Copies `given` to `ret_opts`, which has kind->size bytes, and sets its size to that. What an
 * older program does not know of is zero, and so is all where `given` is NULL. EVPQ_INVALID, given:
 *
 * - for a size that no program could mean: 0 or too small for a single field (it was not set, or is
 *   that of a pointer), absurdly large, or not that of a struct with a size_t in it. Nothing but the size has been read then, and *ret_opts
 * is zero;
 * - for a larger struct, of a newer program, whose surplus is not all zero: it asks for what this
 *   library does not know. *ret_opts is then filled. */
evpq_error *opts_read(const struct opts_kind *kind, const void *given, void *ret_opts);

/* The same for a struct that is to be written: its size is checked, and what lies beyond this
 * library's knowledge is set to zero. How many bytes there are to write is in *ret_size. */
evpq_error *opts_write_begin(const struct opts_kind *kind, void *given, size_t *ret_size);

/* What a field is that was left zero. */
static inline void opts_default_int(int *field, int standard)
{
    if (!*field)
        *field = standard;
}

static inline void opts_default_seconds(double *field, double standard)
{
    if (*field == 0.)
        *field = standard;
}

/* EVPQ_INVALID, given: what is wrong with a struct `name`. */
evpq_error *opts_wrong(const char *name, const char *what);

/* NULL; or EVPQ_INVALID, given, where one of `n` times is not a finite number of seconds. */
evpq_error *opts_check_times(const char *name, const double *times, size_t n);

#endif
