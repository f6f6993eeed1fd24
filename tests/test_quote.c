/* test_quote.c - names and texts in quotation marks that nobody can end early. */
#include "support/check.h"

#include <evpq/quote.h>
#include <stdlib.h>
#include <string.h>

typedef size_t quoting(const char *text, char *room, size_t size);

static size_t qualified(const char *name, char *room, size_t size)
{
    return evpq_quote_qualified("s\"1", name, room, size);
}

/* In a room of exactly the size that is needed, and of every smaller one, in which nothing is
 * left. */
static void is(quoting *quote, const char *text, const char *wanted)
{
    size_t length = quote(text, NULL, 0);
    ck_assert_uint_eq(length, strlen(wanted));
    for (size_t size = 1; size <= length + 1; size++) {
        char *room = malloc(size);
        ck_assert_ptr_nonnull(room);
        memset(room, '!', size);
        ck_assert_uint_eq(quote(text, room, size), length);
        ck_assert_str_eq(room, size > length ? wanted : "");
        free(room);
    }
}

static void refused(quoting *quote, const char *text)
{
    char room[100] = "!";
    ck_assert_uint_eq(quote(text, room, sizeof room), 0);
    ck_assert_str_eq(room, "");
    ck_assert_uint_eq(quote(text, NULL, 0), 0);
}

START_TEST(identifiers)
{
    is(evpq_quote_identifier, "t", "\"t\"");
    is(evpq_quote_identifier, "Select", "\"Select\"");
    is(evpq_quote_identifier, "a\"; drop table b --", "\"a\"\"; drop table b --\"");
    is(evpq_quote_identifier, "a'b\\", "\"a'b\\\"");
    is(evpq_quote_identifier, "größe", "\"größe\"");
    is(qualified, "t", "\"s\"\"1\".\"t\"");
    refused(evpq_quote_identifier, "");
    refused(evpq_quote_identifier, NULL);
    refused(qualified, "");
    char room[10] = "!";
    ck_assert_uint_eq(evpq_quote_qualified("", "t", room, sizeof room), 0);
    ck_assert_str_eq(room, "");
}
END_TEST

START_TEST(literals)
{
    is(evpq_quote_literal, "", "''");
    is(evpq_quote_literal, "it's", "'it''s'");
    is(evpq_quote_literal, "'; drop table b --", "'''; drop table b --'");
    is(evpq_quote_literal, "größe", "'größe'");
    is(evpq_quote_literal, "\\", " E'\\\\'");
    is(evpq_quote_literal, "\\'", " E'\\\\'''");
    is(evpq_quote_literal, "ö\\\xf0\x9f\x98\x80", " E'\\U000000f6\\\\\\U0001f600'");
    refused(evpq_quote_literal, NULL);
}
END_TEST

/* As CVE-2025-1094 had it: a first byte takes the quotation mark behind it into its character. */
START_TEST(what_is_not_utf8_is_refused)
{
    static const char *const texts[] = {
        "\xc0",
        "a\xc3",
        "\xc3'",
        "\xc3\xc3\xa4",
        "\xa4",
        "\xc0\x80",
        "\xc1\xbf",
        "\xe0\x80\x80",
        "\xe0\x9f\xbf",
        "\xed\xa0\x80",
        "\xed\xbf\xbf",
        "\xe2\x82",
        "\xf0\x8f\xbf\xbf",
        "\xf4\x90\x80\x80",
        "\xf5\x80\x80\x80",
        "\xf8\x88\x80\x80\x80",
        "\xff",
        "ok\xfe",
        "\xf0\x9f\x98",
    };
    static const char *const good[] = {"\xc2\x80",         "\xdf\xbf",         "\xe0\xa0\x80",
                                       "\xed\x9f\xbf",     "\xee\x80\x80",     "\xef\xbf\xbf",
                                       "\xf0\x90\x80\x80", "\xf4\x8f\xbf\xbf", "\x7f"};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        refused(evpq_quote_identifier, texts[i]);
        refused(evpq_quote_literal, texts[i]);
        refused(qualified, texts[i]);
    }
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        ck_assert_uint_eq(evpq_quote_literal(good[i], NULL, 0), strlen(good[i]) + 2);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("quote");
    CHECK_ADD(c, identifiers);
    CHECK_ADD(c, literals);
    CHECK_ADD(c, what_is_not_utf8_is_refused);
    return check_end(c);
}
