/* bar.c - see bar.h. */
#include "bar.h"

#include <stdio.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

enum { WIDTH = 30 };
static const double redraw_every = 0.1; /* seconds */

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

void bar_begin(struct bar *b, bool quiet)
{
    *b = (struct bar){.on = !quiet && isatty(STDERR_FILENO), .begun = now()};
}

double bar_seconds(const struct bar *b)
{
    return now() - b->begun;
}

const char *bar_size(char *room, size_t n, double bytes)
{
    static const char *const units[] = {"B", "kB", "MB", "GB", "TB"};
    int unit = 0;
    for (; bytes >= 1000 && unit < 4; unit++)
        bytes /= 1000;
    snprintf(room, n, unit ? "%.1f %s" : "%.0f %s", bytes, units[unit]);
    return room;
}

void bar_draw(struct bar *b)
{
    double at = now(), seconds = at - b->begun;
    char done[24], rate[24], cells[WIDTH + 1];
    if (!b->on || (b->shown && at - b->drawn < redraw_every))
        return;
    b->shown = true;
    b->drawn = at;
    bar_size(done, sizeof done, (double)b->bytes);
    bar_size(rate, sizeof rate, seconds > 0 ? (double)b->bytes / seconds : 0);
    if (b->of_rows <= 0) {
        fprintf(stderr, "\r%s  %s/s  %.0f s\033[K", done, rate, seconds);
        return;
    }
    double share = b->rows < b->of_rows ? b->rows / b->of_rows : 1; /* of an estimate */
    int full = (int)(share * WIDTH);
    memset(cells, '.', WIDTH);
    memset(cells, '#', (size_t)full);
    cells[WIDTH] = '\0';
    fprintf(stderr, "\r[%s] %3.0f%%  %.0f rows  %s  %s/s  %.0f s\033[K", cells, share * 100,
            b->rows, done, rate, seconds);
}

void bar_end(struct bar *b)
{
    if (b->shown)
        fputs("\r\033[K", stderr);
    b->on = false;
}
