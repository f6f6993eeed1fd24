/* test_sql.c - the kind of a statement, by its first word. */
#include "words/sql.h"

#include "support/check.h"

static const struct {
    const char *sql;
    enum sql_kind kind;
} cases[] = {
    {"", SQL_EMPTY},
    {" \t\r\n\f\v", SQL_EMPTY},
    {";", SQL_EMPTY},
    {" ; ;-- x", SQL_EMPTY},
    {"-- only a comment", SQL_EMPTY},
    {"/* a /* nested */ one */ -- and another\n", SQL_EMPTY},
    {"select 1", SQL_SELECT},
    {"SeLeCt 1", SQL_SELECT},
    {"select", SQL_SELECT},
    {"select(1)", SQL_SELECT},
    {"select*from t", SQL_SELECT},
    {"  \n-- c\n/* /* x */ */ select 1", SQL_SELECT},
    {"-- c\rselect 1", SQL_SELECT},
    {"((select 1) union (select 2))", SQL_SELECT},
    {"( /* c */ ( -- d\n values (1)))", SQL_SELECT},
    {"; select 1", SQL_SELECT},
    {"insert into t values (1)", SQL_DML},
    {"update t set a = 1", SQL_DML},
    {"delete from t", SQL_DML},
    {"merge into t using s on true when matched then delete", SQL_DML},
    {"values (1), (2)", SQL_SELECT},
    {"table t", SQL_SELECT},
    {"with x as (select 1) delete from t", SQL_DML},
    {"select * into u from t", SQL_SESSION},
    {"select * from t for update", SQL_SELECT},
    {"INSERT INTO t VALUES (1)", SQL_DML},
    {"WITH x AS (SELECT 1) TABLE x", SQL_DML},
    {"select E'\x83\\' into x from y --'", SQL_SESSION}, /* F50 */
    /* F50: INSERT and MERGE may be names */
    {"select insert into temp t from (select 1 as insert) x", SQL_SESSION},
    {"select merge into temp t from (select 1 as merge) x", SQL_SESSION},
    {"select 1 as a, 2 as insert into temp t", SQL_SESSION},
    {"select f(1) insert into temp t", SQL_SESSION},
    {"select x.insert into temp t from x", SQL_SESSION},
    {"with x as (select 1) select (2) insert into temp t from x", SQL_SESSION},
    {"with x as (insert into t values (1) returning a) select (a) merge into temp t from x",
     SQL_SESSION},
    {"with x as (insert into t select 1 returning a), y as materialized (merge into t using s on "
     "true when matched then delete) table x",
     SQL_DML},
    {"with x as (select 1), y as (with z as (select 2) insert into t table z returning 1) insert "
     "into t select 1",
     SQL_DML},
    {"with x (a) as (values (1)) /* c */ merge into t using x on true when matched then delete",
     SQL_DML},
    /* F50: up to 14 a word may follow a number at once */
    {"select 1into temp t", SQL_SESSION},
    {"select 1e5into temp t", SQL_SESSION},
    {"select .5E-1into temp t", SQL_SESSION},
    {"select 1.e5into temp t", SQL_SESSION},
    {"select 1e5, 2.5e+3 from t", SQL_SELECT},
    {"selected", SQL_SESSION},
    {"selec", SQL_SESSION},
    {"sel\x45\x43T1", SQL_SESSION},
    {"select$", SQL_SESSION},
    {"s\x05lect 1", SQL_SESSION},
    {"w\xe9th x", SQL_SESSION},
    {"select_1", SQL_SESSION},
    {"select\xc3\xa9", SQL_SESSION},
    {"begin", SQL_SESSION},
    {"BEGIN; select 1", SQL_SESSION},
    {"/* select */ set x = 1", SQL_SESSION},
    {"listen c", SQL_SESSION},
    {"create temp table t (a int)", SQL_SESSION},
    {"explain select 1", SQL_SESSION},
    {"do $$ begin end $$", SQL_SESSION},
    {"/* not closed", SQL_EMPTY},
    {"'select'", SQL_SESSION},
    {"1", SQL_SESSION},
    {"(", SQL_SESSION},
    {"copy t from stdin", SQL_COPY_STREAM},
    {"COPY t FROM STDIN WITH (format csv)", SQL_COPY_STREAM},
    {"copy t (a, b) from /* here */ stdin", SQL_COPY_STREAM},
    {"copy t to stdout", SQL_COPY_STREAM},
    {"copy t to stdin", SQL_COPY_STREAM},
    {"copy (select 'a', \"b\" from t) to stdout (format binary)", SQL_COPY_STREAM},
    {"copy (select $$)$$, E'\\')', ')', U&\")\", $a$ $$ ) $a$ from t) to stdout", SQL_COPY_STREAM},
    {"copy public.\"a \"\"b\" from stdin", SQL_COPY_STREAM},
    {"copy(select 1)to stdout", SQL_COPY_STREAM},
    {"copy t from '/tmp/stdin'", SQL_SESSION},
    {"copy t from '/tmp/it''s from stdin'", SQL_SESSION},
    {"copy t from program 'cat stdin'", SQL_SESSION},
    {"copying t from stdin", SQL_SESSION},
    {"copy (select E'\\', ')', 'a') to stdout", SQL_SESSION},
    {"copy (select b'\\', ')', 'a') to stdout", SQL_COPY_STREAM},
    {"copy (select be'\\', ')', 'a') to stdout", SQL_COPY_STREAM},
    {"copy stdin from '/tmp/x'", SQL_SESSION},
    {"copy stdout to '/tmp/x'", SQL_SESSION},
    {"copy (select stdin from stdout) to '/tmp/x'", SQL_SESSION},
    {"copy t from '/tmp/x' -- from stdin", SQL_SESSION},
    {"copy t from '/tmp/x' /* to stdout */", SQL_SESSION},
    {"copy t from \"stdin\"", SQL_SESSION},
    {"copy t from stdinx", SQL_SESSION},
    {"copy", SQL_SESSION},
    {"copy t from", SQL_SESSION},
    {"copy (select 'not closed", SQL_SESSION},
    {"copy (select E'ends with \\", SQL_SESSION},
    {"copy (select $a$ not closed $b$", SQL_SESSION},
    {"copy (select $1 from t) to stdout", SQL_COPY_STREAM},
};
enum { CASES = sizeof cases / sizeof *cases };

START_TEST(kind)
{
    ck_assert_msg(sql_kind(cases[_i].sql) == cases[_i].kind, "\"%s\" is of kind %d, not %d",
                  cases[_i].sql, sql_kind(cases[_i].sql), cases[_i].kind);
}
END_TEST

START_TEST(a_copy_has_a_direction)
{
    ck_assert_int_eq(sql_copy("copy t from stdin"), SQL_COPY_IN);
    ck_assert_int_eq(sql_copy(" /* x */ COPY t (a) FROM STDOUT"), SQL_COPY_IN);
    ck_assert_int_eq(sql_copy("copy (select a from stdin) to stdout"), SQL_COPY_OUT);
    ck_assert_int_eq(sql_copy("copy t to stdin"), SQL_COPY_OUT);
    ck_assert_int_eq(sql_copy("copy t to '/tmp/stdin'"), SQL_COPY_NOT);
    ck_assert_int_eq(sql_copy("select 1"), SQL_COPY_NOT);
    ck_assert_int_eq(sql_copy(""), SQL_COPY_NOT);
}
END_TEST

static const struct {
    const char *sql;
    int length; /* -1: it may be more than one */
} singles[] = {
    {"", 0},
    {" -- nothing", 0},
    {";;", 0},
    {"copy t from stdin", 17},
    {"copy t from stdin ; ; -- end", 17},
    {" a /* ; */ b /* ; */ ", 12},
    {"a;b", -1},
    {";a", -1},
    {"a 'x;y' \"p;q\" $$r;s$$ $t$u;$$;$t$ e'v\\';w';", 42},
    {"a 'x';y'", -1},
    {"a '\\'; drop table x; --'", -1}, /* one statement, or two, by standard_conforming_strings */
    {"a '\\'' ; drop table x; '", -1},
    {"a '\\\\' ;", 6},
    {"a n'\\'; b --'", -1},
    {"a /* /* */ ; b */", 1},
    {"a /* */ ; b */", -1},
    {"a 'not closed;", 14},
    {"a $x$;b", 7},
    {"a $1;b", -1},
    {"a$x$;b$x$", -1},
    /* F56: one letter in SJIS, and then the quote ends; or a backslash before it, which does not */
    {"a E'\x83\\'; drop table t; --'", -1},
    {"a \x83\\e'\\'; drop table t; --'", -1},
    {"a $\x83\\$; drop table t; --$\x83\\$", -1},
    {"a '\xc3\xa9';", 6},
    {"a 1e'\\';b'", 10}, /* E'' behind a number */
};

START_TEST(one_statement_or_more)
{
    size_t length;
    bool single = sql_is_single(singles[_i].sql, &length);
    ck_assert_msg((single ? (int)length : -1) == singles[_i].length, "\"%s\": %d, %zu",
                  singles[_i].sql, single, length);
}
END_TEST

START_TEST(what_begins_or_ends_a_transaction)
{
    static const char *const yes[] = {"begin",
                                      "START TRANSACTION",
                                      "commit",
                                      "end",
                                      "Rollback to x",
                                      "abort",
                                      "savepoint x",
                                      "release x",
                                      "; -- x\n commit",
                                      "/* /* */ */ commit;",
                                      "prepare transaction 'x'",
                                      "prepare /**/ transaction 'x'",
                                      "commit prepared 'x'"};
    static const char *const no[] = {
        "",        "select 1",    "beginning", "prepare x as select 1",
        "prepare", "-- commit\n", "(commit)",  "prepare transactions",
        "with",    "'commit'",    "commit$",   "prepare\"transaction\""};
    for (size_t i = 0; i < sizeof yes / sizeof *yes; i++)
        ck_assert_msg(sql_is_about_transactions(yes[i]), "\"%s\"", yes[i]);
    for (size_t i = 0; i < sizeof no / sizeof *no; i++)
        ck_assert_msg(!sql_is_about_transactions(no[i]), "\"%s\"", no[i]);
}
END_TEST

/* What is remembered of a text is never said of another: of the same length, of the same place, or
 * too long to be kept. */
START_TEST(a_memo_knows_only_what_it_has_seen)
{
    static struct sql_memo memo;
    for (int round = 0; round < 3; round++)
        for (int i = 0; i < CASES; i++)
            for (int again = 0; again < 2; again++)
                ck_assert_msg(sql_memo_kind(&memo, cases[i].sql, strlen(cases[i].sql)) ==
                                  cases[i].kind,
                              "\"%s\", round %d", cases[i].sql, round);
    static const char *const alike[] = {"select 1", "begin -1", "update t", "select 2", "        "};
    static const enum sql_kind kinds[] = {SQL_SELECT, SQL_SESSION, SQL_DML, SQL_SELECT, SQL_EMPTY};
    for (int i = 0; i < 15; i++)
        ck_assert_int_eq(sql_memo_kind(&memo, alike[i % 5], 8), kinds[i % 5]);
    static const char secret[] = "alter role a password 'hushhush'";
    ck_assert_int_eq(sql_memo_kind(&memo, secret, strlen(secret)), SQL_SESSION);
    ck_assert_ptr_null(memmem(&memo, sizeof memo, "hushhush", 8));
    char text[2 * SQL_MEMO_LONGEST] = "";
    for (size_t length = SQL_MEMO_LONGEST - 2; length < sizeof text; length++) {
        memset(text, ' ', length);
        text[length] = '\0';
        ck_assert_int_eq(sql_memo_kind(&memo, text, length), SQL_EMPTY);
        memcpy(text + length - 6, "values", 6);
        ck_assert_int_eq(sql_memo_kind(&memo, text, length), SQL_SELECT);
        ck_assert_int_eq(sql_memo_kind(&memo, text, length), SQL_SELECT);
    }
}
END_TEST

int main(void)
{
    struct check *c = check_begin("sql");
    CHECK_ADD_LOOP(c, kind, CASES);
    CHECK_ADD(c, a_copy_has_a_direction);
    CHECK_ADD_LOOP(c, one_statement_or_more, (int)(sizeof singles / sizeof *singles));
    CHECK_ADD(c, what_begins_or_ends_a_transaction);
    CHECK_ADD(c, a_memo_knows_only_what_it_has_seen);
    return check_end(c);
}
