/* out.c - see out.h. */
#include "out.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define GATHER ((size_t)64 << 10)

bool out_open(struct out *o, const char *path, mode_t mode)
{
    bool is_stdout = strcmp(path, "-") == 0;

    *o = (struct out){.fd = STDOUT_FILENO};
    if (!is_stdout)
        o->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, mode);
    if (o->fd < 0)
        return false;
    o->name = dup_string(is_stdout ? "(standard output)" : path);
    o->immediate = isatty(o->fd);
    return true;
}

bool out_truncate(struct out *o)
{
    struct stat st;

    if (o->fd == STDOUT_FILENO || fstat(o->fd, &st) < 0 || !S_ISREG(st.st_mode))
        return true;
    return ftruncate(o->fd, 0) == 0;
}

bool out_same(const struct out *a, const struct out *b)
{
    struct stat sa, sb;

    return fstat(a->fd, &sa) == 0 && fstat(b->fd, &sb) == 0 && S_ISREG(sa.st_mode) &&
           sa.st_dev == sb.st_dev && sa.st_ino == sb.st_ino;
}

static void note_lost(struct out *o)
{
    if (o->lost_count == 0)
        buf_text(&o->lost_since, buf_string(&o->pending_since));
    o->lost_count += o->pending_count;
}

/* A pipe may be in non-blocking mode, because whoever holds its other end has made it so. */
static void wait_for_room(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLOUT};

    poll(&p, 1, -1);
}

size_t out_write(int fd, const char *data, size_t length)
{
    size_t done = 0;

    while (done < length) {
        ssize_t n = write(fd, data + done, length - done);

        if (n >= 0)
            done += (size_t)n;
        else if (errno == EAGAIN || errno == EWOULDBLOCK)
            wait_for_room(fd);
        else if (errno != EINTR)
            break;
    }
    return done;
}

bool out_flush(struct out *o)
{
    size_t done = 0;

    if (!o->error && o->pending.length > 0)
        done = out_write(o->fd, o->pending.data, o->pending.length);
    if (done < o->pending.length && !o->error)
        o->error = errno;
    if (done < o->pending.length)
        note_lost(o);
    buf_clear(&o->pending);
    buf_clear(&o->pending_since);
    o->pending_count = 0;
    return !o->error;
}

bool out_add(struct out *o, const char *data, size_t length, const char *place)
{
    if (length == 0)
        return !o->error;
    if (o->pending_count++ == 0)
        buf_text(&o->pending_since, place);
    buf_add(&o->pending, data, length);
    if (o->error || o->immediate || o->pending.length >= GATHER)
        out_flush(o);
    return !o->error;
}

bool out_close(struct out *o)
{
    bool good = out_flush(o);

    if (o->fd >= 0 && close(o->fd) < 0 && good) {
        o->error = errno;
        good = false;
    }
    o->fd = -1;
    return good;
}

void out_free(struct out *o)
{
    free(o->name);
    buf_free(&o->pending);
    buf_free(&o->pending_since);
    buf_free(&o->lost_since);
    *o = (struct out){.fd = -1};
}

void out_cause(const struct out *o, struct buf *to)
{
    buf_format(to, "%s: cannot write: %s", o->name, strerror(o->error));
}

void out_explain(const struct out *o, struct buf *to)
{
    out_cause(o, to);
    if (o->lost_count > 0)
        buf_format(to, "; the output of %ld statement%s from %s on is missing or cut short",
                   o->lost_count, o->lost_count == 1 ? "" : "s", buf_string(&o->lost_since));
}
