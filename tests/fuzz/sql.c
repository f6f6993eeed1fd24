/* sql.c - what kind of statement a text is: the same wherever it stands in memory, and whatever blanks and comments are
 * before it; and what is said to be one statement is one to the splitter of evpq-run. */
#include "words/sql.h"

#include "../examples/evpq-run/split.h"
#include "fuzz/fuzz.h"

#include <ctype.h>

static bool is_one_to_the_splitter(const char *sql, size_t length)
{
    struct window w = {0};
    struct statement st;
    window_feed(&w, sql, length);
    w.finished = true;
    struct split *split = split_new(&w);
    int n = 0;
    bool whole = true;
    for (enum split_status s; (s = split_next(split, &st)) != SPLIT_END; n++)
        if (s != SPLIT_OK || st.copies_in)
            whole = false; /* refused by psql's own rules; or what follows is data to it */
    split_free(split);
    window_free(&w);
    return n <= 1 || !whole;
}

/* 1e5$$;$$ is a number and a string up to 14, and junk and a semicolon later: a syntax error for each. */
static bool has_dollar_in_a_word(const char *sql)
{
    for (const char *p = sql; (p = strchr(p, '$')); p++)
        if (p > sql &&
            (isalnum((unsigned char)p[-1]) || p[-1] == '_' || p[-1] == '$' || p[-1] & 0x80))
            return true;
    return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char *sql = fuzz_text(data, size);
    size_t n = strlen(sql), single = 0;
    enum sql_kind kind = sql_kind(sql);
    sql_scope(sql);
    sql_copy(sql);
    sql_stays_in_block(sql);
    sql_is_about_transactions(sql);
    bool is_single = sql_is_single(sql, &single);
    FUZZ_HOLDS(!is_single || single <= n);
    if (is_single && !has_dollar_in_a_word(sql))
        FUZZ_HOLDS(is_one_to_the_splitter(sql, n));

    char *behind = malloc(n + 32);
    if (!behind)
        abort();
    sprintf(behind, " /* ; /* */ */\n-- x;\n%s", sql);
    FUZZ_HOLDS(sql_kind(behind) == kind);
    FUZZ_HOLDS(sql_scope(behind) == sql_scope(sql));
    FUZZ_HOLDS(sql_copy(behind) == sql_copy(sql));
    struct sql_memo *memo = calloc(1, sizeof *memo);
    for (int i = 0; memo && i < 2; i++)
        FUZZ_HOLDS(sql_memo_kind(memo, sql, n) == kind);
    free(memo);
    free(behind);
    free(sql);
    return 0;
}
