/* verb.c - the statements that a server knows without a script: transactions, settings, LISTEN; and
 * the tags of all others. */
#include "testing/server_impl.h"

#include <ctype.h>
#include <stdio.h>
#include <strings.h>

enum { WORD_SIZE = 64 };

/* Behind a comment of blocks, which may hold others. */
static const char *skip_block(const char *sql)
{
    int depth = 0;
    do {
        bool opens = !strncmp(sql, "/*", 2), closes = !strncmp(sql, "*/", 2);
        depth += opens - closes;
        sql += opens || closes ? 2 : 1;
    } while (depth && *sql);
    return sql;
}

const char *sql_skip(const char *sql)
{
    for (;;) {
        if (isspace((unsigned char)*sql))
            sql++;
        else if (!strncmp(sql, "--", 2))
            sql += strcspn(sql, "\r\n");
        else if (!strncmp(sql, "/*", 2))
            sql = skip_block(sql);
        else
            return sql;
    }
}

/* The next word, up to a blank or a mark; a name in quotes without them, any other in small
 * letters. Returns what is behind it. */
static const char *next_word(const char *sql, char word[WORD_SIZE])
{
    size_t n = 0;
    sql = sql_skip(sql);
    bool quoted = *sql == '"';
    sql += quoted;
    while (*sql && (quoted ? *sql != '"' : isalnum((unsigned char)*sql) || *sql == '_')) {
        if (n < WORD_SIZE - 1)
            word[n++] = quoted ? *sql : (char)tolower((unsigned char)*sql);
        sql++;
    }
    word[n] = '\0';
    return sql + (quoted && *sql);
}

static bool is_word(const char *word, const char *a, const char *b)
{
    return !strcmp(word, a) || !strcmp(word, b);
}

/* Behind COMMIT or ROLLBACK, the word after [WORK | TRANSACTION]. */
static const char *next_but_work(const char *rest, char word[WORD_SIZE])
{
    rest = next_word(rest, word);
    return is_word(word, "work", "transaction") ? next_word(rest, word) : rest;
}

static bool goes_to_savepoint(const char *rest)
{
    char word[WORD_SIZE];
    next_but_work(rest, word);
    return !strcmp(word, "to");
}

enum verb verb_of(const char *sql)
{
    static const struct {
        const char *word;
        enum verb verb;
    } verbs[] = {
        {"begin", VERB_BEGIN},         {"start", VERB_BEGIN},       {"commit", VERB_COMMIT},
        {"end", VERB_COMMIT},          {"rollback", VERB_ROLLBACK}, {"abort", VERB_ROLLBACK},
        {"savepoint", VERB_SAVEPOINT}, {"release", VERB_RELEASE},   {"set", VERB_SET},
        {"reset", VERB_SET},           {"discard", VERB_DISCARD},   {"deallocate", VERB_DEALLOCATE},
        {"listen", VERB_LISTEN},       {"unlisten", VERB_UNLISTEN},
    };
    char word[WORD_SIZE];
    const char *rest = next_word(sql, word);
    for (size_t i = 0; i < sizeof verbs / sizeof *verbs; i++)
        if (!strcmp(word, verbs[i].word))
            return verbs[i].verb == VERB_ROLLBACK && goes_to_savepoint(rest) ? VERB_ROLLBACK_TO
                                                                             : verbs[i].verb;
    return VERB_NONE;
}

bool verb_chains(const char *sql)
{
    char word[WORD_SIZE];
    enum verb verb = verb_of(sql);
    const char *rest = next_but_work(next_word(sql, word), word);
    if (strcmp(word, "and") || (verb != VERB_COMMIT && verb != VERB_ROLLBACK))
        return false;
    next_word(rest, word);
    return !strcmp(word, "chain");
}

bool verb_ends(enum verb verb)
{
    return verb == VERB_COMMIT || verb == VERB_ROLLBACK || verb == VERB_ROLLBACK_TO;
}

/* ---- doing it ---- */

static void forget_channel(struct backend *b, const char *name)
{
    for (struct channel **at = &b->channels; *at;) {
        struct channel *c = *at;
        if (name && strcmp(c->name, name)) {
            at = &c->next;
            continue;
        }
        *at = c->next;
        free(c);
    }
}

static void listen_to(struct backend *b, const char *name)
{
    size_t size = strlen(name) + 1;
    struct channel *c = take_memory(sizeof *c + size);
    forget_channel(b, name);
    memcpy(c->name, name, size);
    c->next = b->channels;
    b->channels = c;
}

/* DEALLOCATE [PREPARE] { name | ALL } */
static void deallocate(struct backend *b, const char *rest, char tag[TAG_SIZE])
{
    char word[WORD_SIZE];
    rest = next_word(rest, word);
    if (!strcmp(word, "prepare"))
        next_word(rest, word);
    bool all = !strcmp(word, "all");
    prepared_forget(b, all ? NULL : word);
    if (all)
        strcpy(tag, "DEALLOCATE ALL");
}

/* The first word in capitals, and the second where the tag has both. */
static void put_words(const char *sql, bool both, char tag[TAG_SIZE])
{
    char word[WORD_SIZE];
    const char *rest = next_word(sql, word);
    int n = snprintf(tag, TAG_SIZE, "%.30s", word);
    if (both) {
        next_word(rest, word);
        snprintf(tag + n, TAG_SIZE - (size_t)n, "%s%.30s", *word ? " " : "", word);
    }
    for (char *c = tag; *c; c++)
        *c = (char)toupper((unsigned char)*c);
}

/* Of a statement that only a script knows. */
static void put_tag(const char *sql, size_t rows, char tag[TAG_SIZE])
{
    static const struct {
        const char *word, *tag;
        bool changes;
    } tags[] = {
        {"insert", "INSERT 0", true}, {"update", "UPDATE", true},  {"delete", "DELETE", true},
        {"merge", "MERGE", true},     {"select", "SELECT", false}, {"with", "SELECT", false},
        {"values", "SELECT", false},  {"table", "SELECT", false},
    };
    char word[WORD_SIZE];
    next_word(sql, word);
    for (size_t i = 0; i < sizeof tags / sizeof *tags; i++)
        if (!strcmp(word, tags[i].word)) {
            size_t n = rows == NO_RESULT ? tags[i].changes : rows;
            snprintf(tag, TAG_SIZE, "%s %zu", tags[i].tag, n);
            return;
        }
    put_words(sql, is_word(word, "create", "drop") || !strcmp(word, "alter"), tag);
}

void verb_do(struct backend *b, const char *sql, size_t rows, char tag[TAG_SIZE])
{
    enum verb verb = verb_of(sql);
    char word[WORD_SIZE];
    const char *rest = next_word(sql, word);
    put_words(sql, !strcmp(word, "start") || verb == VERB_DISCARD, tag);
    switch (verb) {
    case VERB_NONE:
        put_tag(sql, rows, tag);
        break;
    case VERB_BEGIN:
        b->status = 'T';
        break;
    case VERB_COMMIT:
    case VERB_ROLLBACK:
        strcpy(tag, verb == VERB_COMMIT && b->status != 'E' ? "COMMIT" : "ROLLBACK");
        b->status = verb_chains(sql) ? 'T' : 'I';
        break;
    case VERB_ROLLBACK_TO:
        strcpy(tag, "ROLLBACK");
        b->status = 'T';
        break;
    case VERB_SAVEPOINT:
    case VERB_RELEASE:
    case VERB_SET:
        break;
    case VERB_LISTEN:
        next_word(rest, word);
        listen_to(b, word);
        break;
    case VERB_UNLISTEN:
        next_word(rest, word);
        forget_channel(b, *word ? word : NULL);
        break;
    case VERB_DEALLOCATE:
        deallocate(b, rest, tag);
        break;
    case VERB_DISCARD:
        next_word(rest, word);
        if (!strcmp(word, "all")) {
            prepared_forget(b, NULL);
            forget_channel(b, NULL);
        }
        break;
    }
}
