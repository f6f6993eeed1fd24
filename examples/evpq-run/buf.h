/* buf.h - a growing run of bytes, and allocation that ends the program when memory runs out.
 *
 * The tool holds a bounded amount at any time (see source.h and order.h), so running out of memory
 * is the machine's trouble, not the input's: it says so and exits with status 1. */
#ifndef RUN_BUF_H
#define RUN_BUF_H

#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>

/* Zeroed is empty. `data` is always followed by a NUL that `length` does not count. */
struct buf {
    char *data; /* NULL while nothing was ever added */
    size_t length;
    size_t room;
};

void *alloc(size_t size); /* zeroed; never NULL */
void *realloc_array(void *old, size_t count, size_t size);
char *dup_bytes(const char *data, size_t length); /* NUL-terminated copy */
char *dup_string(const char *text);

void buf_add(struct buf *b, const char *data, size_t length);
void buf_byte(struct buf *b, char c);
void buf_text(struct buf *b, const char *text);
void buf_fill(struct buf *b, char c, size_t count);
void buf_format(struct buf *b, const char *format, ...) __attribute__((format(printf, 2, 3)));
void buf_clear(struct buf *b); /* keeps the memory */
void buf_free(struct buf *b);

/* The text, NUL-terminated: "" when empty. Borrowed until the next change. */
const char *buf_string(const struct buf *b);

#endif
