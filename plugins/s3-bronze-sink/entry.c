/* Ledger entries as JSON. They come from a bucket that others may write to, so reading believes nothing. */
#include <inttypes.h>

#include "bronze.h"

#define ENTRY_VERSION 1

static void add_text(json_object *object, const char *name, const char *text)
{
    json_object_object_add(object, name, json_object_new_string(text));
}

static void add_number(json_object *object, const char *name, int64_t number)
{
    json_object_object_add(object, name, json_object_new_int64(number));
}

static json_object *parse(GBytes *body)
{
    gsize size;
    const char *text = g_bytes_get_data(body, &size);
    json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
    json_object *json = size <= INT32_MAX ? json_tokener_parse_ex(tokener, text ? text : "", (int) size) : NULL;
    json_tokener_free(tokener);
    return json;
}

static GBytes *print(json_object *json)
{
    const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    return g_bytes_new(text, strlen(text));
}

static json_object *object_to_json(const Object *object)
{
    json_object *json = json_object_new_object();
    add_text(json, "key", object->key);
    add_number(json, "first", object->first);
    add_number(json, "last", object->last);
    add_number(json, "rows", object->rows);
    add_number(json, "bytes", (int64_t) object_bytes(object));
    add_number(json, "crc32", object->crc32);
    return json;
}

GBytes *entry_make(SfNode *node, const Chain *chain, const Pending *pending)
{
    const Bronze *bronze = bronze_of(node);
    json_object *json = json_object_new_object();
    json_object *objects = json_object_new_array();
    int64_t rows = 0;
    for (guint i = 0; i < pending->objects->len; i++) {
        rows += ((Object *) pending->objects->pdata[i])->rows;
        json_object_array_add(objects, object_to_json(pending->objects->pdata[i]));
    }
    add_number(json, "version", ENTRY_VERSION);
    add_text(json, "pipeline", node->pipeline);
    add_text(json, "step", node->step);
    add_text(json, "split", chain->split->name);
    add_text(json, "topic", chain->split->topic ? chain->split->topic : chain->split->name);
    add_number(json, "partition", chain->split->partition);
    if (sf_origin(node, chain->split))
        add_text(json, "origin", sf_origin(node, chain->split));
    add_number(json, "start", pending->start);
    add_number(json, "end", pending->end);
    add_text(json, "reason", chain->reason);
    add_number(json, "rows", rows);
    add_number(json, "rejected", pending->rejected);
    json_object_object_add(json, "objects", objects);
    json_object_object_add(json, "layout", layout_to_json(&bronze->layout));
    add_text(json, "writer", bronze->writer);
    GBytes *body = print(json);
    json_object_put(json);
    return body;
}

GBytes *entry_amended(const Entry *entry, const GPtrArray *objects)
{
    json_object *json = parse(entry->body), *list = NULL;
    int64_t rows = 0;
    json_object_object_get_ex(json, "objects", &list);
    for (guint i = 0; i < objects->len; i++) {
        const Object *object = objects->pdata[i];
        json_object *as = json_object_array_get_idx(list, i);
        rows += object ? object->rows : g_array_index(entry->objects, EntryObject, i).rows;
        if (!object)
            continue;
        add_number(as, "rows", object->rows);
        add_number(as, "bytes", (int64_t) object_bytes(object));
        add_number(as, "crc32", object->crc32);
    }
    add_number(json, "rows", rows);
    GBytes *body = print(json);
    json_object_put(json);
    return body;
}

static bool take_number(json_object *object, const char *name, int64_t *out)
{
    json_object *member = NULL;
    if (!json_object_object_get_ex(object, name, &member) || !json_object_is_type(member, json_type_int))
        return false;
    *out = json_object_get_int64(member);
    return *out >= 0;
}

static bool take_object(json_object *json, EntryObject *out)
{
    json_object *key = NULL;
    int64_t crc32 = 0;
    bool good = json_object_object_get_ex(json, "key", &key) && json_object_is_type(key, json_type_string) &&
                take_number(json, "first", &out->first) && take_number(json, "last", &out->last) &&
                take_number(json, "rows", &out->rows) && take_number(json, "bytes", &out->bytes) &&
                take_number(json, "crc32", &crc32) && crc32 <= UINT32_MAX && out->first <= out->last;
    if (!good)
        return false;
    out->crc32 = (uint32_t) crc32;
    out->key = g_strdup(json_object_get_string(key));
    return true;
}

static void entry_object_clear(gpointer object)
{
    g_free(((EntryObject *) object)->key);
}

static bool take_objects(json_object *json, Entry *entry)
{
    json_object *objects = NULL;
    if (!json_object_object_get_ex(json, "objects", &objects) || !json_object_is_type(objects, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(objects); i++) {
        EntryObject object;
        if (!take_object(json_object_array_get_idx(objects, i), &object))
            return false;
        g_array_append_val(entry->objects, object);
    }
    return true;
}

static SfStatus take_entry(json_object *json, Entry *entry, SfError *err)
{
    json_object *step = NULL, *layout = NULL, *split = NULL, *origin = NULL;
    int64_t version = 0;
    if (!take_number(json, "version", &version) || version != ENTRY_VERSION)
        return sf_fail(err, SF_CONFIG, "it is none, or of a newer version");
    bool good = json_object_object_get_ex(json, "step", &step) && json_object_is_type(step, json_type_string) &&
                take_number(json, "start", &entry->start) && take_number(json, "end", &entry->end) &&
                take_number(json, "rejected", &entry->rejected) && entry->start < entry->end &&
                take_objects(json, entry) && json_object_object_get_ex(json, "layout", &layout);
    if (!good)
        return sf_fail(err, SF_CONFIG, "it lacks a part, or has one that is wrong");
    entry->step = g_strdup(json_object_get_string(step));
    if (json_object_object_get_ex(json, "split", &split))
        entry->split = g_strdup(json_object_get_string(split));
    if (json_object_object_get_ex(json, "origin", &origin))
        entry->origin = g_strdup(json_object_get_string(origin));
    return layout_from_json(layout, &entry->layout, err);
}

Entry *entry_read(GBytes *body, const char *key, SfError *err)
{
    json_object *json = parse(body);
    g_autoptr(Entry) entry = g_new0(Entry, 1);
    entry->objects = g_array_new(FALSE, TRUE, sizeof(EntryObject));
    g_array_set_clear_func(entry->objects, entry_object_clear);
    SfStatus status = json && json_object_is_type(json, json_type_object)
                          ? take_entry(json, entry, err)
                          : sf_fail(err, SF_CONFIG, "it is no JSON object");
    json_object_put(json);
    entry->body = g_bytes_ref(body);
    if (status == SF_OK)
        return g_steal_pointer(&entry);
    sf_fail_prefix(err, status, "ledger entry '%s' cannot be used", key);
    return NULL;
}

void entry_free(Entry *entry)
{
    if (!entry)
        return;
    g_free(entry->step);
    g_free(entry->split);
    g_free(entry->origin);
    g_bytes_unref(entry->body);
    g_array_unref(entry->objects);
    if (entry->layout.path.pieces)
        layout_done(&entry->layout);
    g_free(entry);
}

char *entry_key(const Chain *chain, int64_t start)
{
    return g_strdup_printf("%s%020" PRId64 ".json", chain->ledger, start);
}

bool entry_same_cut(const Entry *a, const Entry *b)
{
    if (a->end != b->end || a->objects->len != b->objects->len)
        return false;
    for (guint i = 0; i < a->objects->len; i++) {
        const EntryObject *one = &g_array_index(a->objects, EntryObject, i);
        const EntryObject *other = &g_array_index(b->objects, EntryObject, i);
        bool same = g_str_equal(one->key, other->key) && one->rows == other->rows && one->bytes == other->bytes &&
                    one->crc32 == other->crc32;
        if (!same)
            return false;
    }
    return true;
}
