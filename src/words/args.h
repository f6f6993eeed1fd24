/* args.h - one parameter: whether the server can be sent it, and how it is written. Called by
 * request. */
#ifndef WORDS_ARGS_H
#define WORDS_ARGS_H

#include <evpq/args.h>
#include <evpq/error.h>

/* What a message to the server may carry: PostgreSQL's MaxAllocSize (utils/memutils.h), which
 * bounds what it reads at once, less room for the head and the names that go with it. */
enum { ARGS_MOST_BYTES = 0x3fffffff - 1024 };

/* NULL when all is well, or EVPQ_INVALID, given. `number` counts from 1, as in $1. */
evpq_error *arg_check(const evpq_arg *arg, size_t number);

/* For an argument that has passed arg_check: the most bytes that arg_write writes, 0 for SQL NULL;
 * and whether they are binary. */
size_t arg_room(const evpq_arg *arg);
bool arg_is_binary(const evpq_arg *arg);

/* Writes the value and a zero byte. Returns the number of bytes, not counting that zero. Not for
 * NULL. */
size_t arg_write(const evpq_arg *arg, char *room);

#endif
