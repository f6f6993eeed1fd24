/* prepared.c - prepared statements, and the one portal that a session has. */
#include "testing/server_impl.h"

struct prepared *prepared_find(struct backend *b, const char *name)
{
    for (struct prepared *p = b->prepared; p; p = p->next)
        if (!strcmp(p->name, name))
            return p;
    return NULL;
}

void prepared_forget(struct backend *b, const char *name)
{
    for (struct prepared **at = &b->prepared; *at;) {
        struct prepared *p = *at;
        if (name && strcmp(p->name, name)) {
            at = &p->next;
            continue;
        }
        *at = p->next;
        free(p->name);
        free(p->sql);
        free(p->types);
        free(p);
    }
}

void portal_clear(struct portal *p)
{
    for (int i = 0; i < p->n; i++)
        free(p->parameters[i]);
    free(p->parameters);
    free(p->formats);
    free(p->sql);
    *p = (struct portal){.sql = NULL};
}
