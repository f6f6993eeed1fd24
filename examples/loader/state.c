/* state.c - the state of a loader as a line of text. See loader.h. */
#include "loader.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#define STATE_FORMAT(number64, number32)                                               \
 "loader 1 seed %" number64 " epoch %" number64 " batch %" number64 " rows %" number64 \
 " group %" number64 " row %" number64 " layout %" number64 " blocks %" number32       \
 " range %" number32 " mix %" number32

int loader_state_print(const struct loader_state *state, char *room, size_t size)
{
    return snprintf(room, size, STATE_FORMAT(PRIu64, PRIu32), state->seed, state->epoch,
                    state->batch, state->rows, state->group, state->row, state->layout,
                    state->blocks, state->range, state->mix);
}

bool loader_state_parse(const char *text, struct loader_state *ret)
{
    struct loader_state s = {0};
    int end = -1;
    int n = sscanf(text, STATE_FORMAT(SCNu64, SCNu32) "%n", &s.seed, &s.epoch, &s.batch, &s.rows,
                   &s.group, &s.row, &s.layout, &s.blocks, &s.range, &s.mix, &end);
    if (n != 10 || end < 0 || text[end + strspn(text + end, " \r\n")] || s.range == 0 || s.mix == 0)
        return false;
    *ret = s;
    return true;
}
