/* Ledger entries as JSON. They come from a bucket that others may write to, so reading believes nothing. */
#include "entry.h"

#include <string.h>

#define ENTRY_VERSION 1

static void entry_add_text(json_object *object, const char *name, const char *text)
{
    json_object_object_add(object, name, json_object_new_string(text));
}

static void entry_add_number(json_object *object, const char *name, int64_t number)
{
    json_object_object_add(object, name, json_object_new_int64(number));
}

static json_object *entry_parse(GBytes *body)
{
    gsize size;
    const char *text = g_bytes_get_data(body, &size);
    json_tokener *tokener = json_tokener_new();
    json_tokener_set_flags(tokener, JSON_TOKENER_VALIDATE_UTF8);
    json_object *json = size <= INT32_MAX ? json_tokener_parse_ex(tokener, text ? text : "", (int) size) : NULL;
    json_tokener_free(tokener);
    return json;
}

static GBytes *entry_print(json_object *json)
{
    const char *text = json_object_to_json_string_ext(json, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE);
    return g_bytes_new(text, strlen(text));
}

static json_object *beside_to_json(const EntryBeside *beside)
{
    json_object *json = json_object_new_object();
    entry_add_text(json, "key", beside->key);
    entry_add_number(json, "bytes", beside->bytes);
    entry_add_number(json, "crc32", beside->crc32);
    return json;
}

static void add_beside(json_object *json, const EntryObject *object)
{
    for (int i = 0; i < BESIDE_KINDS; i++)
        if (object->beside[i].key)
            json_object_object_add(json, beside_words[i], beside_to_json(&object->beside[i]));
}

static json_object *objects_to_json(const GArray *objects, int64_t *rows)
{
    json_object *list = json_object_new_array();
    for (guint i = 0; i < objects->len; i++) {
        const EntryObject *object = &g_array_index(objects, EntryObject, i);
        json_object *json = json_object_new_object();
        entry_add_text(json, "key", object->key);
        entry_add_number(json, "first", object->first);
        entry_add_number(json, "last", object->last);
        entry_add_number(json, "rows", object->rows);
        entry_add_number(json, "bytes", object->bytes);
        entry_add_number(json, "crc32", object->crc32);
        if (object->index)
            entry_add_text(json, "index", object->index);
        add_beside(json, object);
        json_object_array_add(list, json);
        *rows += object->rows;
    }
    return list;
}

GBytes *entry_write(const EntryDraft *draft)
{
    int64_t rows = 0;
    json_object *json = json_object_new_object();
    json_object *objects = objects_to_json(draft->objects, &rows);
    entry_add_number(json, "version", ENTRY_VERSION);
    entry_add_text(json, "pipeline", draft->pipeline);
    entry_add_text(json, "step", draft->step);
    entry_add_text(json, "split", draft->split);
    entry_add_text(json, "topic", draft->topic);
    entry_add_number(json, "partition", draft->partition);
    if (draft->origin)
        entry_add_text(json, "origin", draft->origin);
    entry_add_number(json, "start", draft->start);
    entry_add_number(json, "end", draft->end);
    entry_add_text(json, "reason", draft->reason);
    entry_add_number(json, "rows", rows);
    entry_add_number(json, "rejected", draft->rejected);
    json_object_object_add(json, "objects", objects);
    json_object_object_add(json, "layout", layout_to_json(draft->layout));
    entry_add_text(json, "writer", draft->writer);
    GBytes *body = entry_print(json);
    json_object_put(json);
    return body;
}

GBytes *entry_amended(const Entry *entry, const EntryObject *now)
{
    json_object *json = entry_parse(entry->body), *list = NULL;
    int64_t rows = 0;
    json_object_object_get_ex(json, "objects", &list);
    for (guint i = 0; i < entry->objects->len; i++) {
        json_object *as = json_object_array_get_idx(list, i);
        rows += now[i].rows >= 0 ? now[i].rows : g_array_index(entry->objects, EntryObject, i).rows;
        if (now[i].rows < 0)
            continue;
        entry_add_number(as, "rows", now[i].rows);
        entry_add_number(as, "bytes", now[i].bytes);
        entry_add_number(as, "crc32", now[i].crc32);
        json_object_object_del(as, "index");
        if (now[i].index)
            entry_add_text(as, "index", now[i].index);
        add_beside(as, &now[i]);
    }
    entry_add_number(json, "rows", rows);
    GBytes *body = entry_print(json);
    json_object_put(json);
    return body;
}

static bool entry_take_number(json_object *object, const char *name, int64_t *out)
{
    json_object *member = NULL;
    if (!json_object_object_get_ex(object, name, &member) || !json_object_is_type(member, json_type_int))
        return false;
    *out = json_object_get_int64(member);
    return *out >= 0;
}

static bool entry_take_text(json_object *object, const char *name, json_object **out)
{
    return json_object_object_get_ex(object, name, out) && json_object_is_type(*out, json_type_string);
}

static bool take_beside(json_object *json, const char *word, EntryBeside *out)
{
    json_object *beside = NULL, *key = NULL;
    int64_t crc32 = 0;
    if (!json_object_object_get_ex(json, word, &beside))
        return true;
    bool good = json_object_is_type(beside, json_type_object) && entry_take_text(beside, "key", &key) &&
                entry_take_number(beside, "bytes", &out->bytes) && entry_take_number(beside, "crc32", &crc32) &&
                crc32 <= UINT32_MAX;
    out->crc32 = (uint32_t) crc32;
    out->key = good ? g_strdup(json_object_get_string(key)) : NULL;
    return good;
}

static bool take_object(json_object *json, EntryObject *out)
{
    json_object *key = NULL, *index = NULL;
    int64_t crc32 = 0;
    bool good = json_object_object_get_ex(json, "key", &key) && json_object_is_type(key, json_type_string) &&
                entry_take_number(json, "first", &out->first) && entry_take_number(json, "last", &out->last) &&
                entry_take_number(json, "rows", &out->rows) && entry_take_number(json, "bytes", &out->bytes) &&
                entry_take_number(json, "crc32", &crc32) && crc32 <= UINT32_MAX && out->first <= out->last &&
                out->rows - 1 <= out->last - out->first;
    if (!good)
        return false;
    out->crc32 = (uint32_t) crc32;
    out->key = g_strdup(json_object_get_string(key));
    json_object_object_get_ex(json, "index", &index);
    out->index = json_object_is_type(index, json_type_string) ? g_strdup(json_object_get_string(index)) : NULL;
    return true;
}

static void entry_object_clear(gpointer user)
{
    EntryObject *object = user;
    g_free(object->key);
    g_free(object->index);
    for (int i = 0; i < BESIDE_KINDS; i++)
        g_free(object->beside[i].key);
}

static bool take_objects(json_object *json, Entry *entry)
{
    json_object *objects = NULL;
    if (!json_object_object_get_ex(json, "objects", &objects) || !json_object_is_type(objects, json_type_array))
        return false;
    for (size_t i = 0; i < json_object_array_length(objects); i++) {
        json_object *json_of = json_object_array_get_idx(objects, i);
        EntryObject object = {0};
        if (!take_object(json_of, &object))
            return false;
        g_array_append_val(entry->objects, object);
        EntryObject *taken = &g_array_index(entry->objects, EntryObject, i);
        for (int kind = 0; kind < BESIDE_KINDS; kind++)
            if (!take_beside(json_of, beside_words[kind], &taken->beside[kind]))
                return false;
    }
    return true;
}

static SfStatus take_entry(json_object *json, Entry *entry, SfError *err)
{
    json_object *step = NULL, *layout = NULL, *split = NULL, *origin = NULL, *topic = NULL;
    int64_t version = 0, partition = 0;
    if (!entry_take_number(json, "version", &version) || version != ENTRY_VERSION)
        return sf_fail(err, SF_CONFIG, "it has no known version: it is from a newer one, or is not a ledger entry");
    bool good = entry_take_text(json, "step", &step) && entry_take_text(json, "topic", &topic) &&
                entry_take_number(json, "partition", &partition) && partition <= INT32_MAX &&
                entry_take_number(json, "start", &entry->start) && entry_take_number(json, "end", &entry->end) &&
                entry_take_number(json, "rejected", &entry->rejected) && entry->start < entry->end &&
                take_objects(json, entry) && json_object_object_get_ex(json, "layout", &layout);
    if (!good)
        return sf_fail(err, SF_CONFIG, "a member is missing or has a wrong value");
    entry->step = g_strdup(json_object_get_string(step));
    entry->topic = g_strdup(json_object_get_string(topic));
    entry->partition = (int32_t) partition;
    if (json_object_object_get_ex(json, "split", &split))
        entry->split = g_strdup(json_object_get_string(split));
    if (json_object_object_get_ex(json, "origin", &origin))
        entry->origin = g_strdup(json_object_get_string(origin));
    return layout_from_json(layout, &entry->layout, err);
}

Entry *entry_read(GBytes *body, const char *key, SfError *err)
{
    json_object *json = entry_parse(body);
    g_autoptr(Entry) entry = g_new0(Entry, 1);
    entry->objects = g_array_new(FALSE, TRUE, sizeof(EntryObject));
    g_array_set_clear_func(entry->objects, entry_object_clear);
    SfStatus status = json && json_object_is_type(json, json_type_object)
                          ? take_entry(json, entry, err)
                          : sf_fail(err, SF_CONFIG, "it is not a JSON object");
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
    g_free(entry->topic);
    g_free(entry->split);
    g_free(entry->origin);
    g_bytes_unref(entry->body);
    g_array_unref(entry->objects);
    if (entry->layout.path.pieces)
        layout_done(&entry->layout);
    g_free(entry);
}

static bool beside_same(const EntryObject *one, const EntryObject *other)
{
    for (int i = 0; i < BESIDE_KINDS; i++) {
        const EntryBeside *a = &one->beside[i], *b = &other->beside[i];
        if (g_strcmp0(a->key, b->key) != 0 || a->bytes != b->bytes || a->crc32 != b->crc32)
            return false;
    }
    return true;
}

bool entry_same_cut(const Entry *a, const Entry *b)
{
    if (a->end != b->end || a->objects->len != b->objects->len)
        return false;
    for (guint i = 0; i < a->objects->len; i++) {
        const EntryObject *one = &g_array_index(a->objects, EntryObject, i);
        const EntryObject *other = &g_array_index(b->objects, EntryObject, i);
        bool same = g_str_equal(one->key, other->key) && one->rows == other->rows && one->bytes == other->bytes &&
                    one->crc32 == other->crc32 && beside_same(one, other);
        if (!same)
            return false;
    }
    return true;
}
