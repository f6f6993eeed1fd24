/* text.c - see text.h. */
#include "text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { LEAST_ROOM = 512, KEPT_ROOM = 16384 };

static bool make_room(struct text *t, size_t n)
{
    if (t->failed || n <= t->room - t->length)
        return !t->failed;
    size_t room = t->room ? t->room : LEAST_ROOM;
    while (room - t->length < n)
        room *= 2;
    char *data = realloc(t->data, room);
    if (!data) {
        t->failed = true;
        return false;
    }
    t->data = data;
    t->room = room;
    return true;
}

void text_add(struct text *t, const char *bytes, size_t n)
{
    if (!make_room(t, n))
        return;
    memcpy(t->data + t->length, bytes, n);
    t->length += n;
}

void text_string(struct text *t, const char *string)
{
    text_add(t, string, strlen(string));
}

void text_int(struct text *t, long long value)
{
    char digits[24], *first = digits + sizeof digits;
    unsigned long long left = value < 0 ? 0 - (unsigned long long)value : (unsigned long long)value;
    do
        *--first = (char)('0' + left % 10);
    while (left /= 10);
    if (value < 0)
        *--first = '-';
    text_add(t, first, (size_t)(digits + sizeof digits - first));
}

void text_json(struct text *t, const char *string)
{
    text_add(t, "\"", 1);
    for (const char *c = string; *c; c++) {
        char escape[8];
        if (*c == '"' || *c == '\\')
            text_add(t, "\\", 1);
        if ((unsigned char)*c >= ' ')
            text_add(t, c, 1);
        else
            text_add(t, escape, (size_t)snprintf(escape, sizeof escape, "\\u%04x", *c));
    }
    text_add(t, "\"", 1);
}

static const char *html_escape(char c)
{
    switch (c) {
    case '&':
        return "&amp;";
    case '<':
        return "&lt;";
    case '>':
        return "&gt;";
    case '"':
        return "&quot;";
    case '\'':
        return "&#39;";
    default:
        return NULL;
    }
}

void text_html(struct text *t, const char *string)
{
    for (const char *c = string; *c; c++) {
        size_t plain = strcspn(c, "&<>\"'");
        text_add(t, c, plain);
        c += plain;
        if (!*c)
            break;
        text_string(t, html_escape(*c));
    }
}

void text_clear(struct text *t)
{
    if (t->room > KEPT_ROOM)
        text_free(t);
    t->length = 0;
    t->failed = false;
}

void text_free(struct text *t)
{
    free(t->data);
    *t = (struct text){0};
}
