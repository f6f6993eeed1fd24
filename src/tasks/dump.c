/* dump.c - what each task is doing, for people. The one file of the library that writes, and only
 * to a stream that it is handed. */
#include "tasks/task.h"

#include <math.h>

enum { DEEPEST = 4 };

/* One line, and not a long one. */
static void print_quoted(FILE *out, const char *text)
{
    int n = 0;
    fprintf(out, " \"");
    for (; *text && n < 60; text++, n++)
        fprintf(out, "%c", *text >= 0 && *text < ' ' ? ' ' : *text);
    fprintf(out, *text ? "...\"" : "\"");
}

static void print_future(FILE *out, const evpq_future *f)
{
    for (int depth = 0; f && f->loop && depth < DEEPEST; depth++) {
        size_t n = future_count(f), pending = 0;
        fprintf(out, "%s%s", depth ? " of " : "", f->class->name);
        const char *detail = f->class->detail ? f->class->detail(f) : NULL;
        if (detail)
            print_quoted(out, detail);
        for (size_t i = 0; i < n; i++)
            pending += evpq_future_status(f->class->at(f, i)) == EVPQ_PENDING;
        if (n > 1)
            fprintf(out, " (%zu of %zu pending)", pending, n);
        f = n == 1 ? f->class->at(f, 0) : NULL;
    }
}

static void print_state(FILE *out, const struct evpq_task *t, double now)
{
    switch (t->state) {
    case TASK_NEW:
        fprintf(out, "has not begun");
        return;
    case TASK_RUNNING:
    case TASK_ENDING:
        fprintf(out, "is running");
        return;
    case TASK_WAITING:
    case TASK_ENDING_WAITING:
    case TASK_RETURNED:
        break;
    case TASK_OVER:
        return;
    }
    if (!t->awaits || !future_pending(t->awaits)) {
        fprintf(out, "is ready to go on");
        return;
    }
    fprintf(out, "%s %.3f s for ", t->state == TASK_RETURNED ? "has returned and waits" : "waits",
            now > t->since ? now - t->since : 0);
    print_future(out, t->awaits);
}

void evpq_task_dump(evpq_loop *loop, FILE *out)
{
    struct loop_data *data = loop && out ? *loop_data_of(loop) : NULL;
    if (!data)
        return;
    double now = loop_time(loop);
    list_each(node, &container_of(data, struct tasks, loop_data)->live) {
        const struct evpq_task *t = container_of(node, struct evpq_task, node);
        fprintf(out, "task");
        print_quoted(out, t->name);
        fprintf(out, " ");
        print_state(out, t, now);
        if (t->late || t->coroutine.deadline <= now)
            fprintf(out, ", out of time");
        else if (isfinite(t->coroutine.deadline))
            fprintf(out, ", deadline in %.3f s", t->coroutine.deadline - now);
        fprintf(out, "%s%s\n", t->cancel ? ", canceled" : "", task_is_ending(t) ? ", ending" : "");
    }
}
