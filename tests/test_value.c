/* test_value.c - every type read as everything: what fits, in both formats, and what does not. */
#include "values/value.h"

#include "support/check.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

enum {
    BOOL = 16,
    BYTEA = 17,
    CHAR = 18,
    INT8 = 20,
    INT2 = 21,
    INT4 = 23,
    TEXT = 25,
    OID = 26,
    JSON = 114,
    FLOAT4 = 700,
    FLOAT8 = 701,
    UNKNOWN = 705,
    VARCHAR = 1043,
    DATE = 1082,
    TIME = 1083,
    TIMESTAMP = 1114,
    TIMESTAMPTZ = 1184,
    NUMERIC = 1700,
    UUID = 2950,
    JSONB = 3802,
};

/* One value in both formats. */
struct sample {
    uint32_t type;
    const char *text;
    const char *binary;
    size_t length;
};

#define BYTES(literal) literal, sizeof literal - 1

/* In an allocation of its own size, so that a sanitizer sees a byte read beyond it. */
static struct value make(uint32_t type, bool binary, const char *bytes, size_t length)
{
    char *copy = malloc(length + 1);
    ck_assert_ptr_nonnull(copy);
    memcpy(copy, bytes, length);
    copy[length] = '\0';
    return (struct value){.type = type, .binary = binary, .bytes = copy, .length = length};
}

static struct value make_text(uint32_t type, const char *text)
{
    return make(type, false, text, strlen(text));
}

static void drop(struct value *v)
{
    free((void *)v->bytes);
}

/* ---- samples ---- */

static const struct sample samples[] = {
    {BOOL, "t", BYTES("\1")},
    {BOOL, "f", BYTES("\0")},
    {INT2, "-32768", BYTES("\x80\0")},
    {INT2, "32767", BYTES("\x7f\xff")},
    {INT4, "-2147483648", BYTES("\x80\0\0\0")},
    {INT4, "2147483647", BYTES("\x7f\xff\xff\xff")},
    {INT8, "-9223372036854775808", BYTES("\x80\0\0\0\0\0\0\0")},
    {INT8, "9223372036854775807", BYTES("\x7f\xff\xff\xff\xff\xff\xff\xff")},
    {INT8, "0", BYTES("\0\0\0\0\0\0\0\0")},
    {OID, "4294967295", BYTES("\xff\xff\xff\xff")},
    {FLOAT4, "0.1", BYTES("\x3d\xcc\xcc\xcd")},
    {FLOAT4, "-0", BYTES("\x80\0\0\0")},
    {FLOAT4, "NaN", BYTES("\x7f\xc0\0\0")},
    {FLOAT8, "0.1", BYTES("\x3f\xb9\x99\x99\x99\x99\x99\x9a")},
    {FLOAT8, "-Infinity", BYTES("\xff\xf0\0\0\0\0\0\0")},
    {FLOAT8, "5e-324", BYTES("\0\0\0\0\0\0\0\1")},
    {NUMERIC, "3.50", BYTES("\0\2\0\0\0\0\0\2\0\3\x13\x88")},
    {NUMERIC, "NaN", BYTES("\0\0\0\0\xc0\0\0\0")},
    {BYTEA, "\\x00ff", BYTES("\0\xff")},
    {BYTEA, "\\x", BYTES("")},
    {UUID, "00112233-4455-6677-8899-aabbccddeeff",
     BYTES("\x00\x11\x22\x33\x44\x55\x66\x77\x88\x99\xaa\xbb\xcc\xdd\xee\xff")},
    {DATE, "2000-01-02", BYTES("\0\0\0\1")},
    {DATE, "infinity", BYTES("\x7f\xff\xff\xff")},
    {TIMESTAMP, "1999-12-31 23:59:59.999999", BYTES("\xff\xff\xff\xff\xff\xff\xff\xff")},
    {TIMESTAMPTZ, "2000-01-01 00:00:00.000001+00", BYTES("\0\0\0\0\0\0\0\1")},
    {TIMESTAMPTZ, "-infinity", BYTES("\x80\0\0\0\0\0\0\0")},
    {TEXT, "text", BYTES("text")},
    {VARCHAR, "", BYTES("")},
    {CHAR, "c", BYTES("c")},
    {JSON, "{}", BYTES("{}")},
    {JSONB, "[1]", BYTES("\1[1]")},
    {UNKNOWN, "u", BYTES("u")},
};
enum { SAMPLES = sizeof samples / sizeof *samples };

/* The text of a value, in place or written into a room of the size that was said. Given. */
static char *text_of(const struct value *v)
{
    const char *place;
    size_t length = 0, room;
    ck_assert_int_eq(value_place_text(v, &place, &length), VALUE_FITS);
    char *text = malloc(length + 1);
    ck_assert_ptr_nonnull(text);
    if (place) {
        memcpy(text, place, length + 1);
    } else {
        room = length;
        ck_assert_int_eq(value_write_text(v, text, &length), VALUE_FITS);
        ck_assert_uint_lt(length, room);
    }
    ck_assert_uint_eq(strlen(text), length);
    return text;
}

START_TEST(binary_is_written_as_the_text_format_is)
{
    const struct sample *s = &samples[_i];
    struct value text = make_text(s->type, s->text);
    struct value binary = make(s->type, true, s->binary, s->length);
    char *of_text = text_of(&text), *of_binary = text_of(&binary);
    ck_assert_str_eq(of_text, s->text);
    ck_assert_str_eq(of_binary, s->text);
    free(of_text);
    free(of_binary);
    drop(&text);
    drop(&binary);
}
END_TEST

/* Everything that a value can be read as; what does not fit stays as it was. */
struct readings {
    enum value_fit fits[8];
    bool boolean;
    int64_t whole;
    float narrow;
    double wide;
    uint8_t uuid[16];
    int64_t stamptz, stamp;
    int32_t date;
};

static struct readings read_all(const struct value *v)
{
    struct readings r;
    memset(&r, 0, sizeof r);
    r.fits[0] = value_as_bool(v, &r.boolean);
    r.fits[1] = value_as_int(v, INT64_MIN, INT64_MAX, &r.whole);
    r.fits[2] = value_as_float4(v, &r.narrow);
    r.fits[3] = value_as_float8(v, &r.wide);
    r.fits[4] = value_as_uuid(v, r.uuid);
    r.fits[5] = value_as_timestamptz(v, &r.stamptz);
    r.fits[6] = value_as_timestamp(v, &r.stamp);
    r.fits[7] = value_as_date(v, &r.date);
    return r;
}

static bool same_double(double a, double b)
{
    return isnan(a) ? isnan(b) : a == b && !signbit(a) == !signbit(b);
}

START_TEST(both_formats_give_the_same_readings)
{
    const struct sample *s = &samples[_i];
    struct value text = make_text(s->type, s->text);
    struct value binary = make(s->type, true, s->binary, s->length);
    struct readings a = read_all(&text), b = read_all(&binary);
    for (int i = 0; i < 8; i++)
        ck_assert_msg(a.fits[i] == b.fits[i], "reading %d of \"%s\": %d in text, %d in binary", i,
                      s->text, a.fits[i], b.fits[i]);
    ck_assert_int_eq(a.boolean, b.boolean);
    ck_assert_int_eq(a.whole, b.whole);
    ck_assert(same_double((double)a.narrow, (double)b.narrow));
    ck_assert(same_double(a.wide, b.wide));
    ck_assert_mem_eq(a.uuid, b.uuid, 16);
    ck_assert_int_eq(a.stamptz, b.stamptz);
    ck_assert_int_eq(a.stamp, b.stamp);
    ck_assert_int_eq(a.date, b.date);
    drop(&text);
    drop(&binary);
}
END_TEST

/* ---- which type has which reading ---- */

START_TEST(other_types_are_wrong)
{
    /* one letter a reading, in the order of read_all: + fits, . is of the wrong type, anything else
     * fails otherwise */
    static const struct {
        uint32_t type;
        const char *text, *readings;
    } rows[] = {
        {BOOL, "t", "+......."},
        {INT2, "1", ".+++...."},
        {INT4, "1", ".+++...."},
        {INT8, "1", ".+++...."},
        {OID, "1", ".+++...."},
        {FLOAT4, "1", "..++...."},
        {FLOAT8, "1", "...+...."},
        {NUMERIC, "1", ".+++...."},
        {NUMERIC, "1.5", ".x++...."},
        {UUID, "00112233-4455-6677-8899-aabbccddeeff", "....+..."},
        {TIMESTAMPTZ, "2000-01-01 00:00:00+00", ".....+.."},
        {TIMESTAMP, "2000-01-01 00:00:00", "......+."},
        {DATE, "2000-01-01", ".......+"},
        {TEXT, "1", "........"},
        {UNKNOWN, "1", "........"},
        {BYTEA, "1", "........"},
        {TIME, "00:00:00", "........"},
        {123456, "1", "........"},
        {0, "1", "x+++xxxx"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct value v = make_text(rows[i].type, rows[i].text);
        struct readings r = read_all(&v);
        for (int k = 0; k < 8; k++) {
            char got = r.fits[k] == VALUE_FITS ? '+' : r.fits[k] == VALUE_WRONG_TYPE ? '.' : 'x';
            ck_assert_msg(got == rows[i].readings[k], "type %u, reading %d: %c", rows[i].type, k,
                          got);
        }
        drop(&v);
    }
}
END_TEST

START_TEST(whole_numbers_fit_or_are_out_of_range)
{
    struct value v = make_text(INT8, "2147483648");
    int64_t value = 77;
    ck_assert_int_eq(value_as_int(&v, INT32_MIN, INT32_MAX, &value), VALUE_RANGE);
    ck_assert_int_eq(value, 77);
    ck_assert_int_eq(value_as_int(&v, 0, UINT32_MAX, &value), VALUE_FITS);
    ck_assert_int_eq(value, 2147483648);
    drop(&v);
    v = make_text(INT4, "-1");
    ck_assert_int_eq(value_as_int(&v, 0, UINT32_MAX, &value), VALUE_RANGE);
    drop(&v);
    v = make(OID, true, BYTES("\xff\xff\xff\xff"));
    ck_assert_int_eq(value_as_int(&v, INT32_MIN, INT32_MAX, &value), VALUE_RANGE);
    ck_assert_int_eq(value_as_int(&v, INT64_MIN, INT64_MAX, &value), VALUE_FITS);
    ck_assert_int_eq(value, UINT32_MAX);
    drop(&v);
}
END_TEST

START_TEST(whole_numbers_become_floats_only_exactly)
{
    static const struct {
        const char *text;
        bool narrow, wide;
    } rows[] = {
        {"16777216", true, true},
        {"16777217", false, true},
        {"16777218", true, true},
        {"-16777217", false, true},
        {"9007199254740992", true, true},
        {"9007199254740993", false, false},
        {"-9223372036854775808", true, true},
        {"9223372036854775807", false, false},
        {"0", true, true},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct value v = make_text(INT8, rows[i].text);
        double wide = 77;
        float narrow = 77;
        ck_assert_int_eq(value_as_float4(&v, &narrow), rows[i].narrow ? VALUE_FITS : VALUE_INEXACT);
        ck_assert_int_eq(value_as_float8(&v, &wide), rows[i].wide ? VALUE_FITS : VALUE_INEXACT);
        ck_assert(rows[i].narrow ? (double)narrow == strtod(rows[i].text, NULL) : narrow == 77);
        ck_assert(rows[i].wide ? wide == strtod(rows[i].text, NULL) : wide == 77);
        drop(&v);
    }
}
END_TEST

START_TEST(malformed_values_are_refused)
{
    static const struct {
        uint32_t type;
        bool binary;
        const char *bytes;
        size_t length;
    } bad[] = {
        {BOOL, false, BYTES("true")},
        {BOOL, false, BYTES("")},
        {BOOL, true, BYTES("\2")},
        {BOOL, true, BYTES("")},
        {BOOL, true, BYTES("t")},
        {INT4, false, BYTES("")},
        {INT4, false, BYTES("1.0")},
        {INT4, true, BYTES("\0\0\0")},
        {INT4, true, BYTES("\0\0\0\0\0")},
        {INT2, true, BYTES("")},
        {INT8, true, BYTES("\0\0\0\0")},
        {OID, true, BYTES("\0")},
        {FLOAT4, true, BYTES("\0")},
        {FLOAT8, true, BYTES("")},
        {FLOAT8, false, BYTES("x")},
        {NUMERIC, true, BYTES("\0")},
        {NUMERIC, false, BYTES("x")},
        {UUID, true, BYTES("\0")},
        {UUID, false, BYTES("x")},
        {DATE, true, BYTES("\0")},
        {DATE, false, BYTES("1/2/3")},
        {TIMESTAMP, true, BYTES("")},
        {TIMESTAMP, false, BYTES("")},
        {TIMESTAMPTZ, true, BYTES("")},
        {TIMESTAMPTZ, false, BYTES("2000-01-01 00:00:00")},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct value v = make(bad[i].type, bad[i].binary, bad[i].bytes, bad[i].length);
        struct readings r = read_all(&v);
        int malformed = 0;
        for (int k = 0; k < 8; k++) {
            ck_assert_int_ne(r.fits[k], VALUE_FITS);
            malformed += r.fits[k] == VALUE_MALFORMED;
        }
        ck_assert_msg(malformed > 0, "row %zu", i);
        drop(&v);
    }
}
END_TEST

START_TEST(malformed_binary_has_no_text)
{
    static const struct {
        uint32_t type;
        const char *bytes;
        size_t length;
        enum value_fit fit;
    } bad[] = {
        {INT4, BYTES("\0"), VALUE_MALFORMED},    {UUID, BYTES(""), VALUE_MALFORMED},
        {JSONB, BYTES(""), VALUE_MALFORMED},     {JSONB, BYTES("\2{}"), VALUE_MALFORMED},
        {NUMERIC, BYTES("\0"), VALUE_MALFORMED}, {BOOL, BYTES(""), VALUE_MALFORMED},
        {TIME, BYTES("\0"), VALUE_MALFORMED},    {0, BYTES("x"), VALUE_WRONG_TYPE},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct value v = make(bad[i].type, true, bad[i].bytes, bad[i].length);
        const char *place;
        size_t length;
        ck_assert_int_eq(value_place_text(&v, &place, &length), bad[i].fit);
        drop(&v);
    }
    struct value v = make(BOOL, true, BYTES("\2"));
    char room[64];
    size_t length;
    ck_assert_int_eq(value_write_text(&v, room, &length), VALUE_MALFORMED);
    drop(&v);
    v = make_text(123456, "text of any type");
    char *text = text_of(&v);
    ck_assert_str_eq(text, "text of any type");
    free(text);
    drop(&v);
}
END_TEST

START_TEST(bytes_are_of_bytea_alone)
{
    struct value v = make(BYTEA, true, BYTES("a\0b"));
    const void *place = NULL;
    size_t length = 0;
    char room[16];
    ck_assert_int_eq(value_place_bytes(&v, &place, &length), VALUE_FITS);
    ck_assert_ptr_eq(place, v.bytes);
    ck_assert_uint_eq(length, 3);
    drop(&v);
    v = make_text(BYTEA, "\\x610062");
    ck_assert_int_eq(value_place_bytes(&v, &place, &length), VALUE_FITS);
    ck_assert_ptr_null(place);
    ck_assert_uint_le(length, sizeof room);
    ck_assert_int_eq(value_write_bytes(&v, room, &length), VALUE_FITS);
    ck_assert_uint_eq(length, 3);
    ck_assert_mem_eq(room, "a\0b", 3);
    drop(&v);
    v = make_text(TEXT, "\\x61");
    ck_assert_int_eq(value_place_bytes(&v, &place, &length), VALUE_WRONG_TYPE);
    drop(&v);
}
END_TEST

START_TEST(types_have_names)
{
    ck_assert_str_eq(value_type_name(INT4), "int4");
    ck_assert_str_eq(value_type_name(TIMESTAMPTZ), "timestamptz");
    ck_assert_str_eq(value_type_name(1007), "int4[]");
    ck_assert_ptr_null(value_type_name(123456));
    ck_assert_ptr_null(value_type_name(0));
}
END_TEST

int main(void)
{
    struct check *c = check_begin("value");
    CHECK_ADD_LOOP(c, binary_is_written_as_the_text_format_is, SAMPLES);
    CHECK_ADD_LOOP(c, both_formats_give_the_same_readings, SAMPLES);
    CHECK_ADD(c, other_types_are_wrong);
    CHECK_ADD(c, whole_numbers_fit_or_are_out_of_range);
    CHECK_ADD(c, whole_numbers_become_floats_only_exactly);
    CHECK_ADD(c, malformed_values_are_refused);
    CHECK_ADD(c, malformed_binary_has_no_text);
    CHECK_ADD(c, bytes_are_of_bytea_alone);
    CHECK_ADD(c, types_have_names);
    return check_end(c);
}
