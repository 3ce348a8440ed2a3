/* Facts about option rows: names, sizes, and whether a table is sound. Reads no values of users. */
#include "option_table.h"
#include "option_read.h"
#include "suggest.h"

#include <string.h>

const char *const option_own_keys[] = {"source", "transform", "sink", "from", "on_reject", "max_rejects", NULL};

bool option_is_own(const char *key)
{
    return g_strv_contains(option_own_keys, key);
}

const SfOption *option_find(const SfOption *options, size_t n, const char *name)
{
    for (size_t i = 0; i < n; i++)
        if (g_str_equal(option_name(&options[i]), name))
            return &options[i];
    return NULL;
}

char *option_suggest(const SfOption *options, size_t n, const char *const *more, const char *name)
{
    char suggestion[128];
    g_autoptr(GPtrArray) words = g_ptr_array_new();
    for (size_t i = 0; i < n; i++)
        if (!options[i].deprecated_by)
            g_ptr_array_add(words, (gpointer) option_name(&options[i]));
    for (; more && *more; more++)
        g_ptr_array_add(words, (gpointer) *more);
    const char *const *list = (const char *const *) words->pdata;
    return g_strdup(sf_suggest(name, list, words->len, suggestion, sizeof suggestion));
}

size_t option_field_size(SfOptionType type)
{
    switch (type) {
    case SF_OPTION_TYPE_BOOL:
        return sizeof(bool);
    case SF_OPTION_TYPE_ENUM:
        return sizeof(int32_t);
    case SF_OPTION_TYPE_LIST:
        return sizeof(SfList);
    case SF_OPTION_TYPE_MAP:
        return sizeof(SfMap);
    default:
        return 8; /* int64_t, double and pointers */
    }
}

const char *option_type_name(SfOptionType type)
{
    static const char *const names[] = {
        [SF_OPTION_TYPE_STRING] = "string", [SF_OPTION_TYPE_INT] = "int",   [SF_OPTION_TYPE_FLOAT] = "float",
        [SF_OPTION_TYPE_BOOL] = "bool",     [SF_OPTION_TYPE_SIZE] = "size", [SF_OPTION_TYPE_DURATION] = "duration",
        [SF_OPTION_TYPE_ENUM] = "enum",     [SF_OPTION_TYPE_LIST] = "list", [SF_OPTION_TYPE_MAP] = "map",
        [SF_OPTION_TYPE_SECRET] = "secret", [SF_OPTION_TYPE_TREE] = "tree",
    };
    return type >= SF_OPTION_TYPE_STRING && type <= SF_OPTION_TYPE_TREE ? names[type] : NULL;
}

/* A text of the row's own must read like a user's. */
static char *text_problem(const SfOption *option, const char *what, const char *text)
{
    union {
        gint64 number;
        SfList list;
        SfMap map;
    } field = {0};
    g_autoptr(OptionArena) arena = option_arena_new();
    g_autofree char *problem = text ? option_read_text(arena, option, text, &field) : NULL;
    return problem ? g_strdup_printf("option '%s': its %s: %s", option_name(option), what, problem) : NULL;
}

char *option_row_problem(const SfOption *option, size_t state_size)
{
    const char *name = option_name(option);
    if (!option_type_name(option->type))
        return g_strdup_printf("option '%s' has type number %d, which this sfrun does not know; a newer sfrun may",
                               name, (int) option->type);
    size_t size = option_field_size(option->type);
    if (size > state_size || option->offset > state_size - size)
        return g_strdup_printf("option '%s' lies outside of the plugin's state", name);
    if (option->type == SF_OPTION_TYPE_ENUM && (!option->words || !option->words[0]))
        return g_strdup_printf("option '%s' is an enum without words", name);
    char *problem = text_problem(option, "min", option->min);
    if (!problem)
        problem = text_problem(option, "max", option->max);
    return problem ? problem : text_problem(option, "default", option->value);
}
