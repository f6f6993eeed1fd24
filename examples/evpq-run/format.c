/* format.c - see format.h. What the formats share, and the one that writes nothing. */
#include "format.h"

#include <string.h>

enum { INT8 = 20, INT2 = 21, INT4 = 23, OID = 26, FLOAT4 = 700, FLOAT8 = 701, NUMERIC = 1700 };

bool type_is_number(uint32_t type)
{
    switch (type) {
    case INT8:
    case INT2:
    case INT4:
    case OID:
    case FLOAT4:
    case FLOAT8:
    case NUMERIC:
        return true;
    default:
        return false;
    }
}

static void none_answer(struct piece *to, const struct answer *answer)
{
    (void)to;
    (void)answer;
}

const struct format format_none = {.name = "none", .answer = none_answer};

const struct format *format_find(const char *name)
{
    static const struct format *const all[] = {&format_table, &format_csv, &format_json,
                                               &format_none};

    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        if (strcmp(name, all[i]->name) == 0)
            return all[i];
    return NULL;
}

void piece_free(struct piece *piece)
{
    buf_free(&piece->head);
    buf_free(&piece->body);
}
