/* why.c - see why.h. */
#include "words/why.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

void why_say(struct why *why, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int n = vsnprintf(why->text + why->n, sizeof why->text - why->n, format, args);
    va_end(args);
    if (n > 0)
        why->n += strlen(why->text + why->n);
}

void why_failed(struct why *why, const char *before, const evpq_error *failure)
{
    if (!failure)
        return;
    why_say(why, "%s%s", before, evpq_error_message(failure));
    if (strlen(evpq_error_sqlstate(failure)) < sizeof why->sqlstate)
        strcpy(why->sqlstate, evpq_error_sqlstate(failure));
}
