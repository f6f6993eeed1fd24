/*
 * A server that is a script in a thread: what it says at the start of each connection and to each
 * Sync, Query or CopyDone is written down by the test, message by message.
 */
#ifndef TESTS_SUPPORT_FAKE_H
#define TESTS_SUPPORT_FAKE_H

#include <stdbool.h>
#include <stddef.h>

struct fake_bytes {
    size_t n;
    unsigned char at[200 * 1000];
};

enum { FAKE_ANSWERS = 8 };

/* What is said at the start of each connection, and to each Sync in turn; when the answers run out,
 * that to select 1. */
struct fake {
    struct fake_bytes hello, answer[FAKE_ANSWERS];
    int answers, given;
    bool hangs_up[FAKE_ANSWERS], hangs_up_at_once;
    int port, listener;
    _Atomic int connections; /* that have been let in */
};
extern struct fake fake;

/* A message. */
void fake_add(struct fake_bytes *b, char type, const void *body, size_t n);
/* For string literals, whose last zero byte counts: most messages end in one. */
#define FAKE_ADD(b, type, body) fake_add(b, type, body, sizeof(body))
#define FIELDS(body) body, sizeof(body)
/* ReadyForQuery, with that status of the transaction; outside one. */
void fake_add_status(struct fake_bytes *b, char status);
void fake_add_ready(struct fake_bytes *b);
/* The answer to "select 1": a text column of one row, and ReadyForQuery. */
void fake_add_one(struct fake_bytes *b);

/* A hello that lets everyone in. */
void fake_hello(void);
struct fake_bytes *fake_next_answer(void);

/* The conninfo, borrowed as strf's. Ends with fake_stop(), when no connection is open any more. */
const char *fake_start(void);
void fake_stop(void);

#endif
