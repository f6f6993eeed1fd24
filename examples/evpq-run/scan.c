/* scan.c - see scan.h. */
#include "scan.h"

#include <limits.h>
#include <stdio.h>
#include <string.h>

enum { AT_MORE = -1, AT_END = -2 }; /* what peek finds past the window */

/* ---- characters ---- */

static int peek(const struct scan *s, size_t offset)
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
static void begin_text(struct scan *s)
{
    if (s->now.has_text)
        return;
    window_consume(s->in, s->pos);
    s->pos = 0;
    s->now.has_text = true;
}

/* `count` bytes at `pos` are a token, or the beginning of one. */
static void take_token(struct scan *s, size_t count)
{
    begin_text(s);
    if (!s->now.has_token)
        s->now.seen.line = s->line;
    s->now.has_token = true;
    s->pos += count;
    s->now.end = s->pos;
}

static void open_quote(struct scan *s, enum scan_mode mode, size_t count)
{
    take_token(s, count);
    s->mode = mode;
    s->open_line = s->line;
}

void scan_blame(struct scan *s, long line, const char *why)
{
    if (s->now.seen.why)
        return;
    snprintf(s->why, sizeof s->why, "%s", why);
    s->now.seen.why = s->why;
    s->now.seen.why_line = line;
}

/* Line and NUL keeping for a byte that is passed over inside quotes and comments. */
static void pass(struct scan *s, int c)
{
    if (c == '\n')
        s->line++;
    else if (c == '\0')
        scan_blame(s, s->line,
                   "NUL byte in the text (is it UTF-16? only UTF-8 and the like can be read)");
    s->pos++;
}

/* ---- words ---- */

static void take_word(struct scan *s, size_t length)
{
    take_token(s, length);
    scan_note_word(&s->now, window_at(s->in) + s->now.end - length, length);
}

static enum scan_step scan_word(struct scan *s)
{
    size_t length = 1;
    int c;

    while (continues_name(c = peek(s, s->pos + length)))
        length++;
    if (c == AT_MORE)
        return SCAN_MORE;
    if (c == '\'' && length == 1 && (window_at(s->in)[s->pos] | 0x20) == 'e')
        open_quote(s, ESCAPE, 2);
    else
        take_word(s, length);
    return SCAN_ON;
}

/* ---- outside quotes and comments ---- */

/* $1, $$, $tag$, or a lone dollar. */
static enum scan_step scan_dollar(struct scan *s)
{
    size_t length = 1;
    int c = peek(s, s->pos + 1);

    if (is_digit(c)) {
        long n = 0;

        for (; is_digit(c); c = peek(s, s->pos + ++length))
            n = n < INT_MAX / 10 ? n * 10 + (c - '0') : INT_MAX;
        if (c == AT_MORE)
            return SCAN_MORE;
        if (n > s->now.seen.params)
            s->now.seen.params = (int)n;
        take_token(s, length);
        return SCAN_ON;
    }
    if (starts_name(c))
        while (continues_tag(c = peek(s, s->pos + length)))
            length++;
    if (c == AT_MORE)
        return SCAN_MORE;
    if (c != '$') {
        take_token(s, 1);
        return SCAN_ON;
    }
    open_quote(s, DOLLAR, length + 1);
    s->tag = s->pos - (length + 1);
    s->tag_length = length + 1;
    s->matched = 0;
    return SCAN_ON;
}

static enum scan_step open_comment(struct scan *s, enum scan_mode mode)
{
    if (mode == BLOCK_COMMENT)
        begin_text(s);
    s->resume = CODE;
    s->mode = mode;
    s->open_line = s->line;
    s->comment_depth = 1;
    s->pos += 2;
    return SCAN_ON;
}

static enum scan_step scan_semicolon(struct scan *s)
{
    if (s->now.parens > 0 || s->now.begins > 0) {
        take_token(s, 1);
        return SCAN_ON;
    }
    s->pos++;
    return SCAN_CUT;
}

static enum scan_step scan_code(struct scan *s)
{
    int c = peek(s, s->pos);
    int next;

    if (is_space(c)) {
        pass(s, c);
        return SCAN_ON;
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
        return SCAN_ON;
    case '"':
        open_quote(s, NAME, 1);
        return SCAN_ON;
    case '-':
    case '/':
        next = peek(s, s->pos + 1);
        if (next == AT_MORE)
            return SCAN_MORE;
        if (next == (c == '-' ? '-' : '*'))
            return open_comment(s, c == '-' ? LINE_COMMENT : BLOCK_COMMENT);
        break;
    case '\\':
        take_token(s, 1);
        scan_blame(s, s->line, "psql's backslash commands are not SQL and cannot be run here");
        return SCAN_STOP;
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
        return SCAN_ON;
    default:
        break;
    }
    take_token(s, 1);
    return SCAN_ON;
}

/* ---- inside ---- */

static enum scan_step scan_line_comment(struct scan *s)
{
    int c = peek(s, s->pos);

    if (c == '\n' || c == '\r')
        s->mode = s->resume;
    else
        pass(s, c);
    return SCAN_ON;
}

static enum scan_step scan_block_comment(struct scan *s)
{
    int c = peek(s, s->pos);
    int next;

    if (c != '*' && c != '/') {
        pass(s, c);
        return SCAN_ON;
    }
    next = peek(s, s->pos + 1);
    if (next == AT_MORE)
        return SCAN_MORE;
    if (next != (c == '*' ? '/' : '*')) {
        s->pos++;
        return SCAN_ON;
    }
    s->pos += 2;
    s->comment_depth += c == '*' ? -1 : 1;
    if (s->comment_depth == 0)
        s->mode = CODE;
    return SCAN_ON;
}

/* A doubled quote closes and opens again, which comes to the same as going on. */
static enum scan_step scan_plain(struct scan *s, int quote)
{
    int c = peek(s, s->pos);

    pass(s, c);
    s->now.end = s->pos;
    if (c == quote)
        s->mode = CODE;
    return SCAN_ON;
}

static enum scan_step scan_escape(struct scan *s)
{
    int c = peek(s, s->pos);

    if (c == '\\') {
        int next = peek(s, s->pos + 1);

        if (next == AT_MORE)
            return SCAN_MORE;
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
    return SCAN_ON;
}

/* PostgreSQL joins strings that only white space with a line end (and line comments) parts; the
 * second goes on in the way of the first, backslashes and all. */
static enum scan_step scan_escape_after(struct scan *s)
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
            return SCAN_MORE;
        if (next == '-') {
            s->mode = LINE_COMMENT;
            s->resume = ESCAPE_AFTER;
        } else {
            s->mode = CODE;
        }
    } else {
        s->mode = CODE;
    }
    return SCAN_ON;
}

static enum scan_step scan_dollar_body(struct scan *s)
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
    return SCAN_ON;
}

enum scan_step scan_next(struct scan *s)
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
    return SCAN_STOP;
}

/* ---- for the splitter ---- */

void scan_start_over(struct scan *s)
{
    window_consume(s->in, s->pos);
    s->pos = 0;
    s->now = (struct scan_statement){0};
}

const char *scan_unterminated(const struct scan *s)
{
    switch (s->mode) {
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
