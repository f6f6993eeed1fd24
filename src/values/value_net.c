/* value_net.c - addresses of networks and of their cards. */
#include "values/value_net.h"

#include "values/cursor.h"

#include <arpa/inet.h>
#include <stdio.h>

/* As in the binary form: AF_INET, and PGSQL_AF_INET6, which is one more whatever AF_INET6 is. */
enum { WIRE_INET4 = 2, WIRE_INET6 = 3, WIRE_HEAD = 4 };

static int most_bits(const evpq_inet *inet)
{
    return inet->family == EVPQ_INET4 ? 32 : 128;
}

static size_t address_bytes(const evpq_inet *inet)
{
    return inet->family == EVPQ_INET4 ? 4 : 16;
}

/* ---- inet and cidr ---- */

static bool read_address(const char *text, size_t length, evpq_inet *inet)
{
    char address[INET_ROOM];
    if (length >= sizeof address || memchr(text, '\0', length))
        return false;
    memcpy(address, text, length);
    address[length] = '\0';
    bool is_six = strchr(address, ':') != NULL;
    inet->family = is_six ? EVPQ_INET6 : EVPQ_INET4;
    return inet_pton(is_six ? AF_INET6 : AF_INET, address, inet->address) == 1;
}

enum value_fit net_read(const char *text, size_t length, bool is_cidr, evpq_inet *ret_inet)
{
    evpq_inet inet = {.is_cidr = is_cidr};
    const char *slash = memchr(text, '/', length);
    struct cursor c = cursor_over(text, length);
    if (!read_address(text, slash ? (size_t)(slash - text) : length, &inet))
        return VALUE_MALFORMED;
    int64_t bits = most_bits(&inet);
    if (slash) {
        c.at = slash + 1;
        if (!cursor_digits(&c, 1, 3, &bits) || !cursor_is_at_end(&c) || bits > most_bits(&inet))
            return VALUE_MALFORMED;
    }
    inet.bits = (uint8_t)bits;
    *ret_inet = inet;
    return VALUE_FITS;
}

enum value_fit net_of_binary(const char *bytes, size_t length, evpq_inet *ret_inet)
{
    if (length < WIRE_HEAD || (bytes[0] != WIRE_INET4 && bytes[0] != WIRE_INET6))
        return VALUE_MALFORMED;
    evpq_inet inet = {
        .family = bytes[0] == WIRE_INET4 ? EVPQ_INET4 : EVPQ_INET6,
        .bits = (uint8_t)bytes[1],
        .is_cidr = bytes[2] != 0,
    };
    size_t n = address_bytes(&inet);
    if (inet.bits > most_bits(&inet) || (uint8_t)bytes[3] != n || length != WIRE_HEAD + n)
        return VALUE_MALFORMED;
    memcpy(inet.address, bytes + WIRE_HEAD, n);
    *ret_inet = inet;
    return VALUE_FITS;
}

size_t net_write(const evpq_inet *inet, char room[INET_ROOM])
{
    inet_ntop(inet->family == EVPQ_INET4 ? AF_INET : AF_INET6, inet->address, room, INET_ROOM);
    size_t length = strlen(room);
    if (inet->is_cidr || inet->bits != most_bits(inet))
        length += (size_t)sprintf(room + length, "/%d", inet->bits);
    return length;
}

/* ---- macaddr and macaddr8 ---- */

enum value_fit mac_read(const char *text, size_t length, uint8_t *ret_bytes, size_t n)
{
    uint8_t bytes[MAC8_BYTES];
    if (length != 3 * n - 1)
        return VALUE_MALFORMED;
    for (size_t i = 0; i < n; i++) {
        int byte = bytes_of_hex(text + 3 * i);
        if (byte < 0 || (i && text[3 * i - 1] != ':'))
            return VALUE_MALFORMED;
        bytes[i] = (uint8_t)byte;
    }
    memcpy(ret_bytes, bytes, n);
    return VALUE_FITS;
}

size_t mac_write(const char *bytes, size_t length, char room[MAC_ROOM])
{
    static const char digits[] = "0123456789abcdef";
    char *p = room;
    for (size_t i = 0; i < length; i++) {
        *p++ = digits[(uint8_t)bytes[i] >> 4];
        *p++ = digits[bytes[i] & 15];
        *p++ = ':';
    }
    *--p = '\0';
    return (size_t)(p - room);
}
