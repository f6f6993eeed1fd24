/*
 * Finding the messages of the PostgreSQL protocol in two byte streams, a client's and a server's,
 * whatever the sizes in which the bytes arrive. Owns no memory, does no I/O. Used by the proxy.
 */
#ifndef TESTING_PROXY_SCAN_H
#define TESTING_PROXY_SCAN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "testing/proxy.h"

enum scan_code {
    SCAN_CODE_CANCEL = 80877102,
    SCAN_CODE_SSL = 80877103,
    SCAN_CODE_GSSENC = 80877104,
};

enum scan_mode {
    SCAN_STARTUP, /* length, code, body */
    SCAN_REPLY,   /* one byte that answers an encryption request */
    SCAN_TYPED,   /* type, length, body */
    SCAN_OPAQUE,  /* encrypted, or not this protocol */
};

struct scan_side {
    enum scan_mode mode;
    unsigned char head[8];
    size_t have;   /* bytes in head */
    uint32_t left; /* bytes of the body still to come */
    char type;
};

/* Both sides of one connection: what the client asked decides how the server's answer reads. */
struct scan {
    struct scan_side side[2]; /* by enum proxy_dir */
};

/* A run of bytes that belong to one message. */
struct scan_piece {
    size_t length;
    char type;  /* 0: a startup packet, an answer of one byte, or opaque */
    bool first; /* starts the message */
    bool last;  /* ends it */
};

void proxy_scan_init(struct scan *s);

/* The next piece of a direction's n > 0 bytes. Its length is at least 1 and at most n. */
struct scan_piece proxy_scan_next(struct scan *s, enum proxy_dir dir, const unsigned char *bytes,
                                  size_t n);

enum scan_guess {
    SCAN_UNDECIDED,
    SCAN_CANCEL,
    SCAN_OTHER,
};

/* What a client's first n bytes start. Decided for certain with 8 bytes. */
enum scan_guess proxy_scan_first_packet(const unsigned char *bytes, size_t n);

#endif
