/* cli.c - see cli.h. */
#include "cli.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

/* Copies that are never freed. The list keeps them in the reach of leak checkers. */
struct copy {
    struct copy *next;
    char text[];
};

static struct copy *copies;

static char *keep(const char *text)
{
    size_t size = strlen(text) + 1;
    struct copy *copy = malloc(sizeof *copy + size);
    if (!copy)
        abort();
    memcpy(copy->text, text, size);
    copy->next = copies;
    copies = copy;
    return copy->text;
}

void cli_guard_streams(void)
{
    for (int fd = STDIN_FILENO; fd <= STDERR_FILENO; fd++) {
        if (fcntl(fd, F_GETFD) >= 0)
            continue;
        if (open("/dev/null", fd == STDIN_FILENO ? O_WRONLY : O_RDONLY) != fd)
            _exit(1);
    }
}

/* Rather too often than not: in a URI the password stands before an @, and any letter of the word
 * may be percent-encoded. */
static bool may_hold_password(const char *conninfo)
{
    if (strcasestr(conninfo, "password"))
        return true;
    return strstr(conninfo, "://") && strpbrk(conninfo, "@%");
}

/* The library takes no bare name, as what is meant for a URI may look like one; psql does. */
static bool is_database_name(const char *arg)
{
    static const char letters[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-.";
    return *arg && !arg[strspn(arg, letters)];
}

static char *with_keyword(const char *name)
{
    char text[256];
    return snprintf(text, sizeof text, "dbname=%s", name) < (int)sizeof text ? keep(text)
                                                                             : keep(name);
}

const char *cli_take_conninfo(char *arg)
{
    char *copy = is_database_name(arg) ? with_keyword(arg) : keep(arg);
    if (may_hold_password(arg))
        memset(arg, 'x', strlen(arg));
    return copy;
}

const char *cli_mask(const char *message, const char *conninfo)
{
    char *copy = keep(message);
    char *first = strchr(copy, '"'), *last = strrchr(copy, '"');
    if (!may_hold_password(conninfo) || !first || first == last)
        return copy;
    if (last - first > 4) {
        memmove(first + 4, last, strlen(last) + 1);
        memset(first + 1, '.', 3);
    } else {
        memset(first + 1, '.', (size_t)(last - first - 1));
    }
    return copy;
}
