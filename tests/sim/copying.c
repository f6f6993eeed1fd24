/* copying.c - see copying.h. */
#include "sim/copying.h"

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

void copying_put_row(struct buffer *to, int number)
{
    if (number == 1) {
        buffer_put(to, signature, sizeof signature);
        buffer_put_int(to, 8, 0);
    }
    buffer_put_int(to, 2, 1);
    buffer_put_int(to, 4, 4);
    buffer_put_int(to, 4, (uint64_t)number);
}

void copying_put_end(struct buffer *to)
{
    buffer_put_int(to, 2, ROW_END);
}
