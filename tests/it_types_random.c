/* it_types_random.c - random values of every type go to a server and come back, each way in text
 * and in binary, and the server finds them to be what they were.
 *
 * EVPQ_TYPES_N is how many of each (300), EVPQ_SEED where they begin. */
#include "support/check.h"
#include "support/server.h"
#include "support/values.h"
#include "values/request.h"

#include <libpq-fe.h>
#include <stdlib.h>
#include <string.h>

#include "libpq/result.h"

enum { BATCH = 500 };

static PGconn *conn;
static const struct value_kind *kind;
static uint32_t oid;
static struct dice dice;
static struct item made[BATCH], texts[BATCH], binaries[BATCH];
static evpq_arg made_args[BATCH], text_args[BATCH], binary_args[BATCH], written_args[BATCH];

static evpq_result *ask(const char *sql, evpq_args args)
{
    struct request r;
    struct request_size size;
    evpq_error *error = request_measure(sql, &args, &size);
    ck_assert_msg(!error, "%s: %s", kind ? kind->type : "", evpq_error_message(error));
    void *room = malloc(size.block);
    ck_assert_ptr_nonnull(room);
    request_write(&r, room, sql, &args, &size);
    PGresult *pg =
        PQexecParams(conn, r.sql, r.n, r.types, r.values, r.lengths, r.formats, r.result_format);
    free(room);
    ck_assert_msg(PQresultStatus(pg) == PGRES_TUPLES_OK || PQresultStatus(pg) == PGRES_COMMAND_OK,
                  "%s, EVPQ_SEED=%llu: %s", sql, (unsigned long long)dice.seed,
                  PQerrorMessage(conn));
    return result_wrap(pg, NULL);
}

static void begin(void)
{
    conn = PQconnectdb(server_conninfo(SERVER_UNIX, NULL));
    ck_assert_msg(PQstatus(conn) == CONNECTION_OK, "%s", PQerrorMessage(conn));
    /* A zone that had seconds once. */
    PQclear(PQexec(conn, "set datestyle = iso; set timezone = 'Europe/Amsterdam'"));
    PGresult *pg = PQexec(conn, values_setup);
    ck_assert_msg(PQresultStatus(pg) == PGRES_COMMAND_OK, "%s", PQerrorMessage(conn));
    PQclear(pg);
}

static void check_faults(const evpq_result *r, const char *format)
{
    ck_assert_msg(!evpq_result_fault(r), "%s, %s, EVPQ_SEED=%llu: %s", kind->type, format,
                  (unsigned long long)dice.seed, evpq_error_message(evpq_result_fault(r)));
}

/* All rows as arguments again: by the kind's getter. */
static void read_all(const evpq_result *r, struct item *items, evpq_arg *args, int n)
{
    ck_assert_int_eq(evpq_result_rows(r), n);
    for (int i = 0; i < n; i++) {
        items[i].arg = evpq_null();
        if (!evpq_result_is_null(r, i, 0))
            kind->read(&items[i], &made[i], r, i, 0);
        args[i] = items[i].arg;
        if (args[i].kind == EVPQ_ARG_RECORD)
            args[i].type = oid;
    }
}

/* How the library writes in text what came in binary. */
static void write_all(const evpq_result *r, int n)
{
    for (int i = 0; i < n; i++)
        written_args[i] = evpq_text(evpq_result_text(r, i, 0));
}

static void make_all(int n)
{
    for (int i = 0; i < n; i++) {
        kind->make(&made[i], &dice);
        if (!dice_below(&dice, 30))
            made[i].arg = evpq_null();
        if (made[i].arg.kind == EVPQ_ARG_RECORD)
            made[i].arg.type = oid;
        made_args[i] = made[i].arg;
    }
}

static evpq_arg array(uint32_t type, const evpq_arg *args, int n)
{
    return evpq_array_of(type, args, (size_t)n);
}

/* `is distinct from`, and by their text, which tells 1.0 from 1.00 and a month from thirty days. */
static void compare(int n)
{
    const char *t = kind->type;
    char equal[200] = "";
    if (!kind->has_no_equal)
        snprintf(equal, sizeof equal,
                 "m is distinct from b or m is distinct from t or m is distinct from w::%s or ", t);
    const char *sql = strf("select m::text, b::text, t::text, w from generate_series(1, %d) i, "
                           "lateral (select ($1::%s[])[i] m, "
                           "($2::%s[])[i] b, ($3::%s[])[i] t, "
                           "($4::text[])[i] w) u where %s m::text is distinct from "
                           "b::text or m::text is distinct from t::text or m::text is distinct "
                           "from w::%s::text limit 1",
                           n, t, t, t, equal, t);
    evpq_result *r = ask(sql, EVPQ_ARGS(array(oid, made_args, n), array(oid, binary_args, n),
                                        array(oid, text_args, n), array(25, written_args, n)));
    if (evpq_result_rows(r))
        ck_abort_msg("%s, EVPQ_SEED=%llu: sent %s, read %s in binary and %s in text, written %s",
                     kind->type, (unsigned long long)dice.seed, evpq_result_text(r, 0, 0),
                     evpq_result_text(r, 0, 1), evpq_result_text(r, 0, 2),
                     evpq_result_text(r, 0, 3));
    evpq_result_unref(r);
}

static void round_trip(int n)
{
    make_all(n);
    const char *sql =
        strf("select v from unnest($1::%s[]) with ordinality u(v, i) order by i", kind->type);
    evpq_args args = EVPQ_ARGS(array(oid, made_args, n));
    /* unnest would make a row's fields columns of their own */
    if (made_args[0].kind == EVPQ_ARG_RECORD || !strcmp(kind->type, "pg_temp.thing"))
        sql = strf("select ($1::%s[])[i] from generate_series(1, %d) i", kind->type, n);
    evpq_result *text = ask(sql, args), *binary = ask(sql, evpq_binary(args));
    read_all(text, texts, text_args, n);
    read_all(binary, binaries, binary_args, n);
    write_all(binary, n);
    check_faults(text, "text");
    check_faults(binary, "binary");
    compare(n);
    evpq_result_unref(text);
    evpq_result_unref(binary);
}

START_TEST(each_type_comes_back)
{
    begin();
    kind = &value_kinds[_i];
    evpq_result *r = ask("select $1::regtype::oid", EVPQ_ARGS(kind->type));
    oid = evpq_result_oid(r, 0, 0);
    evpq_result_unref(r);
    uint64_t seed = dice_environment("EVPQ_SEED", (uint64_t)time(NULL) * 1000003);
    for (uint64_t left = dice_environment("EVPQ_TYPES_N", 300); left;) {
        int n = left < BATCH ? (int)left : BATCH;
        dice.seed = dice.state = seed++;
        round_trip(n);
        left -= (uint64_t)n;
    }
    PQfinish(conn);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("types_random");
    check_add(c, "each_type_comes_back", each_type_comes_back, 600, value_kinds_count);
    return check_end(c);
}
