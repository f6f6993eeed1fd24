/* blocking.c - bills the open orders of a shop (schema.sql), as PQexecParams has it: one call at a
 * time. await.c and tasks.c are the same program further on; `man 7 evpq-migrate` tells the way.
 *
 *     blocking ['{CUSTOMER,...}']     all customers unless some are named */
#include <libpq-fe.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

struct order {
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

/* The result of a statement, given; NULL, and told of, when it failed. */
static PGresult *ask(PGconn *conn, const char *sql, int n, const char *const *values)
{
    PGresult *r = PQexecParams(conn, sql, n, NULL, values, NULL, NULL, 0);
    if (PQresultStatus(r) == PGRES_TUPLES_OK || PQresultStatus(r) == PGRES_COMMAND_OK)
        return r;
    fprintf(stderr, "%s", PQerrorMessage(conn));
    PQclear(r);
    return NULL;
}

/* The same with numbers for parameters. */
static PGresult *ask_about(PGconn *conn, const char *sql, int n, const int *numbers)
{
    char text[2][16];
    const char *values[2] = {text[0], text[1]};
    for (int i = 0; i < n; i++)
        snprintf(text[i], sizeof text[i], "%d", numbers[i]);
    return ask(conn, sql, n, values);
}

static bool run(PGconn *conn, const char *sql, int n, const int *numbers)
{
    PGresult *r = ask_about(conn, sql, n, numbers);
    PQclear(r);
    return r;
}

static bool look_up(PGconn *conn, const char *sql, int id, int *ret_number)
{
    PGresult *r = ask_about(conn, sql, 1, &id);
    if (r)
        *ret_number = PQntuples(r) ? atoi(PQgetvalue(r, 0, 0)) : 0;
    PQclear(r);
    return r;
}

/* All of it or nothing. */
static bool write_invoice(PGconn *conn, const struct order *o)
{
    bool ok = run(conn, "begin", 0, NULL) &&
              run(conn, "insert into invoice values ($1, $2)", 2, (int[]){o->id, o->cents}) &&
              run(conn, "update stock set pieces = pieces - $2 where item = $1", 2,
                  (int[]){o->item, o->pieces}) &&
              run(conn, "update customer set credit = credit - $2 where id = $1", 2,
                  (int[]){o->customer, o->cents}) &&
              run(conn, "update orders set state = 'billed' where id = $1", 1, &o->id) &&
              run(conn, "commit", 0, NULL);
    if (!ok)
        PQclear(PQexec(conn, "rollback"));
    return ok;
}

static bool bill(PGconn *conn, struct order *o)
{
    int pieces, cents, credit;
    if (!look_up(conn, "select pieces from stock where item = $1", o->item, &pieces) ||
        !look_up(conn, "select cents from price where item = $1", o->item, &cents) ||
        !look_up(conn, "select credit from customer where id = $1", o->customer, &credit))
        return false;
    return !judge(o, pieces, cents, credit) || write_invoice(conn, o);
}

/* The open orders, customer by customer, given (free); NULL when that failed. */
static struct order *open_orders(PGconn *conn, const char *customers, int *ret_n)
{
    PGresult *r = ask(conn,
                      "select id, customer, item, pieces from orders where state = 'open' and "
                      "($1::int[] is null or customer = any($1)) order by customer, id",
                      1, &customers);
    int n = PQntuples(r);
    struct order *orders = r ? calloc((size_t)n + 1, sizeof *orders) : NULL;
    for (int i = 0; orders && i < n; i++) {
        orders[i].id = atoi(PQgetvalue(r, i, 0));
        orders[i].customer = atoi(PQgetvalue(r, i, 1));
        orders[i].item = atoi(PQgetvalue(r, i, 2));
        orders[i].pieces = atoi(PQgetvalue(r, i, 3));
    }
    PQclear(r);
    *ret_n = n;
    return orders;
}

int main(int argc, char **argv)
{
    PGconn *conn = PQconnectdb("");
    struct order *orders = NULL;
    int n = 0;
    if (PQstatus(conn) != CONNECTION_OK)
        fprintf(stderr, "%s", PQerrorMessage(conn));
    else if (run(conn, "set search_path to shop", 0, NULL))
        orders = open_orders(conn, argc > 1 ? argv[1] : NULL, &n);
    bool ok = orders;
    for (int i = 0; ok && i < n; i++)
        ok = bill(conn, &orders[i]);
    for (int i = 0; ok && i < n; i++)
        printf("customer %d, order %d: %d.%02d, %s\n", orders[i].customer, orders[i].id,
               orders[i].cents / 100, orders[i].cents % 100, orders[i].verdict);
    free(orders);
    PQfinish(conn);
    return !ok;
}
