/* copying.c - see copying.h. */
#include "sim/copying.h"

#include "sim/sql.h"
#include "sim/world.h"

#include <stdio.h>

static const char signature[11] = "PGCOPY\n\377\r\n"; /* with its NUL */
enum { HEAD = sizeof signature + 8, ROW_END = 0xffff };

/* ---- from the program ---- */

struct data {
    const unsigned char *at, *end;
};

static uint64_t take(struct data *d, size_t n)
{
    uint64_t value = 0;
    if ((size_t)(d->end - d->at) < n)
        violation("the data of a COPY end within a row");
    while (n--)
        value = value << 8 | *d->at++;
    return value;
}

static void add(int64_t numbers[COPIED_MOST], int *n, int64_t number)
{
    if (*n == COPIED_MOST)
        violation("a COPY has more than %d rows", COPIED_MOST);
    numbers[(*n)++] = number;
}

static int lines(struct data d, int64_t numbers[COPIED_MOST])
{
    int n = 0;
    for (int64_t number = 0; d.at < d.end; d.at++) {
        if (*d.at != '\n') {
            number = number * 10 + *d.at - '0';
            continue;
        }
        add(numbers, &n, number);
        number = 0;
    }
    return n;
}

static int rows(struct data d, int64_t numbers[COPIED_MOST])
{
    int n = 0;
    if (d.end - d.at < HEAD || memcmp(d.at, signature, sizeof signature))
        violation("the data of a binary COPY begin with something else");
    d.at += HEAD;
    for (;;) {
        uint64_t columns = take(&d, 2);
        if (columns == ROW_END)
            break;
        if (columns != 1 || take(&d, 4) != 8)
            violation("a row of a binary COPY is not one int8");
        add(numbers, &n, (int64_t)take(&d, 8));
    }
    if (d.at != d.end)
        violation("the data of a binary COPY go on behind their end");
    return n;
}

int copying_numbers(const struct buffer *from, bool binary, int64_t numbers[COPIED_MOST])
{
    const unsigned char *at = (const unsigned char *)from->bytes + from->from;
    struct data d = {at, at + buffer_size(from)};
    return binary ? rows(d, numbers) : lines(d, numbers);
}

/* ---- to the program ---- */

void copying_put_line(struct buffer *to, int number)
{
    char line[16];
    buffer_put(to, line, (size_t)snprintf(line, sizeof line, "%d\n", number));
}

static void put_head(struct buffer *to, bool other, bool critical)
{
    buffer_put_int(to, 1, other ? 'Q' : 'P');
    buffer_put(to, signature + 1, sizeof signature - 1);
    buffer_put_int(to, 4, critical ? 1 << 16 : 0);
    buffer_put_int(to, 4, 0);
}

static void put_filler(struct buffer *to, size_t n)
{
    static const char filler[FILLER];
    buffer_put_int(to, 4, n);
    buffer_put(to, filler, n);
}

/* What is wrong with a row, or with the head before it. */
enum garble {
    NOTHING_WRONG,
    TOO_MANY,
    NEGATIVE,
    TOO_LONG,
    TOO_SHORT,
    BEHIND_END,
    OTHER_HEAD,
    CRITICAL
};

void copying_put_row(struct buffer *to, int number, bool garbled)
{
    enum garble what =
        garbled ? TOO_MANY + chance_below(number == 1 ? CRITICAL : BEHIND_END) : NOTHING_WRONG;
    if (number == 1)
        put_head(to, what == OTHER_HEAD, what == CRITICAL);
    if (what == BEHIND_END)
        copying_put_end(to);
    if (what == TOO_SHORT) {
        buffer_put_int(to, 1, 0);
        return;
    }
    buffer_put_int(to, 2, what == TOO_MANY ? 3 : 2);
    buffer_put_int(to, 4, what == NEGATIVE ? 0xfffffffe : what == TOO_LONG ? 1 << 20 : 4);
    buffer_put_int(to, 4, (uint64_t)number);
    if (number % 2)
        buffer_put_int(to, 4, 0xffffffff);
    else
        put_filler(to, FILLER);
}

void copying_put_end(struct buffer *to)
{
    buffer_put_int(to, 2, ROW_END);
}
