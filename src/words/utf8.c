/* utf8.c - see utf8.h. */
#include "words/utf8.h"

int utf8_read(const char *text, size_t n, uint32_t *ret_code)
{
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    uint8_t first = n ? (uint8_t)*text : 0x80;
    int size = first < 0x80 ? 1 : first < 0xc0 ? 0 : first < 0xe0 ? 2 : first < 0xf0 ? 3 : 4;
    if (!size || first >= 0xf8 || n < (size_t)size)
        return 0;
    uint32_t code = size == 1 ? first : first & (0xffu >> (size + 1));
    for (int i = 1; i < size; i++) {
        if (((uint8_t)text[i] & 0xc0) != 0x80)
            return 0;
        code = code << 6 | ((uint8_t)text[i] & 0x3f);
    }
    if (code < least[size] || (code >= 0xd800 && code < 0xe000) || code > 0x10ffff)
        return 0;
    *ret_code = code;
    return size;
}
