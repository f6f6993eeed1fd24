/*
 * The SQL splitter of evpq-run (examples/evpq-run/split.h): where statements end, as psql has it.
 * Every case is fed whole and in pieces of every size, which must make no difference.
 */
#include <stdlib.h>
#include <string.h>

#include "../examples/evpq-run/buf.h"
#include "../examples/evpq-run/refuse.h"
#include "../examples/evpq-run/split.h"
#include "support/check.h"
#include "support/pieces.h"

static void ck_split_bytes(const char *sql, size_t length, const char *want)
{
    for (size_t piece = 1; piece <= length + 1; piece++) {
        char *got = split_in_pieces(sql, length, piece);

        ck_assert_msg(strcmp(got, want) == 0, "in pieces of %zu: %s\nbecomes %s\nnot     %s", piece,
                      sql, got, want);
        free(got);
    }
}

struct pair {
    const char *sql, *want;
};

#define CK_PAIRS(pairs)                                       \
 for (size_t i = 0; i < sizeof(pairs) / sizeof *(pairs); i++) \
 ck_split_bytes((pairs)[i].sql, strlen((pairs)[i].sql), (pairs)[i].want)

START_TEST(ends_at_semicolons)
{
    static const struct pair pairs[] = {
        {"", ""},
        {"select 1", "1[select 1]"},
        {"select 1;", "1[select 1]"},
        {"select 1;\n", "1[select 1]"},
        {"select 1;select 2", "1[select 1]1[select 2]"},
        {"  a ;\n\n b\n;", "1[a]3[b]"},
        {";;; ;\n;a;;", "2[a]"},
        {" \n\t\r\n", ""},
        {"a\r\n;b", "1[a]2[b]"},
        {"\xEF\xBB\xBFselect 1;", "1[select 1]"},
        {"\xEF\xBB\xBF", ""},
        {"\xC3\xA9t\xC3\xA9;b", "1[\xC3\xA9t\xC3\xA9]1[b]"},
    };

    CK_PAIRS(pairs);
}
END_TEST

START_TEST(comments)
{
    static const struct pair pairs[] = {
        {"-- only; this", ""},
        {"-- a; b\nselect 1; -- c;\n", "2[select 1]"},
        {"/* ; */", ""},
        {"/*;*/;a", "1[a]"},
        {"/* hint */ select 1 /* ; */ , 2 -- end;\n;b", "1[/* hint */ select 1 /* ; */ , 2]2[b]"},
        {"a /* x /* ; */ ; */ ; b", "1[a]1[b]"},
        {"a /*/ ; */;b", "1[a]1[b]"},
        {"a /**/;b", "1[a]1[b]"},
        {"a /***/;b", "1[a]1[b]"},
        {"a /*/**/;*/;b", "1[a]1[b]"},
        {"1-- ;\n-1;b", "1[1-- ;\n-1]2[b]"},
        {"1 - 1;b", "1[1 - 1]1[b]"},
        {"4 / 2;b", "1[4 / 2]1[b]"},
        {"a +/* ; */ b;", "1[a +/* ; */ b]"},
        {"a @-- ;\n b;", "1[a @-- ;\n b]"},
        {"-", "1[-]"},
        {"/", "1[/]"},
        {"--", ""},
        {"a;\n/* one\ntwo */\nb", "1[a]4[/* one\ntwo */\nb]"},
        {"a -- ' \" $$\n;b", "1[a]2[b]"},
        {"a */ b;c", "1[a */ b]1[c]"},
        {"a -- x\r;b", "1[a]1[b]"},
    };

    CK_PAIRS(pairs);
}
END_TEST

START_TEST(quotes)
{
    static const struct pair pairs[] = {
        {"select ';';b", "1[select ';']1[b]"},
        {"select 'a''b;';c", "1[select 'a''b;']1[c]"},
        {"select 'a\\';b", "1[select 'a\\']1[b]"},
        {"select '--';b", "1[select '--']1[b]"},
        {"select '/*';b", "1[select '/*']1[b]"},
        {"select '\n';b", "1[select '\n']2[b]"},
        {"select E'a\\';b';c", "1[select E'a\\';b']1[c]"},
        {"select e'\\\\';c", "1[select e'\\\\']1[c]"},
        {"select e'a''\\';';c", "1[select e'a''\\';']1[c]"},
        {"select E'a'\n'\\';';c", "1[select E'a'\n'\\';']2[c]"},
        {"select E'a' -- x\n  '\\';';c", "1[select E'a' -- x\n  '\\';']2[c]"},
        {"select E'a'  '\\';c", "1[select E'a'  '\\']1[c]"},
        {"select E'a' /* */\n'\\';c", "1[select E'a' /* */\n'\\']2[c]"},
        {"select E'a' - 1;c", "1[select E'a' - 1]1[c]"},
        {"select E'a';c", "1[select E'a']1[c]"},
        {"select E'a' ;c", "1[select E'a']1[c]"},
        {"select E'a' -- b\n;c", "1[select E'a']2[c]"},
        {"select E'a'", "1[select E'a']"},
        {"select fe'\\';b", "1[select fe'\\']1[b]"},
        {"select _e'\\';b", "1[select _e'\\']1[b]"},
        {"select U&'\\0061;';b", "1[select U&'\\0061;']1[b]"},
        {"select U&'\\';b", "1[select U&'\\']1[b]"},
        {"select u&\";\\\";b", "1[select u&\";\\\"]1[b]"},
        {"select n'\\';b", "1[select n'\\']1[b]"},
        {"select b'0;1', x'F;';b", "1[select b'0;1', x'F;']1[b]"},
        {"select \"a;b\";c", "1[select \"a;b\"]1[c]"},
        {"select \"a\"\";b\";c", "1[select \"a\"\";b\"]1[c]"},
        {"select \"'\";c", "1[select \"'\"]1[c]"},
        {"select '\"';c", "1[select '\"']1[c]"},
        {"select \"a\\\";c", "1[select \"a\\\"]1[c]"},
    };

    CK_PAIRS(pairs);
}
END_TEST

START_TEST(dollar_quotes)
{
    static const struct pair pairs[] = {
        {"select $$;$$;b", "1[select $$;$$]1[b]"},
        {"select $a$;$$;$b$;$a$;c", "1[select $a$;$$;$b$;$a$]1[c]"},
        {"select $a$ $$a$;c", "1[select $a$ $$a$]1[c]"},
        {"select $a$ $b$a$;c", "1[select $a$ $b$a$]1[c]"},
        {"select $a$ $a $a$;c", "1[select $a$ $a $a$]1[c]"},
        {"select $A$ ; $a$ ; $A$;c", "1[select $A$ ; $a$ ; $A$]1[c]"},
        {"select $_1$;$_1$;c", "1[select $_1$;$_1$]1[c]"},
        {"select $\xC3\xA9$;$\xC3\xA9$;c", "1[select $\xC3\xA9$;$\xC3\xA9$]1[c]"},
        {"select $1;b", "1[select $1]1[b]"},
        {"select $1$$;$$;b", "1[select $1$$;$$]1[b]"},
        {"select a$b$;c$b$;d", "1[select a$b$]1[c$b$]1[d]"},
        {"select a$$;b", "1[select a$$]1[b]"},
        {"select 1$$;$$;b", "1[select 1$$;$$]1[b]"},
        {"select $a b$;c", "1[select $a b$]1[c]"},
        {"select $a;b", "1[select $a]1[b]"},
        {"select $;b", "1[select $]1[b]"},
        {"select $$'$$;b", "1[select $$'$$]1[b]"},
        {"do $$ begin\nx;\n/* ' */ end $$;\nb", "1[do $$ begin\nx;\n/* ' */ end $$]4[b]"},
    };

    CK_PAIRS(pairs);
}
END_TEST

START_TEST(parentheses_and_routines)
{
    static const struct pair pairs[] = {
        {"create rule r as on insert to t do (a; b);c",
         "1[create rule r as on insert to t do (a; b)]1[c]"},
        {"a ) ; b", "1[a )]1[b]"},
        {"a (( ; ) ; ) ; b", "1[a (( ; ) ; )]1[b]"},
        {"a ( ';)' ; ) ; b", "1[a ( ';)' ; )]1[b]"},
        {"a ( b ; c", "1[a ( b ; c]"},
        {"create function f() returns int begin atomic; select 1; end; b",
         "1[create function f() returns int begin atomic; select 1; end]1[b]"},
        {"CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC x; y; END; b",
         "1[CREATE OR REPLACE PROCEDURE p() BEGIN ATOMIC x; y; END]1[b]"},
        {"create function f() begin atomic select case when a then b end; c; end; d",
         "1[create function f() begin atomic select case when a then b end; c; end]1[d]"},
        {"create function f() returns int as $$ begin; $$; b",
         "1[create function f() returns int as $$ begin; $$]1[b]"},
        {"create function f(begin int) as 'x'; b", "1[create function f(begin int) as 'x']1[b]"},
        {"create function case; end; b", "1[create function case]1[end]1[b]"},
        {"create table begin (a int); b", "1[create table begin (a int)]1[b]"},
        {"create or function f begin; b", "1[create or function f begin]1[b]"},
        {"begin; a; end; b", "1[begin]1[a]1[end]1[b]"},
        {"create function \"begin\"; b", "1[create function \"begin\"]1[b]"},
        {"create function f begin; x; end; create table begin; b",
         "1[create function f begin; x; end]1[create table begin]1[b]"},
    };

    CK_PAIRS(pairs);
}
END_TEST

START_TEST(unterminated)
{
    static const struct pair pairs[] = {
        {"a;\nselect\n 'b;\n", "1[a]!!3:unterminated quoted string2[select\n 'b;\n]"},
        {"select E'b\\'", "!!1:unterminated quoted string1[select E'b\\']"},
        {"select E'b\\", "!!1:unterminated quoted string1[select E'b\\]"},
        {"select \"b;", "!!1:unterminated quoted identifier1[select \"b;]"},
        {"\nselect $a$ $$ $b$", "!!2:unterminated dollar-quoted string2[select $a$ $$ $b$]"},
        {"a;\n/* /* */", "1[a]!!2:unterminated comment2[/* /* */]"},
        {"a;b /* ", "1[a]!!1:unterminated comment1[b /* ]"},
    };

    CK_PAIRS(pairs);
}
END_TEST

START_TEST(what_is_not_sql)
{
    static const char nul[] = "a;\nb\0c;d", quoted[] = "select '\0\n';d", wide[] = "s\0;\0";
    static const char why[] =
        "NUL byte in the text (is it UTF-16? only UTF-8 and the like can be read)";
    static const struct pair pairs[] = {
        {"a;\n\\c other\ndrop table t;",
         "1[a]!!2:psql's backslash commands are not SQL and cannot be run here2[\\]"},
        {"select 1 \\gx\n",
         "!!1:psql's backslash commands are not SQL and cannot be run here1[select 1 \\]"},
    };

    CK_PAIRS(pairs);
    for (size_t i = 0; i < 3; i++) {
        const char *sql = i == 0 ? nul : i == 1 ? quoted : wide;
        size_t length = i == 0 ? sizeof nul : i == 1 ? sizeof quoted : sizeof wide;
        struct window w = {0};
        struct split *split = split_new(&w);
        struct statement st;
        int bad = 0;

        window_feed(&w, sql, length - 1);
        w.finished = true;
        for (enum split_status s; (s = split_next(split, &st)) != SPLIT_END;) {
            ck_assert(s == SPLIT_OK || s == SPLIT_BAD);
            if (s == SPLIT_BAD) {
                ck_assert_str_eq(st.why, why);
                ck_assert_int_eq(st.why_line, i == 0 ? 2 : 1);
                bad++;
            }
        }
        ck_assert_int_eq(bad, i < 2 ? 1 : 2);
        split_free(split);
        window_free(&w);
    }
}
END_TEST

static struct statement only(struct window *w, struct split **ret_split, const char *sql)
{
    struct statement st = {0};

    *w = (struct window){0};
    window_feed(w, sql, strlen(sql));
    w->finished = true;
    *ret_split = split_new(w);
    ck_assert_int_eq(split_next(*ret_split, &st), SPLIT_OK);
    return st;
}

START_TEST(counts_parameters)
{
    static const struct {
        const char *sql;
        int params;
    } cases[] = {
        {"select 1", 0},
        {"select $1", 1},
        {"select $2, $11, $3", 11},
        {"select '$1'", 0},
        {"select $a$ $1 $a$", 0},
        {"select a$1", 0},
        {"select /* $1 */ 2", 0},
        {"select $1 -- $2\n, 1", 1},
        {"select $0", 0},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct window w;
        struct split *split;
        struct statement st = only(&w, &split, cases[i].sql);

        ck_assert_msg(st.params == cases[i].params, "%s has %d", cases[i].sql, st.params);
        split_free(split);
        window_free(&w);
    }
}
END_TEST

START_TEST(refuses_what_needs_one_session)
{
    static const struct {
        const char *sql;
        bool refused;
    } cases[] = {
        {"BEGIN", true},
        {"begin isolation level serializable", true},
        {"/* x */ Commit", true},
        {"commit prepared 'x'", false},
        {"rollback", true},
        {"rollback to a", true},
        {"rollback prepared 'x'", false},
        {"start transaction", true},
        {"prepare transaction 'x'", true},
        {"savepoint a", true},
        {"release a", true},
        {"end", true},
        {"abort", true},
        {"copy t from stdin", false},
        {"COPY t (a, b) FROM STDIN WITH (FORMAT csv)", false},
        {"copy t from stdin (format 'Binary')", true},
        {"copy binary t from stdin", true},
        {"set search_path = a", true},
        {"SET LOCAL x = 1", true},
        {"prepare p as select 1", true},
        {"listen a", true},
        {"create temp table a()", true},
        {"create or replace temporary view a as select 1", true},
        {"select 1 into temp a", true},
        {"update t set a = 1", false},
        {"create table temp()", false},
        {"select set_config('a.b', 'c', true)", false},
        {"copy t from '/tmp/stdin'", false},
        {"copy (select 1 from stdin) to '/tmp/x'", false},
        {"select 1 from stdin", false},
        {"select begin", false},
        {"do $$ begin commit; end $$", false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct window w;
        struct split *split;
        struct statement st = only(&w, &split, cases[i].sql);

        ck_assert_msg((refuse(&st, false, false) != NULL) == cases[i].refused, "%s", cases[i].sql);
        split_free(split);
        window_free(&w);
    }
}
END_TEST

START_TEST(f74_copy_data_are_no_statements)
{
    static const char sql[] =
        "copy t from stdout; -- data\ndelete from t;\n\\\\.\n\\.\nselect 1;\n"
        "copy t to stdout;copy t from stdin;\n\\.\r\nCopy t\nFrom Stdin;\nlast";
    static const char *const texts[] = {"copy t from stdout", "select 1", "copy t to stdout",
                                        "copy t from stdin", "Copy t\nFrom Stdin"};
    static const char *const data[] = {"delete from t;\n\\\\.\n", NULL, NULL, "", "last"};
    static const long lines[] = {1, 5, 6, 6, 8};

    for (size_t step = 1; step < sizeof sql; step++) {
        struct window w = {0};
        struct split *split = split_new(&w);
        struct statement st;
        size_t fed = 0, n = 0;

        for (;;) {
            enum split_status status = split_next(split, &st);

            if (status == SPLIT_MORE) {
                size_t left = sizeof sql - 1 - fed, piece = left < step ? left : step;

                window_feed(&w, sql + fed, piece);
                fed += piece;
                w.finished = fed == sizeof sql - 1;
                continue;
            }
            if (status == SPLIT_END)
                break;
            ck_assert_int_eq(status, SPLIT_OK);
            ck_assert_uint_lt(n, 5);
            ck_assert_uint_eq(st.length, strlen(texts[n]));
            ck_assert_mem_eq(st.text, texts[n], st.length);
            ck_assert_int_eq(st.line, lines[n]);
            ck_assert_int_eq(st.copies_in, data[n] != NULL);
            if (data[n]) {
                ck_assert_uint_eq(st.data_length, strlen(data[n]));
                ck_assert_mem_eq(st.data, data[n], st.data_length);
                ck_assert_int_eq(st.data_ended, n != 4);
            }
            n++;
        }
        ck_assert_uint_eq(n, 5);
        split_free(split);
        window_free(&w);
    }
}
END_TEST

START_TEST(f74_copy_must_end_its_line)
{
    struct window w = {0};
    struct split *split = split_new(&w);
    struct statement st;
    static const char sql[] = "copy t from stdin; select 1;\n1\n\\.\n";

    window_feed(&w, sql, sizeof sql - 1);
    w.finished = true;
    ck_assert_int_eq(split_next(split, &st), SPLIT_FATAL);
    ck_assert_ptr_nonnull(strstr(st.why, "must end its line"));
    ck_assert_int_eq(split_next(split, &st), SPLIT_END);
    split_free(split);
    window_free(&w);
}
END_TEST

START_TEST(holds_one_statement_at_a_time)
{
    static const char sql[] = "-- a comment of some length;\n   select 'something', $$else$$;\n";
    struct window w = {0};
    struct split *split = split_new(&w);
    struct statement st;
    long count = 0;

    for (int i = 0; i < 20000; i++) {
        window_feed(&w, sql, sizeof sql - 1);
        while (split_next(split, &st) == SPLIT_OK) {
            count++;
            ck_assert_int_eq(st.line, 2 * count);
        }
    }
    ck_assert_int_eq(count, 20000);
    ck_assert_uint_lt(w.room, 1000);
    split_free(split);
    window_free(&w);
}
END_TEST

START_TEST(refuses_a_statement_without_end)
{
    struct window w = {0};
    struct split *split = split_new(&w);
    struct statement st;
    enum split_status status;
    size_t chunk = 8 << 20;

    window_feed(&w, "\n select '", 10);
    while ((status = split_next(split, &st)) == SPLIT_MORE) {
        memset(window_reserve(&w, chunk), 'x', chunk);
        window_add(&w, chunk);
        ck_assert_uint_le(window_length(&w), WINDOW_MAX + 2 * chunk);
    }
    ck_assert_int_eq(status, SPLIT_FATAL);
    ck_assert_ptr_nonnull(strstr(st.why, "64 MiB"));
    ck_assert_int_eq(st.why_line, 2);
    ck_assert_int_eq(split_next(split, &st), SPLIT_END);
    split_free(split);
    window_free(&w);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("run_split");

    CHECK_ADD(c, ends_at_semicolons);
    CHECK_ADD(c, comments);
    CHECK_ADD(c, quotes);
    CHECK_ADD(c, dollar_quotes);
    CHECK_ADD(c, parentheses_and_routines);
    CHECK_ADD(c, unterminated);
    CHECK_ADD(c, what_is_not_sql);
    CHECK_ADD(c, counts_parameters);
    CHECK_ADD(c, refuses_what_needs_one_session);
    CHECK_ADD(c, f74_copy_data_are_no_statements);
    CHECK_ADD(c, f74_copy_must_end_its_line);
    CHECK_ADD(c, holds_one_statement_at_a_time);
    CHECK_ADD(c, refuses_a_statement_without_end);
    return check_end(c);
}
