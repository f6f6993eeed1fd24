/* split.c - see split.h. The scanner looks at one token at a time in the window; a token that the window
 * cuts in two is looked at again when there is more, while quotes and comments, which may be long, keep
 * their place. */
#include "split.h"

#include "buf.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum mode {
    CODE,
    LINE_COMMENT,
    BLOCK_COMMENT,
    QUOTE,        /* '...' */
    ESCAPE,       /* E'...' */
    ESCAPE_AFTER, /* past its closing quote: it may go on, after '' or on the next line */
    NAME,         /* "..." */
    DOLLAR,       /* $tag$...$tag$ */
};

enum step { GO_ON, WANT_MORE, CUT, STOP };

enum { AT_MORE = -1, AT_END = -2 }; /* what peek finds past the window */

/* What is known about the statement being read; cleared with each new one. */
struct current {
    struct statement seen;
    bool has_text;  /* its text begins at offset 0 of the window */
    bool has_token; /* it has more than comments */
    size_t end;     /* just past its last token */
    int words;
    char last_word[16];
    int parens;
    int begins;      /* BEGIN and CASE that still want their END */
    char routine[4]; /* initials of CREATE, OR, REPLACE, FUNCTION, PROCEDURE where they stand */
};

struct split {
    struct window *in;
    size_t pos; /* of the next byte to look at, from the window's start */
    long line;  /* of that byte */
    enum mode mode;
    enum mode resume;  /* what a line comment returns to */
    long open_line;    /* where the quote or comment began */
    int comment_depth; /* BLOCK_COMMENT */
    bool newline;      /* ESCAPE_AFTER: the line has ended since the quote closed */
    size_t tag, tag_length,
        matched; /* DOLLAR: where the opening $tag$ stands; how much of it was seen */
    bool begun, handed, dead;
    char why[160];
    struct current now;
};

struct split *split_new(struct window *in)
{
    struct split *s = alloc(sizeof *s);

    s->in = in;
    s->line = 1;
    return s;
}

void split_free(struct split *s)
{
    free(s);
}

/* ---- characters ---- */

static int peek(const struct split *s, size_t offset)
{
    if (offset < window_length(s->in))
        return (unsigned char)window_at(s->in)[offset];
    return s->in->finished ? AT_END : AT_MORE;
}

static bool is_space(int c)
{
    return c == ' ' || (c >= '\t' && c <= '\r');
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static bool starts_name(int c)
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_' || c >= 0x80;
}

static bool continues_tag(int c)
{
    return starts_name(c) || is_digit(c);
}

static bool continues_name(int c)
{
    return continues_tag(c) || c == '$';
}

/* ---- the statement so far ---- */

/* The byte at `pos` belongs to the text: if it is the first to, what stands before it is let go. */
static void begin_text(struct split *s)
{
    if (s->now.has_text)
        return;
    window_consume(s->in, s->pos);
    s->pos = 0;
    s->now.has_text = true;
}

/* `count` bytes at `pos` are a token, or the beginning of one. */
static void take_token(struct split *s, size_t count)
{
    begin_text(s);
    if (!s->now.has_token)
        s->now.seen.line = s->line;
    s->now.has_token = true;
    s->pos += count;
    s->now.end = s->pos;
}

static void open_quote(struct split *s, enum mode mode, size_t count)
{
    take_token(s, count);
    s->mode = mode;
    s->open_line = s->line;
}

static void blame(struct split *s, long line, const char *why)
{
    if (s->now.seen.why)
        return;
    snprintf(s->why, sizeof s->why, "%s", why);
    s->now.seen.why = s->why;
    s->now.seen.why_line = line;
}

/* Line and NUL keeping for a byte that is passed over inside quotes and comments. */
static void pass(struct split *s, int c)
{
    if (c == '\n')
        s->line++;
    else if (c == '\0')
        blame(s, s->line,
              "NUL byte in the text (is it UTF-16? only UTF-8 and the like can be read)");
    s->pos++;
}

/* ---- words ---- */

static bool inside_routine(const struct current *now)
{
    const char *r = now->routine;

    if (r[0] != 'c' || now->parens > 0)
        return false;
    if (r[1] == 'o' && r[2] == 'r')
        return r[3] == 'f' || r[3] == 'p';
    return r[1] == 'f' || r[1] == 'p';
}

/* psql's rule for the body of an SQL-standard function: only in a statement that begins with CREATE [OR
 * REPLACE] FUNCTION or PROCEDURE, BEGIN opens, END closes, and CASE inside opens as well. */
static void track_routine(struct current *now, const char *word)
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

static void track_copy(struct current *now, const char *word)
{
    if (now->parens > 0 || strcmp(now->seen.words[0], "copy") != 0)
        return;
    if (strcmp(word, "stdin") == 0 && strcmp(now->last_word, "from") == 0)
        now->seen.copies_stdin = true;
}

static void take_word(struct split *s, size_t length)
{
    struct current *now = &s->now;
    char word[16] = "";

    take_token(s, length);
    for (size_t i = 0; i < length && i < sizeof word - 1; i++) {
        char c = window_at(s->in)[now->end - length + i];
        word[i] = c >= 'A' && c <= 'Z' ? (char)(c - 'A' + 'a') : c;
    }
    if (now->words < 2)
        memcpy(now->seen.words[now->words], word, sizeof word);
    track_routine(now, word);
    track_copy(now, word);
    memcpy(now->last_word, word, sizeof word);
    if (now->words < INT_MAX)
        now->words++;
}

static enum step scan_word(struct split *s)
{
    size_t length = 1;
    int c;

    while (continues_name(c = peek(s, s->pos + length)))
        length++;
    if (c == AT_MORE)
        return WANT_MORE;
    if (c == '\'' && length == 1 && (window_at(s->in)[s->pos] | 0x20) == 'e')
        open_quote(s, ESCAPE, 2);
    else
        take_word(s, length);
    return GO_ON;
}

/* ---- outside quotes and comments ---- */

/* $1, $$, $tag$, or a lone dollar. */
static enum step scan_dollar(struct split *s)
{
    size_t length = 1;
    int c = peek(s, s->pos + 1);

    if (is_digit(c)) {
        long n = 0;

        for (; is_digit(c); c = peek(s, s->pos + ++length))
            n = n < INT_MAX / 10 ? n * 10 + (c - '0') : INT_MAX;
        if (c == AT_MORE)
            return WANT_MORE;
        if (n > s->now.seen.params)
            s->now.seen.params = (int)n;
        take_token(s, length);
        return GO_ON;
    }
    if (starts_name(c))
        while (continues_tag(c = peek(s, s->pos + length)))
            length++;
    if (c == AT_MORE)
        return WANT_MORE;
    if (c != '$') {
        take_token(s, 1);
        return GO_ON;
    }
    open_quote(s, DOLLAR, length + 1);
    s->tag = s->pos - (length + 1);
    s->tag_length = length + 1;
    s->matched = 0;
    return GO_ON;
}

static enum step open_comment(struct split *s, enum mode mode)
{
    if (mode == BLOCK_COMMENT)
        begin_text(s);
    s->resume = CODE;
    s->mode = mode;
    s->open_line = s->line;
    s->comment_depth = 1;
    s->pos += 2;
    return GO_ON;
}

static enum step scan_semicolon(struct split *s)
{
    if (s->now.parens > 0 || s->now.begins > 0) {
        take_token(s, 1);
        return GO_ON;
    }
    s->pos++;
    return CUT;
}

static enum step scan_code(struct split *s)
{
    int c = peek(s, s->pos);
    int next;

    if (is_space(c)) {
        pass(s, c);
        return GO_ON;
    }
    if (starts_name(c))
        return scan_word(s);
    switch (c) {
    case ';':
        return scan_semicolon(s);
    case '$':
        return scan_dollar(s);
    case '\'':
        open_quote(s, QUOTE, 1);
        return GO_ON;
    case '"':
        open_quote(s, NAME, 1);
        return GO_ON;
    case '-':
    case '/':
        next = peek(s, s->pos + 1);
        if (next == AT_MORE)
            return WANT_MORE;
        if (next == (c == '-' ? '-' : '*'))
            return open_comment(s, c == '-' ? LINE_COMMENT : BLOCK_COMMENT);
        break;
    case '\\':
        take_token(s, 1);
        blame(s, s->line, "psql's backslash commands are not SQL and cannot be run here");
        return STOP;
    case '(':
        s->now.parens++;
        break;
    case ')':
        s->now.parens -= s->now.parens > 0;
        break;
    case '\0':
        take_token(s, 0);
        pass(s, c);
        s->now.end = s->pos;
        return GO_ON;
    default:
        break;
    }
    take_token(s, 1);
    return GO_ON;
}

/* ---- inside ---- */

static enum step scan_line_comment(struct split *s)
{
    int c = peek(s, s->pos);

    if (c == '\n' || c == '\r')
        s->mode = s->resume;
    else
        pass(s, c);
    return GO_ON;
}

static enum step scan_block_comment(struct split *s)
{
    int c = peek(s, s->pos);
    int next;

    if (c != '*' && c != '/') {
        pass(s, c);
        return GO_ON;
    }
    next = peek(s, s->pos + 1);
    if (next == AT_MORE)
        return WANT_MORE;
    if (next != (c == '*' ? '/' : '*')) {
        s->pos++;
        return GO_ON;
    }
    s->pos += 2;
    s->comment_depth += c == '*' ? -1 : 1;
    if (s->comment_depth == 0)
        s->mode = CODE;
    return GO_ON;
}

/* A doubled quote closes and opens again, which comes to the same as going on. */
static enum step scan_plain(struct split *s, int quote)
{
    int c = peek(s, s->pos);

    pass(s, c);
    s->now.end = s->pos;
    if (c == quote)
        s->mode = CODE;
    return GO_ON;
}

static enum step scan_escape(struct split *s)
{
    int c = peek(s, s->pos);

    if (c == '\\') {
        int next = peek(s, s->pos + 1);

        if (next == AT_MORE)
            return WANT_MORE;
        pass(s, c);
        if (next != AT_END)
            pass(s, next);
    } else {
        pass(s, c);
    }
    s->now.end = s->pos;
    if (c == '\'') {
        s->mode = ESCAPE_AFTER;
        s->newline = false;
    }
    return GO_ON;
}

/* PostgreSQL joins strings that only white space with a line end (and line comments) parts; the second
 * goes on in the way of the first, backslashes and all. */
static enum step scan_escape_after(struct split *s)
{
    int c = peek(s, s->pos);

    if (c == '\'' && (s->newline || s->pos == s->now.end)) {
        s->pos++;
        s->now.end = s->pos;
        s->mode = ESCAPE;
    } else if (is_space(c)) {
        s->newline = s->newline || c == '\n' || c == '\r';
        pass(s, c);
    } else if (c == '-') {
        int next = peek(s, s->pos + 1);

        if (next == AT_MORE)
            return WANT_MORE;
        if (next == '-') {
            s->mode = LINE_COMMENT;
            s->resume = ESCAPE_AFTER;
        } else {
            s->mode = CODE;
        }
    } else {
        s->mode = CODE;
    }
    return GO_ON;
}

static enum step scan_dollar_body(struct split *s)
{
    int c = peek(s, s->pos);
    const char *tag = window_at(s->in) + s->tag;

    if ((unsigned char)tag[s->matched] == c)
        s->matched++;
    else
        s->matched = c == '$';
    pass(s, c);
    s->now.end = s->pos;
    if (s->matched == s->tag_length)
        s->mode = CODE;
    return GO_ON;
}

static enum step scan(struct split *s)
{
    switch (s->mode) {
    case CODE:
        return scan_code(s);
    case LINE_COMMENT:
        return scan_line_comment(s);
    case BLOCK_COMMENT:
        return scan_block_comment(s);
    case QUOTE:
        return scan_plain(s, '\'');
    case NAME:
        return scan_plain(s, '"');
    case ESCAPE:
        return scan_escape(s);
    case ESCAPE_AFTER:
        return scan_escape_after(s);
    case DOLLAR:
        return scan_dollar_body(s);
    }
    return STOP;
}

/* ---- handing out ---- */

static enum split_status hand_out(struct split *s, size_t end, enum split_status status,
                                  struct statement *ret_statement)
{
    s->now.seen.text = window_at(s->in);
    s->now.seen.length = end;
    s->handed = true;
    s->dead = status == SPLIT_FATAL;
    if (s->now.seen.line == 0)
        s->now.seen.line = s->open_line;
    *ret_statement = s->now.seen;
    return status;
}

/* Lets go of what was handed out, or of a piece that held nothing. */
static void start_over(struct split *s)
{
    window_consume(s->in, s->pos);
    s->pos = 0;
    s->handed = false;
    s->now = (struct current){0};
}

static const char *unterminated(enum mode mode)
{
    switch (mode) {
    case QUOTE:
    case ESCAPE:
        return "unterminated quoted string";
    case NAME:
        return "unterminated quoted identifier";
    case DOLLAR:
        return "unterminated dollar-quoted string";
    case BLOCK_COMMENT:
        return "unterminated comment";
    default:
        return NULL;
    }
}

static enum split_status at_end(struct split *s, struct statement *ret_statement)
{
    const char *why = unterminated(s->mode);

    s->dead = true;
    if (why) {
        s->now.seen.why = NULL;
        blame(s, s->open_line, why);
        return hand_out(s, s->pos, SPLIT_FATAL, ret_statement);
    }
    if (!s->now.has_token)
        return SPLIT_END;
    hand_out(s, s->now.end, s->now.seen.why ? SPLIT_BAD : SPLIT_OK, ret_statement);
    s->dead = true;
    return s->now.seen.why ? SPLIT_BAD : SPLIT_OK;
}

/* A byte order mark is no SQL. */
static bool skip_mark(struct split *s)
{
    static const char mark[] = "\xEF\xBB\xBF";

    if (window_length(s->in) < 3 && !s->in->finished)
        return false;
    if (window_length(s->in) >= 3 && memcmp(window_at(s->in), mark, 3) == 0)
        window_consume(s->in, 3);
    s->begun = true;
    return true;
}

static enum split_status want_more(struct split *s, struct statement *ret_statement)
{
    if (!s->now.has_text) {
        window_consume(s->in, s->pos);
        s->pos = 0;
    }
    if (window_length(s->in) < WINDOW_MAX)
        return SPLIT_MORE;
    s->now.seen.why = NULL;
    blame(s, s->now.seen.line ? s->now.seen.line : s->open_line,
          unterminated(s->mode) ? "statement longer than 64 MiB (is a quote or comment left open?)"
                                : "statement longer than 64 MiB");
    return hand_out(s, s->pos, SPLIT_FATAL, ret_statement);
}

enum split_status split_next(struct split *s, struct statement *ret_statement)
{
    if (s->dead)
        return SPLIT_END;
    if (s->handed)
        start_over(s);
    if (!s->begun && !skip_mark(s))
        return SPLIT_MORE;
    for (;;) {
        enum step step = s->pos < window_length(s->in) ? scan(s) : WANT_MORE;

        if (step == CUT && s->now.has_token)
            return hand_out(s, s->now.end, s->now.seen.why ? SPLIT_BAD : SPLIT_OK, ret_statement);
        if (step == CUT)
            start_over(s);
        else if (step == STOP)
            return hand_out(s, s->now.end, SPLIT_FATAL, ret_statement);
        else if (step == WANT_MORE && s->in->finished)
            return at_end(s, ret_statement);
        else if (step == WANT_MORE)
            return want_more(s, ret_statement);
    }
}
