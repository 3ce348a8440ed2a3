/* The JSON Schema (draft-07) of pipeline files, for editors: names, types, ranges and one-line help while people type.
 * Where JSON Schema cannot say what we mean (sizes, the graph) it is wider than `sfrun check`. */
#include "describe.h"
#include "config/option_read.h"
#include "config/settings.h"
#include "config/option_table.h"
#include "config/parse.h"

#include <json-c/json.h>

#define REFERENCE "\\$\\{" /* a scalar that holds an environment reference may become anything */
#define NAME_PATTERN "^[A-Za-z0-9_-]+$"

static void schema_add_text(struct json_object *object, const char *key, const char *text)
{
    if (text)
        json_object_object_add(object, key, json_object_new_string(text));
}

static struct json_object *typed(const char *type)
{
    struct json_object *object = json_object_new_object();
    schema_add_text(object, "type", type);
    return object;
}

static struct json_object *list_of(const char *const *words)
{
    struct json_object *list = json_object_new_array();
    for (; words && *words; words++)
        json_object_array_add(list, json_object_new_string(*words));
    return list;
}

static struct json_object *pattern(const char *text)
{
    struct json_object *object = typed("string");
    schema_add_text(object, "pattern", text);
    return object;
}

/* Plain scalars of YAML that we take as text. */
static struct json_object *scalar(void)
{
    static const char *const types[] = {"string", "number", "boolean", "null", NULL};
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "type", list_of(types));
    return object;
}

/* Or null, which takes a value back to its default. */
static struct json_object *either(struct json_object *first, struct json_object *second)
{
    struct json_object *list = json_object_new_array();
    struct json_object *object = json_object_new_object();
    json_object_array_add(list, first);
    json_object_array_add(list, second);
    json_object_array_add(list, typed("null"));
    json_object_object_add(object, "anyOf", list);
    return object;
}

static void add_bounds(struct json_object *object, const SfOption *option)
{
    if (option->min)
        json_object_object_add(object, "minimum", describe_value(option, option->min));
    if (option->max)
        json_object_object_add(object, "maximum", describe_value(option, option->max));
}

static struct json_object *number_type(const SfOption *option, const char *type, const char *text)
{
    struct json_object *object = typed(type);
    add_bounds(object, option);
    return either(object, pattern(text));
}

/* YAML's readers take the words true, false and 1 for a truth and a number. */
static struct json_object *enum_words(const char *const *words)
{
    struct json_object *list = list_of(words);
    for (; *words; words++) {
        gint64 number = 0;
        bool truth = false;
        if (parse_int(*words, &number))
            json_object_array_add(list, json_object_new_int64(number));
        else if (parse_bool(*words, &truth))
            json_object_array_add(list, json_object_new_boolean(truth));
    }
    return list;
}

static struct json_object *enum_type(const SfOption *option)
{
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "enum", enum_words(option->words));
    return either(object, pattern(REFERENCE));
}

static struct json_object *list_type(void)
{
    struct json_object *object = typed("array");
    json_object_object_add(object, "items", scalar());
    return either(object, scalar());
}

static struct json_object *map_type(const SfOption *option)
{
    struct json_object *object = typed("object");
    json_object_object_add(object, "additionalProperties", scalar());
    if (option->words) {
        struct json_object *names = json_object_new_object();
        json_object_object_add(names, "enum", list_of(option->words));
        json_object_object_add(object, "propertyNames", names);
    }
    return either(object, pattern(REFERENCE));
}

/* A map of names to scalars, or to maps whose keys are known: columns, tables. */
static struct json_object *tree_type(const SfOption *option)
{
    if (!option->words)
        return json_object_new_object();
    struct json_object *object = typed("object"), *entry = typed("object"), *members = json_object_new_object();
    for (const char *const *word = option->words; *word; word++)
        json_object_object_add(members, *word, json_object_new_object());
    json_object_object_add(entry, "properties", members);
    json_object_object_add(entry, "additionalProperties", json_object_new_boolean(false));
    json_object_object_add(object, "additionalProperties", either(entry, scalar()));
    return either(object, pattern(REFERENCE));
}

static struct json_object *option_type(const SfOption *option)
{
    switch (option->type) {
    case SF_OPTION_TYPE_INT:
        return number_type(option, "integer", "^[-+]?[0-9][0-9_]*$|" REFERENCE);
    case SF_OPTION_TYPE_FLOAT:
        return number_type(option, "number", REFERENCE);
    case SF_OPTION_TYPE_BOOL:
        return either(typed("boolean"), pattern(REFERENCE));
    case SF_OPTION_TYPE_SIZE:
        return either(typed("integer"), pattern("^[0-9][0-9_]* ?([KkMmGgTt][Ii]?)?[Bb]?$|" REFERENCE));
    case SF_OPTION_TYPE_DURATION:
        return either(typed("integer"), pattern("^([0-9]+(ms|s|m|h|d))+$|^-?[0-9]+$|" REFERENCE));
    case SF_OPTION_TYPE_ENUM:
        return enum_type(option);
    case SF_OPTION_TYPE_LIST:
        return list_type();
    case SF_OPTION_TYPE_MAP:
        return map_type(option);
    case SF_OPTION_TYPE_TREE:
        return tree_type(option);
    default:
        return scalar();
    }
}

static struct json_object *option_schema(const SfOption *option)
{
    struct json_object *object = option_type(option);
    g_autofree char *facts = describe_facts(option);
    g_autofree char *markdown = g_strdup_printf("%s\n\n*%s*", option->doc ? option->doc : "", facts);
    schema_add_text(object, "description", option->doc);
    schema_add_text(object, "markdownDescription", markdown);
    if (option->value)
        json_object_object_add(object, "default", describe_value(option, option->value));
    if (option->example) {
        struct json_object *examples = json_object_new_array();
        json_object_array_add(examples, describe_value(option, option->example));
        json_object_object_add(object, "examples", examples);
    }
    if (option->deprecated_by) {
        g_autofree char *message = g_strdup_printf("write '%s'", option->deprecated_by);
        schema_add_text(object, "deprecationMessage", message);
    }
    return object;
}

/* {"required": [NAME]} */
static struct json_object *required_name(const SfOption *option)
{
    const char *const names[] = {option_name(option), NULL};
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "required", list_of(names));
    return object;
}

/* What must be there: the option, or an old name of it. */
static struct json_object *requirement(const SfOption *options, size_t n, const SfOption *option)
{
    struct json_object *choices = json_object_new_array();
    struct json_object *object = json_object_new_object();
    json_object_array_add(choices, required_name(option));
    for (size_t i = 0; i < n; i++)
        if (g_strcmp0(options[i].deprecated_by, option_name(option)) == 0)
            json_object_array_add(choices, required_name(&options[i]));
    json_object_object_add(object, "anyOf", choices);
    return object;
}

/* An object whose properties are rows. */
static struct json_object *table_schema(const SfOption *options, size_t n)
{
    struct json_object *object = typed("object");
    struct json_object *properties = json_object_new_object();
    struct json_object *requirements = json_object_new_array();
    for (size_t i = 0; i < n; i++) {
        json_object_object_add(properties, option_name(&options[i]), option_schema(&options[i]));
        if (options[i].required)
            json_object_array_add(requirements, requirement(options, n, &options[i]));
    }
    json_object_object_add(object, "properties", properties);
    if (json_object_array_length(requirements) > 0)
        json_object_object_add(object, "allOf", requirements);
    else
        json_object_put(requirements);
    json_object_object_add(object, "additionalProperties", json_object_new_boolean(false));
    return object;
}

static struct json_object *member(struct json_object *object, const char *key)
{
    struct json_object *found = NULL;
    json_object_object_get_ex(object, key, &found);
    return found;
}

/* A plugin's step: its options, and the keys that every step has. */
static struct json_object *plugin_schema(const Plugin *plugin)
{
    size_t n = 0;
    static const char *const from[] = {"from", NULL};
    static const char *const shared[] = {"from", "on_reject", "max_rejects", NULL};
    const SfOption *own = settings_step_table(&n);
    struct json_object *object =
        table_schema((const SfOption *) (gpointer) plugin->options->data, plugin->options->len);
    struct json_object *properties = member(object, "properties");
    struct json_object *constant = json_object_new_object();
    schema_add_text(object, "description", plugin->head.summary);
    schema_add_text(constant, "const", plugin->head.name);
    json_object_object_add(properties, describe_kind(plugin->kind), constant);
    for (size_t i = 0; i < n && plugin->kind != SF_SOURCE; i++)
        if (g_strv_contains(shared, own[i].field))
            json_object_object_add(properties, option_name(&own[i]), option_schema(&own[i]));
    if (plugin->kind != SF_SOURCE)
        json_object_object_add(object, "required", list_of(from));
    return object;
}

/* {"if": {"properties": {"sink": {"const": NAME}}, "required": ["sink"]}, "then": {"$ref": …}} */
static struct json_object *plugin_case(const Plugin *plugin)
{
    const char *const kinds[] = {describe_kind(plugin->kind), NULL};
    g_autofree char *path = g_strdup_printf("#/definitions/%s", plugin->head.name);
    struct json_object *constant = json_object_new_object();
    struct json_object *properties = json_object_new_object();
    struct json_object *condition = json_object_new_object();
    struct json_object *consequence = json_object_new_object();
    struct json_object *object = json_object_new_object();
    schema_add_text(constant, "const", plugin->head.name);
    json_object_object_add(properties, kinds[0], constant);
    json_object_object_add(condition, "properties", properties);
    json_object_object_add(condition, "required", list_of(kinds));
    schema_add_text(consequence, "$ref", path);
    json_object_object_add(object, "if", condition);
    json_object_object_add(object, "then", consequence);
    return object;
}

static struct json_object *names_of(const GPtrArray *plugins, SfKind kind)
{
    struct json_object *list = json_object_new_array();
    struct json_object *object = json_object_new_object();
    for (guint i = 0; i < plugins->len; i++) {
        const Plugin *plugin = g_ptr_array_index(plugins, i);
        if (plugin->kind == kind)
            json_object_array_add(list, json_object_new_string(plugin->head.name));
    }
    json_object_object_add(object, "enum", list);
    return object;
}

static struct json_object *step_schema(const GPtrArray *plugins)
{
    static const char *const kinds[] = {"source", "transform", "sink"};
    struct json_object *object = typed("object");
    struct json_object *properties = json_object_new_object();
    struct json_object *one_of = json_object_new_array();
    struct json_object *all_of = json_object_new_array();
    for (int i = 0; i < 3; i++) {
        const char *const required[] = {kinds[i], NULL};
        struct json_object *choice = json_object_new_object();
        json_object_object_add(choice, "required", list_of(required));
        json_object_array_add(one_of, choice);
        json_object_object_add(properties, kinds[i], names_of(plugins, (SfKind) (i + 1)));
    }
    for (guint i = 0; i < plugins->len; i++)
        json_object_array_add(all_of, plugin_case(g_ptr_array_index(plugins, i)));
    json_object_object_add(object, "properties", properties);
    json_object_object_add(object, "oneOf", one_of);
    json_object_object_add(object, "allOf", all_of);
    return object;
}

static struct json_object *steps_schema(const SfOption *option)
{
    struct json_object *object = typed("object");
    struct json_object *reference = json_object_new_object();
    schema_add_text(reference, "$ref", "#/definitions/step");
    schema_add_text(object, "description", option->doc);
    json_object_object_add(object, "minProperties", json_object_new_int(1));
    json_object_object_add(object, "propertyNames", pattern(NAME_PATTERN));
    json_object_object_add(object, "additionalProperties", reference);
    return object;
}

struct json_object *describe_schema(const GPtrArray *plugins)
{
    size_t n = 0, n_checkpoint = 0, n_trigger = 0;
    const SfOption *table = settings_table(&n);
    const SfOption *checkpoint = settings_checkpoint_table(&n_checkpoint);
    const SfOption *trigger = settings_trigger_table(&n_trigger);
    struct json_object *object = table_schema(table, n);
    struct json_object *properties = member(object, "properties");
    struct json_object *definitions = json_object_new_object();
    struct json_object *own = json_object_new_object();
    schema_add_text(object, "$schema", "http://json-schema.org/draft-07/schema#");
    schema_add_text(object, "title", "Streamforge pipeline");
    json_object_object_add(own, "^x-", json_object_new_boolean(true));
    json_object_object_add(object, "patternProperties", own);
    struct json_object *beat = either(table_schema(checkpoint, n_checkpoint), option_type(&checkpoint[0]));
    schema_add_text(beat, "description", option_find(table, n, "checkpoint")->doc);
    json_object_object_add(properties, "checkpoint", beat);
    struct json_object *times = either(table_schema(trigger, n_trigger), typed("string"));
    schema_add_text(times, "description", option_find(table, n, "trigger")->doc);
    json_object_object_add(properties, "trigger", times);
    json_object_object_add(properties, "steps", steps_schema(option_find(table, n, "steps")));
    json_object_object_add(definitions, "step", step_schema(plugins));
    for (guint i = 0; i < plugins->len; i++) {
        const Plugin *plugin = g_ptr_array_index(plugins, i);
        json_object_object_add(definitions, plugin->head.name, plugin_schema(plugin));
    }
    json_object_object_add(object, "definitions", definitions);
    return object;
}
