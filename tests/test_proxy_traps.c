/*
 * The fault proxy's triggers, and what it does to the messages of the PostgreSQL protocol
 * (testing/proxy.h), seen from both of its ends.
 */
#include <string.h>
#include <unistd.h>

#include "support/check.h"
#include "support/rig.h"
#include "testing/proxy_scan.h"

/* ---- triggers ---- */

START_TEST(cut_at_the_nth_byte_string)
{
    struct rig r = rig_new();

    proxy_split(r.proxy, _i == 1);
    proxy_arm(r.proxy, &(struct proxy_trigger){.act = PROXY_CUT, .bytes = "aab", .nth = 2});
    ck_put(r.client, "aab.aaa");
    ck_get(r.server, "aab.aaa");
    ck_put(r.client, "b and more");
    ck_get(r.server, "b");
    ck_end(r.server);
    ck_end(r.client);
    ck_assert_int_eq(proxy_stats(r.proxy).fired, 1);
    rig_free(&r);
}
END_TEST

START_TEST(spoil_changes_one_byte)
{
    struct rig r = rig_new();

    proxy_split(r.proxy, _i == 1);
    proxy_arm(r.proxy, &(struct proxy_trigger){.act = PROXY_SPOIL, .bytes = "aab"});
    ck_put(r.client, "aab.aab");
    ck_get(r.server, "aac.aab");
    ck_put(r.server, "more");
    ck_get(r.client, "more");
    ck_assert_int_eq(proxy_stats(r.proxy).fired, 1);
    rig_free(&r);
}
END_TEST

START_TEST(before_keeps_the_last_byte_back)
{
    struct rig r = rig_new();

    proxy_arm(r.proxy, &(struct proxy_trigger){.dir = PROXY_TO_CLIENT,
                                               .act = PROXY_RESET,
                                               .bytes = "\0OK",
                                               .length = 3,
                                               .before = true});
    char got[16] = "";
    size_t n = 0;
    ssize_t some;

    ck_put(r.server, "is it \0OK or not");
    while ((some = get_some(r.client, got + n, sizeof got - n, LONG)) > 0)
        n += (size_t)some;
    ck_assert_int_eq(some, -1);
    ck_assert_int_eq(errno, ECONNRESET);
    ck_assert_uint_le(n, sizeof "is it \0O" - 1);
    rig_free(&r);
}
END_TEST

START_TEST(cut_after_so_many_bytes)
{
    struct rig r = rig_new();

    proxy_arm_after(r.proxy, PROXY_TO_SERVER, 7, PROXY_CUT);
    ck_put(r.client, "12345");
    ck_get(r.server, "12345");
    ck_put(r.client, "67890");
    ck_get(r.server, "67");
    ck_end(r.server);
    rig_free(&r);
}
END_TEST

START_TEST(stall_trigger_silences_its_connection_only)
{
    struct rig r = rig_new();
    struct rig other = r;

    rig_open(&other);
    proxy_arm(r.proxy, &(struct proxy_trigger){.act = PROXY_STALL, .bytes = "hush"});
    ck_put(r.client, "hush now");
    ck_get(r.server, "hush");
    ck_nothing(r.server);
    ck_put(r.server, "answer");
    ck_nothing(r.client);
    rig_exchange(&other, 100);
    rig_close(&other);
    rig_free(&r);
}
END_TEST

START_TEST(disarm_forgets)
{
    struct rig r = rig_new();

    proxy_arm(r.proxy, &(struct proxy_trigger){.act = PROXY_CUT, .bytes = "x"});
    proxy_disarm(r.proxy);
    ck_put(r.client, "xxx");
    ck_get(r.server, "xxx");
    ck_assert(!proxy_wait_fired(r.proxy, 1, 0.01));
    rig_free(&r);
}
END_TEST

/* ---- the protocol ---- */

#define STARTUP "\0\0\0\x11\0\3\0\0user\0me\0\0"
#define SSL_REQUEST "\0\0\0\x8\x4\xd2\x16\x2f"
#define CANCEL_REQUEST "\0\0\0\x10\x4\xd2\x16\x2e\0\0\0\1\0\0\0\2"
#define AUTH_OK "R\0\0\0\x8\0\0\0\0"
#define KEY_DATA "K\0\0\0\xc\0\0\0\1\0\0\0\2"
#define READY "Z\0\0\0\5I"
#define QUERY_K "Q\0\0\0\x6K\0"

/* Also what another goes off at. _i: a byte string, whose end is before the message's. */
START_TEST(each_trigger_counts_all_that_passes)
{
    struct rig r = rig_new();
    char got[] = STARTUP QUERY_K;

    ck_put(r.client, STARTUP);
    ck_get(r.server, STARTUP);
    for (int nth = 1; nth <= 2; nth++)
        proxy_arm(r.proxy, &(struct proxy_trigger){.act = PROXY_CUT,
                                                   .message = _i ? 0 : 'Q',
                                                   .bytes = _i ? "K" : NULL,
                                                   .nth = nth});
    ck_put(r.client, QUERY_K);
    ck_end(r.client);
    rig_close(&r);
    rig_open(&r);
    ck_put(r.client, STARTUP QUERY_K QUERY_K);
    get(r.server, got, sizeof got - 1 - (size_t)_i);
    ck_end(r.server);
    ck_end(r.client);
    ck_assert_int_eq(proxy_stats(r.proxy).fired, 2);
    rig_free(&r);
}
END_TEST

START_TEST(strip_key_takes_the_key_and_nothing_else)
{
    struct rig r = rig_new();

    proxy_strip_key(r.proxy, true);
    proxy_split(r.proxy, _i == 1);
    ck_put(r.client, STARTUP);
    ck_get(r.server, STARTUP);
    ck_put(r.server, AUTH_OK KEY_DATA READY);
    ck_get(r.client, AUTH_OK READY);
    ck_put(r.client, QUERY_K);
    ck_get(r.server, QUERY_K);
    ck_put(r.server, "D\0\0\0\xbKEYKEYK" READY);
    ck_get(r.client, "D\0\0\0\xbKEYKEYK" READY);
    rig_free(&r);
}
END_TEST

START_TEST(strip_key_works_after_a_refused_encryption)
{
    struct rig r = rig_new();

    proxy_strip_key(r.proxy, true);
    ck_put(r.client, SSL_REQUEST);
    ck_get(r.server, SSL_REQUEST);
    ck_put(r.server, "N");
    ck_get(r.client, "N");
    ck_put(r.client, STARTUP);
    ck_get(r.server, STARTUP);
    ck_put(r.server, AUTH_OK KEY_DATA READY);
    ck_get(r.client, AUTH_OK READY);
    rig_free(&r);
}
END_TEST

START_TEST(encrypted_bytes_are_left_alone)
{
    struct rig r = rig_new();

    proxy_strip_key(r.proxy, true);
    ck_put(r.client, SSL_REQUEST);
    ck_get(r.server, SSL_REQUEST);
    ck_put(r.server, "S" KEY_DATA);
    ck_get(r.client, "S" KEY_DATA);
    rig_free(&r);
}
END_TEST

START_TEST(act_on_a_message_type)
{
    struct rig r = rig_new();

    ck_put(r.client, STARTUP);
    ck_get(r.server, STARTUP);
    proxy_arm(
        r.proxy,
        &(struct proxy_trigger){
            .dir = PROXY_TO_CLIENT, .act = PROXY_CUT, .message = 'Z', .nth = 2, .before = _i == 1});
    ck_put(r.server, AUTH_OK READY "D\0\0\0\x5Z" READY "D");
    if (_i == 1)
        ck_get(r.client, AUTH_OK READY "D\0\0\0\x5Z");
    else
        ck_get(r.client, AUTH_OK READY "D\0\0\0\x5Z" READY);
    ck_end(r.client);
    rig_free(&r);
}
END_TEST

/* F40: the server carries out what it is asked, the client never learns. */
START_TEST(swallow_lets_the_request_through_whole)
{
    struct rig r = rig_new();

    ck_put(r.client, STARTUP);
    ck_get(r.server, STARTUP);
    proxy_arm(r.proxy, &(struct proxy_trigger){.act = PROXY_SWALLOW, .bytes = "COMMIT"});
    ck_put(r.client, "P\0\0\0\x0e\0COMMIT\0\0\0");
    ck_get(r.server, "P\0\0\0\x0e\0COMMIT\0\0\0");
    ck_nothing(r.client);
    ck_put(r.client, "S\0\0\0\4Q");
    ck_get(r.server, "S\0\0\0\4");
    ck_end(r.client);
    ck_put(r.server, "C\0\0\0\x0b"
                     "COMMIT\0" READY);
    ck_end(r.server);
    ck_assert(proxy_wait_fired(r.proxy, 1, 10));
    close(r.server);
    rig_wait_open(&r, 0);
    rig_open(&r);
    rig_free(&r);
}
END_TEST

START_TEST(cancel_requests_pass_late_are_dropped_or_stall)
{
    struct rig r = rig_new();
    struct rig cancel = r;

    ck_put(r.client, STARTUP);
    proxy_cancels(r.proxy, PROXY_CANCEL_PASS, 250);
    rig_open(&cancel);
    ck_put(cancel.client, CANCEL_REQUEST);
    ck_nothing(cancel.server);
    ck_get(cancel.server, CANCEL_REQUEST);
    rig_close(&cancel);

    proxy_cancels(r.proxy, PROXY_CANCEL_DROP, 0);
    rig_open(&cancel);
    ck_put(cancel.client, CANCEL_REQUEST);
    ck_end(cancel.server);
    ck_end(cancel.client);
    rig_close(&cancel);

    proxy_cancels(r.proxy, PROXY_CANCEL_STALL, 0);
    rig_open(&cancel);
    ck_put(cancel.client, CANCEL_REQUEST);
    ck_nothing(cancel.server);
    ck_nothing(cancel.client);
    rig_close(&cancel);

    ck_get(r.server, STARTUP);
    ck_assert_int_eq(proxy_stats(r.proxy).cancels, 3);
    rig_free(&r);
}
END_TEST

START_TEST(scan_finds_messages_in_any_pieces)
{
    static const char stream[] = AUTH_OK KEY_DATA "2\0\0\0\4" READY;
    size_t step = (size_t)_i + 1, n = sizeof stream - 1;
    char types[8] = "";
    struct scan scan;

    proxy_scan_init(&scan);
    for (size_t at = 0; at < n;) {
        size_t most = n - at < step ? n - at : step;
        struct scan_piece piece =
            proxy_scan_next(&scan, PROXY_TO_CLIENT, (const unsigned char *)stream + at, most);

        ck_assert_uint_ge(piece.length, 1);
        ck_assert_uint_le(piece.length, most);
        if (piece.first)
            types[strlen(types)] = piece.type;
        at += piece.length;
    }
    ck_assert_str_eq(types, "RK2Z");
}
END_TEST

int main(void)
{
    struct check *c = check_begin("proxy_traps");

    CHECK_ADD_LOOP(c, cut_at_the_nth_byte_string, 2);
    CHECK_ADD_LOOP(c, spoil_changes_one_byte, 2);
    CHECK_ADD(c, before_keeps_the_last_byte_back);
    CHECK_ADD(c, cut_after_so_many_bytes);
    CHECK_ADD(c, stall_trigger_silences_its_connection_only);
    CHECK_ADD(c, disarm_forgets);
    CHECK_ADD_LOOP(c, each_trigger_counts_all_that_passes, 2);
    CHECK_ADD_LOOP(c, strip_key_takes_the_key_and_nothing_else, 2);
    CHECK_ADD(c, strip_key_works_after_a_refused_encryption);
    CHECK_ADD(c, encrypted_bytes_are_left_alone);
    CHECK_ADD_LOOP(c, act_on_a_message_type, 2);
    CHECK_ADD(c, swallow_lets_the_request_through_whole);
    CHECK_ADD(c, cancel_requests_pass_late_are_dropped_or_stall);
    CHECK_ADD_LOOP(c, scan_finds_messages_in_any_pieces, 40);
    return check_end(c);
}
