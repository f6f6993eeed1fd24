/* value_time.h - dates and timestamps: PostgreSQL's counts from 2000, text with DateStyle ISO, and
 * Unix time.
 *
 * The calendar is PostgreSQL's: proleptic Gregorian, year 1 BC before year 1. */
#ifndef VALUES_VALUE_TIME_H
#define VALUES_VALUE_TIME_H

#include "values/value.h"

struct cursor;

/* Room for any date or timestamp in text, with its zero byte. */
enum { TIME_ROOM = 64 };

enum time_zone { TIME_WITHOUT_ZONE, TIME_WITH_ZONE };

/* ISO text, as Unix time. Any other DateStyle is VALUE_MALFORMED. */
enum value_fit time_read_date(const char *text, size_t length, int32_t *ret_days);
enum value_fit time_read_stamp(const char *text, size_t length, enum time_zone zone,
                               int64_t *ret_microseconds);

/* A time of day in microseconds, up to 24:00:00; with a zone, which is seconds east of UTC. */
enum value_fit time_read_clock(const char *text, size_t length, int64_t *ret_microseconds);
enum value_fit time_read_zoned(const char *text, size_t length, int64_t *ret_microseconds,
                               int32_t *ret_east);

/* :mm:ss[.ffffff] behind so many hours, all of it in microseconds. */
bool time_read_rest(struct cursor *c, int64_t hours, int64_t *ret_microseconds);

/* The server's binary count from 2000-01-01, as Unix time. */
enum value_fit time_unix_date(int32_t days, int32_t *ret_days);
enum value_fit time_unix_stamp(int64_t microseconds, int64_t *ret_microseconds);

/* A time of day in binary, which must be one that there is; with a zone too. */
enum value_fit time_of_binary(const char bytes[8], int64_t *ret_microseconds);
enum value_fit time_of_binary_zoned(const char bytes[12], int64_t *ret_microseconds,
                                    int32_t *ret_east);

/* The server's binary count as ISO text, a zone as +00. Each returns the number of bytes written,
 * not counting the zero byte. */
size_t time_write_date(int32_t days, char room[TIME_ROOM]);
size_t time_write_stamp(int64_t microseconds, enum time_zone zone, char room[TIME_ROOM]);
size_t time_write_clock(int64_t microseconds, char *room); /* not negative */
size_t time_write_zoned(int64_t microseconds, int32_t east, char room[TIME_ROOM]);

#endif
