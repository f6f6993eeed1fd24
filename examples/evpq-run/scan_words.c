/* scan_words.c - what the words of a statement say about where it ends, and what it is. See
 * scan.h. */
#include "scan.h"

#include <limits.h>
#include <string.h>

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
    if (now->parens > 0 || strcmp(now->seen.words[0], "copy") != 0)
        return;
    if (strcmp(word, "stdin") == 0 && strcmp(now->last_word, "from") == 0)
        now->seen.copies_stdin = true;
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
    memcpy(now->last_word, word, sizeof word);
    if (now->words < INT_MAX)
        now->words++;
}
