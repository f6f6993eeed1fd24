/* table.c - see table.h. */
#include "sim/table.h"

#include "sim/world.h"

#include <string.h>

static struct {
    bool present[TOKENS], inserted[TOKENS];
    int xacts;
    enum { IN_PROGRESS, COMMITTED, ABORTED } ends[XACTS];
} table;

void table_begin(void)
{
    memset(&table, 0, sizeof table);
}

int xact_new(void)
{
    if (table.xacts == XACTS - 1)
        violation("there are more than %d transactions with numbers", XACTS - 1);
    return ++table.xacts;
}

void xact_end(int xact, bool committed)
{
    if (xact)
        table.ends[xact] = committed ? COMMITTED : ABORTED;
}

const char *xact_status(int xact)
{
    static const char *const names[] = {"in progress", "committed", "aborted"};
    if (xact < 1 || xact > table.xacts)
        violation("it is asked about transaction %d, which is none", xact);
    return names[table.ends[xact]];
}

static int64_t within(int64_t token)
{
    if (token < 0 || token >= TOKENS)
        violation("the server is given token %lld, which is none", (long long)token);
    return token;
}

bool table_has(int64_t token)
{
    return table.present[within(token)];
}

bool changes_have(const struct changes *c, int64_t token)
{
    for (int i = c->n - 1; i >= 0; i--)
        if (c->is[i].token == token)
            return !c->is[i].removes;
    return table_has(token);
}

void changes_add(struct changes *c, int64_t token, bool removes)
{
    if (c->n == CHANGES)
        violation("a transaction has more than %d changes", CHANGES);
    c->is[c->n++] = (struct change){within(token), removes};
}

void changes_commit(struct changes *c)
{
    for (int i = 0; i < c->n; i++) {
        int64_t token = c->is[i].token;
        trace("table: %s %lld", c->is[i].removes ? "-" : "+", (long long)token);
        table.present[token] = !c->is[i].removes;
        if (c->is[i].removes)
            continue;
        if (table.inserted[token])
            violation("token %lld is inserted a second time", (long long)token);
        table.inserted[token] = true;
    }
    c->n = 0;
}
