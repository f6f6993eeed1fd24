/* progress.c - see progress.h. */
#include "progress.h"

#include "out.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#define BAR_MAX 30
#define BAR_MIN 10

/* The share of the work that has ended, by the bytes of the input: what was read of it, less what
 * is in flight. Negative: unknown. */
static double share_of(const struct progress_now *now)
{
    double share;

    if (now->started == 0)
        return now->all_read ? 1 : now->total >= 0 ? 0 : -1;
    share = (double)now->ended / (double)now->started;
    if (now->all_read)
        return share;
    if (now->total <= 0)
        return -1;
    return share * (double)now->consumed / (double)now->total;
}

/* How many statements there will be, to two digits while it is a guess. */
static long guess_total(const struct progress_now *now)
{
    double exact = (double)now->started * (double)now->total / (double)now->consumed;
    long guess = exact < 1e15 ? (long)(exact + 0.5) : 1000000000000000;
    long step = 1;

    while (guess / step >= 100)
        step *= 10;
    return (guess + step / 2) / step * step;
}

static void add_clock(struct buf *to, double seconds)
{
    long s = seconds > 1e9 ? 1000000000 : (long)(seconds + 0.5);

    if (s >= 3600)
        buf_format(to, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    else
        buf_format(to, "%ld:%02ld", s / 60, s % 60);
}

static void add_counts(struct buf *to, const struct progress_now *now, double share)
{
    if (now->all_read)
        buf_format(to, "%ld/%ld", now->ended, now->started);
    else if (share >= 0 && now->consumed > 0)
        buf_format(to, "%ld/~%ld", now->ended, guess_total(now));
    else
        buf_format(to, "%ld done", now->ended);
    if (now->failed > 0)
        buf_format(to, "  %ld failed", now->failed);
    buf_format(to, "  %ld in flight", now->in_flight);
    if (now->elapsed > 0)
        buf_format(to, "  %.0f/s", (double)now->ended / now->elapsed);
    if (now->stopping) {
        buf_text(to, "  stopping");
    } else if (share > 0) {
        buf_text(to, "  ETA ");
        add_clock(to, now->elapsed * (1 - share) / share);
    } else {
        buf_text(to, "  ");
        add_clock(to, now->elapsed);
    }
}

static void add_bar(struct buf *to, double share, int room)
{
    int width = room > BAR_MAX ? BAR_MAX : room;
    int full = (int)(share * width);

    buf_byte(to, '[');
    buf_fill(to, '#', (size_t)full);
    buf_fill(to, '.', (size_t)(width - full));
    buf_format(to, "] %3d%%  ", (int)(share * 100));
}

void progress_format(struct buf *to, const struct progress_now *now, int width)
{
    struct buf counts = {0};
    double share = share_of(now);
    size_t most = width > 1 ? (size_t)width - 1 : 0;
    size_t start = to->length;
    int room;

    add_counts(&counts, now, share);
    room = width - 1 - (int)counts.length - (int)strlen("[] 100%  ");
    if (share >= 0 && room >= BAR_MIN)
        add_bar(to, share, room);
    buf_add(to, buf_string(&counts), counts.length);
    buf_free(&counts);
    if (to->length - start > most) {
        to->length = start + most;
        to->data[to->length] = '\0';
    }
}

static int terminal_width(int fd)
{
    struct winsize size;
    const char *columns = getenv("COLUMNS");

    if (ioctl(fd, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    if (columns && atoi(columns) > 0)
        return atoi(columns);
    return 80;
}

static void write_all(struct progress *p)
{
    ssize_t ignored = write(p->fd, p->line.data, p->line.length);

    (void)ignored;
}

void progress_draw(struct progress *p, const struct progress_now *now)
{
    if (p->fd < 0 || (p->shown && now->elapsed - p->drawn_at < PROGRESS_INTERVAL * 0.9))
        return;
    buf_clear(&p->line);
    buf_byte(&p->line, '\r');
    progress_format(&p->line, now, terminal_width(p->fd));
    buf_text(&p->line, "\033[K");
    write_all(p);
    p->shown = true;
    p->drawn_at = now->elapsed;
}

void progress_wipe(struct progress *p)
{
    if (!p->shown)
        return;
    buf_clear(&p->line);
    buf_text(&p->line, "\r\033[K");
    write_all(p);
    p->shown = false;
}

void progress_say(struct progress *p, const char *format, ...)
{
    va_list args;
    char *text = NULL;
    int length;

    progress_wipe(p);
    va_start(args, format);
    length = vasprintf(&text, format, args);
    va_end(args);
    if (length < 0)
        return;
    buf_clear(&p->line);
    buf_text(&p->line, "evpq-run: ");
    buf_add(&p->line, text, (size_t)length);
    buf_byte(&p->line, '\n');
    free(text);
    out_write(STDERR_FILENO, p->line.data, p->line.length);
}

void progress_free(struct progress *p)
{
    buf_free(&p->line);
}
