/* One option row and one value → one typed field, with every complaint in the user's words. */
#include "option_read.h"
#include "suggest.h"
#include "yaml.h"
#include "option_name.h"
#include "parse.h"
#include "secret.h"
#include "value.h"

#include <string.h>

struct OptionArena {
    GPtrArray *blocks;
    GPtrArray *secrets;
    GPtrArray *documents; /* of defaults that are lists, maps or trees */
};

static void free_document(gpointer document)
{
    document_free(document);
}

OptionArena *option_arena_new(void)
{
    OptionArena *arena = g_new0(OptionArena, 1);
    arena->blocks = g_ptr_array_new_with_free_func(g_free);
    arena->secrets = g_ptr_array_new_with_free_func(secret_free);
    arena->documents = g_ptr_array_new_with_free_func(free_document);
    return arena;
}

void option_arena_free(OptionArena *arena)
{
    if (!arena)
        return;
    g_ptr_array_unref(arena->blocks);
    g_ptr_array_unref(arena->secrets);
    g_ptr_array_unref(arena->documents);
    g_free(arena);
}

static gpointer keep(OptionArena *arena, gpointer block)
{
    g_ptr_array_add(arena->blocks, block);
    return block;
}

static const char *keep_secret(OptionArena *arena, char *secret)
{
    g_ptr_array_add(arena->secrets, secret);
    return secret;
}

/* ---- scalars ---------------------------------------------- */

static bool takes_bare_ms(const SfOption *option)
{
    return g_str_has_suffix(option_name(option), ".ms");
}

static char *bool_problem(const char *shown, const char *text)
{
    static const char *const yes[] = {"yes", "Yes", "on", "On", "y", "1", NULL};
    static const char *const no[] = {"no", "No", "off", "Off", "n", "0", NULL};
    const char *hint = g_strv_contains(yes, text) ? "; write true" : g_strv_contains(no, text) ? "; write false" : "";
    return g_strdup_printf("%s is neither true nor false%s", shown, hint);
}

static char *duration_problem(const char *shown, const char *text)
{
    gint64 bare = 0;
    if (parse_int(text, &bare) && bare >= 0)
        return g_strdup_printf("%s has no unit; write %ss or %sms", shown, text, text);
    return g_strdup_printf("%s is not a duration, such as 250ms, 5s, 10m, 1h or 7d", shown);
}

static char *enum_problem(const SfOption *option, const char *shown, const char *text)
{
    char suggestion[128];
    g_autofree char *words = g_strjoinv(", ", (char **) option->words);
    sf_suggest(text, option->words, g_strv_length((char **) option->words), suggestion, sizeof suggestion);
    return g_strdup_printf("%s is not one of %s%s", shown, words, suggestion);
}

static char *scalar_problem(const SfOption *option, const char *text)
{
    g_autofree char *shown = text_shown(text);
    switch (option->type) {
    case SF_OPTION_TYPE_INT:
        return g_strdup_printf("%s is not a whole number", shown);
    case SF_OPTION_TYPE_FLOAT:
        return g_strdup_printf("%s is not a number, such as 0.25", shown);
    case SF_OPTION_TYPE_BOOL:
        return bool_problem(shown, text);
    case SF_OPTION_TYPE_SIZE:
        return g_strdup_printf("%s is not a size, such as 512, 64KiB or 8MiB", shown);
    case SF_OPTION_TYPE_DURATION:
        return duration_problem(shown, text);
    default:
        return enum_problem(option, shown, text);
    }
}

static bool parse_word(const SfOption *option, const char *text, gint32 *out)
{
    for (gint32 i = 0; option->words[i]; i++) {
        if (g_str_equal(option->words[i], text)) {
            *out = i;
            return true;
        }
    }
    return false;
}

/* The types that are one number in the state; false when the text is not one. */
static bool option_parse_number(const SfOption *option, const char *text, gint64 *out)
{
    switch (option->type) {
    case SF_OPTION_TYPE_INT:
        return parse_int(text, out);
    case SF_OPTION_TYPE_SIZE:
        return parse_size(text, out);
    default:
        return (takes_bare_ms(option) && parse_int(text, out)) || parse_duration(text, out);
    }
}

/* Sizes and durations are not negative unless the row says that they may be. */
static char *number_bounds(const SfOption *option, const char *text, gint64 value)
{
    gint64 least = 0, most = 0;
    const char *min = option->min;
    if (!min && option->type != SF_OPTION_TYPE_INT)
        min = "0";
    g_autofree char *shown = text_shown(text);
    if (min && option_parse_number(option, min, &least) && value < least)
        return g_strdup_printf("%s is too small; the least is %s", shown, min);
    if (option->max && option_parse_number(option, option->max, &most) && value > most)
        return g_strdup_printf("%s is too large; the most is %s", shown, option->max);
    return NULL;
}

static char *float_bounds(const SfOption *option, const char *text, double value)
{
    double least = 0, most = 0;
    g_autofree char *shown = text_shown(text);
    if (option->min && parse_float(option->min, &least) && value < least)
        return g_strdup_printf("%s is too small; the least is %s", shown, option->min);
    if (option->max && parse_float(option->max, &most) && value > most)
        return g_strdup_printf("%s is too large; the most is %s", shown, option->max);
    return NULL;
}

static char *read_scalar(const SfOption *option, const char *text, gpointer field)
{
    gint64 number = 0;
    double real = 0;
    bool truth = false;
    gint32 word = 0;
    char *problem = NULL;
    bool good = false;
    switch (option->type) {
    case SF_OPTION_TYPE_FLOAT:
        good = parse_float(text, &real);
        problem = good ? float_bounds(option, text, real) : NULL;
        break;
    case SF_OPTION_TYPE_BOOL:
        good = parse_bool(text, &truth);
        break;
    case SF_OPTION_TYPE_ENUM:
        good = parse_word(option, text, &word);
        break;
    default:
        good = option_parse_number(option, text, &number);
        problem = good ? number_bounds(option, text, number) : NULL;
    }
    if (!good || problem)
        return good ? problem : scalar_problem(option, text);
    if (option->type == SF_OPTION_TYPE_FLOAT)
        memcpy(field, &real, sizeof real);
    else if (option->type == SF_OPTION_TYPE_BOOL)
        memcpy(field, &truth, sizeof truth);
    else if (option->type == SF_OPTION_TYPE_ENUM)
        memcpy(field, &word, sizeof word);
    else
        memcpy(field, &number, sizeof number);
    return NULL;
}

/* ---- lists, maps, trees, secrets ---------------------------------------------- */

static void option_complain(const OptionReader *reader, const SfOption *option, const SfValue *value,
                            const char *problem)
{
    const char *name = option_name(option);
    diagnostics_add_option(reader->diagnostics, value, name, "option '%s': %s", name, problem);
}

static const char *kind_words(const SfValue *value)
{
    switch (value->kind) {
    case SF_VALUE_LIST:
        return "a list";
    case SF_VALUE_MAP:
        return "a map";
    default:
        return value->kind == SF_VALUE_NULL ? "nothing" : "one value";
    }
}

/* Text of an item or of a map's value; NULL after a complaint. */
static const char *plain_text(const OptionReader *reader, const SfOption *option, const SfValue *value)
{
    if (value->kind == SF_VALUE_SCALAR)
        return value->bad ? NULL : value->text;
    g_autofree char *problem = g_strdup_printf("takes text here, not %s", kind_words(value));
    if (!value->bad)
        option_complain(reader, option, value, problem);
    return NULL;
}

static bool option_read_list(const OptionReader *reader, const SfOption *option, const SfValue *value, gpointer field)
{
    bool single = value->kind == SF_VALUE_SCALAR;
    if (!single && value->kind != SF_VALUE_LIST) {
        option_complain(reader, option, value, "takes a list, not a map; write [a, b]");
        return false;
    }
    size_t n = single ? 1 : value->items->len;
    const char **items = keep(reader->arena, g_new0(const char *, n + 1));
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        const char *text = plain_text(reader, option, single ? value : sf_value_at(value, i));
        items[i] = text ? keep(reader->arena, g_strdup(text)) : "";
        good = good && text;
    }
    SfList list = {.size = n, .items = items};
    if (good)
        memcpy(field, &list, sizeof list);
    return good;
}

static bool known_key(const OptionReader *reader, const SfOption *option, const SfValue *key)
{
    if (!option->words || g_strv_contains(option->words, key->text))
        return true;
    g_autofree char *shown = text_shown(key->text);
    g_autofree char *problem = enum_problem(option, shown, key->text);
    option_complain(reader, option, key, problem);
    return false;
}

bool option_holds_secret(const char *key)
{
    return g_str_has_suffix(key, "password") || g_str_has_suffix(key, "secret") ||
           g_str_has_suffix(key, "passphrase") || g_str_has_suffix(key, "oauthbearer.config") ||
           g_str_has_suffix(key, ".pem");
}

/* With `lines`, line breaks may be in it. */
static const char *option_resolve(const OptionReader *reader, const SfOption *option, const SfValue *value,
                                  const char *text, bool lines)
{
    g_autofree char *problem = NULL;
    char *secret = reader->resolve ? secret_resolve(text, lines, &problem) : secret_copy(text, strlen(text));
    if (!secret)
        option_complain(reader, option, value, problem);
    return secret ? keep_secret(reader->arena, secret) : NULL;
}

static bool option_read_map(const OptionReader *reader, const SfOption *option, const SfValue *value, gpointer field)
{
    if (value->kind != SF_VALUE_MAP) {
        option_complain(reader, option, value, "takes a map; write {key: value}");
        return false;
    }
    size_t n = value->keys->len;
    SfPair *pairs = keep(reader->arena, g_new0(SfPair, n + 1));
    bool good = true;
    for (size_t i = 0; i < n; i++) {
        const SfValue *key = sf_value_key(value, i);
        const SfValue *item = sf_value_at(value, i);
        const char *text = plain_text(reader, option, item);
        if (text && option_holds_secret(key->text))
            text = option_resolve(reader, option, item, text, g_str_has_suffix(key->text, ".pem"));
        else if (text)
            text = keep(reader->arena, g_strdup(text));
        pairs[i] = (SfPair){.key = keep(reader->arena, g_strdup(key->text)), .value = text};
        good = known_key(reader, option, key) && text && good;
    }
    SfMap map = {.size = n, .pairs = pairs};
    if (good)
        memcpy(field, &map, sizeof map);
    return good;
}

static bool read_text(const OptionReader *reader, const SfOption *option, const SfValue *value, gpointer field)
{
    const char *text = option->type == SF_OPTION_TYPE_SECRET ? option_resolve(reader, option, value, value->text, false)
                                                             : keep(reader->arena, g_strdup(value->text));
    if (text)
        memcpy(field, &text, sizeof text);
    return text != NULL;
}

bool option_read(const OptionReader *reader, const SfOption *option, const SfValue *value, gpointer field)
{
    if (value->bad)
        return false;
    if (option->type == SF_OPTION_TYPE_TREE) {
        memcpy(field, &value, sizeof(const SfValue *));
        return true;
    }
    if (option->type == SF_OPTION_TYPE_LIST)
        return option_read_list(reader, option, value, field);
    if (option->type == SF_OPTION_TYPE_MAP)
        return option_read_map(reader, option, value, field);
    if (value->kind != SF_VALUE_SCALAR) {
        g_autofree char *problem = g_strdup_printf("takes one value, not %s", kind_words(value));
        option_complain(reader, option, value, problem);
        return false;
    }
    if (option->type == SF_OPTION_TYPE_STRING || option->type == SF_OPTION_TYPE_SECRET)
        return read_text(reader, option, value, field);
    g_autofree char *problem = read_scalar(option, value->text, field);
    if (problem)
        option_complain(reader, option, value, problem);
    return !problem;
}

/* ---- text without a file ---------------------------------------------- */

static char *read_yaml_text(OptionArena *arena, const SfOption *option, const char *text, gpointer field)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    OptionReader reader = {.arena = arena, .diagnostics = diagnostics};
    Document *document = yaml_load_text(text, strlen(text), "text", diagnostics);
    if (document) {
        g_ptr_array_add(arena->documents, document);
        option_read(&reader, option, document_root(document), field);
    }
    return diagnostics_any(diagnostics) ? diagnostic_line(diagnostics->errors->pdata[0], NULL) : NULL;
}

char *option_read_text(OptionArena *arena, const SfOption *option, const char *text, gpointer field)
{
    switch (option->type) {
    case SF_OPTION_TYPE_STRING:
    case SF_OPTION_TYPE_SECRET: {
        const char *copy = keep(arena, g_strdup(text));
        memcpy(field, &copy, sizeof copy);
        return NULL;
    }
    case SF_OPTION_TYPE_LIST:
    case SF_OPTION_TYPE_MAP:
    case SF_OPTION_TYPE_TREE:
        return read_yaml_text(arena, option, text, field);
    default:
        return read_scalar(option, text, field);
    }
}
