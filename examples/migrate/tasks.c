/* tasks.c - await.c with a task for each customer: all customers are billed at the same time, each
 * order by order. bill() and what it calls are await.c's, unchanged.
 *
 *     tasks ['{CUSTOMER,...}']     all customers unless some are named */
#include <evpq/evpq.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct order {
    evpq_pool *pool;
    int id, customer, item, pieces;
    int cents;
    const char *verdict;
};

/* Whether the order can be billed, with what was looked up for it. */
static bool judge(struct order *o, int pieces, int cents, int credit)
{
    o->cents = cents * o->pieces;
    o->verdict = pieces < o->pieces ? "not in stock" : credit < o->cents ? "no credit" : "billed";
    return pieces >= o->pieces && credit >= o->cents;
}

/* ---- these four give the future with which they ended, done or failed ---- */

/* All of it or nothing: a connection to itself, and one round trip for the whole. After an error
 * the server skips what follows, and the commit rolls back. */
static evpq_future *write_invoice(evpq_pool *pool, const struct order *o)
{
    evpq_future *f = evpq_pool_acquire(pool);
    if (evpq_await(f) != EVPQ_OK)
        return f;
    evpq_lease *lease = evpq_future_lease(f);
    evpq_future_unref(f);
    evpq_future *steps[] = {
        evpq_lease_query(lease, "begin", EVPQ_ARGS()),
        evpq_lease_query(lease, "insert into invoice values ($1, $2)", EVPQ_ARGS(o->id, o->cents)),
        evpq_lease_query(lease, "update stock set pieces = pieces - $2 where item = $1",
                         EVPQ_ARGS(o->item, o->pieces)),
        evpq_lease_query(lease, "update customer set credit = credit - $2 where id = $1",
                         EVPQ_ARGS(o->customer, o->cents)),
        evpq_lease_query(lease, "update orders set state = 'billed' where id = $1",
                         EVPQ_ARGS(o->id)),
        evpq_lease_query(lease, "commit", EVPQ_ARGS()),
    };
    f = evpq_all(steps, sizeof steps / sizeof *steps);
    evpq_await(f);
    evpq_lease_release(lease);
    return f;
}

static int number(evpq_future *all, size_t i)
{
    return evpq_result_int4(evpq_future_result(evpq_future_at(all, i)), 0, 0);
}

static evpq_future *bill(evpq_pool *pool, struct order *o)
{
    evpq_future *three[] = {
        evpq_pool_read(pool, "select pieces from stock where item = $1", EVPQ_ARGS(o->item)),
        evpq_pool_read(pool, "select cents from price where item = $1", EVPQ_ARGS(o->item)),
        evpq_pool_read(pool, "select credit from customer where id = $1", EVPQ_ARGS(o->customer)),
    };
    evpq_future *all = evpq_all(three, 3);
    if (evpq_await(all) != EVPQ_OK)
        return all;
    if (!judge(o, number(all, 0), number(all, 1), number(all, 2)))
        return all;
    evpq_future_unref(all);
    return write_invoice(pool, o);
}

/* *ret_orders, given (free): the open orders, customer by customer, and one of no customer. */
static evpq_future *open_orders(evpq_pool *pool, const char *customers, struct order **ret_orders,
                                int *ret_n)
{
    evpq_future *f =
        evpq_pool_read(pool,
                       "select id, customer, item, pieces from orders where state = 'open' and "
                       "($1::int[] is null or customer = any($1)) order by customer, id",
                       EVPQ_ARGS(customers));
    if (evpq_await(f) != EVPQ_OK)
        return f;
    const evpq_result *r = evpq_future_result(f);
    struct order *orders = calloc((size_t)evpq_result_rows(r) + 1, sizeof *orders);
    for (int i = 0; orders && i < evpq_result_rows(r); i++)
        orders[i] = (struct order){.pool = pool,
                                   .id = evpq_result_int4(r, i, 0),
                                   .customer = evpq_result_int4(r, i, 1),
                                   .item = evpq_result_int4(r, i, 2),
                                   .pieces = evpq_result_int4(r, i, 3)};
    *ret_orders = orders;
    *ret_n = orders ? evpq_result_rows(r) : 0;
    return f;
}

/* The task: `arg` is the first order of a customer. It ends with the first failure. */
static evpq_future *bill_customer(evpq_task *self, void *arg)
{
    (void)self;
    struct order *first = arg;
    for (struct order *o = first; o->customer == first->customer; o++) {
        evpq_future *f = bill(o->pool, o);
        if (evpq_future_status(f) != EVPQ_OK)
            return f;
        evpq_future_unref(f);
    }
    return NULL;
}

/* A failure of one customer's stops the others. */
static evpq_future *bill_all(evpq_loop *loop, struct order *orders, int n)
{
    evpq_group_opts opts = {.size = sizeof opts, .limit = 8};
    evpq_group *group = evpq_group_open(loop, &opts);
    for (int i = 0; i < n; i++)
        if (i == 0 || orders[i].customer != orders[i - 1].customer)
            evpq_future_unref(evpq_group_spawn(group, bill_customer, &orders[i], NULL));
    return evpq_group_join(group);
}

/* Waits for `f` (taken), where it has not settled yet. */
static bool went_well(evpq_future *f)
{
    bool ok = evpq_await(f) == EVPQ_OK;
    if (!ok)
        fprintf(stderr, "%s\n", evpq_error_message(evpq_future_error(f)));
    evpq_future_unref(f);
    return ok;
}

int main(int argc, char **argv)
{
    evpq_loop *loop = evpq_loop_new(NULL);
    evpq_pool *pool = evpq_pool_open(loop, "options=-csearch_path=shop", NULL, NULL);
    struct order *orders = NULL;
    int n = 0;
    bool ok = went_well(evpq_pool_connect(pool));
    ok = ok && went_well(open_orders(pool, argc > 1 ? argv[1] : NULL, &orders, &n));
    ok = ok && orders && went_well(bill_all(loop, orders, n));
    for (int i = 0; ok && i < n; i++)
        printf("customer %d, order %d: %d.%02d, %s\n", orders[i].customer, orders[i].id,
               orders[i].cents / 100, orders[i].cents % 100, orders[i].verdict);
    free(orders);
    evpq_pool_unref(pool);
    evpq_loop_run(loop); /* until the connections are closed */
    evpq_loop_unref(loop);
    return !ok;
}
