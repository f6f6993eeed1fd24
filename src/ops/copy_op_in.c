/* copy_op_in.c - data to the server.
 *
 * libpq does not look at an error of the server's while it sends data (fe-protocol3.c,
 * pqParseInput3: in PGASYNC_COPY_IN it "just waits"): only when the data have been ended. So a COPY
 * to the server fails at its end, and what is sent meanwhile is thrown away by the server. */
#include "ops/copy_op_impl.h"

#include "words/error.h"

/* So that a message fills libpq's buffer, which it sends in units of 8 kB, with its head. */
enum { HEAD = 5, PIECE = 64 * 1024 - HEAD };

static bool next_piece(struct copy_op *k)
{
    if (k->gone < k->going.length)
        return true;
    struct bytes sent = k->going;
    sent.length = k->gone = 0;
    k->going = k->filling;
    k->filling = sent;
    return k->going.length > 0;
}

static void no_memory(struct copy_op *k, struct pg_conn *c)
{
    copy_op_keep_error(k, error_about(error_nomem(), EVPQ_OK, EVPQ_OUTCOME_REJECTED, k->sql));
    copy_op_end_data(k, c, "out of memory");
    copy_op_tell(k);
}

bool copy_op_in_more(struct copy_op *k, struct pg_conn *c)
{
    if (k->state != COPY_FLOWING)
        return false;
    if (next_piece(k)) {
        size_t left = k->going.length - k->gone, n = left < PIECE ? left : PIECE;
        if (!pq_copy_put(c, k->going.data + k->gone, n)) {
            if (pq_is_whole(c))
                no_memory(k, c);
            return false;
        }
        k->gone += n;
        copy_op_tell(k);
        return true;
    }
    if (k->data == COPY_IN_FINISHED)
        copy_op_end_data(k, c, NULL);
    return false;
}

/* Nothing is expected but the answer; or the end of a broken link, of which libpq tells what the
 * server said last when the data are ended. */
enum pull copy_op_in_pull(struct copy_op *k, struct pg_conn *c)
{
    if (k->state == COPY_FLOWING && !pq_is_whole(c))
        copy_op_break_off(k, c);
    return k->state == COPY_FLOWING ? PULL_DRY : PULL_OVER;
}
