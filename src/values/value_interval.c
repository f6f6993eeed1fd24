/* value_interval.c - intervals, read and written. */
#include "values/value_interval.h"

#include "values/cursor.h"
#include "values/value_time.h"

#include <stdio.h>

enum { YEAR = 12 /* months */, MOST_DIGITS = 10 };

static const evpq_interval infinity = {INT32_MAX, INT32_MAX, INT64_MAX};
static const evpq_interval minus_infinity = {INT32_MIN, INT32_MIN, INT64_MIN};

static bool is_same(const evpq_interval *a, const evpq_interval *b)
{
    return a->months == b->months && a->days == b->days && a->microseconds == b->microseconds;
}

/* ---- reading: "1 year 2 mons -3 days +04:05:06.789", each part there or not, in this order ----
 */

/* [+-]digits, as a number below zero where the sign says so. */
static bool read_count(struct cursor *c, bool *ret_negative, int64_t *ret_count)
{
    *ret_negative = cursor_char(c, '-');
    if (!*ret_negative)
        cursor_char(c, '+');
    if (!cursor_digits(c, 1, MOST_DIGITS, ret_count))
        return false;
    if (*ret_negative)
        *ret_count = -*ret_count;
    return true;
}

/* A count is followed by this unit, in singular or plural, and what is next, if anything. */
static bool read_unit(struct cursor *c, const char *unit)
{
    struct cursor ahead = *c;
    if (!cursor_char(&ahead, ' ') || !cursor_word(&ahead, unit))
        return false;
    cursor_char(&ahead, 's');
    if (cursor_char(&ahead, ' ') == cursor_is_at_end(&ahead))
        return false;
    *c = ahead;
    return true;
}

static bool read_time(struct cursor *c, bool negative, int64_t hours, int64_t *ret_microseconds)
{
    /* The smallest has no positive counterpart, but its fraction has. */
    static const char smallest[] = ":00:54.775808";
    if (hours == -INT64_C(2562047788) && cursor_left(c) == strlen(smallest) &&
        cursor_word(c, smallest)) {
        *ret_microseconds = INT64_MIN;
        return true;
    }
    if (!time_read_rest(c, negative ? -hours : hours, ret_microseconds) || !cursor_is_at_end(c))
        return false;
    if (negative)
        *ret_microseconds = -*ret_microseconds;
    return true;
}

enum value_fit interval_read(const char *text, size_t length, evpq_interval *ret_interval)
{
    static const struct {
        const char *unit;
        int months, days;
    } units[] = {{"year", YEAR, 0}, {"mon", 1, 0}, {"day", 0, 1}};
    enum { UNITS = sizeof units / sizeof *units };
    struct cursor c = cursor_over(text, length);
    int64_t months = 0, days = 0, microseconds = 0, count;
    bool negative;

    if (length == strlen("infinity") && cursor_word(&c, "infinity")) {
        *ret_interval = infinity;
        return VALUE_FITS;
    }
    if (length == strlen("-infinity") && cursor_word(&c, "-infinity")) {
        *ret_interval = minus_infinity;
        return VALUE_FITS;
    }
    if (!read_count(&c, &negative, &count))
        return VALUE_MALFORMED;
    for (int i = 0; i < UNITS; i++) {
        if (!read_unit(&c, units[i].unit))
            continue;
        months += count * units[i].months;
        days += count * units[i].days;
        if (cursor_is_at_end(&c))
            goto read;
        if (!read_count(&c, &negative, &count))
            return VALUE_MALFORMED;
    }
    if (!read_time(&c, negative, count, &microseconds))
        return VALUE_MALFORMED;
read:
    if (months != (int32_t)months || days != (int32_t)days)
        return VALUE_RANGE;
    *ret_interval = (evpq_interval){(int32_t)months, (int32_t)days, microseconds};
    return VALUE_FITS;
}

evpq_interval interval_of_binary(const char bytes[INTERVAL_BYTES])
{
    return (evpq_interval){
        .microseconds = bytes_int8(bytes),
        .days = bytes_int4(bytes + 8),
        .months = bytes_int4(bytes + 12),
    };
}

/* ---- writing ---- */

struct writer {
    char *room;
    size_t length;
    bool after_negative; /* so that a sign is needed where there would be none */
};

static void interval_put_part(struct writer *w, int32_t count, const char *unit)
{
    if (!count)
        return;
    w->length += (size_t)sprintf(w->room + w->length, "%s%s%d %s%s", w->length ? " " : "",
                                 w->after_negative && count > 0 ? "+" : "", count, unit,
                                 count == 1 ? "" : "s");
    w->after_negative = count < 0;
}

static void put_time(struct writer *w, int64_t microseconds)
{
    if (!microseconds && w->length)
        return;
    if (w->length)
        w->room[w->length++] = ' ';
    if (microseconds < 0)
        w->room[w->length++] = '-';
    else if (w->after_negative)
        w->room[w->length++] = '+';
    char *room = w->room + w->length;
    if (microseconds == INT64_MIN)
        w->length += (size_t)sprintf(room, "2562047788:00:54.775808");
    else
        w->length += time_write_clock(microseconds < 0 ? -microseconds : microseconds, room);
}

size_t interval_write(const evpq_interval *i, char room[INTERVAL_ROOM])
{
    if (is_same(i, &infinity))
        return (size_t)sprintf(room, "infinity");
    if (is_same(i, &minus_infinity))
        return (size_t)sprintf(room, "-infinity");
    struct writer w = {room, 0, false};
    interval_put_part(&w, i->months / YEAR, "year");
    interval_put_part(&w, i->months % YEAR, "mon");
    interval_put_part(&w, i->days, "day");
    put_time(&w, i->microseconds);
    return w.length;
}
