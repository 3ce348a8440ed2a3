/* Directories with Delta logs. */
#include "delta_place.h"

#include "tree.h"

void place_at(Place *place, const char *dir)
{
    SfError err = {0};
    g_autofree char *options = g_strdup_printf("url: file://%s", dir);
    place->url = g_strdup_printf("file://%s", dir);
    place->options = (StoreOptions){.url = place->url, .connections = 1, .part_size = 8 << 20, .timeout_ms = 30000};
    place->h = harness_new("delta-silver-sink", options);
    harness_input_text(place->h, "rows", "id bigint");
    g_assert_cmpint(harness_try_bind(place->h), ==, SF_OK);
    place->store = store_new(place->h->node, &place->options, &err);
    g_assert_nonnull(place->store);
    g_assert_cmpint(store_open(place->store, &err), ==, SF_OK);
    place->log = delta_log_new(place->h->node, place->store);
}

void place_init(Place *place)
{
    place->dir = g_dir_make_tmp("delta-log-XXXXXX", NULL);
    g_assert_nonnull(place->dir);
    place_at(place, place->dir);
}

void place_done(Place *place)
{
    delta_log_free(place->log);
    store_free(place->store);
    harness_free(place->h);
    g_free(place->url);
    if (place->dir)
        remove_tree(place->dir);
    g_free(place->dir);
}

void place_put(const Place *place, const char *key, const char *text, gssize size)
{
    SfError err = {0};
    g_autoptr(GBytes) body = g_bytes_new(text, size < 0 ? strlen(text) : (gsize) size);
    g_assert_cmpint(store_put(place->store, key, body, &err), ==, SF_OK);
}

void place_put_commit(const Place *place, gint64 version, const char *text)
{
    g_autofree char *key = delta_commit_key(version);
    place_put(place, key, text, -1);
}

void place_loads(const Place *place, gint64 version)
{
    SfError err = {0};
    SfStatus status = delta_log_load(place->log, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(status, ==, SF_OK);
    g_assert_cmpint(place->log->version, ==, version);
}

char *place_checkpoint_paths(const Place *place, gint64 version)
{
    SfError err = {0};
    struct ArrowSchema schema;
    struct ArrowArray rows;
    g_autoptr(GString) out = g_string_new(NULL);
    g_autofree char *key = g_strdup_printf("_delta_log/%020" G_GINT64_FORMAT ".checkpoint.parquet", version);
    g_autoptr(GBytes) file = NULL;
    g_assert_cmpint(store_get(place->store, key, 1 << 30, &file, &err), ==, SF_OK);
    g_assert_cmpint(delta_checkpoint_schema(DELTA_COLUMNS, &schema, &err), ==, SF_OK);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, &err);
    while (parquet_reader_next(reader, 10000, &rows, &err) == SF_OK) {
        SfColumn adds;
        g_assert_cmpint(sf_column_view(schema.children[DELTA_COLUMN_ADD], rows.children[DELTA_COLUMN_ADD], &adds, &err),
                        ==, SF_OK);
        for (gint64 row = 0; row < rows.length; row++) {
            g_autoptr(json_object) add = delta_checkpoint_json(&adds, row, &err);
            if (add)
                g_string_append_printf(out, "%s ", delta_json_text(add, "path"));
        }
        sf_array_done(&rows);
    }
    g_assert_cmpstr(err.message, ==, "");
    sf_schema_done(&schema);
    return g_string_free(g_steal_pointer(&out), FALSE);
}
