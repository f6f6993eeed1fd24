/* test_value_net.c - addresses of networks and cards, there and back, and what is none. */
#include "values/value_net.h"

#include "support/check.h"

#include <string.h>

#define BYTES(literal) literal, sizeof literal - 1

static const struct {
    const char *bytes;
    size_t length;
    const char *text;
} cases[] = {
    {BYTES("\2\x20\0\4\300\250\0\1"), "192.168.0.1"},
    {BYTES("\2\x18\0\4\300\250\0\1"), "192.168.0.1/24"},
    {BYTES("\2\0\0\4\0\0\0\0"), "0.0.0.0/0"},
    {BYTES("\2\x08\1\4\x0a\0\0\0"), "10.0.0.0/8"},
    {BYTES("\2\x20\1\4\x0a\1\2\3"), "10.1.2.3/32"},
    {BYTES("\3\x80\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1"), "::1"},
    {BYTES("\3\x20\1\x10 \1\r\270\0\0\0\0\0\0\0\0\0\0\0\0"), "2001:db8::/32"},
    {BYTES("\3\x7f\0\x10\0\0\0\0\0\0\0\0\0\0\377\377\1\2\3\4"), "::ffff:1.2.3.4/127"},
};

START_TEST(text_there_and_back)
{
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char room[INET_ROOM];
        evpq_inet inet, back;
        memset(&back, 1, sizeof back);
        ck_assert_int_eq(net_of_binary(cases[i].bytes, cases[i].length, &inet), VALUE_FITS);
        ck_assert_uint_eq(net_write(&inet, room), strlen(cases[i].text));
        ck_assert_str_eq(room, cases[i].text);
        ck_assert_int_eq(net_read(room, strlen(room), inet.is_cidr, &back), VALUE_FITS);
        ck_assert_uint_eq(back.family, inet.family);
        ck_assert_uint_eq(back.bits, inet.bits);
        ck_assert_uint_eq(back.is_cidr, inet.is_cidr);
        ck_assert_mem_eq(back.address, inet.address, sizeof inet.address);
    }
}
END_TEST

START_TEST(what_is_no_address_is_refused)
{
    static const char *const texts[] = {
        "",
        "1.2.3",
        "1.2.3.4.5",
        "1.2.3.256",
        "1.2.3.4/33",
        "1.2.3.4/",
        "1.2.3.4/-1",
        "1.2.3.4/8x",
        "::/129",
        ":",
        "1::2::3",
        "fe80::1%eth0",
        "localhost",
        " 1.2.3.4",
        "1111:2222:3333:4444:5555:6666:7777:8888:9999:1111:2222:3333:4444:5555:6666:7777",
    };
    static const struct {
        const char *bytes;
        size_t length;
    } binaries[] = {
        {BYTES("")},
        {BYTES("\2\x20\0")},
        {BYTES("\2\x20\0\4\1\2\3")},
        {BYTES("\2\x20\0\4\1\2\3\4\5")},
        {BYTES("\2\x21\0\4\1\2\3\4")},
        {BYTES("\2\x20\0\x10\1\2\3\4")},
        {BYTES("\4\x20\0\4\1\2\3\4")},
        {BYTES("\3\x81\0\x10\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\1")},
        {BYTES("\3\x80\0\4\1\2\3\4")},
    };
    evpq_inet inet;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        ck_assert_msg(net_read(texts[i], strlen(texts[i]), false, &inet) == VALUE_MALFORMED,
                      "\"%s\"", texts[i]);
    ck_assert_int_eq(net_read(BYTES("1.2.3.4\0"), false, &inet), VALUE_MALFORMED);
    for (size_t i = 0; i < sizeof binaries / sizeof *binaries; i++)
        ck_assert_msg(net_of_binary(binaries[i].bytes, binaries[i].length, &inet) ==
                          VALUE_MALFORMED,
                      "binary %zu", i);
}
END_TEST

START_TEST(addresses_of_cards)
{
    static const char *const bad[] = {"",
                                      "08:00:2b:01:02",
                                      "08:00:2b:01:02:0",
                                      "08-00-2b-01-02-0f",
                                      "08:00:2b:01:02:0g",
                                      "08:00:2b:01:02:0f:",
                                      "08002b01020f"};
    uint8_t bytes[MAC8_BYTES] = {0};
    char room[MAC_ROOM];
    ck_assert_int_eq(mac_read(BYTES("08:00:2b:01:02:0F"), bytes, MAC_BYTES), VALUE_FITS);
    ck_assert_mem_eq(bytes, "\x08\0\x2b\1\2\x0f\0\0", MAC8_BYTES);
    ck_assert_uint_eq(mac_write((const char *)bytes, MAC_BYTES, room), 17);
    ck_assert_str_eq(room, "08:00:2b:01:02:0f");
    ck_assert_uint_eq(mac_write((const char *)bytes, MAC8_BYTES, room), 23);
    ck_assert_int_eq(mac_read(room, 23, bytes, MAC8_BYTES), VALUE_FITS);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        ck_assert_msg(mac_read(bad[i], strlen(bad[i]), bytes, MAC_BYTES) == VALUE_MALFORMED,
                      "\"%s\"", bad[i]);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("value_net");
    CHECK_ADD(c, text_there_and_back);
    CHECK_ADD(c, what_is_no_address_is_refused);
    CHECK_ADD(c, addresses_of_cards);
    return check_end(c);
}
