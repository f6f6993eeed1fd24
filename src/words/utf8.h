/* utf8.h - characters in UTF-8. */
#ifndef WORDS_UTF8_H
#define WORDS_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The character at the start of `n` bytes, and how many of them are its own, 1 to 4. 0 where there
 * is none: no byte, a byte out of place, an overlong form, a surrogate, or what is beyond U+10FFFF
 * (PostgreSQL: pg_utf8_islegal). */
int utf8_read(const char *text, size_t n, uint32_t *ret_code);

#endif
