/* raw_copy.c - rows by COPY, as one writes it by hand: each row encoded and put, or got and read.
 */
#include "bench/raw.h"

#include <endian.h>
#include <string.h>

static const char head[] = "PGCOPY\n\377\r\n\0\0\0\0\0\0\0\0"; /* with the zero byte behind it */
enum { HEAD = 19, COLUMNS = 5 };
static const int64_t epoch = 946684800000000; /* 2000-01-01, where PostgreSQL counts from */

/* ---- in ---- */

static char *put(char *p, const void *bytes, size_t n)
{
    memcpy(p, bytes, n);
    return p + n;
}

static char *put2(char *p, uint16_t value)
{
    value = htobe16(value);
    return put(p, &value, sizeof value);
}

static char *put4(char *p, uint32_t value)
{
    value = htobe32(value);
    return put(p, &value, sizeof value);
}

static char *put8(char *p, uint64_t value)
{
    value = htobe64(value);
    return put(p, &value, sizeof value);
}

static size_t encode(char *row, long i)
{
    char text[COPY_TEXT + 1], *p = put2(row, COLUMNS);
    double b = COPY_B(i);
    uint64_t bits;

    copy_text(text, i);
    memcpy(&bits, &b, sizeof bits);
    p = put4(put4(p, 4), (uint32_t)i);
    p = put8(put4(p, 8), (uint64_t)COPY_A(i));
    p = put8(put4(p, 8), bits);
    p = put(put4(p, COPY_TEXT), text, COPY_TEXT);
    p = put8(put4(p, 8), (uint64_t)(COPY_D(i) - epoch));
    return (size_t)(p - row);
}

static void put_copy(PGconn *pg, const char *bytes, size_t n)
{
    if (PQputCopyData(pg, bytes, (int)n) != 1)
        die("%s", PQerrorMessage(pg));
}

static void expect(PGconn *pg, ExecStatusType wanted)
{
    PGresult *r = PQgetResult(pg);
    if (PQresultStatus(r) != wanted)
        die("%s", PQerrorMessage(pg));
    PQclear(r);
}

void raw_copy_in(const struct options *o)
{
    PGconn *pg = raw_open();
    char row[128];

    raw_exec(pg, "set client_min_messages = warning");
    raw_exec(pg, SQL_LANDING);
    raw_exec(pg, SQL_LANDING_EMPTY);
    measure_start();
    if (!PQsendQuery(pg, "copy landing from stdin (format binary)"))
        die("%s", PQerrorMessage(pg));
    expect(pg, PGRES_COPY_IN);
    put_copy(pg, head, HEAD);
    for (long i = 1; i <= o->n; i++)
        put_copy(pg, row, encode(row, i));
    put_copy(pg, "\377\377", 2);
    if (PQputCopyEnd(pg, NULL) != 1)
        die("%s", PQerrorMessage(pg));
    expect(pg, PGRES_COMMAND_OK);
    measure_stop();
    while (PQgetResult(pg))
        continue;
    uint64_t sum = raw_number(pg, SQL_LANDING_SUM);
    PQfinish(pg);
    measure_print("raw", o, o->n, PQlibVersion(), "none", sum);
}

/* ---- out ---- */

static uint64_t get8(const char *p)
{
    uint64_t value;
    memcpy(&value, p, sizeof value);
    return be64toh(value);
}

static uint32_t get4(const char *p)
{
    uint32_t value;
    memcpy(&value, p, sizeof value);
    return be32toh(value);
}

static uint64_t read_row(const char *p)
{
    double b;
    p += 2 + 4;
    uint64_t id = get4(p), a = get8(p += 4 + 4), bits = get8(p += 8 + 4);
    memcpy(&b, &bits, sizeof b);
    uint32_t length = get4(p += 8);
    const char *c = p + 4;
    return id + a + (uint64_t)b + length + (unsigned char)c[0] + get8(c + length + 4) +
           (uint64_t)epoch;
}

void raw_copy_out(const struct options *o)
{
    PGconn *pg = raw_open();
    uint64_t sum = 0;
    long rows = 0;
    char *row;
    int n;

    measure_start();
    if (!PQsendQuery(pg, "copy (" SQL_BIG ") to stdout (format binary)"))
        die("%s", PQerrorMessage(pg));
    expect(pg, PGRES_COPY_OUT);
    for (size_t skip = HEAD; (n = PQgetCopyData(pg, &row, 0)) > 0; skip = 0, PQfreemem(row)) {
        if (n - (int)skip == 2) /* the end mark */
            continue;
        sum += read_row(row + skip);
        rows++;
    }
    expect(pg, PGRES_COMMAND_OK);
    measure_stop();
    PQfinish(pg);
    measure_print("raw", o, rows, PQlibVersion(), "none", sum);
}
