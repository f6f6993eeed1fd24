/* input.h - one file, pipe or text that is read from its beginning to its end. Only source.c uses
 * it. */
#ifndef RUN_INPUT_H
#define RUN_INPUT_H

#include "window.h"

#include <stdint.h>

struct input {
    char *name;       /* for people */
    int fd;           /* -1: `text` is all of it, or it is closed */
    const char *text; /* borrowed */
    int64_t size;     /* in bytes; -1: unknown */
};

enum input_status { INPUT_SOME, INPUT_WAIT, INPUT_ERROR };

/* "-" is standard input. False with errno set where it cannot be opened or is a folder; close it
 * all the same. */
bool input_open_file(struct input *in, const char *path);

/* `text` is borrowed for the life of the input. */
void input_open_text(struct input *in, const char *text, const char *name);

/* Adds to the window, or sets its `finished`. INPUT_WAIT: nothing is there yet, and `may_block`
 * does not allow to wait for it. INPUT_ERROR: errno. */
enum input_status input_read(struct input *in, struct window *to, bool may_block);

/* Whether `fd` is open on the same file. */
bool input_is(const struct input *in, int fd);

void input_close(struct input *in); /* the name stays */
void input_free(struct input *in);

#endif
