/* scan.h - reads SQL a token at a time, far enough to know where a statement ends.
 *
 * The scanner looks at one token at a time in the window; a token that the window cuts in two is
 * looked at again when there is more, while quotes and comments, which may be long, keep their
 * place. Only split.c uses it. */
#ifndef RUN_SCAN_H
#define RUN_SCAN_H

#include "split.h"

enum scan_step {
    SCAN_ON,   /* call again */
    SCAN_MORE, /* the window ends in the middle of something */
    SCAN_CUT,  /* past a `;` that ends a statement */
    SCAN_STOP, /* this cannot be read on */
};

enum scan_mode {
    CODE,
    LINE_COMMENT,
    BLOCK_COMMENT,
    QUOTE,        /* '...' */
    ESCAPE,       /* E'...' */
    ESCAPE_AFTER, /* past its closing quote: it may go on, after '' or on the next line */
    NAME,         /* "..." */
    DOLLAR,       /* $tag$...$tag$ */
};

/* What is known about the statement being read; cleared with each new one. */
struct scan_statement {
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

struct scan {
    struct window *in;
    size_t pos; /* of the next byte to look at, from the window's start */
    long line;  /* of that byte */
    enum scan_mode mode;
    enum scan_mode resume;  /* what a line comment returns to */
    long open_line;         /* where the quote or comment began */
    int comment_depth;      /* BLOCK_COMMENT */
    bool newline;           /* ESCAPE_AFTER: the line has ended since the quote closed */
    size_t tag, tag_length; /* DOLLAR: where the opening $tag$ stands */
    size_t matched;         /* and how much of it was seen again */
    char why[160];
    struct scan_statement now;
};

/* Passes one token, or one byte of a quote or comment. The window holds at least one byte from
 * `pos` on. */
enum scan_step scan_next(struct scan *s);

/* Lets go of the text up to `pos` and begins a new statement. */
void scan_start_over(struct scan *s);

/* Why the statement cannot be sent; the first reason stays. */
void scan_blame(struct scan *s, long line, const char *why);

/* What the end of the input would leave open here, in words; NULL: nothing. */
const char *scan_unterminated(const struct scan *s);

/* The next word outside quotes, as it stands in the text (scan_words.c). */
void scan_note_word(struct scan_statement *now, const char *text, size_t length);

#endif
