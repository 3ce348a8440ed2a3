/* Any text as the value of an option of any type: never a crash, and what was read keeps the row's bounds. The first
 * byte chooses the row. */
#include <glib.h>
#include <string.h>

#include "fuzz.h"
#include "config/options.h"

static const char *const words[] = {"one", "two", NULL};

static const SfOption rows[] = {
    {.field = "string", .type = SF_OPTION_TYPE_STRING},
    {.field = "int", .type = SF_OPTION_TYPE_INT, .min = "-5", .max = "1_000"},
    {.field = "float", .type = SF_OPTION_TYPE_FLOAT, .min = "0", .max = "1"},
    {.field = "bool", .type = SF_OPTION_TYPE_BOOL},
    {.field = "size", .type = SF_OPTION_TYPE_SIZE, .max = "1GiB"},
    {.field = "duration", .type = SF_OPTION_TYPE_DURATION, .max = "7d"},
    {.field = "ms", .name = "interval.ms", .type = SF_OPTION_TYPE_DURATION, .min = "-1", .max = "1h"},
    {.field = "enum", .type = SF_OPTION_TYPE_ENUM, .words = words},
    {.field = "list", .type = SF_OPTION_TYPE_LIST},
    {.field = "map", .type = SF_OPTION_TYPE_MAP, .words = words},
    {.field = "tree", .type = SF_OPTION_TYPE_TREE},
};

typedef union Field {
    gint64 number;
    double real;
    bool truth;
    gint32 word;
    const char *text;
    SfList list;
    SfMap map;
} Field;

static void assert_bounds(const SfOption *option, const Field *field)
{
    if (option->type == SF_OPTION_TYPE_INT)
        g_assert_true(field->number >= -5 && field->number <= 1000);
    if (option->type == SF_OPTION_TYPE_FLOAT)
        g_assert_true(field->real >= 0 && field->real <= 1);
    if (option->type == SF_OPTION_TYPE_SIZE)
        g_assert_true(field->number >= 0 && field->number <= 1 << 30);
    if (option->type == SF_OPTION_TYPE_DURATION)
        g_assert_true(field->number >= -1 && field->number <= 7 * 86400 * G_GINT64_CONSTANT(1000));
    if (option->type == SF_OPTION_TYPE_ENUM)
        g_assert_true(field->word == 0 || field->word == 1);
    for (size_t i = 0; option->type == SF_OPTION_TYPE_MAP && i < field->map.size; i++)
        g_assert_true(g_strv_contains(words, field->map.pairs[i].key) && field->map.pairs[i].value);
}

static void read_with_and_without_a_row(const SfOption *option, const char *text)
{
    Field field = {0};
    char suggestion[64];
    char *file = NULL;
    int line, column;
    g_autoptr(OptionArena) arena = option_arena_new();
    g_autofree char *problem = option_read_text(arena, option, text, &field);
    if (!problem)
        assert_bounds(option, &field);
    g_assert_true(strlen(sf_suggest(text, words, 2, suggestion, sizeof suggestion)) < sizeof suggestion);
    g_assert_true(diagnostic_split(text, &file, &line, &column) <= text + strlen(text));
    g_free(file);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size == 0)
        return 0;
    g_autofree char *text = g_strndup((const char *) data + 1, size - 1);
    read_with_and_without_a_row(&rows[data[0] % G_N_ELEMENTS(rows)], text);
    return 0;
}
