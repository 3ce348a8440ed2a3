/* Reading access to the YAML tree (include/sf/value.h). The tree is built in yaml.c. */
#include "value.h"

#include <string.h>

static void value_free(gpointer data)
{
    SfValue *value = data;
    g_free(value->text);
    g_clear_pointer(&value->keys, g_ptr_array_unref);
    g_clear_pointer(&value->items, g_ptr_array_unref);
    g_free(value);
}

Document *document_new(const char *name)
{
    Document *document = g_new0(Document, 1);
    document->name = g_strdup(name);
    document->values = g_ptr_array_new_with_free_func(value_free);
    return document;
}

SfValue *document_add(Document *document, SfValueKind kind, int line, int column)
{
    SfValue *value = g_new0(SfValue, 1);
    value->kind = kind;
    value->file = document->name;
    value->line = line;
    value->column = column;
    value->weight = 1;
    g_ptr_array_add(document->values, value);
    return value;
}

const SfValue *document_root(const Document *document)
{
    return document->root;
}

void document_free(Document *document)
{
    if (!document)
        return;
    g_ptr_array_unref(document->values);
    g_free(document->name);
    g_free(document);
}

SfValueKind sf_value_kind(const SfValue *value)
{
    return value->kind;
}

const char *sf_value_text(const SfValue *value)
{
    return value->text;
}

size_t sf_value_size(const SfValue *value)
{
    return value->items ? value->items->len : 0;
}

const SfValue *sf_value_at(const SfValue *value, size_t index)
{
    return index < sf_value_size(value) ? g_ptr_array_index(value->items, index) : NULL;
}

const SfValue *sf_value_key(const SfValue *map, size_t index)
{
    return map->keys && index < map->keys->len ? g_ptr_array_index(map->keys, index) : NULL;
}

const SfValue *sf_value_get(const SfValue *map, const char *key)
{
    for (guint i = 0; map->keys && i < map->keys->len; i++) {
        const SfValue *candidate = g_ptr_array_index(map->keys, i);
        if (g_str_equal(candidate->text, key))
            return g_ptr_array_index(map->items, i);
    }
    return NULL;
}

const char *sf_value_file(const SfValue *value)
{
    return value->file;
}

int sf_value_line(const SfValue *value)
{
    return value->line;
}

int sf_value_column(const SfValue *value)
{
    return value->column;
}

SfStatus sf_value_fail(const SfValue *value, SfError *err, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sf_fail_v(err, SF_CONFIG, format, args);
    va_end(args);
    if (!value)
        return SF_CONFIG;
    return sf_fail_prefix(err, SF_CONFIG, "%s:%d:%d", value->file, value->line, value->column);
}
