/* `sfrun table URL`: what the table is. */
#include "cli/table.h"
#include "table.h"

#include <stdio.h>

#include "data/printable.h"
#include "delta/data_file.h"

#define PARTITIONS_MOST 1000000 /* that are told apart */

/* Of all live files. */
typedef struct Sums {
    OpenTable *table;
    int64_t files;
    int64_t bytes;
    int64_t rows; /* without the deleted; -1: not all files say */
    int64_t vectors;
    int64_t deleted;
    GHashTable *partitions; /* char * */
} Sums;

static char *partition_text(const OpenTable *table, json_object *add)
{
    GString *text = g_string_new(NULL);
    for (size_t i = 0; i < json_object_array_length(table->fields); i++) {
        bool found;
        json_object *field = json_object_array_get_idx(table->fields, i);
        if (!delta_is_partition(table->log, delta_json_text(field, "name")))
            continue;
        const char *value = delta_partition_value(table->log, add, field, &found);
        g_string_append_printf(text, "%s%s=%s", text->len ? "/" : "", delta_json_text(field, "name"),
                               value ? value : "null");
    }
    return g_string_free(text, FALSE);
}

static SfStatus add_file(gpointer user, json_object *add, SfError *err)
{
    (void) err;
    Sums *sums = user;
    const char *text = delta_json_text(add, "stats");
    g_autoptr(json_object) stats = text ? delta_json_parse(text, strlen(text), NULL) : NULL;
    int64_t rows = delta_stats_rows(stats), deleted = delta_vector_cardinality(add);
    sums->files++;
    sums->bytes += MAX(table_number(add, "size"), 0);
    sums->rows = rows < 0 || sums->rows < 0 ? -1 : sums->rows + MAX(rows - deleted, 0);
    sums->deleted += deleted;
    sums->vectors += deleted > 0;
    if (g_hash_table_size(sums->partitions) < PARTITIONS_MOST)
        g_hash_table_add(sums->partitions, partition_text(sums->table, add));
    return SF_OK;
}

/* ---- texts ------------------------------------------------------------------------------------------------------ */

/* array<struct<a: long>> */
static void append_type(GString *out, json_object *type)
{
    const char *kind = delta_json_text(type, "type");
    if (json_object_is_type(type, json_type_string)) {
        g_string_append(out, json_object_get_string(type));
    } else if (g_strcmp0(kind, "array") == 0) {
        g_string_append(out, "array<");
        append_type(out, delta_type_of(type, "elementType"));
        g_string_append_c(out, '>');
    } else if (g_strcmp0(kind, "map") == 0) {
        g_string_append(out, "map<");
        append_type(out, delta_type_of(type, "keyType"));
        g_string_append(out, ", ");
        append_type(out, delta_type_of(type, "valueType"));
        g_string_append_c(out, '>');
    } else {
        json_object *fields = delta_json_member(type, "fields", json_type_array);
        g_string_append(out, "struct<");
        for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
            json_object *field = json_object_array_get_idx(fields, i);
            const char *name = delta_json_text(field, "name");
            g_string_append_printf(out, "%s%s: ", i ? ", " : "", name ? name : "");
            append_type(out, delta_type_of(field, "type"));
        }
        g_string_append_c(out, '>');
    }
}

static void print_line(const char *name, const char *text)
{
    g_autofree char *shown = printable(text, "");
    g_autofree char *line = g_strdup_printf("  %-12s %s", name, shown);
    table_paragraph(line, NULL);
}

static char *feature_text(const DeltaLog *log)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "reader %d, writer %d", delta_protocol_version(log, "minReaderVersion"),
                           delta_protocol_version(log, "minWriterVersion"));
    json_object *list = delta_json_member(log->protocol, "writerFeatures", json_type_array);
    for (size_t i = 0; list && i < json_object_array_length(list); i++)
        g_string_append_printf(text, "%s%s", i ? ", " : ": ",
                               json_object_get_string(json_object_array_get_idx(list, i)));
    return g_string_free(text, FALSE);
}

/* ---- people ----------------------------------------------------------------------------------------------------- */

static void print_files_line(const Sums *sums)
{
    g_autofree char *files = printable_count(sums->files), *size = place_size(sums->bytes);
    g_autofree char *rows = printable_count(sums->rows), *deleted = printable_count(sums->deleted);
    g_autoptr(GString) text = g_string_new(NULL);
    g_string_append_printf(text, "%s (%s), %s rows", files, size, sums->rows < 0 ? "?" : rows);
    if (sums->vectors > 0)
        g_string_append_printf(text, "; %s more are deleted by vectors of %" G_GINT64_FORMAT " file%s", deleted,
                               sums->vectors, sums->vectors == 1 ? "" : "s");
    print_line("Files", text->str);
}

static void print_partitions_line(const Sums *sums)
{
    json_object *list = delta_json_member(sums->table->log->metadata, "partitionColumns", json_type_array);
    g_autoptr(GString) text = g_string_new(NULL);
    for (size_t i = 0; list && i < json_object_array_length(list); i++)
        g_string_append_printf(text, "%s%s", i ? ", " : "", json_object_get_string(json_object_array_get_idx(list, i)));
    if (text->len == 0)
        return;
    guint n = g_hash_table_size(sums->partitions);
    g_string_append_printf(text, " (%u value%s)", n, n == 1 ? "" : "s");
    print_line("Partitions", text->str);
}

static void print_properties(const OpenTable *table)
{
    json_object *properties = delta_json_member(table->log->metadata, "configuration", json_type_object);
    if (!properties || json_object_object_length(properties) == 0)
        return;
    const char *title = "Properties";
    json_object_object_foreach(properties, key, value)
    {
        g_autofree char *text = g_strdup_printf("%s = %s", key, value ? json_object_get_string(value) : "null");
        print_line(title, text);
        title = "";
    }
}

static int by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static void print_positions(const OpenTable *table)
{
    static const TableColumn columns[] = {{.title = "POSITION OF", .left = true, .least = 20}, {.title = "VERSION"}};
    guint n = 0;
    g_autofree gpointer *ids = g_hash_table_get_keys_as_array(table->log->txns, &n);
    g_autoptr(Table) shown = table_new(columns, G_N_ELEMENTS(columns));
    qsort(ids, n, sizeof *ids, by_name);
    for (guint i = 0; i < n; i++) {
        g_autofree char *id = printable(ids[i], "");
        g_autofree char *version = g_strdup_printf("%" G_GINT64_FORMAT, delta_log_txn(table->log, ids[i]));
        table_text(shown, id, NULL);
        table_text(shown, version, NULL);
    }
    if (n > 0) {
        putchar('\n');
        table_print(shown, table_room());
    }
}

static void print_columns(const OpenTable *table)
{
    static const TableColumn columns[] = {{.title = "COLUMN", .left = true, .least = 12},
                                          {.title = "TYPE", .left = true},
                                          {.title = "NULL", .left = true, .worth = 2},
                                          {.title = "PARTITION", .left = true, .worth = 1}};
    g_autoptr(Table) shown = table_new(columns, G_N_ELEMENTS(columns));
    for (size_t i = 0; i < json_object_array_length(table->fields); i++) {
        json_object *field = json_object_array_get_idx(table->fields, i);
        const char *name = delta_json_text(field, "name");
        g_autoptr(GString) type = g_string_new(NULL);
        append_type(type, delta_type_of(field, "type"));
        g_autofree char *shown_name = printable(name ? name : "", ""), *shown_type = printable(type->str, "");
        g_autofree char *cut = table_room() > 0 ? printable_cut(shown_type, 50, 10) : g_strdup(shown_type);
        table_text(shown, shown_name, NULL);
        table_text(shown, cut, NULL);
        table_text(shown, delta_field_nullable(field) ? "yes" : "no", NULL);
        table_text(shown, delta_is_partition(table->log, delta_json_text(field, "name")) ? "yes" : "", NULL);
    }
    putchar('\n');
    table_print(shown, table_room());
}

/* When the version was written; negative: its commit is gone. */
static int64_t time_of_version(OpenTable *table)
{
    g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
    g_autofree char *key = delta_commit_key(table->log->version);
    if (store_list(table->log->store, key, NULL, 1, entries, NULL) != SF_OK || entries->len == 0)
        return -1;
    bool in_commit = table->log->commit_time != INT64_MIN && delta_log_in_commit_time(table->log);
    return in_commit ? table->log->commit_time : ((const StoreEntry *) entries->pdata[0])->modified_ms;
}

static void print_summary_text(OpenTable *table, const Sums *sums)
{
    int64_t ms = time_of_version(table);
    g_autofree char *time = ms < 0 ? g_strdup("?") : time_text(ms), *features = feature_text(table->log);
    g_autofree char *version = g_strdup_printf("%" G_GINT64_FORMAT " of %s UTC", table->log->version, time);
    g_autofree char *url = printable(table->place.shown, "");
    const char *name = delta_json_text(table->log->metadata, "name");
    const char *description = delta_json_text(table->log->metadata, "description");
    puts(url);
    if (name)
        print_line("Name", name);
    if (description)
        print_line("Description", description);
    print_line("Version", version);
    print_files_line(sums);
    print_partitions_line(sums);
    print_line("Protocol", features);
    print_properties(table);
    print_columns(table);
    print_positions(table);
}

/* ---- programs --------------------------------------------------------------------------------------------------- */

static json_object *columns_json(const OpenTable *table)
{
    json_object *list = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(table->fields); i++) {
        json_object *field = json_object_array_get_idx(table->fields, i), *out = json_object_new_object();
        json_add(out, "name", delta_json_text(field, "name"));
        json_object_object_add(out, "type", json_object_get(delta_type_of(field, "type")));
        json_object_object_add(out, "nullable", json_object_new_boolean(delta_field_nullable(field)));
        json_object_object_add(out, "partition",
                               json_object_new_boolean(delta_is_partition(table->log, delta_json_text(field, "name"))));
        json_object_array_add(list, out);
    }
    return list;
}

static json_object *positions_json(const OpenTable *table)
{
    json_object *out = json_object_new_object();
    GHashTableIter iter;
    gpointer id;
    g_hash_table_iter_init(&iter, table->log->txns);
    while (g_hash_table_iter_next(&iter, &id, NULL))
        json_add_number(out, id, delta_log_txn(table->log, id));
    return out;
}

static json_object *member_of(json_object *object, const char *name)
{
    json_object *member = NULL;
    json_object_object_get_ex(object, name, &member);
    return json_object_get(member);
}

static void print_summary_json(OpenTable *table, const Sums *sums)
{
    json_object *out = json_object_new_object();
    json_object *metadata = table->log->metadata;
    int64_t ms = time_of_version(table);
    g_autofree char *time = ms < 0 ? NULL : time_json(ms);
    json_add(out, "url", store_url(table->log->store));
    json_add_number(out, "version", table->log->version);
    json_add(out, "time", time);
    json_object_object_add(out, "id", member_of(metadata, "id"));
    json_object_object_add(out, "name", member_of(metadata, "name"));
    json_object_object_add(out, "description", member_of(metadata, "description"));
    json_add_number(out, "files", sums->files);
    json_add_number(out, "bytes", sums->bytes);
    json_add_number(out, "rows", sums->rows);
    json_add_number(out, "deleted_rows", sums->deleted);
    json_add_number(out, "partitions", g_hash_table_size(sums->partitions));
    json_object_object_add(out, "partition_columns", member_of(metadata, "partitionColumns"));
    json_object_object_add(out, "protocol", json_object_get(table->log->protocol));
    json_object_object_add(out, "properties", member_of(metadata, "configuration"));
    json_object_object_add(out, "columns", columns_json(table));
    json_object_object_add(out, "positions", positions_json(table));
    json_add_number(out, "checkpoint", table->log->checkpoint);
    json_print(out);
}

SfStatus table_print_summary(OpenTable *table, SfError *err)
{
    g_autoptr(GHashTable) partitions = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    Sums sums = {.table = table, .partitions = partitions};
    SF_TRY(delta_files_each(table->log, add_file, &sums, err));
    if (table->options->json)
        print_summary_json(table, &sums);
    else
        print_summary_text(table, &sums);
    return SF_OK;
}

/* ---- --files ---------------------------------------------------------------------------------------------------- */

typedef struct FileList {
    OpenTable *table;
    gint64 left; /* negative: any number */
    gint64 printed;
} FileList;

static void print_file_json(const OpenTable *table, json_object *add, const char *text)
{
    json_object *out = json_object_new_object();
    g_autofree char *time = time_json(MAX(table_number(add, "modificationTime"), 0));
    g_autofree char *key = delta_file_key(table->log, add, NULL);
    json_object *stats = text ? delta_json_parse(text, strlen(text), NULL) : NULL;
    json_add(out, "path", key ? key : delta_json_text(add, "path"));
    json_object_object_add(out, "partition", member_of(add, "partitionValues"));
    json_add_number(out, "size", table_number(add, "size"));
    json_add(out, "modified", time);
    json_add_number(out, "rows", delta_stats_rows(stats));
    json_add_number(out, "deleted_rows", delta_vector_cardinality(add));
    json_object_object_add(out, "stats", stats);
    json_print(out);
}

static SfStatus print_file(gpointer user, json_object *add, SfError *err)
{
    (void) err;
    FileList *list = user;
    const char *text = delta_json_text(add, "stats");
    if (list->left == 0)
        return SF_EMPTY;
    list->left--;
    list->printed++;
    if (list->table->options->json) {
        print_file_json(list->table, add, text);
        return ferror(stdout) ? SF_EMPTY : SF_OK;
    }
    g_autoptr(json_object) stats = text ? delta_json_parse(text, strlen(text), NULL) : NULL;
    g_autofree char *key = delta_file_key(list->table->log, add, NULL);
    const char *path = key ? key : delta_json_text(add, "path");
    g_autofree char *shown = printable(path ? path : "", ""), *size = place_size(MAX(table_number(add, "size"), 0));
    g_autofree char *time = time_text(MAX(table_number(add, "modificationTime"), 0));
    int64_t n = delta_stats_rows(stats), deleted = delta_vector_cardinality(add);
    g_autofree char *rows = n < 0 ? g_strdup("?") : printable_count(MAX(n - deleted, 0));
    printf("%10s  %12s rows  %s  %s\n", size, rows, time, shown);
    return ferror(stdout) ? SF_EMPTY : SF_OK;
}

SfStatus table_print_files(OpenTable *table, SfError *err)
{
    FileList list = {.table = table, .left = table->options->limit > 0 ? table->options->limit : -1};
    SfStatus status = delta_files_each(table->log, print_file, &list, err);
    return status == SF_EMPTY ? SF_OK : status;
}
