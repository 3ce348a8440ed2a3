/* Rows of events without a value, by their keys. */
#include "tombstone.h"

#include "decode.h"
#include "explain.h"
#include "json/check.h"
#include "json/write.h"

Tombstones *tombstones_new(Decoder *decoder, const GPtrArray *fields, SfColumnBuilder *column)
{
    Tombstones *tombstones = g_new0(Tombstones, 1);
    tombstones->decoder = decoder;
    tombstones->fields = g_ptr_array_new();
    tombstones->others = g_ptr_array_new();
    tombstones->text = g_string_new(NULL);
    tombstones->column = column;
    for (guint i = 0; i < fields->len; i++) {
        Field *field = g_ptr_array_index(fields, i);
        g_ptr_array_add(field->key ? tombstones->fields : tombstones->others, field->key ? field->key : field);
    }
    tombstones->root = level_new(tombstones->fields);
    decoder->tombstone = column;
    return tombstones;
}

void tombstones_free(Tombstones *tombstones)
{
    if (!tombstones)
        return;
    level_free(tombstones->root);
    g_ptr_array_unref(tombstones->fields);
    g_ptr_array_unref(tombstones->others);
    g_string_free(tombstones->text, TRUE);
    g_free(tombstones);
}

/* Fields that take the whole key, and those of its members. */
static bool decode_key(const Tombstones *tombstones, const char *p)
{
    Decoder *decoder = tombstones->decoder;
    const GPtrArray *whole = tombstones->root->whole.fields;
    p = json_scan_space(&decoder->scan, p);
    if (whole->len < tombstones->fields->len) {
        decoder->node = NULL;
        if (p == decoder->scan.end || *p != '{')
            return decode_fail(decoder, FAULT_NO_OBJECT, NULL, p);
        if (!decode_object(decoder, tombstones->root, NULL, p))
            return false;
    }
    for (guint i = 0; i < whole->len; i++)
        if (!decode_field(decoder, g_ptr_array_index(whole, i), p))
            return false;
    return true;
}

/* What is no JSON is a plain text, as StringSerializer writes keys; false: no UTF-8 either. */
static bool as_json(Tombstones *tombstones, const char **key, size_t *size)
{
    if (json_valid(*key, *size, NULL, NULL))
        return true;
    if (!sf_is_utf8(*key, (int64_t) *size))
        return false;
    g_string_truncate(tombstones->text, 0);
    json_write_text(tombstones->text, *key, *size);
    *key = tombstones->text->str;
    *size = tombstones->text->len;
    return true;
}

SfStatus tombstones_event(Tombstones *tombstones, const char *key, size_t size, SfError *err)
{
    Decoder *decoder = tombstones->decoder;
    SfError cause;
    if (!as_json(tombstones, &key, &size))
        return sf_fail(err, SF_REJECT, "a tombstone's key: neither JSON nor UTF-8");
    decoder->scan = (JsonScan){.end = key + size};
    if (decode_key(tombstones, key)) {
        for (guint i = 0; i < tombstones->others->len; i++)
            sf_add_null(((Field *) g_ptr_array_index(tombstones->others, i))->column);
        sf_add_bool(tombstones->column, true);
        return sf_builder_end_row(decoder->builder, err);
    }
    sf_builder_rollback(decoder->builder);
    if (decoder->fault == FAULT_NO_MEMORY)
        return sf_fail(err, SF_FATAL, "out of memory for a text of a key");
    decode_explain(decoder, key, &cause);
    return sf_fail(err, SF_REJECT, "a tombstone's key: %s", cause.message);
}
