/* Texts of origins, each kept once; see origin.h. */
#include "origin.h"

#include <string.h>
#include <sf/sf.h>

static bool is_origin(const char *text)
{
    size_t size = text ? strnlen(text, SF_ORIGIN_MAX + 1) : 0;
    for (size_t i = 0; i < size; i++) {
        if (!g_ascii_isgraph(text[i]))
            return false;
    }
    return size > 0 && size <= SF_ORIGIN_MAX;
}

const char *origin_keep(GStringChunk *origins, const char *text)
{
    return is_origin(text) ? g_string_chunk_insert_const(origins, text) : NULL;
}
