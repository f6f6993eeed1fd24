/* copying.h - the data of a COPY, in text and in binary (PostgreSQL documentation, "COPY", "File
 * Formats"): one column, of numbers. */
#ifndef TESTS_SIM_COPYING_H
#define TESTS_SIM_COPYING_H

#include "sim/buffer.h"

#include <stdbool.h>

enum { COPIED_MOST = 64 };

/* How many there are in all that the program has sent. Data that are not well formed end the run. */
int copying_numbers(const struct buffer *from, bool binary, int64_t numbers[COPIED_MOST]);

void copying_put_line(struct buffer *to, int number);
/* 1 comes first, behind the head. What is garbled cannot be read as a row. */
void copying_put_row(struct buffer *to, int number, bool garbled);
void copying_put_end(struct buffer *to);

#endif
