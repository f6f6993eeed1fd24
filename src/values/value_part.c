/* value_part.c - one value inside another. */
#include "values/value_part.h"

#include <limits.h>

void part_add(struct parts *p, const char *bytes, int length)
{
    if (p->spans)
        p->spans[p->n] = (struct span){bytes, length};
    p->n++;
}

bool part_binary(struct cursor *c, struct parts *p)
{
    int32_t length;
    if (!cursor_int4(c, &length) || length < -1)
        return false;
    if (length == -1) {
        part_add(p, NULL, -1);
        return true;
    }
    if ((size_t)length > cursor_left(c))
        return false;
    part_add(p, c->at, length);
    c->at += length;
    return true;
}

bool value_is_ambiguous(const char *bytes, size_t length)
{
    for (size_t i = 1; i < length; i++)
        if ((unsigned char)bytes[i - 1] >= 0x80 && bytes[i] && strchr("\\{}[]()\",;", bytes[i]))
            return true;
    return false;
}

bool part_quoted(struct cursor *c, bool doubled, struct parts *p)
{
    size_t length = 0;
    if (!cursor_char(c, '"'))
        return false;
    for (; c->at < c->end; c->at++, length++) {
        if (*c->at == '"') {
            bool twice = doubled && c->at + 1 < c->end && c->at[1] == '"';
            if (!twice)
                break;
            c->at++;
        } else if (*c->at == '\\' && ++c->at == c->end) {
            return false;
        }
        if (p->spans)
            p->room[length] = *c->at;
    }
    if (!cursor_char(c, '"') || length > INT_MAX)
        return false;
    part_add(p, p->room, (int)length);
    if (p->spans) {
        p->room[length] = '\0';
        p->room += length + 1;
    }
    return true;
}

bool part_plain(struct cursor *c, const char *stops, struct span *ret_span)
{
    const char *start = c->at;
    for (; c->at < c->end && !(*c->at && strchr(stops, *c->at)); c->at++)
        if (*c->at == '"' || *c->at == '\\')
            return false;
    if (cursor_is_at_end(c) || c->at - start > INT_MAX)
        return false;
    *ret_span = (struct span){start, (int)(c->at - start)};
    return true;
}
