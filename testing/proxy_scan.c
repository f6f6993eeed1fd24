/*
 * The protocol scanner of the proxy: see proxy_scan.h. It keeps, for each direction, at most one
 * message header and the number of body bytes still to come.
 */
#include "testing/proxy_scan.h"

#include <string.h>

enum {
    STARTUP_HEAD = 8,
    TYPED_HEAD = 5,
    STARTUP_MAX = 10000, /* the server's own limit (MAX_STARTUP_PACKET_LENGTH) */
};

static uint32_t get_u32(const unsigned char *p)
{
    return (uint32_t)p[0] << 24 | (uint32_t)p[1] << 16 | (uint32_t)p[2] << 8 | p[3];
}

static void make_opaque(struct scan *s)
{
    s->side[PROXY_TO_SERVER].mode = SCAN_OPAQUE;
    s->side[PROXY_TO_CLIENT].mode = SCAN_OPAQUE;
}

void proxy_scan_init(struct scan *s)
{
    memset(s, 0, sizeof *s);
    s->side[PROXY_TO_SERVER].mode = SCAN_STARTUP;
    s->side[PROXY_TO_CLIENT].mode = SCAN_TYPED;
}

static struct scan_piece opaque_piece(size_t n)
{
    return (struct scan_piece){.length = n};
}

/* The server's one byte: 'S' and 'G' begin encryption, 'N' does not, 'E' starts an ErrorResponse.
 */
static struct scan_piece next_reply(struct scan *s, const unsigned char *bytes)
{
    if (bytes[0] == 'S' || bytes[0] == 'G')
        make_opaque(s);
    else
        s->side[PROXY_TO_CLIENT].mode = SCAN_TYPED;
    return (struct scan_piece){.length = 1, .first = true, .last = true};
}

/* A startup packet is complete: what follows it on each side? */
static void startup_done(struct scan *s, uint32_t code)
{
    if (code == SCAN_CODE_SSL || code == SCAN_CODE_GSSENC)
        s->side[PROXY_TO_CLIENT].mode = SCAN_REPLY;
    else if (code == SCAN_CODE_CANCEL)
        make_opaque(s);
    else
        s->side[PROXY_TO_SERVER].mode = SCAN_TYPED;
}

/* The header is complete. Returns false when it cannot be one. */
static bool head_done(struct scan_side *side)
{
    bool startup = side->mode == SCAN_STARTUP;
    uint32_t length = get_u32(side->head + (startup ? 0 : 1));
    uint32_t in_head = startup ? STARTUP_HEAD : TYPED_HEAD - 1;

    if (length < in_head || (startup && length > STARTUP_MAX))
        return false;
    side->left = length - in_head;
    return true;
}

struct scan_piece proxy_scan_next(struct scan *s, enum proxy_dir dir, const unsigned char *bytes,
                                  size_t n)
{
    struct scan_side *side = &s->side[dir];
    struct scan_piece piece = {.first = side->have == 0};
    size_t head_size;

    if (side->mode == SCAN_OPAQUE)
        return opaque_piece(n);
    if (side->mode == SCAN_REPLY && bytes[0] != 'E')
        return next_reply(s, bytes);
    if (side->mode == SCAN_REPLY)
        side->mode = SCAN_TYPED;

    head_size = side->mode == SCAN_STARTUP ? STARTUP_HEAD : TYPED_HEAD;
    while (side->have < head_size && piece.length < n) {
        side->head[side->have++] = bytes[piece.length++];
        if (side->have == head_size && !head_done(side)) {
            make_opaque(s);
            return opaque_piece(n);
        }
    }
    if (side->mode == SCAN_TYPED)
        piece.type = (char)side->head[0];
    if (side->have < head_size)
        return piece;

    size_t body = n - piece.length < side->left ? n - piece.length : side->left;
    piece.length += body;
    side->left -= (uint32_t)body;
    piece.last = side->left == 0;
    if (piece.last) {
        side->have = 0;
        if (side->mode == SCAN_STARTUP)
            startup_done(s, get_u32(side->head + 4));
    }
    return piece;
}

enum scan_guess proxy_scan_first_packet(const unsigned char *bytes, size_t n)
{
    /* A startup packet is shorter than 64 kB, so its first two bytes are zero. */
    if ((n > 0 && bytes[0] != 0) || (n > 1 && bytes[1] != 0))
        return SCAN_OTHER;
    if (n < STARTUP_HEAD)
        return SCAN_UNDECIDED;
    return get_u32(bytes + 4) == SCAN_CODE_CANCEL ? SCAN_CANCEL : SCAN_OTHER;
}
