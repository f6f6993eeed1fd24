/* opts.c - see opts.h. */
#include "testing/opts.h"

#include "testing/worker.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

void *take_memory(size_t n)
{
    void *p = calloc(1, n ? n : 1);
    if (!p)
        testing_die("calloc");
    return p;
}

void *more_memory(void *p, size_t n)
{
    p = realloc(p, n ? n : 1);
    if (!p)
        testing_die("realloc");
    return p;
}

char *copy_part(const char *text, size_t n)
{
    char *copy = take_memory(n + 1);
    memcpy(copy, text, n);
    return copy;
}

char *copy_text(const char *text)
{
    return text ? copy_part(text, strlen(text)) : NULL;
}

bool wrong(char **ret_error, const char *format, ...)
{
    va_list args;
    if (!ret_error)
        return false;
    va_start(args, format);
    if (vasprintf(ret_error, format, args) < 0)
        testing_die("vasprintf");
    va_end(args);
    return false;
}

/* ---- sizes ---- */

enum { MOST_SIZE = 4096 };

static bool has_size(const struct kind *kind, const void *given, size_t *ret_size)
{
    memcpy(ret_size, given, sizeof *ret_size);
    return *ret_size >= kind->least && *ret_size <= MOST_SIZE && *ret_size % _Alignof(size_t) == 0;
}

bool kind_read(const struct kind *kind, const void *given, void *ret_opts, char **ret_error)
{
    size_t size = 0;
    memset(ret_opts, 0, kind->size);
    if (!given)
        return true;
    if (!has_size(kind, given, &size))
        return wrong(ret_error,
                     "%s: the field size is %zu; set it to sizeof(%s), which is %zu here",
                     kind->name, size, kind->name, kind->size);
    for (size_t i = kind->size; i < size; i++)
        if (((const char *)given)[i])
            return wrong(ret_error, "%s: a field is set that this version does not know",
                         kind->name);
    memcpy(ret_opts, given, size < kind->size ? size : kind->size);
    return true;
}

bool kind_write(const struct kind *kind, const void *from, void *to)
{
    size_t size;
    if (!has_size(kind, to, &size))
        return false;
    if (size > kind->size)
        memset((char *)to + kind->size, 0, size - kind->size);
    size_t n = size < kind->size ? size : kind->size;
    memcpy((char *)to + sizeof size, (const char *)from + sizeof size, n - sizeof size);
    return true;
}
