/* Reading conditions, and holding them against rows. */
#include "when.h"

#include <string.h>

typedef struct Wanted {
    bool null;
    const char *text; /* text only */
    gsize size;
    int64_t number; /* whole numbers; 0 and 1 for false and true */
} Wanted;

typedef struct Condition {
    guint source;
    SfType type;
    guint rule;     /* all conditions of a rule hold, or it does not */
    GArray *wanted; /* Wanted: any */
} Condition;

struct When {
    GArray *conditions; /* Condition, rule by rule */
};

static void condition_clear(gpointer data)
{
    g_array_unref(((Condition *) data)->wanted);
}

void when_free(When *when)
{
    if (!when)
        return;
    g_array_unref(when->conditions);
    g_free(when);
}

typedef struct WhenParse {
    When *when;
    const char *name;
    GStringChunk *text;
    WhenFind find;
    gpointer data;
} WhenParse;

static SfStatus parse_wanted(const WhenParse *parse, Condition *condition, const SfValue *value, SfError *err)
{
    Wanted wanted = {.null = sf_value_kind(value) == SF_VALUE_NULL};
    const char *text = sf_value_text(value);
    gint64 number = 0;
    if (!wanted.null && sf_value_kind(value) != SF_VALUE_SCALAR)
        return sf_value_fail(value, err, "%s: a value is a text, a whole number, true, false or null", parse->name);
    switch (wanted.null ? SF_UTF8 : condition->type) {
    case SF_UTF8:
        wanted.text = g_string_chunk_insert(parse->text, text ? text : "");
        wanted.size = strlen(wanted.text);
        break;
    case SF_BOOL:
        if (strcmp(text, "true") != 0 && strcmp(text, "false") != 0)
            return sf_value_fail(value, err, "%s: '%s' is neither true nor false", parse->name, text);
        wanted.number = strcmp(text, "true") == 0;
        break;
    case SF_INT32:
    case SF_INT64:
        if (!g_ascii_string_to_signed(text, 10, G_MININT64, G_MAXINT64, &number, NULL))
            return sf_value_fail(value, err, "%s: '%s' is not a whole number", parse->name, text);
        wanted.number = number;
        break;
    default:
        return sf_value_fail(value, err, "%s: a column of type %s is compared with null only", parse->name,
                             sf_type_name(condition->type));
    }
    g_array_append_val(condition->wanted, wanted);
    return SF_OK;
}

static SfStatus parse_condition(const WhenParse *parse, guint rule, const SfValue *key, const SfValue *value,
                                SfError *err)
{
    Condition condition = {.rule = rule};
    SF_TRY(parse->find(parse->data, sf_value_text(key), key, &condition.source, &condition.type, err));
    condition.wanted = g_array_new(FALSE, FALSE, sizeof(Wanted));
    g_array_append_val(parse->when->conditions, condition);
    if (sf_value_kind(value) != SF_VALUE_LIST)
        return parse_wanted(parse, &condition, value, err);
    if (sf_value_size(value) == 0)
        return sf_value_fail(value, err, "%s: the list of values is empty", parse->name);
    for (gsize i = 0; i < sf_value_size(value); i++)
        SF_TRY(parse_wanted(parse, &condition, sf_value_at(value, i), err));
    return SF_OK;
}

static SfStatus parse_when_rule(const WhenParse *parse, guint rule, const SfValue *map, SfError *err)
{
    if (sf_value_kind(map) != SF_VALUE_MAP || sf_value_size(map) == 0)
        return sf_value_fail(map, err, "%s is a map of columns to values, such as {op: d}, or a list of such maps",
                             parse->name);
    for (gsize i = 0; i < sf_value_size(map); i++)
        SF_TRY(parse_condition(parse, rule, sf_value_key(map, i), sf_value_at(map, i), err));
    return SF_OK;
}

SfStatus when_parse(const SfValue *value, const char *name, GStringChunk *text, WhenFind find, gpointer data,
                    When **out, SfError *err)
{
    g_autoptr(When) when = g_new0(When, 1);
    when->conditions = g_array_new(FALSE, FALSE, sizeof(Condition));
    g_array_set_clear_func(when->conditions, condition_clear);
    WhenParse parse = {.when = when, .name = name, .text = text, .find = find, .data = data};
    bool list = sf_value_kind(value) == SF_VALUE_LIST && sf_value_size(value) > 0;
    for (gsize i = 0; i < (list ? sf_value_size(value) : 1); i++)
        SF_TRY(parse_when_rule(&parse, (guint) i, list ? sf_value_at(value, i) : value, err));
    *out = g_steal_pointer(&when);
    return SF_OK;
}

static bool is_wanted_value(const Condition *condition, const Wanted *wanted, const SfColumn *view, int64_t row)
{
    if (wanted->null || sf_is_null(view, row))
        return wanted->null && sf_is_null(view, row);
    if (condition->type == SF_UTF8) {
        SfBytes bytes = sf_bytes(view, row);
        return (gsize) bytes.size == wanted->size &&
               (wanted->size == 0 || memcmp(bytes.data, wanted->text, wanted->size) == 0);
    }
    if (condition->type == SF_BOOL)
        return sf_bool(view, row) == (wanted->number != 0);
    return (condition->type == SF_INT32 ? sf_i32(view, row) : sf_i64(view, row)) == wanted->number;
}

static bool condition_holds(const Condition *condition, const SfColumn *views, int64_t row)
{
    for (guint i = 0; i < condition->wanted->len; i++)
        if (is_wanted_value(condition, &g_array_index(condition->wanted, Wanted, i), &views[condition->source], row))
            return true;
    return false;
}

bool when_holds(const When *when, const SfColumn *views, int64_t row)
{
    for (guint i = 0; i < when->conditions->len;) {
        guint rule = g_array_index(when->conditions, Condition, i).rule;
        bool all = true;
        for (; i < when->conditions->len && g_array_index(when->conditions, Condition, i).rule == rule; i++)
            all = all && condition_holds(&g_array_index(when->conditions, Condition, i), views, row);
        if (all)
            return true;
    }
    return false;
}
