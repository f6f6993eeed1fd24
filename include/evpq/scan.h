/* evpq/scan.h - a row of a result into variables, in C alone.
 *
 *     int32_t id;
 *     const char *name;
 *     double score;
 *     bool unscored;
 *     if (EVPQ_SCAN(r, row, &id, &name, EVPQ_MAYBE(&unscored, &score)))
 *         printf("%d %s %g\n", id, name, unscored ? 0 : score);
 *
 * Each variable is read by the getter of result.h for its type, with the same rules: only what fits
 * without loss, SQL NULL only for a const char * or behind EVPQ_MAYBE, and anything else is a
 * fault, which the result remembers as always. Thread: the loop's. */
#ifndef EVPQ_SCAN_H
#define EVPQ_SCAN_H

#include <evpq/args-list.h>
#include <evpq/result.h>
#include <evpq/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/* What an evpq_target points at. For the functions below. */
enum evpq_target_kind {
    EVPQ_TARGET_BOOL,
    EVPQ_TARGET_INT2,
    EVPQ_TARGET_INT4,
    EVPQ_TARGET_INT8,
    EVPQ_TARGET_OID,
    EVPQ_TARGET_FLOAT4,
    EVPQ_TARGET_FLOAT8,
    EVPQ_TARGET_TEXT,
    EVPQ_TARGET_INTERVAL,
    EVPQ_TARGET_INET,
};

/* A variable to be read into. EVPQ_SCAN makes them; the fields are not for reading. */
typedef struct evpq_target {
    int kind;
    void *to;
    bool *is_null; /* NULL: SQL NULL is what it is for the kind */
} evpq_target;

/* Reads a row, column by column, into `n` targets: as many as the result has columns, or that is a
 * fault. A variable that cannot be read into becomes 0, false or NULL. True when there was no fault
 * among these; one from before neither counts nor is forgotten. Pointers read are borrowed until
 * the last reference to the result goes; the targets, for the call. */
EVPQ_API bool evpq_result_scan(const evpq_result *r, int row, size_t n, const evpq_target *targets);

static inline evpq_target evpq_target_of(int kind, void *to)
{
    evpq_target t;
    t.kind = kind;
    t.to = to;
    t.is_null = NULL;
    return t;
}

static inline evpq_target evpq_target_bool(bool *to)
{
    return evpq_target_of(EVPQ_TARGET_BOOL, to);
}

static inline evpq_target evpq_target_short(short *to)
{
    return evpq_target_of(EVPQ_TARGET_INT2, to);
}

static inline evpq_target evpq_target_int(int *to)
{
    return evpq_target_of(EVPQ_TARGET_INT4, to);
}

static inline evpq_target evpq_target_long(long *to)
{
    return evpq_target_of(sizeof *to == 8 ? EVPQ_TARGET_INT8 : EVPQ_TARGET_INT4, to);
}

static inline evpq_target evpq_target_llong(long long *to)
{
    return evpq_target_of(EVPQ_TARGET_INT8, to);
}

static inline evpq_target evpq_target_oid(unsigned int *to)
{
    return evpq_target_of(EVPQ_TARGET_OID, to);
}

static inline evpq_target evpq_target_float(float *to)
{
    return evpq_target_of(EVPQ_TARGET_FLOAT4, to);
}

static inline evpq_target evpq_target_double(double *to)
{
    return evpq_target_of(EVPQ_TARGET_FLOAT8, to);
}

static inline evpq_target evpq_target_text(const char **to)
{
    return evpq_target_of(EVPQ_TARGET_TEXT, (void *)to);
}

static inline evpq_target evpq_target_interval(evpq_interval *to)
{
    return evpq_target_of(EVPQ_TARGET_INTERVAL, to);
}

static inline evpq_target evpq_target_inet(evpq_inet *to)
{
    return evpq_target_of(EVPQ_TARGET_INET, to);
}

static inline evpq_target evpq_target_same(evpq_target t)
{
    return t;
}

static inline evpq_target evpq_target_maybe(evpq_target t, bool *is_null)
{
    t.is_null = is_null;
    return t;
}

#ifdef __cplusplus
}
#endif

/* EVPQ_SCAN(result, row, ...): evpq_result_scan with 1 to 32 pointers, each by its type: bool *,
 * int16_t *, int32_t *, int64_t *, uint32_t * (an oid), float *, double *, const char ** (the text
 * of anything, borrowed), evpq_interval *, evpq_inet *, or an evpq_target.
 *
 * EVPQ_MAYBE(&is_null, &x): a column that may be SQL NULL, which the bool tells, x then being 0.
 *
 * EVPQ_TARGET(&x): one pointer as an evpq_target. */
/* clang-format off */
#define EVPQ_SCAN(result, row, ...)                                                                \
    evpq_result_scan((result), (row), EVPQ_ARGS_COUNT(__VA_ARGS__),                                \
                     (const evpq_target[]){EVPQ_ARGS_PASTE(                                        \
                         EVPQ_SCAN_EACH_, EVPQ_ARGS_COUNT(__VA_ARGS__))(__VA_ARGS__)})

#define EVPQ_MAYBE(is_null, x) evpq_target_maybe(EVPQ_TARGET(x), (is_null))

#define EVPQ_TARGET(x)                                                                             \
    _Generic((x),                                                                                  \
        _Bool *: evpq_target_bool,                                                                 \
        short *: evpq_target_short,                                                                \
        int *: evpq_target_int,                                                                    \
        long *: evpq_target_long,                                                                  \
        long long *: evpq_target_llong,                                                            \
        unsigned int *: evpq_target_oid,                                                           \
        float *: evpq_target_float,                                                                \
        double *: evpq_target_double,                                                              \
        const char **: evpq_target_text,                                                           \
        evpq_interval *: evpq_target_interval,                                                     \
        evpq_inet *: evpq_target_inet,                                                             \
        evpq_target: evpq_target_same)(x)

#define EVPQ_SCAN_EACH_1(a) EVPQ_TARGET(a)
#define EVPQ_SCAN_EACH_2(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_1(__VA_ARGS__)
#define EVPQ_SCAN_EACH_3(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_2(__VA_ARGS__)
#define EVPQ_SCAN_EACH_4(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_3(__VA_ARGS__)
#define EVPQ_SCAN_EACH_5(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_4(__VA_ARGS__)
#define EVPQ_SCAN_EACH_6(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_5(__VA_ARGS__)
#define EVPQ_SCAN_EACH_7(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_6(__VA_ARGS__)
#define EVPQ_SCAN_EACH_8(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_7(__VA_ARGS__)
#define EVPQ_SCAN_EACH_9(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_8(__VA_ARGS__)
#define EVPQ_SCAN_EACH_10(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_9(__VA_ARGS__)
#define EVPQ_SCAN_EACH_11(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_10(__VA_ARGS__)
#define EVPQ_SCAN_EACH_12(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_11(__VA_ARGS__)
#define EVPQ_SCAN_EACH_13(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_12(__VA_ARGS__)
#define EVPQ_SCAN_EACH_14(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_13(__VA_ARGS__)
#define EVPQ_SCAN_EACH_15(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_14(__VA_ARGS__)
#define EVPQ_SCAN_EACH_16(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_15(__VA_ARGS__)
#define EVPQ_SCAN_EACH_17(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_16(__VA_ARGS__)
#define EVPQ_SCAN_EACH_18(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_17(__VA_ARGS__)
#define EVPQ_SCAN_EACH_19(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_18(__VA_ARGS__)
#define EVPQ_SCAN_EACH_20(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_19(__VA_ARGS__)
#define EVPQ_SCAN_EACH_21(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_20(__VA_ARGS__)
#define EVPQ_SCAN_EACH_22(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_21(__VA_ARGS__)
#define EVPQ_SCAN_EACH_23(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_22(__VA_ARGS__)
#define EVPQ_SCAN_EACH_24(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_23(__VA_ARGS__)
#define EVPQ_SCAN_EACH_25(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_24(__VA_ARGS__)
#define EVPQ_SCAN_EACH_26(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_25(__VA_ARGS__)
#define EVPQ_SCAN_EACH_27(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_26(__VA_ARGS__)
#define EVPQ_SCAN_EACH_28(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_27(__VA_ARGS__)
#define EVPQ_SCAN_EACH_29(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_28(__VA_ARGS__)
#define EVPQ_SCAN_EACH_30(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_29(__VA_ARGS__)
#define EVPQ_SCAN_EACH_31(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_30(__VA_ARGS__)
#define EVPQ_SCAN_EACH_32(a, ...) EVPQ_TARGET(a), EVPQ_SCAN_EACH_31(__VA_ARGS__)
/* clang-format on */

#endif
