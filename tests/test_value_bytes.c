/* test_value_bytes.c - network byte order, bytea in both text forms, uuid. */
#include "values/value_bytes.h"

#include "support/check.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

START_TEST(numbers_are_big_endian)
{
    static const char bytes[] = "\x80\x01\x02\x03\x04\x05\x06\xff";
    ck_assert_uint_eq(bytes_uint2(bytes), 0x8001);
    ck_assert_uint_eq(bytes_uint8(bytes), UINT64_C(0x80010203040506ff));
    ck_assert_int_eq(bytes_int2(bytes), -0x7fff);
    ck_assert_int_eq(bytes_int4(bytes), -0x7ffefdfd);
    ck_assert_int_eq(bytes_int2("\x7f\xff"), 0x7fff);
    ck_assert_int_eq(bytes_int4("\xff\xff\xff\xff"), -1);
    ck_assert_uint_eq(bytes_uint4("\xff\xfe\xfd\xfc"), 0xfffefdfc);
    ck_assert_int_eq(bytes_int8("\x80\0\0\0\0\0\0\0"), INT64_MIN);
}
END_TEST

/* In an allocation of its own size, so that a sanitizer sees a byte read beyond it. */
static bool plain(uint32_t type, const char *bytes, size_t length, int64_t *ret_value)
{
    char *copy = malloc(length ? length : 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, length);
    bool is_plain = bytes_plain_int(type, length, copy, ret_value);
    free(copy);
    return is_plain;
}

START_TEST(plain_integers_are_binary_and_of_their_own_length)
{
    static const char bytes[] = "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8\xf7";
    static const struct {
        uint32_t type;
        size_t length;
        int64_t value;
    } rows[] = {{21, 2, -2}, {23, 4, -66052}, {20, 8, -283686952306184}, {26, 4, 4294901244}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        for (size_t length = 0; length < sizeof bytes; length++) {
            int64_t value = 77;
            bool fits = length == rows[i].length;
            ck_assert_int_eq(plain(rows[i].type, bytes, length, &value), fits);
            ck_assert_int_eq(value, fits ? rows[i].value : 77);
        }
}
END_TEST

START_TEST(other_types_are_not_plain_integers)
{
    static const uint32_t types[] = {0, 16, 19, 22, 24, 25, 28, 700, 701, 1082, 1114, 1184, 1700};
    int64_t value = 77;
    for (size_t i = 0; i < sizeof types / sizeof *types; i++)
        for (size_t length = 0; length <= 8; length++)
            ck_assert(!plain(types[i], "\0\0\0\1\0\0\0\1", length, &value));
    ck_assert_int_eq(value, 77);
}
END_TEST

/* Decodes into a block of exactly the room that is promised to be enough. */
static enum value_fit decode(const char *text, char *ret_bytes, size_t *ret_length)
{
    void *room = malloc(bytea_room(strlen(text)));
    ck_assert_ptr_nonnull(room);
    enum value_fit fit = bytea_read(text, strlen(text), room, ret_length);
    if (fit == VALUE_FITS)
        memcpy(ret_bytes, room, *ret_length);
    free(room);
    return fit;
}

START_TEST(bytea_is_decoded_from_both_forms)
{
    static const struct {
        const char *text, *bytes;
        size_t length;
    } cases[] = {
        {"\\x", "", 0},
        {"", "", 0},
        {"\\x00", "\0", 1},
        {"\\x0001fFaB", "\0\1\xff\xab", 4},
        {"abc", "abc", 3},
        {"a\\\\b", "a\\b", 3},
        {"\\000\\377x\\101", "\0\xffxA", 4},
        {"\\\\x41", "\\x41", 4},
        {"x", "x", 1},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char bytes[16];
        size_t length = 77;
        ck_assert_msg(decode(cases[i].text, bytes, &length) == VALUE_FITS, "%s", cases[i].text);
        ck_assert_uint_eq(length, cases[i].length);
        ck_assert_int_eq(memcmp(bytes, cases[i].bytes, length), 0);
    }
}
END_TEST

START_TEST(malformed_bytea_is_refused)
{
    static const char *const bad[] = {"\\x0",  "\\x0g", "\\xg0",  "\\x00 ",  "\\",
                                      "a\\",   "\\1",   "\\12",   "\\400",   "\\08a",
                                      "\\1x1", "\\x-1", "\\q123", "\\x0\\0", "\\012\\"};
    char bytes[16];
    size_t length = 77;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(decode(bad[i], bytes, &length) == VALUE_MALFORMED, "\"%s\" was read", bad[i]);
    ck_assert_uint_eq(length, 77);
}
END_TEST

START_TEST(bytea_is_written_in_hex)
{
    char room[16];
    ck_assert_uint_eq(bytea_write("", 0, room), 2);
    ck_assert_str_eq(room, "\\x");
    ck_assert_uint_eq(bytea_write("\0\xff\x1a", 3, room), 8);
    ck_assert_str_eq(room, "\\x00ff1a");
}
END_TEST

static const char uuid_text[] = "00112233-4455-6677-8899-aabbccddeeff";

START_TEST(uuid_comes_and_goes)
{
    uint8_t uuid[UUID_BYTES];
    char room[UUID_TEXT + 1];
    ck_assert_int_eq(uuid_read(uuid_text, UUID_TEXT, uuid), VALUE_FITS);
    for (int i = 0; i < UUID_BYTES; i++)
        ck_assert_uint_eq(uuid[i], 0x11 * i);
    ck_assert_uint_eq(uuid_write((const char *)uuid, room), UUID_TEXT);
    ck_assert_str_eq(room, uuid_text);
}
END_TEST

START_TEST(malformed_uuid_is_refused)
{
    uint8_t uuid[UUID_BYTES] = {77};
    for (size_t i = 0; i < UUID_TEXT; i++) {
        char text[sizeof uuid_text];
        memcpy(text, uuid_text, sizeof text);
        text[i] = 'x';
        ck_assert_msg(uuid_read(text, UUID_TEXT, uuid) == VALUE_MALFORMED, "\"%s\" was read", text);
    }
    ck_assert_int_eq(uuid_read(uuid_text, UUID_TEXT - 1, uuid), VALUE_MALFORMED);
    ck_assert_int_eq(uuid_read("", 0, uuid), VALUE_MALFORMED);
    ck_assert_uint_eq(uuid[0], 77);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("value_bytes");
    CHECK_ADD(c, numbers_are_big_endian);
    CHECK_ADD(c, plain_integers_are_binary_and_of_their_own_length);
    CHECK_ADD(c, other_types_are_not_plain_integers);
    CHECK_ADD(c, bytea_is_decoded_from_both_forms);
    CHECK_ADD(c, malformed_bytea_is_refused);
    CHECK_ADD(c, bytea_is_written_in_hex);
    CHECK_ADD(c, uuid_comes_and_goes);
    CHECK_ADD(c, malformed_uuid_is_refused);
    return check_end(c);
}
