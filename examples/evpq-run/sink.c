/* sink.c - see sink.h. */
#include "sink.h"

#include <string.h>

/* How much output may wait for its turn. */
#define WAITING_MAX ((size_t)64 << 20)

static void emit(void *arg, const struct piece *piece, const char *place)
{
    struct sink *s = arg;
    struct buf text = {0};

    if (piece->head.length > 0 &&
        strcmp(buf_string(&piece->head), buf_string(&s->last_head)) != 0) {
        buf_clear(&s->last_head);
        buf_add(&s->last_head, piece->head.data, piece->head.length);
        buf_add(&text, piece->head.data, piece->head.length);
    }
    if (text.length == 0) {
        out_add(s->out, buf_string(&piece->body), piece->body.length, place);
        return;
    }
    buf_add(&text, buf_string(&piece->body), piece->body.length);
    out_add(s->out, text.data, text.length, place);
    buf_free(&text);
}

void sink_open(struct sink *s, struct out *out, size_t window)
{
    *s = (struct sink){.out = out};
    if (window > 0)
        s->order = order_new(window, WAITING_MAX, emit, s);
}

bool sink_has_room(const struct sink *s, long number)
{
    return !s->order || order_has_room(s->order, number);
}

void sink_put(struct sink *s, long number, struct piece *piece, const char *place)
{
    if (s->order) {
        order_put(s->order, number, piece, place);
        return;
    }
    emit(s, piece, place);
    piece_free(piece);
}

void sink_free(struct sink *s)
{
    order_free(s->order);
    buf_free(&s->last_head);
}
