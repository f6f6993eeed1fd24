/* value_numeric.c - numeric in binary. */
#include "values/value_numeric.h"

#include "values/value_bytes.h"
#include "values/write_word.h"

#include <string.h>

enum { HEAD = 8, GROUP = 4, BASE = 10000, MOST_SCALE = 0x3fff };
enum {
    POSITIVE = 0x0000,
    NEGATIVE = 0x4000,
    NAN_SIGN = 0xc000,
    INFINITE = 0xd000,
    MINUS_INFINITE = 0xf000
};

struct numeric {
    int groups;    /* how many were sent */
    int weight;    /* the power of BASE of the first */
    unsigned sign; /* one of the above */
    int scale;     /* digits behind the point */
    const char *group;
};

static bool view(const char *bytes, size_t length, struct numeric *ret_numeric)
{
    struct numeric *n = ret_numeric;
    if (length < HEAD)
        return false;
    n->groups = bytes_uint2(bytes); /* a numeric may have 131,072 digits before the point */
    n->weight = bytes_int2(bytes + 2);
    n->sign = bytes_uint2(bytes + 4);
    n->scale = bytes_uint2(bytes + 6);
    n->group = bytes + HEAD;
    if (length != HEAD + 2 * (size_t)n->groups)
        return false;
    if (n->sign == NAN_SIGN || n->sign == INFINITE || n->sign == MINUS_INFINITE)
        return true;
    if ((n->sign != POSITIVE && n->sign != NEGATIVE) || n->scale > MOST_SCALE)
        return false;
    for (int i = 0; i < n->groups; i++)
        if (bytes_uint2(n->group + 2 * i) >= BASE)
            return false;
    return true;
}

/* The group of the given power of BASE: 0 where none was sent. */
static int group_at(const struct numeric *n, int power)
{
    int i = n->weight - power;
    return i >= 0 && i < n->groups ? bytes_uint2(n->group + 2 * i) : 0;
}

static const char *word_for(unsigned sign)
{
    switch (sign) {
    case NAN_SIGN:
        return "NaN";
    case INFINITE:
        return "Infinity";
    case MINUS_INFINITE:
        return "-Infinity";
    default:
        return NULL;
    }
}

enum value_fit numeric_read(const char *bytes, size_t length, struct decimal *ret_decimal)
{
    struct numeric n;
    if (!view(bytes, length, &n))
        return VALUE_MALFORMED;
    const char *word = word_for(n.sign);
    if (word)
        return decimal_read(word, strlen(word), ret_decimal);
    decimal_init(ret_decimal);
    ret_decimal->negative = n.sign == NEGATIVE;
    for (int i = 0; i < n.groups; i++) {
        int group = bytes_uint2(n.group + 2 * i);
        for (int unit = BASE / 10; unit; unit /= 10)
            decimal_push(ret_decimal, group / unit % 10);
    }
    ret_decimal->exponent += (n.weight - n.groups + 1) * GROUP;
    return VALUE_FITS;
}

enum value_fit numeric_room(const char *bytes, size_t length, size_t *ret_room)
{
    struct numeric n;
    if (!view(bytes, length, &n))
        return VALUE_MALFORMED;
    size_t whole = n.weight >= 0 ? (size_t)(n.weight + 1) * GROUP : 1;
    *ret_room = sizeof "-Infinity" + whole + 1 + (size_t)n.scale;
    return VALUE_FITS;
}

size_t numeric_write(const char *bytes, size_t length, char *room)
{
    struct numeric n;
    *room = '\0';
    if (!view(bytes, length, &n))
        return 0;
    const char *word = word_for(n.sign);
    if (word)
        return write_word(word, room);

    char *p = room;
    if (n.sign == NEGATIVE)
        *p++ = '-';
    char *whole = p;
    for (int power = n.weight; power >= 0; power--)
        for (int unit = BASE / 10; unit; unit /= 10) {
            int digit = group_at(&n, power) / unit % 10;
            if (digit || p > whole)
                *p++ = (char)('0' + digit);
        }
    if (p == whole)
        *p++ = '0';
    if (n.scale)
        *p++ = '.';
    for (int i = 0; i < n.scale; i++) {
        static const int unit[GROUP] = {1000, 100, 10, 1};
        *p++ = (char)('0' + group_at(&n, -1 - i / GROUP) / unit[i % GROUP] % 10);
    }
    *p = '\0';
    return (size_t)(p - room);
}
