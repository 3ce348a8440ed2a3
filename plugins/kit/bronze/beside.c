/* See beside.h. Lines come from a place that others may write to. */
#include "beside.h"

#include <json-c/json.h>
#include <string.h>

#include "json/check.h"
#include "json/text.h"
#include "json/value.h"

#define KEY_BASE64 "{\"key_base64\":\""

const char *const beside_words[] = {"keys", "headers", NULL};

void beside_write_key(const SfColumn *key, int64_t row, GString *out)
{
    if (!key || sf_is_null(key, row)) {
        g_string_append(out, "null");
        return;
    }
    SfBytes bytes = sf_bytes(key, row);
    if (sf_is_utf8(bytes.data, bytes.size)) {
        json_write_text(out, bytes.data, (gsize) bytes.size);
        return;
    }
    g_string_append(out, "{\"key_base64\":");
    json_write_base64(out, bytes.data, (gsize) bytes.size);
    g_string_append_c(out, '}');
}

SfStatus header_columns_init(HeaderColumns *columns, const SfBatch *batch, int64_t column, SfError *err)
{
    SfColumn element;
    SF_TRY(sf_column_at(batch, column, &columns->list, err));
    SF_TRY(sf_column_child(&columns->list, 0, &element, err));
    SF_TRY(sf_column_child(&element, 0, &columns->key, err));
    return sf_column_child(&element, 1, &columns->value, err);
}

static void write_header(const HeaderColumns *columns, int64_t row, GString *out)
{
    SfBytes key = sf_bytes(&columns->key, row);
    g_string_append(out, "{\"key\":");
    json_write_text(out, key.data, (gsize) key.size);
    if (sf_is_null(&columns->value, row)) {
        g_string_append(out, ",\"value\":null}");
        return;
    }
    SfBytes value = sf_bytes(&columns->value, row);
    if (sf_is_utf8(value.data, value.size)) {
        g_string_append(out, ",\"value\":");
        json_write_text(out, value.data, (gsize) value.size);
    } else {
        g_string_append(out, ",\"value_base64\":");
        json_write_base64(out, value.data, (gsize) value.size);
    }
    g_string_append_c(out, '}');
}

void beside_write_headers(const HeaderColumns *columns, int64_t row, GString *out)
{
    if (!columns || sf_is_null(&columns->list, row)) {
        g_string_append(out, "null");
        return;
    }
    int64_t first, n = sf_list(&columns->list, row, &first);
    g_string_append(out, "{\"headers\":[");
    for (int64_t i = 0; i < n; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        write_header(columns, first + i, out);
    }
    g_string_append(out, "]}");
}

/* ---- reading ---- */

static bool take_key(long got, char *room, const char **key, size_t *key_size)
{
    *key = room;
    *key_size = got > 0 ? (size_t) got : 0;
    return got >= 0;
}

bool beside_read_key(const char *line, size_t size, char *room, const char **key, size_t *key_size)
{
    size_t base64 = strlen(KEY_BASE64);
    if (!json_valid(line, size, NULL, NULL))
        return false;
    *key = NULL;
    *key_size = 0;
    if (size == 4 && memcmp(line, "null", 4) == 0)
        return true;
    if (line[0] == '"' && line[size - 1] == '"')
        return take_key(json_unescape(line + 1, size - 2, room), room, key, key_size);
    if (size > base64 + 1 && memcmp(line, KEY_BASE64, base64) == 0 && memcmp(line + size - 2, "\"}", 2) == 0)
        return take_key(json_read_base64(line + base64, size - base64 - 2, room), room, key, key_size);
    memcpy(room, line, size);
    return take_key((long) size, room, key, key_size);
}

static json_object *parse_line(const char *line, size_t size)
{
    json_tokener *tokener = json_tokener_new();
    json_object *json = size <= INT32_MAX ? json_tokener_parse_ex(tokener, line, (int) size) : NULL;
    json_tokener_free(tokener);
    return json;
}

static bool beside_read_value(json_object *header, SfColumnBuilder *column)
{
    json_object *value = NULL;
    bool plain = json_object_object_get_ex(header, "value", &value);
    bool packed = !plain && json_object_object_get_ex(header, "value_base64", &value);
    if (!value) {
        sf_add_null(column);
        return plain;
    }
    const char *text = json_object_get_string(value);
    size_t size =
        json_object_is_type(value, json_type_string) ? (size_t) json_object_get_string_len(value) : strlen(text);
    g_autofree char *bytes = packed ? g_malloc(size + 1) : NULL;
    long got = packed ? json_read_base64(text, size, bytes) : (long) size;
    sf_add_str(column, packed ? bytes : text, MAX(got, 0));
    return got >= 0;
}

static bool read_header(json_object *header, SfColumnBuilder *element)
{
    json_object *key = NULL;
    if (!json_object_is_type(header, json_type_object) || !json_object_object_get_ex(header, "key", &key) ||
        !json_object_is_type(key, json_type_string))
        return false;
    sf_add_str(element->children[0], json_object_get_string(key), json_object_get_string_len(key));
    bool good = beside_read_value(header, element->children[1]);
    sf_add_struct(element);
    return good;
}

static bool read_list(json_object *json, SfColumnBuilder *column)
{
    json_object *list = NULL;
    bool found = json_object_is_type(json, json_type_object) && json_object_object_get_ex(json, "headers", &list) &&
                 json_object_is_type(list, json_type_array);
    for (size_t i = 0; found && i < json_object_array_length(list); i++)
        if (!read_header(json_object_array_get_idx(list, i), column->children[0]))
            return false;
    if (found)
        sf_add_list(column);
    return found;
}

bool beside_read_headers(const char *line, size_t size, SfColumnBuilder *column)
{
    if (!json_valid(line, size, NULL, NULL))
        return false;
    if (size == 4 && memcmp(line, "null", 4) == 0) {
        sf_add_null(column);
        return true;
    }
    json_object *json = parse_line(line, size);
    bool good = read_list(json, column);
    json_object_put(json);
    return good;
}
