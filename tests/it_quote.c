/* it_quote.c - what is quoted comes back from a server as it was, whatever its settings. */
#include "support/check.h"
#include "support/server.h"

#include <evpq/quote.h>
#include <libpq-fe.h>
#include <stdio.h>
#include <string.h>

static PGconn *conn;

static void begin(const char *settings)
{
    conn = PQconnectdb(server_conninfo(SERVER_UNIX, NULL));
    ck_assert_msg(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
    PGresult *pg = PQexec(conn, settings);
    ck_assert_msg(PQresultStatus(pg) == PGRES_COMMAND_OK, "%s", PQerrorMessage(conn));
    PQclear(pg);
}

/* The text is the value of a literal and the name of a column (without what the server cuts off
 * that). */
static void check_text(const char *text)
{
    char literal[4096], name[4096], sql[8300];
    size_t n = evpq_quote_literal(text, literal, sizeof literal);
    ck_assert(n && n < sizeof literal);
    n = evpq_quote_identifier(text, name, sizeof name);
    ck_assert((n != 0) == (*text != '\0'));
    snprintf(sql, sizeof sql, "select %s as %s", literal, *text ? name : "nothing");
    PGresult *pg = PQexec(conn, sql);
    ck_assert_msg(PQresultStatus(pg) == PGRES_TUPLES_OK, "%s: %s", sql, PQerrorMessage(conn));
    ck_assert_int_eq(PQnfields(pg), 1);
    ck_assert_str_eq(PQgetvalue(pg, 0, 0), text);
    if (*text && strlen(text) <= 63)
        ck_assert_str_eq(PQfname(pg, 0), text);
    PQclear(pg);
}

static const char *const settings[] = {
    "set standard_conforming_strings = on; set client_encoding = 'UTF8'",
    "set standard_conforming_strings = off; set client_encoding = 'UTF8'; "
    "set escape_string_warning = off; set backslash_quote = off",
};

START_TEST(texts_come_back)
{
    static const char *const texts[] = {
        "",
        "it's",
        "'; select 1; --",
        "\\'; select 1; --",
        "\\",
        "\\\\",
        "\\'\\",
        "\"",
        "\"\"\"",
        "größe",
        "größe\\x",
        "\xf0\x9f\x98\x80\\",
        "$$",
        "E'",
        "U&\"\\0041\"",
        "line\nfeed\r\t\x1",
        "%s",
        "/*",
        "--",
        "a\x7f",
        "\xc2\xa0",
        "\\u0041\\x41\\101\\n",
    };
    begin(settings[_i]);
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        check_text(texts[i]);
    PQfinish(conn);
}
END_TEST

START_TEST(texts_of_marks_and_letters_come_back)
{
    static const char *const parts[] = {"'",  "\"",   "\\", "a", "ö",  "€",    "\xf0\x9f\x98\x80",
                                        ";",  "--",   "$",  "E", "\n", "\x1b", "/*",
                                        "*/", "u0041"};
    begin(settings[_i]);
    unsigned long dice = 88172645463325252ul;
    for (int round = 0; round < 500; round++) {
        char text[256] = "";
        for (int i = 0; i < 12; i++) {
            dice = dice * 6364136223846793005ul + 1442695040888963407ul;
            strcat(text, parts[dice >> 60]);
        }
        check_text(text);
    }
    PQfinish(conn);
}
END_TEST

/* In these a letter's byte and the backslash behind it are one character: what comes may be another
 * text, or the server's refusal, but no second statement and no open quotation. */
START_TEST(no_client_encoding_lets_a_quotation_end_early)
{
    static const char *const encodings[] = {"GBK", "BIG5", "SJIS", "UHC", "GB18030", "JOHAB"};
    static const char *const texts[] = {"€\\'; select 1/0; --", "\xe3\x81\x82\\", "ä'",
                                        "\xc2\x81'; select 1/0 --"};
    begin("set standard_conforming_strings = off");
    for (size_t e = 0; e < sizeof encodings / sizeof *encodings; e++) {
        ck_assert_int_eq(PQsetClientEncoding(conn, encodings[e]), 0);
        for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
            char literal[256], sql[512];
            evpq_quote_literal(texts[i], literal, sizeof literal);
            snprintf(sql, sizeof sql, "select %s as a", literal);
            PGresult *pg = PQexec(conn, sql);
            const char *state = PQresultErrorField(pg, PG_DIAG_SQLSTATE);
            if (state)
                ck_assert_msg(!strcmp(state, "22021") || !strcmp(state, "22P05"), "%s: %s", state,
                              PQerrorMessage(conn));
            else
                ck_assert_int_eq(PQnfields(pg), 1);
            PQclear(pg);
        }
    }
    PQfinish(conn);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("quote_server");
    CHECK_ADD_LOOP(c, texts_come_back, 2);
    CHECK_ADD_LOOP(c, texts_of_marks_and_letters_come_back, 2);
    CHECK_ADD(c, no_client_encoding_lets_a_quotation_end_early);
    return check_end(c);
}
