/* foreign.c - work of another kind behind the same interface: a child process as a future. */
#include <ev.h>
#include <evpq/evpq.h>
#include <signal.h>
#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

struct child {
    ev_child watcher;
    evpq_future *future; /* stays until it is settled here, or on_cancel has run */
};

static void on_exit_of_child(struct ev_loop *ev, ev_child *w, int events)
{
    struct child *child = w->data;
    (void)events;
    ev_child_stop(ev, w);
    if (!child->future)
        return;
    if (WIFEXITED(w->rstatus) && WEXITSTATUS(w->rstatus) == 0)
        evpq_future_set_value(child->future, NULL, NULL);
    else
        evpq_future_set_error(child->future, EVPQ_LOST, "the child ended with status %d",
                              w->rstatus);
}

/* Called from the loop when somebody cancels or a deadline passes: what is behind it stops. */
static void on_cancel(evpq_future *f, void *arg)
{
    struct child *child = arg;
    (void)f;
    child->future = NULL;
    if (ev_is_active(&child->watcher))
        kill(child->watcher.pid, SIGKILL);
}

/* `child` is borrowed until its process has ended. */
static evpq_future *spawn(evpq_loop *loop, struct child *child, const char *command)
{
    pid_t pid = fork();
    if (pid < 0)
        return evpq_future_failed(loop, EVPQ_NOMEM, "no new process");
    if (pid == 0) {
        execl("/bin/sh", "sh", "-c", command, (char *)NULL);
        _exit(127);
    }
    child->future = evpq_future_new(loop, on_cancel, child);
    ev_child_init(&child->watcher, on_exit_of_child, pid, 0);
    child->watcher.data = child;
    ev_child_start(evpq_loop_ev(loop), &child->watcher);
    return child->future;
}

int main(void)
{
    evpq_loop *loop = evpq_loop_new(EV_DEFAULT); /* libev watches children on its default loop */
    evpq_pool *pool = evpq_pool_open(loop, "", NULL, NULL);
    struct child quick, slow;

    evpq_future *both[] = {spawn(loop, &quick, "sleep 0.2"),
                           evpq_pool_query(pool, "select pg_catalog.pg_sleep(0.2)", EVPQ_ARGS())};
    evpq_future *f = evpq_all(both, 2);
    printf("a child and a query: %s\n", evpq_status_name(evpq_await(f)));
    evpq_future_unref(f);

    f = evpq_timeout(spawn(loop, &slow, "exec sleep 600"), 0.2);
    printf("a slow child: %s\n", evpq_status_name(evpq_await(f)));
    evpq_future_unref(f);

    evpq_pool_unref(pool);
    evpq_loop_run(loop); /* also until the second child has been seen to end */
    evpq_loop_unref(loop);
    return 0;
}
