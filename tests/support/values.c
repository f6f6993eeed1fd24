#include "support/values_impl.h"

#include <stdio.h>
#include <string.h>

const char values_setup[] =
    "create type pg_temp.mood as enum ('sad', 'so so', 'q\"uo''te', 'größe');"
    "create type pg_temp.thing as (id int4, note text, list int8[], grid text[], span int4range, "
    "at timestamptz)";

static const int64_t day = 86400 * (int64_t)1000000;

/* ---- dice ---- */

static uint64_t bits(struct dice *d)
{
    return (uint64_t)dice_below(d, UINT32_MAX) << 32 ^ (uint64_t)dice_below(d, UINT32_MAX) << 1 ^
           dice_below(d, 2);
}

int64_t values_number(struct dice *d, int64_t low, int64_t high)
{
    uint64_t span = (uint64_t)high - (uint64_t)low;
    uint64_t offset = bits(d) >> dice_below(d, 64);
    if (span != UINT64_MAX)
        offset %= span + 1;
    switch (dice_below(d, 3)) {
    case 0:
        return (int64_t)((uint64_t)low + offset);
    case 1:
        return (int64_t)((uint64_t)high - offset);
    default:
        break;
    }
    int64_t near = (int64_t)(offset >> 1);
    near = dice_below(d, 2) ? near : -near;
    return near < low ? low : near > high ? high : near;
}

void values_word(struct dice *d, char *room, size_t size)
{
    static const char *const parts[] = {"a",
                                        "Z",
                                        "0",
                                        " ",
                                        "'",
                                        "\"",
                                        "\\",
                                        ",",
                                        "{",
                                        "}",
                                        "(",
                                        ")",
                                        "[",
                                        "]",
                                        "\n",
                                        "\t",
                                        "ö",
                                        "€",
                                        "\xf0\x9f\x98\x80",
                                        "%s",
                                        ";",
                                        "NULL"};
    size_t length = 0;
    for (unsigned n = dice_below(d, (unsigned)size); n; n--) {
        const char *part = parts[dice_below(d, sizeof parts / sizeof *parts)];
        if (length + strlen(part) >= size)
            break;
        memcpy(room + length, part, strlen(part));
        length += strlen(part);
    }
    room[length] = '\0';
}

/* ---- numbers ---- */

static void make_bool(struct item *i, struct dice *d)
{
    i->arg = evpq_bool(dice_below(d, 2));
}

static void make_int2(struct item *i, struct dice *d)
{
    i->arg = evpq_int(values_number(d, INT16_MIN, INT16_MAX));
}

static void make_int4(struct item *i, struct dice *d)
{
    i->arg = evpq_int(values_number(d, INT32_MIN, INT32_MAX));
}

static void make_int8(struct item *i, struct dice *d)
{
    i->arg = evpq_int(values_number(d, INT64_MIN, INT64_MAX));
}

static void make_oid(struct item *i, struct dice *d)
{
    i->arg = evpq_oid((uint32_t)values_number(d, 0, UINT32_MAX));
}

static void make_float4(struct item *i, struct dice *d)
{
    uint32_t raw = (uint32_t)bits(d);
    float value;
    memcpy(&value, &raw, sizeof value);
    i->arg = evpq_float(dice_below(d, 4) ? value : (float)values_number(d, -100000, 100000) / 8);
}

static void make_float8(struct item *i, struct dice *d)
{
    uint64_t raw = bits(d);
    double value;
    memcpy(&value, &raw, sizeof value);
    i->arg =
        evpq_double(dice_below(d, 4) ? value : (double)values_number(d, -1000000, 1000000) / 1024);
}

static void make_numeric(struct item *i, struct dice *d)
{
    static const char *const odd[] = {"NaN", "Infinity", "-Infinity", "0", "-0.000"};
    char *p = i->text;
    int whole = (int)dice_below(d, dice_below(d, 10) ? 12 : 250);
    int fraction = (int)dice_below(d, dice_below(d, 10) ? 12 : 250);
    if (!dice_below(d, 30)) {
        i->arg = evpq_param(1700, odd[dice_below(d, 5)]);
        return;
    }
    if (dice_below(d, 2))
        *p++ = '-';
    *p++ = (char)('0' + dice_below(d, 10));
    for (; whole; whole--)
        *p++ = (char)(dice_below(d, 3) ? '0' + dice_below(d, 10) : '0');
    if (fraction)
        *p++ = '.';
    for (; fraction; fraction--)
        *p++ = (char)(dice_below(d, 3) ? '0' + dice_below(d, 10) : '0');
    *p = '\0';
    if (!dice_below(d, 5))
        sprintf(p, "e%d", (int)dice_below(d, 600) - 300);
    i->arg = evpq_param(1700, i->text);
}

static void make_scaled(struct item *i, struct dice *d)
{
    i->scale = (int)dice_below(d, 30);
    i->arg = evpq_scaled(values_number(d, INT64_MIN, INT64_MAX), i->scale);
}

#define READ(name, maker, getter)                                                                \
 static void read_##name(struct item *i, const struct item *made, const evpq_result *r, int row, \
                         int column)                                                             \
 {                                                                                               \
  (void)made;                                                                                    \
  i->arg = maker(getter(r, row, column));                                                        \
 }
READ(bool, evpq_bool, evpq_result_bool)
READ(int2, evpq_int, evpq_result_int2)
READ(int4, evpq_int, evpq_result_int4)
READ(int8, evpq_int, evpq_result_int8)
READ(oid, evpq_oid, evpq_result_oid)
READ(float4, evpq_float, evpq_result_float4)
READ(float8, evpq_double, evpq_result_float8)
READ(text, evpq_text, evpq_result_text)
READ(date, evpq_date, evpq_result_date)
READ(time, evpq_time, evpq_result_time)
READ(timestamp, evpq_timestamp, evpq_result_timestamp)
READ(timestamptz, evpq_timestamptz, evpq_result_timestamptz)

static void read_scaled(struct item *i, const struct item *made, const evpq_result *r, int row,
                        int column)
{
    i->arg = evpq_scaled(evpq_result_scaled(r, row, column, made->scale), made->scale);
}

/* ---- texts and bytes ---- */

static void make_text(struct item *i, struct dice *d)
{
    values_word(d, i->text, dice_below(d, 10) ? 40 : sizeof i->text);
    i->arg = evpq_text(i->text);
}

static void make_name(struct item *i, struct dice *d)
{
    values_word(d, i->text, 63);
    i->arg = evpq_text(i->text);
}

static void make_mood(struct item *i, struct dice *d)
{
    static const char *const moods[] = {"sad", "so so", "q\"uo'te", "größe"};
    i->arg = evpq_text(moods[dice_below(d, 4)]);
}

static void make_json(struct item *i, struct dice *d)
{
    static const char *const values[] = {"null",
                                         "true",
                                         "[]",
                                         "{}",
                                         "\"\\u00e9\"",
                                         "\"\"",
                                         "1e-5",
                                         "-0",
                                         "[1, 2]",
                                         "{\"a\": null}",
                                         "\"x\\\"y\\\\\"",
                                         "12345678901234567890.50"};
    char *p = i->text;
    p += sprintf(p, "{");
    for (unsigned n = dice_below(d, 8), k = 0; k < n; k++)
        p +=
            sprintf(p, "%s\"k%u\": %s", k ? "," : "", dice_below(d, 20), values[dice_below(d, 12)]);
    sprintf(p, "}");
    i->arg = evpq_text(i->text);
}

static void make_bytea(struct item *i, struct dice *d)
{
    size_t n = dice_below(d, dice_below(d, 10) ? 30 : sizeof i->text);
    for (size_t k = 0; k < n; k++)
        i->text[k] = (char)dice_below(d, 256);
    i->arg = evpq_bytes(i->text, n);
}

static void read_bytea(struct item *i, const struct item *made, const evpq_result *r, int row,
                       int column)
{
    size_t n = 0;
    (void)made;
    const void *bytes = evpq_result_bytes(r, row, column, &n);
    i->arg = evpq_bytes(bytes, n);
}

static void fill(struct item *i, struct dice *d)
{
    for (size_t k = 0; k < sizeof i->bytes; k++)
        i->bytes[k] = (uint8_t)dice_below(d, 256);
}

static void make_uuid(struct item *i, struct dice *d)
{
    fill(i, d);
    i->arg = evpq_uuid(i->bytes);
}

static void read_uuid(struct item *i, const struct item *made, const evpq_result *r, int row,
                      int column)
{
    (void)made;
    evpq_result_uuid(r, row, column, i->bytes);
    i->arg = evpq_uuid(i->bytes);
}

static void make_macaddr(struct item *i, struct dice *d)
{
    fill(i, d);
    i->arg = evpq_macaddr(i->bytes);
}

static void read_macaddr(struct item *i, const struct item *made, const evpq_result *r, int row,
                         int column)
{
    (void)made;
    evpq_result_macaddr(r, row, column, i->bytes);
    i->arg = evpq_macaddr(i->bytes);
}

static void make_inet(struct item *i, struct dice *d)
{
    size_t size = dice_below(d, 2) ? EVPQ_INET4 : 16;
    fill(i, d);
    i->inet = (evpq_inet){.family = size == 16 ? EVPQ_INET6 : EVPQ_INET4};
    for (size_t k = 0; k < size; k++)
        i->inet.address[k] = dice_below(d, 3) ? i->bytes[k] : 0;
    i->inet.bits = (uint8_t)(dice_below(d, 2) ? 8 * size : dice_below(d, (unsigned)(8 * size + 1)));
    i->arg = evpq_inet_of(&i->inet);
}

static void make_cidr(struct item *i, struct dice *d)
{
    make_inet(i, d);
    i->inet.is_cidr = 1;
    for (unsigned bit = i->inet.bits; bit < 128; bit++)
        i->inet.address[bit / 8] &= (uint8_t) ~(0x80u >> bit % 8);
    i->arg = evpq_inet_of(&i->inet);
}

static void read_inet(struct item *i, const struct item *made, const evpq_result *r, int row,
                      int column)
{
    (void)made;
    evpq_result_inet(r, row, column, &i->inet);
    i->arg = evpq_inet_of(&i->inet);
}

/* ---- dates and times: what the server's range and ours have in common ---- */

static void make_date(struct item *i, struct dice *d)
{
    static const int32_t odd[] = {INT32_MIN, INT32_MAX, -2440588, 2145042905};
    bool plain = dice_below(d, 20);
    i->arg =
        evpq_date(plain ? (int32_t)values_number(d, -2440588, 2145042905) : odd[dice_below(d, 4)]);
}

int64_t values_stamp(struct dice *d)
{
    static const int64_t odd[] = {INT64_MIN, INT64_MAX, INT64_MAX - 1};
    return dice_below(d, 20) ? values_number(d, -2440588 * day, INT64_MAX - 1)
                             : odd[dice_below(d, 3)];
}

static void make_timestamp(struct item *i, struct dice *d)
{
    i->arg = evpq_timestamp(values_stamp(d));
}

static void make_timestamptz(struct item *i, struct dice *d)
{
    i->arg = evpq_timestamptz(values_stamp(d));
}

static void make_time(struct item *i, struct dice *d)
{
    i->arg = evpq_time(values_number(d, 0, day));
}

static void make_timetz(struct item *i, struct dice *d)
{
    enum { MOST = 16 * 3600 - 1 };
    i->arg = evpq_timetz(values_number(d, 0, day), (int32_t)values_number(d, -MOST, MOST));
}

static void read_timetz(struct item *i, const struct item *made, const evpq_result *r, int row,
                        int column)
{
    int32_t east = 0;
    (void)made;
    int64_t clock = evpq_result_timetz(r, row, column, &east);
    i->arg = evpq_timetz(clock, east);
}

static void make_interval(struct item *i, struct dice *d)
{
    i->interval = (evpq_interval){(int32_t)values_number(d, INT32_MIN, INT32_MAX),
                                  (int32_t)values_number(d, INT32_MIN, INT32_MAX),
                                  values_number(d, -(INT64_MAX / 2), INT64_MAX / 2)};
    if (!dice_below(d, 4))
        i->interval.months = 0;
    if (!dice_below(d, 4))
        i->interval.days = 0;
    if (!dice_below(d, 4))
        i->interval.microseconds = 0;
    i->arg = evpq_interval_of(&i->interval);
}

static void read_interval(struct item *i, const struct item *made, const evpq_result *r, int row,
                          int column)
{
    (void)made;
    evpq_result_interval(r, row, column, &i->interval);
    i->arg = evpq_interval_of(&i->interval);
}

const struct value_kind value_kinds[] = {
    {"bool", false, make_bool, read_bool},
    {"int2", false, make_int2, read_int2},
    {"int4", false, make_int4, read_int4},
    {"int8", false, make_int8, read_int8},
    {"oid", false, make_oid, read_oid},
    {"float4", false, make_float4, read_float4},
    {"float8", false, make_float8, read_float8},
    {"numeric", false, make_numeric, read_text},
    {"numeric", false, make_scaled, read_scaled},
    {"text", false, make_text, read_text},
    {"varchar", false, make_text, read_text},
    {"bpchar", false, make_text, read_text},
    {"name", false, make_name, read_text},
    {"pg_temp.mood", false, make_mood, read_text},
    {"json", true, make_json, read_text},
    {"jsonb", false, make_json, read_text},
    {"bytea", false, make_bytea, read_bytea},
    {"uuid", false, make_uuid, read_uuid},
    {"macaddr", false, make_macaddr, read_macaddr},
    {"inet", false, make_inet, read_inet},
    {"cidr", false, make_cidr, read_inet},
    {"date", false, make_date, read_date},
    {"time", false, make_time, read_time},
    {"timetz", false, make_timetz, read_timetz},
    {"timestamp", false, make_timestamp, read_timestamp},
    {"timestamptz", false, make_timestamptz, read_timestamptz},
    {"interval", false, make_interval, read_interval},
    {"numrange", false, values_make_range, values_read_range},
    {"pg_temp.thing", false, values_make_thing, values_read_thing},
};
const int value_kinds_count = sizeof value_kinds / sizeof *value_kinds;
