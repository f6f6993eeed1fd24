/* rejects.h - the file of statements that failed, made so that it can be run as it is.
 *
 * SQL: each statement as it stood in the input and a `;`, after a comment that tells where it stood
 * and why it failed. With params: the rows as they stood (and the header row first, if there was
 * one); since CSV knows no comments, the reasons go, a line for each row, to a second file whose
 * name has ".reasons" added. */
#ifndef RUN_REJECTS_H
#define RUN_REJECTS_H

#include "failure.h"
#include "out.h"
#include "source.h"

struct rejects {
    struct out file, reasons;
    bool rows; /* CSV rather than SQL */
    bool headed;
    long count;
    struct item *last; /* a statement that is cut off, and must come after all others */
    struct buf last_why;
};

/* Opens the file or files, which none but their owner can read when they are new; refuses one that
 * the source reads or that `results` is written to. False: *ret_why says why, given to free(). */
bool rejects_open(struct rejects *r, const char *path, bool rows, const struct source *source,
                  const struct out *results, char **ret_why);

/* Forgets what an earlier run left there. */
void rejects_truncate(struct rejects *r);

/* `item` is taken over. Written at once: what is in the file stays there whatever comes. False when
 * it cannot be written, now or since an earlier failure: rejects_explain. */
bool rejects_add(struct rejects *r, struct item *item, const struct failure *failure,
                 const char *header);

/* False when some of it is not in the file: rejects_missing. */
bool rejects_close(struct rejects *r, const char *header);

/* Which file cannot be written, and why; nothing while all can. */
void rejects_explain(const struct rejects *r, struct buf *to);

/* What did not get into which file, such as "again.csv: 3 rejects from a.csv:17 on are missing or
 * cut short"; nothing while all did. */
void rejects_missing(const struct rejects *r, struct buf *to);

void rejects_free(struct rejects *r);

#endif
