/* out.h - a file that is written to, with every failure noticed.
 *
 * Bytes are gathered and written in large pieces (at once where a person watches). After the first
 * failed write nothing more is tried, and what did not get out is counted. */
#ifndef RUN_OUT_H
#define RUN_OUT_H

#include "buf.h"

#include <stdbool.h>
#include <sys/types.h>

struct out {
    char *name;
    int fd;
    bool immediate;
    struct buf pending;
    long pending_count; /* notes in `pending` */
    struct buf pending_since;
    int error; /* errno of the write that failed; 0: none has */
    long lost_count;
    struct buf lost_since;
};

/* "-" is standard output. A new file gets the permissions `mode`, less the umask; an existing one
 * keeps its own, and its contents until out_truncate. False with errno set where it cannot be
 * opened. */
bool out_open(struct out *o, const char *path, mode_t mode);
bool out_truncate(struct out *o);

/* Whether both are open on one regular file, whatever names led there: each would overwrite what
 * the other wrote. */
bool out_same(const struct out *a, const struct out *b);

/* Writes all of it, and waits where a descriptor in non-blocking mode takes no more. Returns how
 * much was written; where that is less, errno says why. */
size_t out_write(int fd, const char *data, size_t length);

/* Adds the output of one statement, which stands at `place`. False once the file cannot be
 * written. */
bool out_add(struct out *o, const char *data, size_t length, const char *place);

bool out_flush(struct out *o);

/* Writes what is left and closes; false when any write has failed since out_open. */
bool out_close(struct out *o);
void out_free(struct out *o);

/* What failed, such as "rows.csv: cannot write: No space left on device". */
void out_cause(const struct out *o, struct buf *to);

/* And what is lost by it, such as "rows.csv: cannot write: No space left on device; the output of 3
 * statements from a.sql:17 on is missing or cut short". */
void out_explain(const struct out *o, struct buf *to);

#endif
