/* Column names as Delta compares them: without case, character by character, as Spark's resolver does
 * (java.lang.String.equalsIgnoreCase): 'Ünit' is 'ünit', but 'straße' is not 'strasse', which has other characters. */
#include "delta.h"

static gunichar fold(gunichar c)
{
    return g_unichar_tolower(g_unichar_toupper(c));
}

bool delta_name_equal(const char *a, const char *b)
{
    while (*a && *b) {
        if (*a != *b && fold(g_utf8_get_char(a)) != fold(g_utf8_get_char(b)))
            return false;
        a = g_utf8_next_char(a);
        b = g_utf8_next_char(b);
    }
    return *a == *b;
}

static char *fold_name(const char *name)
{
    g_autoptr(GString) out = g_string_sized_new(strlen(name));
    for (; *name; name = g_utf8_next_char(name))
        g_string_append_unichar(out, fold(g_utf8_get_char(name)));
    return g_string_free(g_steal_pointer(&out), FALSE);
}

DeltaNames *delta_names_new(void)
{
    return g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
}

bool delta_names_add(DeltaNames *names, const char *name, int64_t number)
{
    g_autofree char *folded = fold_name(name);
    if (g_hash_table_contains(names, folded))
        return false;
    g_hash_table_insert(names, g_steal_pointer(&folded), GSIZE_TO_POINTER((gsize) number));
    return true;
}

int64_t delta_names_find(const DeltaNames *names, const char *name)
{
    g_autofree char *folded = fold_name(name);
    gpointer number;
    bool there = g_hash_table_lookup_extended((GHashTable *) names, folded, NULL, &number);
    return there ? (int64_t) GPOINTER_TO_SIZE(number) : -1;
}

DeltaNames *delta_names_of_type(json_object *type)
{
    DeltaNames *names = delta_names_new();
    json_object *fields = delta_json_member(type, "fields", json_type_array);
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        const char *name = delta_json_text(json_object_array_get_idx(fields, i), "name");
        if (name)
            delta_names_add(names, name, (int64_t) i);
    }
    return names;
}
