/* utf8.h - text that may or may not be UTF-8. */
#ifndef RUN_UTF8_H
#define RUN_UTF8_H

#include <stddef.h>
#include <stdint.h>

/* The bytes (1 to 4) of the character that `text` begins with, and which it is; 0 where `text` is
 * empty or does not begin with a well-formed one (overlong forms, surrogates and what is past
 * U+10FFFF are not). */
size_t utf8_next(const char *text, size_t length, uint32_t *ret_char);

/* Columns that a character takes on a terminal: 0, 1 or 2. */
size_t utf8_width(uint32_t c);

#endif
