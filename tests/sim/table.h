/* table.h - what is committed: which tokens the server's one table holds.
 *
 * A token is a number that the workload uses for one row of one call; it is never given twice. */
#ifndef TESTS_SIM_TABLE_H
#define TESTS_SIM_TABLE_H

#include <stdbool.h>
#include <stdint.h>

enum { TOKENS = 4096, CHANGES = 256, XACTS = 1024 };

/* What a transaction will have done when it commits. */
struct changes {
    int n;
    struct change {
        int64_t token;
        bool removes;
    } is[CHANGES];
};

/* Transactions by their numbers, and what became of them. */
int xact_new(void);
void xact_end(int xact, bool committed); /* 0: none */
const char *xact_status(int xact);       /* as pg_xact_status has it */

void table_begin(void);
bool table_has(int64_t token);
/* Whether a transaction sees it. */
bool changes_have(const struct changes *c, int64_t token);
void changes_add(struct changes *c, int64_t token, bool removes);
void changes_commit(struct changes *c); /* and forgets them */

#endif
