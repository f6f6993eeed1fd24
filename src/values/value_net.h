/* value_net.h - inet, cidr, macaddr and macaddr8 (PostgreSQL: network_send in utils/adt/network.c,
 * macaddr_send in utils/adt/mac.c). */
#ifndef VALUES_VALUE_NET_H
#define VALUES_VALUE_NET_H

#include "values/value.h"

#include <evpq/types.h>

enum { MAC_BYTES = 6, MAC8_BYTES = 8 };
enum { INET_ROOM = 64, MAC_ROOM = 3 * MAC8_BYTES };

/* The text does not tell whether it is a cidr: `is_cidr` does. */
enum value_fit net_read(const char *text, size_t length, bool is_cidr, evpq_inet *ret_inet);
enum value_fit net_of_binary(const char *bytes, size_t length, evpq_inet *ret_inet);

/* Both write a zero byte that the number they return does not count. */
size_t net_write(const evpq_inet *inet, char room[INET_ROOM]);
size_t mac_write(const char *bytes, size_t length, char room[MAC_ROOM]);

/* `n` bytes in hex digits, with colons between. */
enum value_fit mac_read(const char *text, size_t length, uint8_t *ret_bytes, size_t n);

#endif
