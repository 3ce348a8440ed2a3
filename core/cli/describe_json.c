/* A plugin as a JSON object, for programs. */
#include "describe.h"
#include "config/option_read.h"
#include "config/option_table.h"
#include "config/parse.h"
#include "config/yaml.h"

#include <json-c/json.h>
#include <string.h>

static struct json_object *tree_json(const SfValue *value)
{
    switch (sf_value_kind(value)) {
    case SF_VALUE_LIST: {
        struct json_object *list = json_object_new_array();
        for (size_t i = 0; i < sf_value_size(value); i++)
            json_object_array_add(list, tree_json(sf_value_at(value, i)));
        return list;
    }
    case SF_VALUE_MAP: {
        struct json_object *map = json_object_new_object();
        for (size_t i = 0; i < sf_value_size(value); i++)
            json_object_object_add(map, sf_value_text(sf_value_key(value, i)), tree_json(sf_value_at(value, i)));
        return map;
    }
    default:
        return sf_value_text(value) ? json_object_new_string(sf_value_text(value)) : NULL;
    }
}

static struct json_object *yaml_json(const char *text)
{
    g_autoptr(Diagnostics) diagnostics = diagnostics_new();
    g_autoptr(Document) document = yaml_load_text(text, strlen(text), "text", diagnostics);
    return document ? tree_json(document_root(document)) : json_object_new_string(text);
}

struct json_object *describe_value(const SfOption *option, const char *text)
{
    gint64 number = 0;
    double real = 0;
    bool truth = false;
    if (option->type == SF_OPTION_TYPE_INT && parse_int(text, &number))
        return json_object_new_int64(number);
    if (option->type == SF_OPTION_TYPE_FLOAT && parse_float(text, &real))
        return json_object_new_double_s(real, text);
    if (option->type == SF_OPTION_TYPE_BOOL && parse_bool(text, &truth))
        return json_object_new_boolean(truth);
    bool is_yaml = option->type == SF_OPTION_TYPE_LIST || option->type == SF_OPTION_TYPE_MAP ||
                   option->type == SF_OPTION_TYPE_TREE;
    return is_yaml ? yaml_json(text) : json_object_new_string(text);
}

static void describe_add_text(struct json_object *object, const char *key, const char *text)
{
    if (text)
        json_object_object_add(object, key, json_object_new_string(text));
}

static struct json_object *option_json(const SfOption *option)
{
    struct json_object *object = json_object_new_object();
    describe_add_text(object, "name", option_name(option));
    describe_add_text(object, "type", option_type_name(option->type));
    json_object_object_add(object, "required", json_object_new_boolean(option->required));
    if (option->value)
        json_object_object_add(object, "default", describe_value(option, option->value));
    describe_add_text(object, "min", option->min);
    describe_add_text(object, "max", option->max);
    if (option->words) {
        struct json_object *words = json_object_new_array();
        for (size_t i = 0; option->words[i]; i++)
            json_object_array_add(words, json_object_new_string(option->words[i]));
        json_object_object_add(object, "words", words);
    }
    describe_add_text(object, "doc", option->doc);
    describe_add_text(object, "example", option->example);
    describe_add_text(object, "since", option->since);
    describe_add_text(object, "deprecated_by", option->deprecated_by);
    return object;
}

struct json_object *describe_json(const Plugin *plugin)
{
    const SfHead *head = &plugin->head;
    struct json_object *object = json_object_new_object();
    struct json_object *options = json_object_new_array();
    describe_add_text(object, "name", head->name);
    describe_add_text(object, "kind", describe_kind(plugin->kind));
    describe_add_text(object, "version", head->version);
    describe_add_text(object, "summary", head->summary);
    describe_add_text(object, "delivery", describe_delivery(plugin));
    describe_add_text(object, "doc", head->doc);
    describe_add_text(object, "module", plugin->path);
    for (guint i = 0; i < plugin->options->len; i++)
        json_object_array_add(options, option_json(&g_array_index(plugin->options, SfOption, i)));
    json_object_object_add(object, "options", options);
    return object;
}
