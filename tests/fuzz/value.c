/* value.c - one value: its type, its format, its scale, what follows it in memory, and its bytes. */
#include "fuzz/fuzz.h"
#include "support/ask.h"
#include "support/rowset.h"

static const uint32_t types[] = {
    16,   17,   18,   19,   20,   21,   23,   25,   26,     114,  142,  600,  650,
    700,  701,  774,  790,  829,  869,  1042, 1043, 1082,   1083, 1114, 1184, 1186,
    1266, 1560, 1562, 1700, 2950, 3220, 3802, 3904, 3906,   3908, 3910, 3912, 3926,
    4451, 4532, 1007, 1009, 1231, 1115, 2249, 2287, 123456, 0,
};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    uint8_t kind = fuzz_byte(&data, &size);
    uint8_t type = fuzz_byte(&data, &size);
    int scale = fuzz_byte(&data, &size) % 32 - 8;
    char behind = (char)fuzz_byte(&data, &size);
    evpq_result *r =
        rowset_of_value(types[type % (sizeof types / sizeof *types)], kind & 1, data, size, behind);
    if (r)
        fuzz_holds(ask_everything(r, scale));
    evpq_result_unref(r);
    return 0;
}
