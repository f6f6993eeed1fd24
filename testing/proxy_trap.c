/*
 * The proxy's triggers: streaming search for message types, byte strings and byte counts. What has
 * been matched so far is kept with each direction of each connection; how often, with the trigger.
 * Each chunk of bytes comes through here once, on its way out: link_inspect().
 */
#include <string.h>

#include "testing/proxy_impl.h"

static void prepare_fallback(struct trap *t)
{
    size_t k = 0;

    t->fallback[0] = 0;
    for (size_t i = 1; i < t->set.length; i++) {
        while (k > 0 && t->bytes[i] != t->bytes[k])
            k = t->fallback[k - 1];
        if (t->bytes[i] == t->bytes[k])
            k++;
        t->fallback[i] = k;
    }
}

bool traps_arm(struct controls *c, const struct proxy_trigger *set, uint64_t left)
{
    struct trap *t = c->traps;
    struct trap *end = c->traps + PROXY_TRIGGERS_MAX;

    while (t < end && t->serial != 0)
        t++;
    if (t == end)
        return false;
    memset(t, 0, sizeof *t);
    t->set = *set;
    t->left = left;
    if (t->set.nth == 0)
        t->set.nth = 1;
    if (t->set.bytes) {
        if (t->set.length == 0)
            t->set.length = strlen(t->set.bytes);
        if (t->set.length == 0 || t->set.length > PROXY_BYTES_MAX)
            return false;
        memcpy(t->bytes, t->set.bytes, t->set.length);
        t->set.bytes = t->bytes;
        prepare_fallback(t);
    }
    t->serial = ++c->serial;
    return true;
}

static bool check_message(struct trap *t, const struct scan_piece *piece, size_t *ret_keep)
{
    if (piece->type != t->set.message || !(t->set.before ? piece->first : piece->last))
        return false;
    if (++t->seen < t->set.nth)
        return false;
    *ret_keep = t->set.before ? 0 : piece->length;
    return true;
}

static bool check_count(struct trap *t, size_t n, size_t *ret_keep)
{
    bool fires = n >= t->left;
    size_t counts = fires ? (size_t)t->left : n;

    t->left -= counts;
    if (fires)
        *ret_keep = counts;
    return fires;
}

static bool check_bytes(struct trap *t, struct match *m, const unsigned char *bytes, size_t n,
                        size_t *ret_keep)
{
    bool fires = false;

    if (m->serial != t->serial)
        *m = (struct match){.serial = t->serial};
    for (size_t i = 0; i < n; i++) {
        while (m->matched > 0 && (unsigned char)t->bytes[m->matched] != bytes[i])
            m->matched = t->fallback[m->matched - 1];
        if ((unsigned char)t->bytes[m->matched] == bytes[i])
            m->matched++;
        if (m->matched < t->set.length)
            continue;
        m->matched = t->fallback[m->matched - 1];
        if (++t->seen < t->set.nth || fires)
            continue;
        *ret_keep = t->set.before ? i : i + 1;
        fires = true;
    }
    return fires;
}

/* A piece of a message passes: does it set off a trigger? Then *ret_keep of its bytes may pass. All
 * triggers look at it and count, and the first that goes off acts; another that would have waits for
 * what it looks for to come once more. */
static bool traps_check(struct controls *c, struct flow *f, enum proxy_dir dir,
                        const unsigned char *bytes, const struct scan_piece *piece,
                        size_t *ret_keep, enum proxy_act *ret_act)
{
    struct trap *first = NULL;

    for (size_t i = 0; i < PROXY_TRIGGERS_MAX; i++) {
        struct trap *t = &c->traps[i];
        size_t keep = piece->length;
        bool fires;

        if (t->serial == 0 || t->set.dir != dir)
            continue;
        if (t->set.message)
            fires = check_message(t, piece, &keep);
        else if (t->set.bytes)
            fires = check_bytes(t, &f->match[i], bytes, piece->length, &keep);
        else
            fires = check_count(t, piece->length, &keep);
        if (fires && !first) {
            first = t;
            *ret_keep = keep;
        }
    }
    if (!first)
        return false;
    first->serial = 0;
    *ret_act = first->set.act;
    return true;
}

void link_inspect(struct link *l, struct controls *c, enum proxy_dir dir, struct proxy_stats *stats)
{
    struct flow *f = &l->flow[dir];
    struct chunk *chunk = f->head;
    size_t kept = 0;

    chunk->seen = true;
    for (size_t at = 0; at < chunk->end && !f->acts;) {
        unsigned char *bytes = chunk->data + at;
        struct scan_piece piece = proxy_scan_next(&l->scan, dir, bytes, chunk->end - at);
        size_t keep = piece.length;
        enum proxy_act act;

        bool fires = traps_check(c, f, dir, bytes, &piece, &keep, &act);
        if (fires && act == PROXY_SPOIL) {
            bytes[keep - 1] ^= 1;
            keep = piece.length;
            stats->fired++;
        } else if (fires) {
            l->swallows = act == PROXY_SWALLOW;
            f->acts = !l->swallows;
            f->act = act;
            if (l->swallows)
                keep = piece.length;
        }
        if (l->swallows && dir == PROXY_TO_SERVER && piece.last &&
            (piece.type == 'Q' || piece.type == 'S')) {
            f->acts = true;
            f->act = PROXY_SWALLOW;
        }
        if (!(c->strip_key && dir == PROXY_TO_CLIENT && piece.type == 'K')) {
            memmove(chunk->data + kept, bytes, keep);
            kept += keep;
        }
        at += piece.length;
    }
    f->queued -= chunk->end - kept;
    chunk->end = kept;
}
