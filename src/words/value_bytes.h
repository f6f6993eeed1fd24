/* value_bytes.h - network byte order, bytea and uuid. Called by value and its other parts. */
#ifndef WORDS_VALUE_BYTES_H
#define WORDS_VALUE_BYTES_H

#include "words/value.h"

/* A big-endian number of `size` bytes (1 to 8). */
uint64_t bytes_uint(const char *bytes, size_t size);
int64_t bytes_int(const char *bytes, size_t size);

/* bytea in text: \x and hex digits, or the escape format of bytea_output = escape. `room` has at
 * least bytea_room(length) bytes. */
size_t bytea_room(size_t length);
enum value_fit bytea_read(const char *text, size_t length, void *room, size_t *ret_length);

/* \x and two hex digits a byte: 2 * length + 2 bytes and a zero byte. Returns the number of bytes
 * written, not counting the zero byte. */
size_t bytea_write(const char *bytes, size_t length, char *room);

/* 8-4-4-4-12 hex digits. */
enum { UUID_BYTES = 16, UUID_TEXT = 36 };
enum value_fit uuid_read(const char *text, size_t length, uint8_t ret_uuid[UUID_BYTES]);
size_t uuid_write(const char bytes[UUID_BYTES], char room[UUID_TEXT + 1]);

#endif
