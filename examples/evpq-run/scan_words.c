/* scan_words.c - what the words of a statement say about where it ends, and what it is. See
 * scan.h. */
#include "scan.h"

#include <limits.h>
#include <string.h>
#include <strings.h>

static bool inside_routine(const struct scan_statement *now)
{
    const char *r = now->routine;

    if (r[0] != 'c' || now->parens > 0)
        return false;
    if (r[1] == 'o' && r[2] == 'r')
        return r[3] == 'f' || r[3] == 'p';
    return r[1] == 'f' || r[1] == 'p';
}

/* psql's rule for the body of an SQL-standard function: only in a statement that begins with CREATE
 * [OR REPLACE] FUNCTION or PROCEDURE, BEGIN opens, END closes, and CASE inside opens as well. */
static void track_routine(struct scan_statement *now, const char *word)
{
    static const char *const opening[] = {"create", "or", "replace", "function", "procedure"};

    for (size_t i = 0; i < sizeof opening / sizeof *opening; i++)
        if (now->words < 4 && strcmp(word, opening[i]) == 0)
            now->routine[now->words] = word[0];
    if (!inside_routine(now))
        return;
    if (strcmp(word, "begin") == 0 || (strcmp(word, "case") == 0 && now->begins > 0))
        now->begins++;
    else if (strcmp(word, "end") == 0 && now->begins > 0)
        now->begins--;
}

static void track_copy(struct scan_statement *now, const char *word)
{
    if (strcmp(now->seen.words[0], "copy") != 0)
        return;
    if (strcmp(word, "binary") == 0)
        now->seen.binary = true;
    if (now->parens > 0 || (strcmp(word, "stdin") != 0 && strcmp(word, "stdout") != 0))
        return;
    if (strcmp(now->last_word, "from") == 0)
        now->seen.copies_in = true;
    if (strcmp(now->last_word, "to") == 0)
        now->seen.copies_out = true;
}

static bool is_any(const char *word, size_t length, const char *const *words)
{
    for (; *words; words++)
        if (strlen(*words) == length && strncasecmp(*words, word, length) == 0)
            return true;
    return false;
}

/* What only its own session knows of: statements by their first word, temporary objects, and calls
 * of functions. What a function does that somebody has written does not show. */
static void track_session(struct scan_statement *now, const char *text, size_t length)
{
    static const char *const first[] = {"set",     "reset",    "prepare", "execute", "deallocate",
                                        "declare", "fetch",    "move",    "close",   "listen",
                                        "load",    "unlisten", "discard", NULL};
    static const char *const temporary[] = {"temp", "temporary", NULL};
    static const char *const before[] = {"create", "local", "global", "replace", NULL};
    static const char *const calls[] = {"set_config",
                                        "pg_advisory_lock",
                                        "pg_advisory_lock_shared",
                                        "pg_try_advisory_lock",
                                        "pg_try_advisory_lock_shared",
                                        NULL};

    if (now->words == 0 && is_any(text, length, first))
        now->seen.of_session = true;
    if (is_any(text, length, temporary) &&
        (strcmp(now->last_word, "into") == 0 ||
         (strcmp(now->seen.words[0], "create") == 0 && now->words < 4 &&
          is_any(now->last_word, strlen(now->last_word), before))))
        now->seen.of_session = true;
    if (is_any(text, length, calls))
        now->seen.calls_session = true;
}

void scan_note_word(struct scan_statement *now, const char *text, size_t length)
{
    char word[16] = "";

    for (size_t i = 0; i < length && i < sizeof word - 1; i++)
        word[i] = text[i] >= 'A' && text[i] <= 'Z' ? (char)(text[i] - 'A' + 'a') : text[i];
    if (now->words < 2)
        memcpy(now->seen.words[now->words], word, sizeof word);
    track_routine(now, word);
    track_copy(now, word);
    track_session(now, text, length);
    memcpy(now->last_word, word, sizeof word);
    if (now->words < INT_MAX)
        now->words++;
}
