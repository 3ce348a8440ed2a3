/* See lake_place.h. */
#include "lake_place.h"

#include <string.h>

#include "tree.h"

void lake_set_up(Lake *lake, gconstpointer unused)
{
    (void) unused;
    lake->dir = g_dir_make_tmp("sf-lake-XXXXXX", NULL);
    g_assert_nonnull(lake->dir);
    lake->table = g_build_filename(lake->dir, "t", NULL);
}

void lake_tear_down(Lake *lake, gconstpointer unused)
{
    (void) unused;
    remove_tree(lake->dir);
    g_free(lake->dir);
    g_free(lake->table);
}

void lake_write(const Lake *lake, gint64 first, gsize n, const char *options)
{
    g_autofree char *yaml = g_strdup_printf("url: file://%s\n%s", lake->table, options);
    Harness *h = harness_new("delta-silver-sink", yaml);
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    h->now_ms += 1000 * first; /* files of a snapshot are in the order of their age */
    harness_input_text(h, "rows", "id bigint, day date, text string");
    for (gint64 id = first; id < first + (gint64) n; id++)
        g_ptr_array_add(rows, g_strdup_printf("[%" G_GINT64_FORMAT ", \"2024-01-%02d\", \"row %" G_GINT64_FORMAT "\"]",
                                              id, (int) (1 + id / 1000 % 28), id));
    gint64 start = MAX(harness_recover(h, 0, "rows/0"), 0);
    harness_write(h, 0, harness_rows(h, 0, "rows/0", start, (const char *const *) rows->pdata, n));
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
}

char *lake_log_path(const Lake *lake, gint64 version)
{
    return g_strdup_printf("%s/_delta_log/%020" G_GINT64_FORMAT ".json", lake->table, version);
}

static char *log_text(const Lake *lake, gint64 version)
{
    g_autofree char *path = lake_log_path(lake, version);
    char *text = NULL;
    g_file_get_contents(path, &text, NULL, NULL);
    return text;
}

gint64 lake_newest(const Lake *lake)
{
    for (gint64 version = -1;; version++) {
        g_autofree char *path = lake_log_path(lake, version + 1);
        if (!g_file_test(path, G_FILE_TEST_EXISTS))
            return version;
    }
}

gint64 lake_commit(const Lake *lake, const char *lines)
{
    gint64 version = lake_newest(lake) + 1;
    g_autofree char *path = lake_log_path(lake, version);
    g_assert_true(g_file_set_contents(path, lines, -1, NULL));
    return version;
}

void lake_replace(const Lake *lake, gint64 version, const char *old, const char *new)
{
    g_autofree char *path = lake_log_path(lake, version), *text = log_text(lake, version);
    g_auto(GStrv) parts = g_strsplit(text, old, -1);
    g_assert_cmpuint(g_strv_length(parts), >, 1);
    g_autofree char *other = g_strjoinv(new, parts);
    g_assert_true(g_file_set_contents(path, other, -1, NULL));
}

char *lake_added(const Lake *lake, gint64 version, const char *part)
{
    g_autofree char *text = log_text(lake, version);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    for (char **line = lines; *line; line++) {
        g_autoptr(json_object) object = **line ? json_tokener_parse(*line) : NULL;
        json_object *add = delta_json_member(object, "add", json_type_object);
        if (add && strstr(delta_json_text(add, "path"), part))
            return g_strdup(delta_json_text(add, "path"));
    }
    g_assert_not_reached();
}

Harness *lake_source(const Lake *lake, const char *options)
{
    g_autofree char *yaml = g_strdup_printf("url: file://%s\n%s", lake->table, options);
    return harness_new("delta-source", yaml);
}

Harness *lake_source_once(const Lake *lake, const char *options)
{
    Harness *h = lake_source(lake, options);
    h->bounded = true;
    return h;
}

static gint64 id_of(const SfBatch *batch, gint64 row)
{
    SfColumn ids;
    SfError err = {""};
    g_assert_cmpint(sf_column(batch, "id", SF_INT64, &ids, &err), ==, SF_OK);
    return sf_i64(&ids, row);
}

char *lake_ids(Harness *h)
{
    g_autoptr(GString) text = g_string_new(NULL);
    gint64 end = -1, first = -1, last = -1;
    for (const SfBatch *batch; (batch = harness_poll(h, 0));) {
        g_assert_true(end < 0 || batch->start == end);
        g_assert_cmpint(batch->end, >, batch->start);
        g_assert_cmpint(batch->end - batch->start, >=, sf_rows(batch));
        end = batch->end;
        for (gint64 row = 0; row < sf_rows(batch); row++) {
            gint64 id = id_of(batch, row);
            if (first >= 0 && id == last + 1) {
                last = id;
                continue;
            }
            if (first >= 0)
                g_string_append_printf(
                    text, last > first ? "%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT " " : "%" G_GINT64_FORMAT " ", first,
                    last);
            first = last = id;
        }
    }
    if (first >= 0)
        g_string_append_printf(text, last > first ? "%" G_GINT64_FORMAT "-%" G_GINT64_FORMAT : "%" G_GINT64_FORMAT,
                               first, last);
    return g_string_free(g_steal_pointer(&text), FALSE);
}

void lake_expect_ids(Harness *h, SfStatus status, const char *ids)
{
    g_autofree char *got = lake_ids(h);
    g_assert_cmpstr(h->err.message, ==, "");
    g_assert_cmpstr(got, ==, ids);
    g_assert_cmpint(h->status, ==, status);
}

void lake_expect_stop(Harness *h, SfStatus status, const char *ids, const char *message)
{
    g_autofree char *got = lake_ids(h);
    g_test_message("%s", h->err.message);
    g_assert_cmpstr(got, ==, ids);
    g_assert_cmpint(h->status, ==, status);
    g_assert_nonnull(strstr(h->err.message, message));
}

GHashTable *lake_positions(const Lake *lake, const char *options, gint64 from)
{
    g_autoptr(Harness) h = lake_source_once(lake, options);
    g_autoptr(GHashTable) positions = g_hash_table_new_full(g_int64_hash, g_int64_equal, g_free, g_free);
    if (from >= 0)
        harness_answer(h, lake->table, from);
    for (const SfBatch *batch; (batch = harness_poll(h, 0));) {
        for (gint64 row = 0; row < sf_rows(batch); row++) {
            gint64 id = id_of(batch, row), position = batch->start + row;
            g_assert_true(g_hash_table_insert(positions, g_memdup2(&id, sizeof id), g_memdup2(&position, sizeof id)));
        }
    }
    g_assert_cmpint(h->status, ==, SF_END);
    return g_steal_pointer(&positions);
}
