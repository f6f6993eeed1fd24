/* input.c - see input.h. */
#include "input.h"

#include "buf.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define CHUNK ((size_t)64 << 10)

bool input_open_file(struct input *in, const char *path)
{
    bool is_stdin = strcmp(path, "-") == 0;
    struct stat st;

    *in = (struct input){.fd = STDIN_FILENO, .size = -1};
    in->name = dup_string(is_stdin ? "(standard input)" : path);
    if (!is_stdin)
        in->fd = open(path, O_RDONLY | O_CLOEXEC);
    if (in->fd < 0 || fstat(in->fd, &st) < 0)
        return false;
    if (S_ISDIR(st.st_mode)) {
        errno = EISDIR;
        return false;
    }
    if (S_ISREG(st.st_mode))
        in->size = st.st_size;
    return true;
}

void input_open_text(struct input *in, const char *text, const char *name)
{
    *in = (struct input){.name = dup_string(name), .fd = -1, .text = text};
    in->size = (int64_t)strlen(text);
}

static enum input_status read_descriptor(struct input *in, struct window *to, bool may_block)
{
    struct pollfd p = {.fd = in->fd, .events = POLLIN};
    ssize_t n;

    if (!may_block && poll(&p, 1, 0) <= 0)
        return INPUT_WAIT;
    n = read(in->fd, window_reserve(to, CHUNK), CHUNK);
    if (n < 0)
        return errno == EINTR || errno == EAGAIN ? INPUT_WAIT : INPUT_ERROR;
    window_add(to, (size_t)n);
    to->finished = n == 0;
    return INPUT_SOME;
}

enum input_status input_read(struct input *in, struct window *to, bool may_block)
{
    if (in->fd >= 0)
        return read_descriptor(in, to, may_block);
    window_feed(to, in->text, (size_t)in->size);
    to->finished = true;
    return INPUT_SOME;
}

bool input_is(const struct input *in, int fd)
{
    struct stat mine, other;

    return in->fd >= 0 && fstat(in->fd, &mine) == 0 && fstat(fd, &other) == 0 &&
           S_ISREG(other.st_mode) && mine.st_dev == other.st_dev && mine.st_ino == other.st_ino;
}

void input_close(struct input *in)
{
    if (in->fd > STDIN_FILENO)
        close(in->fd);
    in->fd = -1;
}

void input_free(struct input *in)
{
    input_close(in);
    free(in->name);
}
