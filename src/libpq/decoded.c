/* decoded.c - the getter for types that a program brings a codec for. */
#include "libpq/place.h"
#include "values/codec.h"

bool evpq_result_decoded(const evpq_types *types, const evpq_result *r, int row, int column,
                         void *ret_value)
{
    const struct place at = {r, row, column, "what a codec reads"};
    struct value v;
    if (!place_find_known(&at, &v))
        return false;
    const struct codec *codec = types ? codec_of(types, v.type) : NULL;
    if (!codec || !codec->is.decode)
        return place_fits(&at, VALUE_WRONG_TYPE);
    size_t length;
    const void *bytes = evpq_result_raw(r, row, column, &length); /* a zero byte is behind these */
    if (!bytes)
        return false;
    if (!codec->is.decode(bytes, length, v.binary, ret_value, codec->is.arg))
        return place_fits(&at, VALUE_MALFORMED);
    return true;
}
