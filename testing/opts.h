/* opts.h - structs that begin with their size, as a program of any version hands them in; and what
 * the public functions say of them. */
#ifndef TESTING_OPTS_H
#define TESTING_OPTS_H

#include <stdbool.h>
#include <stddef.h>

/* The struct `name` as this library knows it; its first field behind the size ends at `least`. */
struct kind {
    const char *name;
    size_t least, size;
};

#define KIND(type, first) \
 (&(const struct kind){#type, offsetof(type, first) + sizeof(((type *)NULL)->first), sizeof(type)})

/* Copies `given` (NULL: nothing) to kind->size bytes, with zeros for what it has not. False, and
 * *ret_error, for a size that no version has, or one with fields that this library does not know
 * and that are set. */
bool kind_read(const struct kind *kind, const void *given, void *ret_opts, char **ret_error);

/* The other way round: as much of `from` as the size in `to` has room for. */
bool kind_write(const struct kind *kind, const void *from, void *to);

/* Sets *ret_error, where there is one, to a text that is free()d. False. */
bool wrong(char **ret_error, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* Ends the program where there is no memory. */
void *take_memory(size_t n); /* zeroed */
void *more_memory(void *p, size_t n);
char *copy_text(const char *text); /* NULL of NULL */
char *copy_part(const char *text, size_t n);

#endif
