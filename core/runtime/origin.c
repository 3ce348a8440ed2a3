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

const char *origin_keep(GHashTable *origins, const char *text)
{
    if (!is_origin(text))
        return NULL;
    if (!g_hash_table_contains(origins, text))
        g_hash_table_add(origins, g_strdup(text));
    return g_hash_table_lookup(origins, text);
}
