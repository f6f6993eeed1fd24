/* test_value_fuzz.c - values cut short, with bits turned over and bytes put in: whatever is asked
 * of them, nothing is read or written that is not theirs (a sanitizer sees to that), what cannot be
 * read is a fault, and what can reads the same twice. */

#include "support/ask.h"
#include "support/check.h"
#include "support/dice.h"
#include "support/rowset.h"

#define BYTES(literal) literal, sizeof literal - 1
#define INT4_ARRAY \
 "\0\0\0\2\0\0\0\1\0\0\0\x17\0\0\0\1\0\0\0\1\0\0\0\2\0\0\0\0\0\0\0\4\0\0\0\7\377\377\377\377"
#define RECORD \
 "\0\0\0\3\0\0\0\x17\0\0\0\4\0\0\0\1\0\0\0\x19\0\0\0\2a\"\0\0\3\xef\0\0\0\x28" INT4_ARRAY

static const struct {
    uint32_t type;
    bool binary;
    const char *bytes;
    size_t length;
} values[] = {
    {16, true, BYTES("\1")},
    {23, true, BYTES("\0\0\0\7")},
    {1700, true, BYTES("\0\3\0\1\0\0\0\5\0\1\x09\x29\x0d\x80")},
    {17, true, BYTES("a\0b")},
    {3802, true, BYTES("\1{}")},
    {2950, true, BYTES("0123456789abcdef")},
    {1082, true, BYTES("\0\0\x10\0")},
    {1184, true, BYTES("\0\1\x10\0\0\0\0\0")},
    {1083, true, BYTES("\0\0\0\1\0\0\0\0")},
    {1266, true, BYTES("\0\0\0\1\0\0\0\0\0\0\x0e\x10")},
    {1186, true, BYTES("\0\0\0\1\0\0\0\0\0\0\0\3\0\0\0\x0e")},
    {869, true, BYTES("\2\x18\0\4\300\250\0\1")},
    {650, true, BYTES("\3\x20\1\x10 \1\r\270\0\0\0\0\0\0\0\0\0\0\0\0")},
    {829, true, BYTES("\x08\0\x2b\1\2\3")},
    {1007, true, BYTES(INT4_ARRAY)},
    {2249, true, BYTES(RECORD)},
    {123456, true, BYTES(RECORD)},
    {2287, true, BYTES("\0\0\0\1\0\0\0\0\0\0\x08\xc9\0\0\0\1\0\0\0\1\0\0\0\x4a" RECORD)},
    {3904, true, BYTES("\2\0\0\0\4\0\0\0\1\0\0\0\4\0\0\0\5")},
    {4451, true, BYTES("\0\0\0\1\0\0\0\x09\x12\0\0\0\4\0\0\0\1")},

    {16, false, BYTES("t")},
    {20, false, BYTES("-9223372036854775808")},
    {1700, false, BYTES("-12345.67890e-12")},
    {701, false, BYTES("-1.5e+300")},
    {17, false, BYTES("\\x00ff")},
    {17, false, BYTES("a\\\\b\\012")},
    {2950, false, BYTES("00112233-4455-6677-8899-aabbccddeeff")},
    {1082, false, BYTES("0044-03-15 BC")},
    {1114, false, BYTES("2000-01-01 01:02:03.456789")},
    {1184, false, BYTES("2000-01-01 01:02:03.5+05:30 BC")},
    {1083, false, BYTES("24:00:00")},
    {1266, false, BYTES("01:02:03.5-15:59:59")},
    {1186, false, BYTES("-1 years -2 mons +3 days -04:05:06.789")},
    {1186, false, BYTES("-2562047788:00:54.775808")},
    {869, false, BYTES("2001:db8::ffff:1.2.3.4/96")},
    {829, false, BYTES("08:00:2b:01:02:0f")},
    {1007, false, BYTES("[0:1][-1:1]={{1,NULL,3},{4,5,6}}")},
    {1009, false, BYTES("{\"a \\\"b\\\\\",x,\"\",\"\",\"\",\"\",\"\",NULL,\"{}\"}")},
    {1009, false, BYTES("{{{a,\"b\"},{c,d}},{{e,f},{g,h}}}")},
    {2249, false, BYTES("(1,,\"a \"\"b\"\"\\\\\",\"{1,2}\")")},
    {3904, false, BYTES("[1,5)")},
    {3908, false, BYTES("(\"2000-01-01 00:00:00\",]")},
    {4451, false, BYTES("{[1,3),empty,[5,)}")},
    {0, false, BYTES("{1,2}")},
    {123456, false, BYTES("([1,2),\"{}\")")},
};
enum { VALUES = sizeof values / sizeof *values, MOST = 160 };

static struct dice dice;

/* ---- spoiling ---- */

static size_t spoil(char *bytes, size_t length)
{
    for (unsigned n = dice_below(&dice, 4); n && length; n--) {
        size_t at = dice_below(&dice, (unsigned)length);
        switch (dice_below(&dice, 5)) {
        case 0:
            length = at;
            break;
        case 1:
            bytes[at] = (char)(bytes[at] ^ 1 << dice_below(&dice, 8));
            break;
        case 2:
            bytes[at] = "\"\\{}[](),\0\xff\x7f:-9"[dice_below(&dice, 16)];
            break;
        case 3: /* twice what is there already */
            if (length < MOST) {
                memmove(bytes + at + 1, bytes + at, length - at);
                length++;
            }
            break;
        default:
            memmove(bytes + at, bytes + at + 1, --length - at);
            break;
        }
    }
    return length;
}

static void one_value(void)
{
    unsigned i = dice_below(&dice, VALUES);
    char bytes[MOST];
    ck_assert_uint_le(values[i].length, MOST);
    memcpy(bytes, values[i].bytes, values[i].length);
    size_t length = spoil(bytes, values[i].length);
    uint32_t type = dice_below(&dice, 8) ? values[i].type : values[dice_below(&dice, VALUES)].type;
    evpq_result *r =
        rowset_of_value(type, values[i].binary, bytes, length, (char)dice_below(&dice, 256));
    DICE_HOLDS(&dice, r != NULL);
    const char *wrong = ask_everything(r, (int)dice_below(&dice, 12) - 4);
    if (wrong)
        ck_abort_msg("%s; EVPQ_SEED=%llu EVPQ_SCHEDULES=1", wrong, (unsigned long long)dice.seed);
    evpq_result_unref(r);
}

START_TEST(spoiled_values_are_faults_at_the_worst)
{
    dice_schedules(&dice, one_value);
}
END_TEST

START_TEST(whole_values_have_a_text)
{
    for (size_t i = 0; i < VALUES; i++) {
        evpq_result *r = rowset_of_value(values[i].type, values[i].binary, values[i].bytes,
                                         values[i].length, 'x');
        ck_assert_msg(evpq_result_text(r, 0, 0) != NULL, "value %zu: %s", i,
                      evpq_error_message(evpq_result_fault(r)));
        evpq_result_unref(r);
    }
}
END_TEST

int main(void)
{
    struct check *c = check_begin("value_fuzz");
    CHECK_ADD(c, whole_values_have_a_text);
    CHECK_ADD_SLOW(c, spoiled_values_are_faults_at_the_worst, 120);
    return check_end(c);
}
