/* order.c - see order.h. A ring of slots, indexed by the statement's number. */
#include "order.h"

#include <stdlib.h>

struct slot {
    bool ended;
    struct piece piece;
    char *place;
};

struct order {
    struct slot *slots;
    size_t window;
    long next; /* the number whose turn it is */
    size_t bytes, max_bytes;
    order_emit *emit;
    void *arg;
};

struct order *order_new(size_t window, size_t bytes, order_emit *emit, void *arg)
{
    struct order *o = alloc(sizeof *o);

    o->slots = alloc(window * sizeof *o->slots);
    o->window = window;
    o->next = 1;
    o->max_bytes = bytes;
    o->emit = emit;
    o->arg = arg;
    return o;
}

static struct slot *slot_of(const struct order *o, long number)
{
    return &o->slots[(size_t)number % o->window];
}

static size_t size_of(const struct piece *piece)
{
    return piece->head.length + piece->body.length;
}

bool order_has_room(const struct order *o, long number)
{
    return (size_t)(number - o->next) < o->window && (o->bytes < o->max_bytes || number == o->next);
}

static void clear_slot(struct slot *slot)
{
    piece_free(&slot->piece);
    free(slot->place);
    *slot = (struct slot){0};
}

void order_put(struct order *o, long number, struct piece *piece, const char *place)
{
    struct slot *slot = slot_of(o, number);

    *slot = (struct slot){.ended = true, .piece = *piece, .place = dup_string(place)};
    *piece = (struct piece){0};
    o->bytes += size_of(&slot->piece);
    for (slot = slot_of(o, o->next); slot->ended; slot = slot_of(o, o->next)) {
        o->bytes -= size_of(&slot->piece);
        o->emit(o->arg, &slot->piece, slot->place);
        clear_slot(slot);
        o->next++;
    }
}

void order_free(struct order *o)
{
    if (!o)
        return;
    for (size_t i = 0; i < o->window; i++)
        clear_slot(&o->slots[i]);
    free(o->slots);
    free(o);
}
