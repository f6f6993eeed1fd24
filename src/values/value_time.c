/* value_time.c - dates and timestamps. */
#include "values/value_time.h"

#include "base/ascii.h"
#include "values/cursor.h"
#include "values/write_word.h"

#include <stdio.h>

enum { EPOCH_DAYS = 10957 }; /* from 1970-01-01 to 2000-01-01 */
static const int64_t second = 1000000, day = 86400 * (int64_t)1000000;

struct date {
    int64_t year; /* 0 is 1 BC */
    int64_t month, day;
};

/* ---- the calendar: counted in eras of 400 years that begin on the first of March ---- */

enum { ERA_YEARS = 400, ERA_DAYS = 146097, MARCH_0000 = 719468 /* days before 1970-01-01 */ };

static int64_t floor_divide(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

static int64_t days_of(struct date d)
{
    int64_t year = d.month <= 2 ? d.year - 1 : d.year;
    int64_t era = floor_divide(year, ERA_YEARS);
    int64_t of_era = year - era * ERA_YEARS;
    int64_t of_year = (153 * (d.month + (d.month > 2 ? -3 : 9)) + 2) / 5 + d.day - 1;
    return era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - MARCH_0000;
}

static struct date date_of(int64_t days)
{
    days += MARCH_0000;
    int64_t era = floor_divide(days, ERA_DAYS);
    int64_t day_of_era = days - era * ERA_DAYS;
    int64_t of_era =
        (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146096) / 365;
    int of_year = (int)(day_of_era - (365 * of_era + of_era / 4 - of_era / 100));
    int month = (5 * of_year + 2) / 153; /* from March */
    return (struct date){
        .year = era * ERA_YEARS + of_era + (month >= 10),
        .month = month < 10 ? month + 3 : month - 9,
        .day = of_year - (153 * month + 2) / 5 + 1,
    };
}

static bool is_date(struct date d)
{
    static const int lengths[] = {31, 29, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
    bool leap = d.year % 4 == 0 && (d.year % 100 != 0 || d.year % 400 == 0);
    if (d.month < 1 || d.month > 12 || d.day < 1 || d.day > lengths[d.month - 1])
        return false;
    return d.month != 2 || d.day < 29 || leap;
}

/* ---- reading ---- */

static bool read_two(struct cursor *c, int limit, int64_t *ret_value)
{
    return cursor_digits(c, 2, 2, ret_value) && *ret_value < limit;
}

static bool read_day(struct cursor *c, struct date *ret_date)
{
    if (!cursor_digits(c, 4, 7, &ret_date->year) || !cursor_char(c, '-') ||
        !cursor_digits(c, 2, 2, &ret_date->month) || !cursor_char(c, '-') ||
        !cursor_digits(c, 2, 2, &ret_date->day))
        return false;
    return ret_date->year > 0;
}

bool time_read_rest(struct cursor *c, int64_t hours, int64_t *ret_microseconds)
{
    int64_t minutes, seconds, fraction = 0;
    if (!cursor_char(c, ':') || !read_two(c, 60, &minutes) || !cursor_char(c, ':') ||
        !read_two(c, 60, &seconds))
        return false;
    if (cursor_char(c, '.')) {
        const char *start = c->at;
        if (!cursor_digits(c, 1, 6, &fraction))
            return false;
        for (ptrdiff_t digits = c->at - start; digits < 6; digits++)
            fraction *= 10;
    }
    return !__builtin_mul_overflow(hours, 3600 * second, ret_microseconds) &&
           !__builtin_add_overflow(*ret_microseconds, (minutes * 60 + seconds) * second + fraction,
                                   ret_microseconds);
}

/* hh:mm:ss[.ffffff], in microseconds: below 24 hours, or those exactly. */
static bool read_clock(struct cursor *c, int64_t *ret_microseconds)
{
    int64_t hours;
    return read_two(c, 25, &hours) && time_read_rest(c, hours, ret_microseconds) &&
           *ret_microseconds <= day;
}

/* +hh[:mm[:ss]] or the same with a minus, in microseconds east of Greenwich. */
static bool read_zone(struct cursor *c, int64_t *ret_microseconds)
{
    int64_t hours, minutes = 0, seconds = 0;
    bool west = cursor_char(c, '-');
    if (!west && !cursor_char(c, '+'))
        return false;
    if (!read_two(c, 100, &hours))
        return false;
    if (cursor_char(c, ':') && !read_two(c, 60, &minutes))
        return false;
    if (cursor_char(c, ':') && !read_two(c, 60, &seconds))
        return false;
    int64_t east = ((hours * 60 + minutes) * 60 + seconds) * second;
    *ret_microseconds = west ? -east : east;
    return true;
}

/* The end of a date or timestamp: an era, perhaps, and nothing more. Then the whole must be a day
 * that there is. */
static bool read_end(struct cursor *c, struct date *d)
{
    if (cursor_word(c, " BC"))
        d->year = 1 - d->year;
    return c->at == c->end && is_date(*d);
}

enum value_fit time_read_date(const char *text, size_t length, int32_t *ret_days)
{
    struct cursor c = {text, text + length};
    struct date d;
    if (ascii_equals(text, length, "infinity")) {
        *ret_days = INT32_MAX;
        return VALUE_FITS;
    }
    if (ascii_equals(text, length, "-infinity")) {
        *ret_days = INT32_MIN;
        return VALUE_FITS;
    }
    if (!read_day(&c, &d) || !read_end(&c, &d))
        return VALUE_MALFORMED;
    int64_t days = days_of(d);
    if (days <= INT32_MIN || days >= INT32_MAX)
        return VALUE_RANGE;
    *ret_days = (int32_t)days;
    return VALUE_FITS;
}

enum value_fit time_read_stamp(const char *text, size_t length, enum time_zone zone,
                               int64_t *ret_microseconds)
{
    struct cursor c = {text, text + length};
    struct date d;
    int64_t clock, east = 0, value;
    if (ascii_equals(text, length, "infinity")) {
        *ret_microseconds = INT64_MAX;
        return VALUE_FITS;
    }
    if (ascii_equals(text, length, "-infinity")) {
        *ret_microseconds = INT64_MIN;
        return VALUE_FITS;
    }
    if (!read_day(&c, &d) || !cursor_char(&c, ' ') || !read_clock(&c, &clock) || clock == day)
        return VALUE_MALFORMED;
    if (zone == TIME_WITH_ZONE && !read_zone(&c, &east))
        return VALUE_MALFORMED;
    if (!read_end(&c, &d))
        return VALUE_MALFORMED;
    if (__builtin_mul_overflow(days_of(d), day, &value) ||
        __builtin_add_overflow(value, clock - east, &value) || value == INT64_MAX ||
        value == INT64_MIN)
        return VALUE_RANGE;
    *ret_microseconds = value;
    return VALUE_FITS;
}

enum value_fit time_read_clock(const char *text, size_t length, int64_t *ret_microseconds)
{
    struct cursor c = {text, text + length};
    return read_clock(&c, ret_microseconds) && cursor_is_at_end(&c) ? VALUE_FITS : VALUE_MALFORMED;
}

enum value_fit time_read_zoned(const char *text, size_t length, int64_t *ret_microseconds,
                               int32_t *ret_east)
{
    struct cursor c = {text, text + length};
    int64_t east;
    if (!read_clock(&c, ret_microseconds) || !read_zone(&c, &east) || !cursor_is_at_end(&c))
        return VALUE_MALFORMED;
    *ret_east = (int32_t)(east / second);
    return VALUE_FITS;
}

/* ---- from binary ---- */

enum value_fit time_unix_date(int32_t days, int32_t *ret_days)
{
    int32_t value = days;
    if (days != INT32_MAX && days != INT32_MIN &&
        (__builtin_add_overflow(days, EPOCH_DAYS, &value) || value == INT32_MAX))
        return VALUE_RANGE;
    *ret_days = value;
    return VALUE_FITS;
}

enum value_fit time_unix_stamp(int64_t microseconds, int64_t *ret_microseconds)
{
    int64_t value = microseconds;
    if (microseconds != INT64_MAX && microseconds != INT64_MIN &&
        (__builtin_add_overflow(microseconds, EPOCH_DAYS * day, &value) || value == INT64_MAX))
        return VALUE_RANGE;
    *ret_microseconds = value;
    return VALUE_FITS;
}

enum value_fit time_of_binary(const char bytes[8], int64_t *ret_microseconds)
{
    *ret_microseconds = bytes_int8(bytes);
    return *ret_microseconds >= 0 && *ret_microseconds <= day ? VALUE_FITS : VALUE_MALFORMED;
}

enum value_fit time_of_binary_zoned(const char bytes[12], int64_t *ret_microseconds,
                                    int32_t *ret_east)
{
    enum { DAY = 86400 };
    int32_t west = bytes_int4(bytes + 8);
    if (west < -DAY || west > DAY)
        return VALUE_MALFORMED;
    *ret_east = -west;
    return time_of_binary(bytes, ret_microseconds);
}

/* ---- writing ---- */

static size_t write_day(struct date d, char *room)
{
    long long year = d.year > 0 ? d.year : 1 - d.year;
    return (size_t)sprintf(room, "%04lld-%02d-%02d", year, (int)d.month, (int)d.day);
}

size_t time_write_date(int32_t days, char room[TIME_ROOM])
{
    if (days == INT32_MAX || days == INT32_MIN)
        return write_word(days > 0 ? "infinity" : "-infinity", room);
    struct date d = date_of((int64_t)days + EPOCH_DAYS);
    size_t length = write_day(d, room);
    return length + write_word(d.year > 0 ? "" : " BC", room + length);
}

size_t time_write_clock(int64_t microseconds, char *room)
{
    long long seconds = microseconds / second;
    int fraction = (int)(microseconds % second);
    size_t length = (size_t)sprintf(room, "%02lld:%02lld:%02lld", seconds / 3600, seconds / 60 % 60,
                                    seconds % 60);
    if (!fraction)
        return length;
    length += (size_t)sprintf(room + length, ".%06d", fraction);
    while (room[length - 1] == '0')
        room[--length] = '\0';
    return length;
}

size_t time_write_zoned(int64_t microseconds, int32_t east, char room[TIME_ROOM])
{
    size_t length = time_write_clock(microseconds, room);
    int seconds = east < 0 ? -east : east;
    length += (size_t)sprintf(room + length, "%c%02d", east < 0 ? '-' : '+', seconds / 3600);
    if (seconds % 3600)
        length += (size_t)sprintf(room + length, ":%02d", seconds / 60 % 60);
    if (seconds % 60)
        length += (size_t)sprintf(room + length, ":%02d", seconds % 60);
    return length;
}

size_t time_write_stamp(int64_t microseconds, enum time_zone zone, char room[TIME_ROOM])
{
    if (microseconds == INT64_MAX || microseconds == INT64_MIN)
        return write_word(microseconds > 0 ? "infinity" : "-infinity", room);
    int64_t days = floor_divide(microseconds, day);
    int64_t clock = microseconds % day + (microseconds % day < 0 ? day : 0);
    struct date d = date_of(days + EPOCH_DAYS);

    size_t length = write_day(d, room);
    room[length++] = ' ';
    length += time_write_clock(clock, room + length);
    length += write_word(zone == TIME_WITH_ZONE ? "+00" : "", room + length);
    return length + write_word(d.year > 0 ? "" : " BC", room + length);
}
