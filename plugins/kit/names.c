/* One way to compare names a rule, and hash tables by it. */
#include "names.h"

static guint32 next_character(NameRule rule, const char **at)
{
    if (rule == NAMES_ANY_CASE) {
        gunichar c = g_utf8_get_char_validated(*at, -1);
        if (c <= 0x10FFFF) {
            *at = g_utf8_next_char(*at);
            return g_unichar_tolower(g_unichar_toupper(c));
        }
    }
    char c = *(*at)++;
    return (guchar) (rule == NAMES_ASCII ? g_ascii_tolower(c) : c);
}

bool name_equal(NameRule rule, const char *a, const char *b)
{
    while (*a && *b)
        if (next_character(rule, &a) != next_character(rule, &b))
            return false;
    return *a == *b;
}

static guint hash(NameRule rule, const char *name)
{
    guint32 value = 2166136261u; /* FNV-1a */
    while (*name)
        value = (value ^ next_character(rule, &name)) * 16777619u;
    return value ^ value >> 15;
}

static guint hash_exact(gconstpointer name)
{
    return hash(NAMES_EXACT, name);
}

static guint hash_ascii(gconstpointer name)
{
    return hash(NAMES_ASCII, name);
}

static guint hash_any_case(gconstpointer name)
{
    return hash(NAMES_ANY_CASE, name);
}

static gboolean equal_ascii(gconstpointer a, gconstpointer b)
{
    return name_equal(NAMES_ASCII, a, b);
}

static gboolean equal_any_case(gconstpointer a, gconstpointer b)
{
    return name_equal(NAMES_ANY_CASE, a, b);
}

NameSet *name_set_new(NameRule rule)
{
    static const struct {
        GHashFunc hash;
        GEqualFunc equal;
    } rules[] = {[NAMES_EXACT] = {hash_exact, g_str_equal},
                 [NAMES_ASCII] = {hash_ascii, equal_ascii},
                 [NAMES_ANY_CASE] = {hash_any_case, equal_any_case}};
    return g_hash_table_new_full(rules[rule].hash, rules[rule].equal, g_free, NULL);
}

bool name_set_add(NameSet *set, const char *name, gint64 number)
{
    if (g_hash_table_contains(set, name))
        return false;
    return g_hash_table_insert(set, g_strdup(name), GSIZE_TO_POINTER((gsize) number));
}

gint64 name_set_find(const NameSet *set, const char *name)
{
    gpointer number;
    bool there = g_hash_table_lookup_extended((GHashTable *) set, name, NULL, &number);
    return there ? (gint64) GPOINTER_TO_SIZE(number) : -1;
}
