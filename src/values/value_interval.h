/* value_interval.h - intervals: three counts, of months, days and microseconds (PostgreSQL:
 * interval_send in utils/adt/timestamp.c), and text with IntervalStyle postgres.
 *
 * From PostgreSQL 17 on, all three at their largest are infinity, and all at their smallest
 * -infinity. */
#ifndef VALUES_VALUE_INTERVAL_H
#define VALUES_VALUE_INTERVAL_H

#include "values/value.h"

#include <evpq/types.h>

enum { INTERVAL_BYTES = 16, INTERVAL_ROOM = 96 };

/* Any other IntervalStyle is VALUE_MALFORMED. */
enum value_fit interval_read(const char *text, size_t length, evpq_interval *ret_interval);

evpq_interval interval_of_binary(const char bytes[INTERVAL_BYTES]);

/* Returns the number of bytes written, not counting the zero byte. */
size_t interval_write(const evpq_interval *i, char room[INTERVAL_ROOM]);

#endif
