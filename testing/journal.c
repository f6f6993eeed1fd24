/* journal.c - see journal.h. */
#include "testing/journal.h"

#include "testing/script.h"

struct entry *journal_add(struct journal *j, const char *sql, int n, char *const *parameters)
{
    struct entry *e = take_memory(sizeof *e);
    e->sql = copy_text(sql);
    e->n = n;
    e->parameters = take_memory((size_t)n * sizeof *e->parameters);
    for (int i = 0; i < n; i++)
        e->parameters[i] = copy_text(parameters[i]);
    if (j->n == j->room) {
        j->room = 2 * j->room + 16;
        j->entries = more_memory(j->entries, j->room * sizeof *j->entries);
    }
    j->entries[j->n++] = e;
    return e;
}

size_t journal_count(const struct journal *j, const char *part)
{
    size_t n = 0;
    for (size_t i = 0; i < j->n; i++)
        n += !part || strstr(j->entries[i]->sql, part);
    return n;
}

void entry_print(const struct entry *e, struct bytes *to)
{
    bytes_print(to, "%s", e->sql);
    for (int i = 0; i < e->n; i++) {
        bytes_print(to, "%s$%d ", i ? ", " : " (", i + 1);
        if (e->parameters[i])
            bytes_print(to, "= '%s'", e->parameters[i]);
        else
            bytes_print(to, "is null");
    }
    if (e->n)
        bytes_print(to, ")");
}

void journal_complain(const struct journal *j, struct bytes *to)
{
    for (size_t i = 0; i < j->n; i++)
        if (j->entries[i]->unscripted) {
            bytes_print(to, "no answer is scripted for: ");
            entry_print(j->entries[i], to);
            bytes_print(to, "\n");
        }
}

void journal_free(struct journal *j)
{
    for (size_t i = 0; i < j->n; i++) {
        struct entry *e = j->entries[i];
        for (int k = 0; k < e->n; k++)
            free(e->parameters[k]);
        free(e->parameters);
        free(e->sql);
        free(e);
    }
    free(j->entries);
}
