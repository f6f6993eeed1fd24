/* value_bytes.c - bytes in and out of their text forms. */
#include "values/value_bytes.h"

#include <string.h>

static const char hex[] = "0123456789abcdef";

static int nibble(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'f')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'F')
        return c - 'A' + 10;
    return -1;
}

int bytes_of_hex(const char two[2])
{
    int high = nibble(two[0]), low = nibble(two[1]);
    return high < 0 || low < 0 ? -1 : high << 4 | low;
}

/* ---- bytea ---- */

size_t bytea_room(size_t length)
{
    return length + 1;
}

static enum value_fit read_hex(const char *text, size_t length, uint8_t *room, size_t *ret_length)
{
    if (length % 2)
        return VALUE_MALFORMED;
    for (size_t i = 0; i < length / 2; i++) {
        int byte = bytes_of_hex(text + 2 * i);
        if (byte < 0)
            return VALUE_MALFORMED;
        room[i] = (uint8_t)byte;
    }
    *ret_length = length / 2;
    return VALUE_FITS;
}

/* \\ is a backslash, \ooo an octal byte; everything else stands for itself. */
static enum value_fit read_escape(const char *text, size_t length, uint8_t *room,
                                  size_t *ret_length)
{
    uint8_t *to = room;
    for (const char *p = text, *end = text + length; p < end;) {
        if (*p != '\\') {
            *to++ = (uint8_t)*p++;
        } else if (end - p >= 2 && p[1] == '\\') {
            *to++ = '\\';
            p += 2;
        } else if (end - p >= 4 && p[1] >= '0' && p[1] <= '3' && p[2] >= '0' && p[2] <= '7' &&
                   p[3] >= '0' && p[3] <= '7') {
            *to++ = (uint8_t)((p[1] - '0') << 6 | (p[2] - '0') << 3 | (p[3] - '0'));
            p += 4;
        } else {
            return VALUE_MALFORMED;
        }
    }
    *ret_length = (size_t)(to - room);
    return VALUE_FITS;
}

enum value_fit bytea_read(const char *text, size_t length, void *room, size_t *ret_length)
{
    if (length >= 2 && text[0] == '\\' && text[1] == 'x')
        return read_hex(text + 2, length - 2, room, ret_length);
    return read_escape(text, length, room, ret_length);
}

static char *write_hex(const char *bytes, size_t length, char *to)
{
    for (size_t i = 0; i < length; i++) {
        *to++ = hex[(uint8_t)bytes[i] >> 4];
        *to++ = hex[(uint8_t)bytes[i] & 15];
    }
    return to;
}

size_t bytea_write(const char *bytes, size_t length, char *room)
{
    room[0] = '\\';
    room[1] = 'x';
    *write_hex(bytes, length, room + 2) = '\0';
    return 2 + 2 * length;
}

/* ---- uuid ---- */

static bool hyphen_before(size_t byte)
{
    return byte == 4 || byte == 6 || byte == 8 || byte == 10;
}

enum value_fit uuid_read(const char *text, size_t length, uint8_t ret_uuid[UUID_BYTES])
{
    uint8_t uuid[UUID_BYTES];
    if (length != UUID_TEXT)
        return VALUE_MALFORMED;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (hyphen_before(i) && *text++ != '-')
            return VALUE_MALFORMED;
        int byte = bytes_of_hex(text);
        if (byte < 0)
            return VALUE_MALFORMED;
        uuid[i] = (uint8_t)byte;
        text += 2;
    }
    memcpy(ret_uuid, uuid, sizeof uuid);
    return VALUE_FITS;
}

size_t uuid_write(const char bytes[UUID_BYTES], char room[UUID_TEXT + 1])
{
    char *to = room;
    for (size_t i = 0; i < UUID_BYTES; i++) {
        if (hyphen_before(i))
            *to++ = '-';
        to = write_hex(bytes + i, 1, to);
    }
    *to = '\0';
    return UUID_TEXT;
}
