/* sink.h - where the pieces go: in the order asked for, to the output. */
#ifndef RUN_SINK_H
#define RUN_SINK_H

#include "order.h"
#include "out.h"

struct sink {
    struct out *out;
    struct buf last_head;
    struct order *order; /* NULL: as statements end */
};

/* `out` is borrowed for the life of the sink. `window`: see order.h; 0: no order. */
void sink_open(struct sink *s, struct out *out, size_t window);

/* Whether statement `number` may be started. */
bool sink_has_room(const struct sink *s, long number);

/* What statement `number`, which stands at `place`, has to show; `piece` is emptied. Every
 * statement is to be put once, also with nothing to show. */
void sink_put(struct sink *s, long number, struct piece *piece, const char *place);

void sink_free(struct sink *s);

#endif
