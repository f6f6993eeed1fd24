/* outcome.h - the end of an item: counted, shown, written, and rejected if it failed. */
#ifndef RUN_OUTCOME_H
#define RUN_OUTCOME_H

#include "format.h"
#include "progress.h"
#include "rejects.h"
#include "sink.h"
#include "source.h"
#include "stats.h"

#include <evpq/result.h>

/* Everything is borrowed. */
struct outcome {
    const struct format *format;
    struct sink *sink;
    struct rejects *rejects; /* NULL: none are kept */
    const struct source *source;
    struct progress *progress;
    struct stats stats;
    bool rejects_broken; /* they could not be written, and never will be */
};

/* Each takes the item. */

/* `copied` is what COPY ... TO STDOUT gave, and not looked at for any other statement. */
void outcome_done(struct outcome *o, struct item *item, const evpq_result *result,
                  const struct buf *copied);
void outcome_failed(struct outcome *o, struct item *item, const struct failure *failure);

#endif
