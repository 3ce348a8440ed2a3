/* Actions as lines of a commit. */
#include "delta.h"
#include "json/write.h"

void delta_add_free(DeltaAdd *add)
{
    if (!add)
        return;
    g_free(add->key);
    if (add->values)
        g_ptr_array_unref(add->values);
    if (add->columns)
        g_ptr_array_unref(add->columns);
    g_free(add->stats);
    g_free(add);
}

static void add_action_member(const char *name, const char *text, GString *out)
{
    json_write_text(out, name, strlen(name));
    g_string_append_c(out, ':');
    if (text)
        json_write_text(out, text, strlen(text));
    else
        g_string_append(out, "null");
}

void delta_add_encode(const DeltaAdd *add, GString *out)
{
    g_autoptr(GString) path = g_string_new(NULL);
    delta_path_encode(add->key, path);
    g_string_append(out, "{\"add\":{");
    add_action_member("path", path->str, out);
    g_string_append(out, ",\"partitionValues\":{");
    for (guint i = 0; i < add->columns->len; i++) {
        if (i > 0)
            g_string_append_c(out, ',');
        add_action_member(add->columns->pdata[i], add->values->pdata[i], out);
    }
    g_string_append_printf(
        out, "},\"size\":%" G_GINT64_FORMAT ",\"modificationTime\":%" G_GINT64_FORMAT ",\"dataChange\":true,",
        add->size, add->modified_ms);
    if (add->first_row_id >= 0)
        g_string_append_printf(out,
                               "\"baseRowId\":%" G_GINT64_FORMAT ",\"defaultRowCommitVersion\":%" G_GINT64_FORMAT ",",
                               add->first_row_id, add->commit_version);
    add_action_member("stats", add->stats, out);
    g_string_append(out, "}}\n");
}

void delta_txn_encode(const char *app_id, int64_t version, int64_t now_ms, GString *out)
{
    g_string_append(out, "{\"txn\":{");
    add_action_member("appId", app_id, out);
    g_string_append_printf(out, ",\"version\":%" G_GINT64_FORMAT ",\"lastUpdated\":%" G_GINT64_FORMAT "}}\n", version,
                           now_ms);
}

/* PROTOCOL.md, "Row Tracking": the high water mark is a JSON text. */
void delta_row_ids_encode(int64_t last, GString *out)
{
    g_string_append_printf(out,
                           "{\"domainMetadata\":{\"domain\":\"delta.rowTracking\",\"configuration\":"
                           "\"{\\\"rowIdHighWaterMark\\\":%" G_GINT64_FORMAT "}\",\"removed\":false}}\n",
                           last);
}

void delta_action_encode(const char *name, json_object *action, GString *out)
{
    g_string_append_printf(
        out, "{\"%s\":%s}\n", name,
        json_object_to_json_string_ext(action, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE));
}

char *delta_uuid(void)
{
    return g_uuid_string_random();
}
