/* copy_op_out.c - data from the server, a message at a time. */
#include "ops/copy_op_impl.h"

enum pull copy_op_out_pull(struct copy_op *k, struct pg_conn *c, evpq_error **ret_error)
{
    if (k->data == COPY_OUT_DRY)
        copy_data_to(k, COPY_OUT_COMING);
    while (k->data != COPY_OUT_FULL || op_is_abandoned(&k->op)) {
        char *buffer;
        int n = pq_copy_get(c, &buffer);
        if (n < 0) {
            copy_op_to(k, COPY_ENDING);
            return PULL_OVER;
        }
        if (n == 0) {
            if (k->data == COPY_OUT_COMING)
                copy_data_to(k, COPY_OUT_DRY);
            return !op_is_abandoned(&k->op) && copy_op_tell(k) ? PULL_TOLD : PULL_DRY;
        }
        pipeline_weigh(&k->conn->pipeline, (size_t)n);
        if (!op_is_abandoned(&k->op) && !k->error)
            *ret_error = k->owner->message(k, buffer, (size_t)n);
        pq_copy_free(buffer);
        if (*ret_error)
            return PULL_TOLD;
    }
    if (copy_op_tell(k))
        return PULL_TOLD;
    pipeline_pause(&k->conn->pipeline, true);
    return PULL_DRY;
}
