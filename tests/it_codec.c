/* it_codec.c - types that the library does not know, made on a real server: a vector of two doubles
 * with functions of its own, an enum and a domain's array, found by name and by oid. */
#include "support/check.h"
#include "support/server.h"
#include "support/site.h"

#include <stdio.h>
#include <string.h>

struct pair {
    double x, y;
};

static bool append_double(evpq_sink *to, double value)
{
    uint64_t bits;
    uint8_t raw[8];
    memcpy(&bits, &value, sizeof bits);
    for (int i = 0; i < 8; i++)
        raw[i] = (uint8_t)(bits >> (56 - 8 * i));
    return evpq_append(to, raw, sizeof raw);
}

static bool write_pair(const void *value, evpq_sink *to, void *arg)
{
    const struct pair *p = value;
    (void)arg;
    return append_double(to, p->x) && append_double(to, p->y);
}

static double read_double(const uint8_t *raw)
{
    uint64_t bits = 0;
    double value;
    for (int i = 0; i < 8; i++)
        bits = bits << 8 | raw[i];
    memcpy(&value, &bits, sizeof value);
    return value;
}

static bool read_pair(const void *bytes, size_t n, int format, void *ret_value, void *arg)
{
    struct pair *p = ret_value;
    (void)arg;
    if (!format)
        return sscanf(bytes, "(%lf,%lf)", &p->x, &p->y) == 2;
    if (n != 16)
        return false;
    p->x = read_double(bytes);
    p->y = read_double((const uint8_t *)bytes + 8);
    return true;
}

/* The words of the enum, as numbers. */
static const char *const moods[] = {"sad", "so so", "glad"};

static bool write_mood(const void *value, evpq_sink *to, void *arg)
{
    (void)arg;
    int mood = *(const int *)value;
    return mood >= 0 && mood < 3 && evpq_append(to, moods[mood], strlen(moods[mood]));
}

static bool read_mood(const void *bytes, size_t n, int format, void *ret_value, void *arg)
{
    (void)format;
    (void)arg;
    for (int i = 0; i < 3; i++)
        if (n == strlen(moods[i]) && !memcmp(bytes, moods[i], n)) {
            *(int *)ret_value = i;
            return true;
        }
    return false;
}

static const evpq_codec codecs[] = {
    {.size = sizeof(evpq_codec), .name = "geo.pair", .encode = write_pair, .decode = read_pair},
    {.size = sizeof(evpq_codec), .name = "geo.\"Mood\"", .encode = write_mood, .decode = read_mood},
    {.size = sizeof(evpq_codec),
     .name = "point",
     .oid = 600,
     .encode = write_pair,
     .decode = read_pair},
};

static const char *const setup[] = {
    "create schema geo",
    "create type geo.pair",
    "create function geo.pair_in(cstring) returns geo.pair language internal immutable strict "
    "as 'point_in'",
    "create function geo.pair_out(geo.pair) returns cstring language internal immutable strict "
    "as 'point_out'",
    "create function geo.pair_recv(internal) returns geo.pair language internal immutable strict "
    "as 'point_recv'",
    "create function geo.pair_send(geo.pair) returns bytea language internal immutable strict "
    "as 'point_send'",
    "create type geo.pair (input = geo.pair_in, output = geo.pair_out, receive = geo.pair_recv, "
    "send = geo.pair_send, internallength = 16, alignment = double)",
    "create type geo.\"Mood\" as enum ('sad', 'so so', 'glad')",
};

static struct site begin(void)
{
    struct site s = site_open(server_conninfo(SERVER_UNIX, NULL), NULL);
    for (size_t i = 0; i < sizeof setup / sizeof *setup; i++)
        evpq_future_unref(site_query(&s, setup[i]));
    return s;
}

static void end(struct site *s)
{
    evpq_future_unref(site_query(s, "drop schema geo cascade"));
    site_close(s);
}

static evpq_types *types_new(void)
{
    evpq_types *types = evpq_types_new();
    ck_assert_ptr_nonnull(types);
    for (size_t i = 0; i < sizeof codecs / sizeof *codecs; i++)
        ck_assert_int_eq(evpq_types_add(types, &codecs[i]), EVPQ_OK);
    return types;
}

static void resolve(struct site *s, evpq_types *types)
{
    evpq_future *f = evpq_types_resolve(types, s->pool);
    evpq_await(f);
    ck_future_status(f, EVPQ_OK);
    evpq_future_unref(f);
}

static evpq_future *ask(struct site *s, const char *sql, evpq_args args)
{
    evpq_future *f = evpq_pool_query(s->pool, sql, args);
    evpq_await(f);
    ck_future_status(f, EVPQ_OK);
    return f;
}

START_TEST(values_go_there_and_come_back)
{
    struct site s = begin();
    evpq_types *types = types_new();
    resolve(&s, types);
    uint32_t array;
    uint32_t pair = evpq_types_oid(types, "geo.pair", &array);
    ck_assert_uint_ge(pair, 16384);
    ck_assert_uint_ge(array, 16384);
    ck_assert_uint_eq(evpq_types_oid(types, "point", NULL), 600);
    for (int format = 0; format < 2; format++) {
        const struct pair in = {1.5, -1e300};
        struct pair out = {0, 0}, point = {0, 0};
        int mood = 1, mood_out = -1;
        const evpq_arg pairs[] = {evpq_coded(types, "geo.pair", &in), evpq_null()};
        evpq_args args =
            EVPQ_ARGS(evpq_coded(types, "geo.pair", &in), evpq_coded(types, "geo.\"Mood\"", &mood),
                      evpq_coded(types, "point", &in), evpq_coded(types, "geo.pair", NULL),
                      evpq_array_of(pair, pairs, 2));
        args.result_format = format;
        evpq_future *f = ask(&s,
                             "select $1, $2, $3, $4, $1::text = '(1.5,-1e+300)', $2 = 'so so', "
                             "$3 ~= point(1.5, -1e300), array_length($5::geo.pair[], 1), "
                             "($5::geo.pair[])[1]::text = $1::text and ($5::geo.pair[])[2] is null",
                             args);
        const evpq_result *r = evpq_future_result(f);
        ck_assert(evpq_result_decoded(types, r, 0, 0, &out));
        ck_assert(evpq_result_decoded(types, r, 0, 1, &mood_out));
        ck_assert(evpq_result_decoded(types, r, 0, 2, &point));
        ck_assert_mem_eq(&out, &in, sizeof in);
        ck_assert_mem_eq(&point, &in, sizeof in);
        ck_assert_int_eq(mood_out, 1);
        ck_assert(evpq_result_is_null(r, 0, 3));
        for (int i = 4; i < 7; i++)
            ck_assert_msg(evpq_result_bool(r, 0, i), "column %d", i);
        ck_assert_int_eq(evpq_result_int4(r, 0, 7), 2);
        ck_assert(evpq_result_bool(r, 0, 8));
        ck_assert_ptr_null(evpq_result_fault(r));
        evpq_future_unref(f);
    }
    evpq_types_unref(types);
    end(&s);
}
END_TEST

static void fault(const evpq_result *r, const evpq_types *types, int column, const char *says)
{
    char room[64];
    ck_assert(!evpq_result_decoded(types, r, 0, column, room));
    ck_assert_ptr_nonnull(evpq_result_fault(r));
    ck_assert_msg(strstr(evpq_error_message(evpq_result_fault(r)), says) != NULL, "%s",
                  evpq_error_message(evpq_result_fault(r)));
    evpq_result_fault_clear(r);
}

START_TEST(what_no_codec_reads_is_a_fault)
{
    struct site s = begin();
    evpq_types *types = types_new();
    evpq_future *f = ask(&s, "select '(1,2)'::geo.pair, null::point, 7", EVPQ_ARGS());
    const evpq_result *r = evpq_future_result(f);
    fault(r, types, 0, "no such reading");
    fault(r, types, 1, "SQL NULL");
    fault(r, types, 2, "no such reading");
    fault(r, types, 3, "column 3");
    resolve(&s, types);
    struct pair p;
    ck_assert(evpq_result_decoded(types, r, 0, 0, &p));
    fault(r, NULL, 0, "no such reading");
    ck_assert(!evpq_result_decoded(types, NULL, 0, 0, &p));
    evpq_future_unref(f);
    f = ask(&s, "select 'glad'::geo.\"Mood\"", EVPQ_ARGS());
    evpq_future_unref(site_query(&s, "alter type geo.\"Mood\" rename value 'glad' to 'merry'"));
    evpq_future *g = ask(&s, "select 'merry'::geo.\"Mood\"", EVPQ_ARGS());
    fault(evpq_future_result(g), types, 0, "column 0");
    evpq_future_unref(f);
    evpq_future_unref(g);
    evpq_types_unref(types);
    end(&s);
}
END_TEST

START_TEST(a_type_that_is_not_there_is_named)
{
    struct site s = begin();
    evpq_types *types = types_new();
    evpq_codec missing = codecs[0], odd = codecs[0];
    missing.name = "geo.gone";
    ck_assert_int_eq(evpq_types_add(types, &missing), EVPQ_OK);
    evpq_future *f = evpq_types_resolve(types, s.pool);
    evpq_await(f);
    ck_future_status(f, EVPQ_TYPE);
    ck_assert_ptr_nonnull(strstr(evpq_error_message(evpq_future_error(f)), "geo.gone"));
    ck_assert_uint_ne(evpq_types_oid(types, "geo.pair", NULL), 0);
    evpq_future_unref(f);

    odd.name = "no.name.for.a.type";
    ck_assert_int_eq(evpq_types_add(types, &odd), EVPQ_OK);
    f = evpq_types_resolve(types, s.pool);
    evpq_await(f);
    ck_future_status(f, EVPQ_SERVER);
    evpq_future_unref(f);
    evpq_types_unref(types);
    end(&s);
}
END_TEST

START_TEST(resolving_may_be_canceled_or_forgotten)
{
    struct site s = begin();
    evpq_types *types = types_new();
    evpq_future *f = evpq_types_resolve(types, s.pool), *g = evpq_types_resolve(types, s.pool);
    evpq_future_cancel(f);
    ck_future_status(f, EVPQ_CANCELED);
    evpq_future_unref(f);
    evpq_future_unref(g);
    evpq_types_unref(types);
    f = evpq_types_resolve(NULL, s.pool);
    ck_future_status(f, EVPQ_INVALID);
    evpq_future_unref(f);
    types = types_new();
    f = evpq_types_resolve(types, NULL);
    ck_future_status(f, EVPQ_INVALID);
    evpq_future_unref(f);
    evpq_types_unref(types);
    end(&s);
}
END_TEST

int main(void)
{
    struct check *c = check_begin("codec_server");
    CHECK_ADD(c, values_go_there_and_come_back);
    CHECK_ADD(c, what_no_codec_reads_is_a_fault);
    CHECK_ADD(c, a_type_that_is_not_there_is_named);
    CHECK_ADD(c, resolving_may_be_canceled_or_forgotten);
    return check_end(c);
}
