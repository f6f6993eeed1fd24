/* value_time.c - dates and timestamps. */
#include "words/value_time.h"

#include <stdio.h>
#include <string.h>

enum { EPOCH_DAYS = 10957 }; /* from 1970-01-01 to 2000-01-01 */
static const int64_t second = 1000000, day = 86400 * (int64_t)1000000;

struct date {
    int64_t year; /* 0 is 1 BC */
    int month, day;
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

struct cursor {
    const char *at, *end;
};

static bool read_char(struct cursor *c, char wanted)
{
    if (c->at == c->end || *c->at != wanted)
        return false;
    c->at++;
    return true;
}

static bool read_word(struct cursor *c, const char *word)
{
    size_t length = strlen(word);
    if ((size_t)(c->end - c->at) < length || memcmp(c->at, word, length) != 0)
        return false;
    c->at += length;
    return true;
}

/* At least `min` and at most `max` digits; max below 10. */
static bool read_digits(struct cursor *c, int min, int max, int *ret_value)
{
    int value = 0, count = 0;
    while (count < max && c->at < c->end && *c->at >= '0' && *c->at <= '9') {
        value = value * 10 + (*c->at++ - '0');
        count++;
    }
    *ret_value = value;
    return count >= min;
}

static bool read_two(struct cursor *c, int limit, int *ret_value)
{
    return read_digits(c, 2, 2, ret_value) && *ret_value < limit;
}

static bool read_day(struct cursor *c, struct date *ret_date)
{
    int year;
    if (!read_digits(c, 4, 7, &year) || !read_char(c, '-') ||
        !read_digits(c, 2, 2, &ret_date->month) || !read_char(c, '-') ||
        !read_digits(c, 2, 2, &ret_date->day))
        return false;
    ret_date->year = year;
    return year > 0;
}

/* hh:mm:ss[.ffffff], in microseconds. */
static bool read_clock(struct cursor *c, int64_t *ret_microseconds)
{
    int hours, minutes, seconds, fraction = 0;
    if (!read_two(c, 24, &hours) || !read_char(c, ':') || !read_two(c, 60, &minutes) ||
        !read_char(c, ':') || !read_two(c, 60, &seconds))
        return false;
    if (read_char(c, '.')) {
        const char *start = c->at;
        if (!read_digits(c, 1, 6, &fraction))
            return false;
        for (ptrdiff_t digits = c->at - start; digits < 6; digits++)
            fraction *= 10;
    }
    *ret_microseconds = ((hours * 60 + minutes) * (int64_t)60 + seconds) * second + fraction;
    return true;
}

/* +hh[:mm[:ss]] or the same with a minus, in microseconds east of Greenwich. */
static bool read_zone(struct cursor *c, int64_t *ret_microseconds)
{
    int hours, minutes = 0, seconds = 0;
    bool west = read_char(c, '-');
    if (!west && !read_char(c, '+'))
        return false;
    if (!read_two(c, 100, &hours))
        return false;
    if (read_char(c, ':') && !read_two(c, 60, &minutes))
        return false;
    if (read_char(c, ':') && !read_two(c, 60, &seconds))
        return false;
    int64_t east = ((hours * 60 + minutes) * (int64_t)60 + seconds) * second;
    *ret_microseconds = west ? -east : east;
    return true;
}

/* The end of a date or timestamp: an era, perhaps, and nothing more. Then the whole must be a day
 * that there is. */
static bool read_end(struct cursor *c, struct date *d)
{
    if (read_word(c, " BC"))
        d->year = 1 - d->year;
    return c->at == c->end && is_date(*d);
}

static bool is_word(const char *text, size_t length, const char *word)
{
    return length == strlen(word) && !memcmp(text, word, length);
}

enum value_fit time_read_date(const char *text, size_t length, int32_t *ret_days)
{
    struct cursor c = {text, text + length};
    struct date d;
    if (is_word(text, length, "infinity")) {
        *ret_days = INT32_MAX;
        return VALUE_FITS;
    }
    if (is_word(text, length, "-infinity")) {
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
    if (is_word(text, length, "infinity")) {
        *ret_microseconds = INT64_MAX;
        return VALUE_FITS;
    }
    if (is_word(text, length, "-infinity")) {
        *ret_microseconds = INT64_MIN;
        return VALUE_FITS;
    }
    if (!read_day(&c, &d) || !read_char(&c, ' ') || !read_clock(&c, &clock))
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

/* ---- writing ---- */

static size_t write_word(const char *word, char *room)
{
    size_t length = strlen(word);
    memcpy(room, word, length + 1);
    return length;
}

static size_t write_day(struct date d, char *room)
{
    long long year = d.year > 0 ? d.year : 1 - d.year;
    return (size_t)sprintf(room, "%04lld-%02d-%02d", year, d.month, d.day);
}

size_t time_write_date(int32_t days, char room[TIME_ROOM])
{
    if (days == INT32_MAX || days == INT32_MIN)
        return write_word(days > 0 ? "infinity" : "-infinity", room);
    struct date d = date_of((int64_t)days + EPOCH_DAYS);
    size_t length = write_day(d, room);
    return length + write_word(d.year > 0 ? "" : " BC", room + length);
}

size_t time_write_stamp(int64_t microseconds, enum time_zone zone, char room[TIME_ROOM])
{
    if (microseconds == INT64_MAX || microseconds == INT64_MIN)
        return write_word(microseconds > 0 ? "infinity" : "-infinity", room);
    int64_t days = floor_divide(microseconds, day);
    int64_t clock = microseconds % day + (microseconds % day < 0 ? day : 0);
    int seconds = (int)(clock / second), fraction = (int)(clock % second);
    struct date d = date_of(days + EPOCH_DAYS);

    size_t length = write_day(d, room);
    length += (size_t)sprintf(room + length, " %02d:%02d:%02d", seconds / 3600, seconds / 60 % 60,
                              seconds % 60);
    if (fraction) {
        length += (size_t)sprintf(room + length, ".%06d", fraction);
        while (room[length - 1] == '0')
            length--;
    }
    length += write_word(zone == TIME_WITH_ZONE ? "+00" : "", room + length);
    return length + write_word(d.year > 0 ? "" : " BC", room + length);
}
