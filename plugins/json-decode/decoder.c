/* What every part of decoding needs. */
#include "decoder.h"

__attribute__((cold, noinline)) const char *decode_fail(Decoder *decoder, DecodeFault fault, const Field *field,
                                                        const char *place)
{
    decoder->fault = fault;
    decoder->field = field;
    decoder->place = place;
    return NULL;
}

bool decode_reserve(Decoder *decoder, size_t size)
{
    if (size <= decoder->scratch_size)
        return true;
    char *grown = g_try_realloc(decoder->scratch, size);
    if (!grown) {
        decode_fail(decoder, FAULT_NO_MEMORY, NULL, NULL);
        return false;
    }
    decoder->scratch = grown;
    decoder->scratch_size = size;
    return true;
}
