/* A Delta table in a directory of its own, written by delta-silver-sink and read back by the kit. */
#include "silver_table.h"

#include "tree.h"

void silver_init(SilverTable *table, const char *more)
{
    table->dir = g_dir_make_tmp("delta-XXXXXX", NULL);
    g_assert_nonnull(table->dir);
    table->options = g_strdup_printf("url: file://%s/t\n%s", table->dir, more);
}

void silver_done(SilverTable *table)
{
    remove_tree(table->dir);
    g_free(table->dir);
    g_free(table->options);
}

Harness *silver_sink_new(const SilverTable *table, const char *schema)
{
    Harness *h = harness_new("delta-silver-sink", table->options);
    harness_input_text(h, "sales", schema);
    return h;
}

char *silver_log_path(const SilverTable *table, gint64 version)
{
    return g_strdup_printf("%s/t/_delta_log/%020" G_GINT64_FORMAT ".json", table->dir, version);
}

/* The commit's text, or NULL. */
static char *silver_commit_text(const SilverTable *table, gint64 version)
{
    g_autofree char *path = silver_log_path(table, version);
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

gint64 silver_last_version(const SilverTable *table)
{
    gint64 version = -1;
    for (;;) {
        g_autofree char *path = silver_log_path(table, version + 1);
        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            return version;
        version++;
    }
}

static void put(gpointer object)
{
    json_object_put(object);
}

/* Actions called `name` of a commit. */
GPtrArray *silver_actions(const SilverTable *table, gint64 version, const char *name)
{
    g_autofree char *text = silver_commit_text(table, version);
    GPtrArray *found = g_ptr_array_new_with_free_func(put);
    g_auto(GStrv) lines = g_strsplit(text ? text : "", "\n", -1);
    for (char **line = lines; *line; line++) {
        g_autoptr(json_object) object = **line ? json_tokener_parse(*line) : NULL;
        json_object *action = delta_json_member(object, name, json_type_object);
        if (action)
            g_ptr_array_add(found, json_object_get(action));
    }
    return found;
}

int silver_compare_lines(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static void read_file(const SilverTable *table, json_object *add, const struct ArrowSchema *schema, GPtrArray *lines)
{
    g_autofree char *key = delta_path_decode(delta_json_text(add, "path"));
    g_autofree char *path = g_build_filename(table->dir, "t", key, NULL);
    char *data;
    gsize size;
    g_assert_true(g_file_get_contents(path, &data, &size, NULL));
    g_autoptr(GBytes) file = g_bytes_new_take(data, size);
    g_assert_cmpint(json_object_get_int64(delta_json_member(add, "size", json_type_int)), ==, (gint64) size);
    SfError err = {0};
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, schema, &err);
    g_assert_cmpstr(err.message, ==, "");
    struct ArrowArray rows;
    while (parquet_reader_next(reader, 1000, &rows, &err) == SF_OK) {
        for (gint64 i = 0; i < rows.length; i++)
            g_ptr_array_add(lines, rows_text(schema, &rows, i));
        sf_array_done(&rows);
    }
    g_assert_cmpstr(err.message, ==, "");
}

/* All rows by these columns, sorted, joined by line breaks. */
char *silver_text(const SilverTable *table, const char *columns)
{
    struct ArrowSchema schema;
    g_autoptr(GPtrArray) lines = g_ptr_array_new_with_free_func(g_free);
    rows_schema(columns, &schema);
    g_autoptr(GHashTable) gone = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    for (gint64 version = silver_last_version(table); version >= 0; version--) {
        g_autoptr(GPtrArray) adds = silver_actions(table, version, "add");
        g_autoptr(GPtrArray) removed = silver_actions(table, version, "remove");
        for (guint i = 0; i < adds->len; i++)
            if (!g_hash_table_contains(gone, delta_json_text(adds->pdata[i], "path")))
                read_file(table, adds->pdata[i], &schema, lines);
        for (guint i = 0; i < removed->len; i++)
            g_hash_table_add(gone, g_strdup(delta_json_text(removed->pdata[i], "path")));
    }
    g_ptr_array_sort(lines, silver_compare_lines);
    g_ptr_array_add(lines, NULL);
    sf_schema_done(&schema);
    return g_strjoinv("\n", (char **) lines->pdata);
}

void silver_write_rows(Harness *h, const char *split, gint64 start, const char *const *json, gsize n)
{
    harness_write(h, 0, harness_rows(h, 0, split, start, json, n));
}

void silver_put_table(const SilverTable *table, const ForeignTable *foreign)
{
    g_autoptr(json_object) metadata = json_object_new_object();
    g_autofree char *schema = g_strdup_printf("{\"type\":\"struct\",\"fields\":%s}", foreign->fields);
    json_object_object_add(metadata, "id", json_object_new_string("foreign"));
    json_object_object_add(metadata, "format", json_tokener_parse("{\"provider\":\"parquet\",\"options\":{}}"));
    json_object_object_add(metadata, "schemaString", json_object_new_string(schema));
    json_object_object_add(metadata, "partitionColumns",
                           json_tokener_parse(foreign->partitions ? foreign->partitions : "[]"));
    json_object_object_add(metadata, "configuration",
                           json_tokener_parse(foreign->configuration ? foreign->configuration : "{}"));
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(
        text, "{\"protocol\":%s}\n{\"metaData\":%s}\n%s",
        foreign->protocol ? foreign->protocol : "{\"minReaderVersion\":1,\"minWriterVersion\":2}",
        json_object_to_json_string_ext(metadata, JSON_C_TO_STRING_PLAIN | JSON_C_TO_STRING_NOSLASHESCAPE),
        foreign->more ? foreign->more : "");
    g_autofree char *path = silver_log_path(table, 0);
    g_autofree char *folder = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(folder, 0777), ==, 0);
    g_assert_true(g_file_set_contents(path, text->str, -1, NULL));
}
