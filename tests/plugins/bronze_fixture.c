/* The bronze sink's test place: a directory, read back as text. */
#include "bronze_fixture.h"

#include <glib/gstdio.h>
#include <json-c/json.h>
#include <string.h>

#include "compress/compress.h"

void place_set_up(Place *place, gconstpointer unused)
{
    (void) unused;
    place->path = g_dir_make_tmp("sf-bronze-XXXXXX", NULL);
}

void place_tear_down(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const command[] = {"rm", "-r", place->path, NULL};
    g_assert_true(g_spawn_sync(NULL, (char **) command, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, NULL, NULL, NULL, NULL));
    g_free(place->path);
}

Harness *place_sink(const Place *place, const char *options)
{
    g_autofree char *yaml = g_strdup_printf("url: file://%s\n%s", place->path, options);
    return harness_new("s3-bronze-sink", yaml);
}

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

static void walk(const char *root, const char *below, GPtrArray *keys)
{
    g_autofree char *path = g_build_filename(root, below, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *key = *below ? g_strconcat(below, "/", name, NULL) : g_strdup(name);
        g_autofree char *full = g_build_filename(root, key, NULL);
        if (g_file_test(full, G_FILE_TEST_IS_DIR))
            walk(root, key, keys);
        else
            g_ptr_array_add(keys, g_steal_pointer(&key));
    }
}

static GPtrArray *keys_of(const Place *place)
{
    GPtrArray *keys = g_ptr_array_new_with_free_func(g_free);
    walk(place->path, "", keys);
    g_ptr_array_sort(keys, by_text);
    return keys;
}

char *place_read(const Place *place, const char *key)
{
    g_autofree char *path = g_build_filename(place->path, key, NULL);
    char *text = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    return text;
}

void place_delete(const Place *place, const char *key)
{
    g_autofree char *path = g_build_filename(place->path, key, NULL);
    g_assert_cmpint(g_unlink(path), ==, 0);
}

static void put_bytes(const Place *place, const char *key, const char *data, gsize size)
{
    g_autofree char *path = g_build_filename(place->path, key, NULL), *directory = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(directory, 0777), ==, 0);
    g_assert_true(g_file_set_contents(path, data, (gssize) size, NULL));
}

void place_put(const Place *place, const char *key, const char *text)
{
    put_bytes(place, key, text, strlen(text));
}

void place_pack(const Place *place, const char *key, const char *text)
{
    Pack *pack = pack_new(-1);
    g_assert_true(pack_add(pack, text, strlen(text)));
    g_autoptr(GBytes) bytes = pack_end(pack);
    gsize size;
    const char *data = g_bytes_get_data(bytes, &size);
    put_bytes(place, key, data, size);
    pack_free(pack);
}

void place_cut(const Place *place, const char *key, gsize size)
{
    g_autofree char *path = g_build_filename(place->path, key, NULL), *data = NULL;
    gsize there;
    g_assert_true(g_file_get_contents(path, &data, &there, NULL));
    g_assert_cmpuint(size, <=, there);
    put_bytes(place, key, data, size);
}

char *place_objects(const Place *place)
{
    g_autoptr(GPtrArray) keys = keys_of(place);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < keys->len; i++) {
        const char *key = keys->pdata[i];
        if (strstr(key, "_sf/"))
            continue;
        g_autofree char *lines = place_read(place, key);
        g_string_append_printf(text, "%s: %s\n", key, g_strdelimit(lines, "\n", '|'));
    }
    return g_string_free(text, FALSE);
}

static json_object *member(json_object *object, const char *name)
{
    json_object *value = NULL;
    g_assert_true(json_object_object_get_ex(object, name, &value));
    return value;
}

char *place_entries(const Place *place)
{
    g_autoptr(GPtrArray) keys = keys_of(place);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < keys->len; i++) {
        const char *key = keys->pdata[i];
        if (!strstr(key, "_sf/") || !g_str_has_suffix(key, ".json") || g_str_has_suffix(key, "/split.json"))
            continue;
        g_autofree char *body = place_read(place, key);
        json_object *entry = json_tokener_parse(body);
        g_string_append_printf(
            text, "%s: %s-%s %s %s/%s %zu\n", key, json_object_get_string(member(entry, "start")),
            json_object_get_string(member(entry, "end")), json_object_get_string(member(entry, "reason")),
            json_object_get_string(member(entry, "rows")), json_object_get_string(member(entry, "rejected")),
            json_object_array_length(member(entry, "objects")));
        json_object_put(entry);
    }
    return g_string_free(text, FALSE);
}

const SfBatch *numbers(Harness *h, const char *split, gint64 first, gsize n, gint64 time_us)
{
    g_autofree RawRow *rows = g_new0(RawRow, n);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < n; i++) {
        char *value = g_strdup_printf("{\"n\":%" G_GINT64_FORMAT "}", first + (gint64) i);
        g_ptr_array_add(values, value);
        rows[i] = (RawRow){.value = value, .offset = first + (gint64) i, .timestamp_us = time_us + (gint64) i};
    }
    return harness_raw_rows(h, split, rows, n);
}

Harness *place_source(const Place *place, const char *options)
{
    g_autofree char *yaml = g_strdup_printf("url: file://%s\n%s", place->path, options);
    Harness *h = harness_new("bronze-source", yaml);
    h->bounded = true;
    return h;
}

void place_expect_refusal(const Place *place, const char *options, const char *message)
{
    g_autoptr(Harness) h = place_source(place, options);
    while (harness_poll(h, 0))
        ;
    if (!strstr(h->err.message, message))
        g_error("'%s' says nothing of '%s'", h->err.message, message);
    g_assert_true(h->status == SF_FATAL || h->status == SF_CONFIG);
}

void place_numbers(const Place *place, gint64 first, gsize n)
{
    g_autoptr(Harness) sink = place_sink(place, "flush.size: 10\n");
    harness_recover(sink, 0, EVENTS);
    harness_write(sink, 0, numbers(sink, EVENTS, first, n, NOON_US));
    harness_commit(sink, SF_COMMIT_END);
}

void assert_end(Harness *h)
{
    g_assert_cmpstr(h->err.message, ==, "");
    g_assert_cmpint(h->status, ==, SF_END);
}

gint64 rows_in_a_run(const Place *place, const char *options, gint64 from)
{
    g_autoptr(Harness) h = place_source(place, options);
    harness_answer(h, EVENTS, from);
    gint64 rows = 0;
    for (const SfBatch *batch; (batch = harness_poll(h, 0));)
        rows += sf_rows(batch);
    assert_end(h);
    return rows;
}

/* Days alternate, three of eight positions are not there, some values and timestamps are null. */
static const SfBatch *mixed_rows(Harness *h, gint64 first, gint64 end)
{
    g_autoptr(GArray) rows = g_array_new(FALSE, FALSE, sizeof(RawRow));
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (gint64 at = first; at < end; at++) {
        if (at % 8 == 3 || at % 8 == 5 || at % 8 == 6)
            continue;
        char *value = at % 7 == 0 ? NULL : g_strdup_printf("{\"n\":%" G_GINT64_FORMAT "}", at);
        g_ptr_array_add(values, value);
        RawRow row = {.value = value, .offset = at, .timestamp_us = NOON_US + at % 3 * DAY_US + at * 1001};
        g_array_append_val(rows, row);
    }
    const SfBatch *batch = harness_raw_rows(h, EVENTS, (RawRow *) (gpointer) rows->data, rows->len);
    return harness_with_range(h, batch, first, end);
}

/* Writes [0, 200) in batches of 50; returns the rows as text. */
char *write_mixed(const Place *place, const char *options)
{
    g_autoptr(Harness) sink = place_sink(place, options);
    GString *text = g_string_new(NULL);
    for (gint64 first = 0; first < 200; first += 50) {
        const SfBatch *batch = mixed_rows(sink, first, first + 50);
        harness_write(sink, 0, batch);
        g_string_append(text, harness_text(sink, batch));
        g_string_append_c(text, '\n');
    }
    harness_commit(sink, SF_COMMIT_END);
    g_assert_cmpuint(harness_n_rejects(sink), ==, 0);
    return g_string_free(text, FALSE);
}

/* Objects of some MiB are read piece by piece. */
void write_large(const Place *place, const char *options, gsize n)
{
    g_autoptr(Harness) sink = place_sink(place, options);
    g_autofree char *padding = g_strnfill(1000, 'x');
    g_autofree RawRow *rows = g_new0(RawRow, n);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (gsize i = 0; i < n; i++) {
        char *value = g_strdup_printf("{\"n\":%zu,\"x\":\"%08x%s\"}", i, g_str_hash(padding) * (guint) i, padding);
        g_ptr_array_add(values, value);
        rows[i] = (RawRow){.value = value, .offset = (gint64) i, .timestamp_us = NOON_US + (gint64) i};
    }
    harness_write(sink, 0, harness_raw_rows(sink, EVENTS, rows, n));
    harness_commit(sink, SF_COMMIT_END);
}
