/* When checkpoints of a Delta log are written, what they cost, and that each stands for all before it: classic ones,
 * and those of V2, whose sidecars stay where nothing has changed. */
#include <glib/gstdio.h>
#include <unistd.h>

#include "delta/care/care.h"
#include "delta_place.h"

#define V2_PROTOCOL                                                                                                    \
    "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[\"v2Checkpoint\"],"              \
    "\"writerFeatures\":[\"v2Checkpoint\"]}}\n"
#define OURS "{\"commitInfo\":{\"isBlindAppend\":true,\"engineInfo\":\"streamforge/0\"}}\n"

static void checkpoint_now(const Place *place)
{
    SfError err = {0};
    SfStatus status = delta_checkpoint_write(place->log, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(status, ==, SF_OK);
}

static void update_to(const Place *place, gint64 version)
{
    SfError err = {0};
    DeltaNews news = {0};
    g_assert_cmpint(delta_log_update(place->log, &news, &err), ==, SF_OK);
    g_assert_cmpint(place->log->version, ==, version);
}

typedef struct Kept {
    GHashTable *sizes; /* char *name → its size */
    gint64 bytes;
} Kept;

/* What of the log's directory begins with `folder`/…/`marked`. */
static void list_kept(const Place *place, const char *folder, const char *marked, Kept *out)
{
    g_autofree char *path = g_build_filename(place->dir, "_delta_log", folder, NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    out->sizes = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    out->bytes = 0;
    while (dir && (name = g_dir_read_name(dir))) {
        GStatBuf info = {0};
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (!strstr(name, marked))
            continue;
        g_assert_cmpint(g_stat(file, &info), ==, 0);
        g_hash_table_insert(out->sizes, g_strdup(name), GINT_TO_POINTER((int) info.st_size));
        out->bytes += info.st_size;
    }
}

static void kept_done(Kept *kept)
{
    g_clear_pointer(&kept->sizes, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Kept, kept_done)

static SfStatus note_live(gpointer user, json_object *add, SfError *err)
{
    (void) err;
    g_assert_true(g_hash_table_add(user, g_strdup(delta_json_text(add, "path")))); /* once */
    return SF_OK;
}

/* As somebody sees it who opens the table now. */
static GHashTable *live_files(const Place *place)
{
    SfError err = {0};
    GHashTable *out = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(DeltaLog) log = delta_log_new(place->h->node, place->store);
    g_assert_cmpint(delta_log_load(log, &err), ==, SF_OK);
    SfStatus status = delta_files_each(log, note_live, out, &err);
    g_assert_cmpstr(err.message, ==, "");
    g_assert_cmpint(status, ==, SF_OK);
    return out;
}

static void assert_live(const Place *place, GHashTable *expected)
{
    g_autoptr(GHashTable) live = live_files(place);
    GHashTableIter iter;
    gpointer path;
    g_hash_table_iter_init(&iter, expected);
    while (g_hash_table_iter_next(&iter, &path, NULL))
        g_assert_true(g_hash_table_contains(live, path));
    g_assert_cmpuint(g_hash_table_size(live), ==, g_hash_table_size(expected));
}

/* ---- what they cost ---------------------------------------------------------------------------------------------- */

#define COMMITS 10000

static gint64 put_append(const Place *place, gint64 version, const char *first)
{
    g_autofree char *uuid = g_uuid_string_random();
    g_autofree char *text = g_strdup_printf(
        "%s" OURS "{\"add\":{\"path\":\"part-00000-%s-c000.snappy.parquet\",\"partitionValues\":{},\"size\":%d,"
        "\"modificationTime\":17%011d,\"dataChange\":true,\"stats\":\"{\\\"numRecords\\\":%d,\\\"minValues\\\":{"
        "\\\"id\\\""
        ":%d},\\\"maxValues\\\":{\\\"id\\\":%d},\\\"nullCount\\\":{\\\"id\\\":0}}\"}}\n" TXN("pipeline/silver/sales/0",
                                                                                             7),
        version == 0 ? first : "", uuid, 10000 + (int) version % 977, (int) version * 10007, 1000 + (int) version % 89,
        (int) version * 1000, (int) version * 1000 + 999);
    g_autofree char *key = delta_commit_key(version);
    g_autofree char *path = g_build_filename(place->dir, key, NULL);
    g_assert_true(g_file_set_contents_full(path, text, -1, G_FILE_SET_CONTENTS_NONE, 0644, NULL));
    return (gint64) strlen(text);
}

/* Bytes of commits and of all checkpoints of 10,000 commits of one file each, and the most commits between two. */
static void live_long(const Place *place, const char *first, gint64 *commits, gint64 *checkpoints, gint64 *gap)
{
    g_autofree char *folder = g_build_filename(place->dir, "_delta_log", NULL);
    gint64 last = -1;
    g_assert_cmpint(g_mkdir_with_parents(folder, 0777), ==, 0);
    *commits = *checkpoints = *gap = 0;
    for (gint64 version = 0; version < COMMITS; version++) {
        *commits += put_append(place, version, first);
        update_to(place, version);
        if (delta_checkpoint_due(place->log, 10)) {
            checkpoint_now(place);
            *gap = MAX(*gap, version - last);
            last = version;
        }
    }
    g_auto(Kept) tops = {0}, sidecars = {0};
    list_kept(place, ".", ".checkpoint.", &tops);
    list_kept(place, "_sidecars", ".parquet", &sidecars);
    *checkpoints = tops.bytes + sidecars.bytes;
    g_test_message("%d commits: %" G_GINT64_FORMAT " bytes; %u checkpoints: %" G_GINT64_FORMAT
                   " bytes; %u sidecars: %" G_GINT64_FORMAT " bytes",
                   COMMITS, *commits, g_hash_table_size(tops.sizes), tops.bytes, g_hash_table_size(sidecars.sizes),
                   sidecars.bytes);
}

static void assert_all_there(const Place *place, gint64 gap)
{
    g_autoptr(GHashTable) live = live_files(place);
    place_loads(place, COMMITS - 1);
    g_assert_cmpuint(g_hash_table_size(live), ==, COMMITS);
    g_assert_cmpint(COMMITS - 1 - place->log->checkpoint, <=, gap);
    g_assert_cmpint(delta_log_txn(place->log, "pipeline/silver/sales/0"), ==, 7);
}

/* A classic one has all files: there are few of them, never more than a hundred commits apart. */
static void test_cost_classic(void)
{
    g_auto(Place) place = {0};
    gint64 commits, checkpoints, gap;
    place_init(&place);
    live_long(&place, PROTOCOL METADATA, &commits, &checkpoints, &gap);
    g_assert_cmpint(gap, <=, 100);
    g_assert_cmpint(place.log->checkpoint_bytes, <, commits);
    g_assert_cmpint(checkpoints, <, COMMITS / 100 * place.log->checkpoint_bytes);
    assert_all_there(&place, 100);
}

/* With sidecars all checkpoints together cost a few times what the commits do. */
static void test_cost_v2(void)
{
    g_auto(Place) place = {0};
    gint64 commits, checkpoints, gap;
    place_init(&place);
    live_long(&place, V2_PROTOCOL METADATA, &commits, &checkpoints, &gap);
    g_assert_cmpint(gap, <=, 40);
    g_assert_cmpint(checkpoints, <, 3 * commits);
    assert_all_there(&place, 40);
}

/* ---- when they are due ------------------------------------------------------------------------------------------- */

#define WITH(property)                                                                                                 \
    "{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{"            \
    "\\\"type\\\":\\\"struct\\\",\\\"fields\\\":[]}\",\"partitionColumns\":[],\"configuration\":{" property "}}}\n"

/* Versions at which one is written when each commit has `bytes` more than the least, "10 20". */
static char *due_versions(const char *metadata, gint64 usual, int bytes, gint64 versions)
{
    g_auto(Place) place = {0};
    g_autofree char *long_text = g_strnfill((gsize) bytes, 'x');
    g_autoptr(GString) out = g_string_new(NULL);
    place_init(&place);
    for (gint64 version = 0; version < versions; version++) {
        g_autofree char *text =
            g_strdup_printf("%s{\"commitInfo\":{\"x\":\"%s\"}}\n", version == 0 ? metadata : "", long_text);
        place_put_commit(&place, version, text);
        update_to(&place, version);
        if (!delta_checkpoint_due(place.log, usual))
            continue;
        checkpoint_now(&place);
        g_string_append_printf(out, "%s%" G_GINT64_FORMAT, out->len > 0 ? " " : "", version);
    }
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static void test_due(void)
{
    const struct {
        const char *metadata;
        gint64 usual;
        int bytes;
        const char *expected;
    } rows[] = {
        /* the table's own interval, whatever it costs */
        {PROTOCOL WITH("\"delta.checkpointInterval\":\"3\""), 10, 0, "3 6 9 12 15 18 21 24"},
        {PROTOCOL WITH("\"delta.checkpointInterval\":\"20\""), 2, 100000, "20"},
        {PROTOCOL WITH("\"delta.checkpointInterval\":\"0\""), 4, 100000, "4 8 12 16 20 24"},
        {PROTOCOL WITH("\"delta.checkpointInterval\":\"often\""), 4, 100000, "4 8 12 16 20 24"},
        /* commits that are larger than checkpoints, and smaller ones */
        {PROTOCOL METADATA, 4, 100000, "4 8 12 16 20 24"},
        {PROTOCOL METADATA, 2, 0, "2 22"},
        {PROTOCOL METADATA, 1, 1, "1 11 21"},
        {PROTOCOL METADATA, 0, 100000, "1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16 17 18 19 20 21 22 23 24"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_autofree char *due = due_versions(rows[i].metadata, rows[i].usual, rows[i].bytes, 25);
        g_assert_cmpstr(due, ==, rows[i].expected);
    }
}

/* What another process has written counts; a turn that a writer leaves out is taken by the next. */
static void test_due_of_others(void)
{
    g_auto(Place) place = {0};
    place_init(&place);
    place_put_commit(&place, 0, PROTOCOL METADATA);
    for (gint64 version = 1; version <= 20; version++)
        place_put_commit(&place, version, ADD("a"));
    place_loads(&place, 20);
    g_autoptr(DeltaLog) other = delta_log_new(place.h->node, place.store);
    SfError err = {0};
    g_assert_cmpint(delta_log_load_until(other, 18, &err), ==, SF_OK);
    g_assert_true(delta_checkpoint_due(place.log, 5));
    g_assert_cmpint(delta_checkpoint_write(other, &err), ==, SF_OK);
    g_assert_false(delta_checkpoint_due(place.log, 5));
    g_assert_cmpint(place.log->noted, ==, 18);
    for (gint64 version = 21; version <= 29; version++)
        place_put_commit(&place, version, WITH("\"delta.checkpointInterval\":\"5\""));
    update_to(&place, 29);
    g_assert_true(delta_checkpoint_due(place.log, 100)); /* nobody did at 20 and 25 */
    place.log->checkpoint = 20;
    g_assert_false(delta_checkpoint_due(place.log, 100)); /* at 30, then */
}

/* ---- what V2 ones have ------------------------------------------------------------------------------------------- */

#define REMOVED(path, time) "{\"remove\":{\"path\":\"" path "\",\"deletionTimestamp\":" time ",\"dataChange\":true}}\n"

static guint count_same(const Kept *before, const Kept *after)
{
    guint same = 0;
    GHashTableIter iter;
    gpointer name;
    g_hash_table_iter_init(&iter, before->sizes);
    while (g_hash_table_iter_next(&iter, &name, NULL))
        same += g_hash_table_contains(after->sizes, name);
    return same;
}

static char *many_adds(const char *prefix, int n)
{
    GString *out = g_string_new(OURS);
    for (int i = 0; i < n; i++) {
        g_autofree char *uuid = g_uuid_string_random();
        g_string_append_printf(out, "{\"add\":{\"path\":\"%s%d-%s\",\"partitionValues\":{},\"size\":1}}\n", prefix, i,
                               uuid);
    }
    return g_string_free(out, FALSE);
}

/* Sidecars that the newest checkpoint refers to. */
static guint count_sidecars(const Place *place)
{
    SfError err = {0};
    struct ArrowSchema schema;
    struct ArrowArray rows;
    guint n = 0;
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    g_autoptr(GBytes) file = NULL;
    g_assert_cmpint(delta_checkpoint_keys(place->log, place->log->version, keys, &err), ==, SF_OK);
    g_assert_cmpuint(keys->len, ==, 1);
    g_assert_cmpint(store_get(place->store, keys->pdata[0], 1 << 30, &file, &err), ==, SF_OK);
    g_assert_cmpint(delta_checkpoint_schema(DELTA_COLUMNS_OF_V2, &schema, &err), ==, SF_OK);
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, &err);
    gint64 version = -1;
    while (parquet_reader_next(reader, 10000, &rows, &err) == SF_OK) {
        SfColumn sidecars, own;
        g_assert_cmpint(
            sf_column_view(schema.children[DELTA_COLUMN_SIDECAR], rows.children[DELTA_COLUMN_SIDECAR], &sidecars, &err),
            ==, SF_OK);
        g_assert_cmpint(sf_column_view(schema.children[DELTA_COLUMN_CHECKPOINT], rows.children[DELTA_COLUMN_CHECKPOINT],
                                       &own, &err),
                        ==, SF_OK);
        for (gint64 row = 0; row < rows.length; row++) {
            g_autoptr(json_object) sidecar = delta_checkpoint_json(&sidecars, row, &err);
            g_autoptr(json_object) metadata = delta_checkpoint_json(&own, row, &err);
            version = metadata ? json_object_get_int64(json_object_object_get(metadata, "version")) : version;
            n += sidecar && delta_json_member(sidecar, "sizeInBytes", json_type_int) &&
                 delta_json_member(sidecar, "modificationTime", json_type_int);
        }
        sf_array_done(&rows);
    }
    g_assert_cmpint(version, ==, place->log->version);
    sf_schema_done(&schema);
    return n;
}

static void test_sidecars_stay(void)
{
    g_auto(Place) place = {0};
    g_auto(Kept) first = {0}, second = {0}, third = {0};
    g_autofree char *large = many_adds("large", 500), *small = many_adds("small", 1);
    g_autofree char *begin = g_strconcat(V2_PROTOCOL METADATA, large, NULL);
    place_init(&place);
    place.h->now_ms = INT64_C(1800000000000);
    place_put_commit(&place, 0, begin);
    place_put_commit(&place, 1, ADD("goes"));
    update_to(&place, 1);
    checkpoint_now(&place);
    list_kept(&place, "_sidecars", "", &first);
    g_assert_cmpuint(g_hash_table_size(first.sizes), ==, 1);
    /* a file of ours beside it */
    place_put_commit(&place, 2, small);
    update_to(&place, 2);
    checkpoint_now(&place);
    list_kept(&place, "_sidecars", "", &second);
    g_assert_cmpuint(g_hash_table_size(second.sizes), ==, 2);
    g_assert_cmpuint(count_same(&first, &second), ==, 1);
    g_assert_cmpuint(count_sidecars(&place), ==, 2);
    /* a removal out of the large one, which is written anew, and takes the small one in: what is new is larger */
    place_put_commit(&place, 3, REMOVED("goes", "1799999999999"));
    update_to(&place, 3);
    checkpoint_now(&place);
    list_kept(&place, "_sidecars", "", &third);
    g_assert_cmpuint(count_same(&second, &third), ==, 2); /* older checkpoints need them */
    g_autoptr(GHashTable) live = live_files(&place);
    g_assert_cmpuint(g_hash_table_size(live), ==, 501);
    g_assert_false(g_hash_table_contains(live, "goes"));
}

/* Vacuum takes those that no checkpoint refers to any more, not those of an older one that is still there. */
static void test_sidecars_go(void)
{
    g_auto(Place) place = {0};
    g_auto(Kept) before = {0}, kept = {0}, left = {0};
    SfError err = {0};
    CareVacuum how = {.force = true};
    CareVacuumed done;
    g_autofree char *large = many_adds("large", 500);
    g_autofree char *begin = g_strconcat(V2_PROTOCOL METADATA, large, NULL);
    place_init(&place);
    place_put_commit(&place, 0, begin);
    update_to(&place, 0);
    place.h->now_ms = g_get_real_time() / 1000 + 1000000;
    checkpoint_now(&place);
    for (gint64 version = 1; version <= 3; version++) {
        place_put_commit(&place, version, ADD("again"));
        update_to(&place, version);
        checkpoint_now(&place);
    }
    list_kept(&place, "_sidecars", "", &before);
    g_assert_cmpuint(g_hash_table_size(before.sizes), ==, 4);
    g_assert_cmpint(care_vacuum(place.log, &how, &done, &err), ==, SF_OK);
    list_kept(&place, "_sidecars", "", &kept);
    g_assert_cmpuint(count_same(&before, &kept), ==, 4);
    for (gint64 version = 1; version <= 2; version++) {
        g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
        g_assert_cmpint(delta_checkpoint_keys(place.log, version, keys, &err), ==, SF_OK);
        g_assert_cmpint(store_delete(place.store, keys->pdata[0], &err), ==, SF_OK);
    }
    how.dry_run = true;
    g_assert_cmpint(care_vacuum(place.log, &how, &done, &err), ==, SF_OK);
    g_assert_cmpint(done.files, ==, 2);
    how.dry_run = false;
    g_assert_cmpint(care_vacuum(place.log, &how, &done, &err), ==, SF_OK);
    g_assert_cmpint(done.files, ==, 2);
    list_kept(&place, "_sidecars", "", &left);
    g_assert_cmpuint(g_hash_table_size(left.sizes), ==, 2);
    g_autoptr(GHashTable) live = live_files(&place);
    g_assert_cmpuint(g_hash_table_size(live), ==, 501);
}

/* Random lives: files come, go and come again, by us and by others; checkpoints of both kinds take turns. */
static void test_lives(void)
{
    for (int life = 0; life < 20; life++) {
        g_auto(Place) place = {0};
        g_autoptr(GHashTable) model = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
        gint64 last = g_test_rand_int_range(5, 60);
        place_init(&place);
        place.h->now_ms = INT64_C(1800000000000);
        for (gint64 version = 0; version <= last; version++) {
            g_autoptr(GString) text = g_string_new(version == 0 ? V2_PROTOCOL : "");
            bool ours = g_test_rand_int_range(0, 2);
            g_string_append(text, ours ? OURS : "");
            if (version == 0 || g_test_rand_int_range(0, 10) == 0)
                g_string_append(text, g_test_rand_int_range(0, 4) ? METADATA
                                                                  : WITH("\"delta.checkpointPolicy\":\"classic\""));
            for (int i = g_test_rand_int_range(0, 5); i > 0; i--) {
                g_autofree char *again = g_strdup_printf("f%d", g_test_rand_int_range(0, 40));
                g_autofree char *path = ours ? g_uuid_string_random() : g_strdup(again);
                bool add = ours || g_test_rand_int_range(0, 2);
                if (strstr(text->str, path))
                    continue; /* a commit names a file once */
                g_string_append_printf(text,
                                       add ? "{\"add\":{\"path\":\"%s\",\"partitionValues\":{},\"size\":1}}\n"
                                           : "{\"remove\":{\"path\":\"%s\",\"deletionTimestamp\":1799999999999}}\n",
                                       path);
                if (add)
                    g_hash_table_add(model, g_strdup(path));
                else
                    g_hash_table_remove(model, path);
            }
            place_put_commit(&place, version, text->str);
            update_to(&place, version);
            if (g_test_rand_int_range(0, 3) == 0) {
                checkpoint_now(&place);
                assert_live(&place, model);
            }
        }
        assert_live(&place, model);
    }
}

/* ---- other forms ------------------------------------------------------------------------------------------------- */

static void move_checkpoint(const Place *from, gint64 version, const Place *to, const char *name)
{
    g_autofree char *source =
        g_strdup_printf("%s/_delta_log/%020" G_GINT64_FORMAT ".checkpoint.parquet", from->dir, version);
    g_autofree char *target = g_strdup_printf("%s/_delta_log/%s", to->dir, name);
    g_assert_cmpint(g_rename(source, target), ==, 0);
}

/* All of a checkpoint's parts, which nobody writes any more. */
static void test_parts(void)
{
    g_auto(Place) place = {0}, other = {0};
    place_init(&place);
    place_init(&other);
    place_put_commit(&place, 0, PROTOCOL METADATA ADD("a") TXN("p/s/x", 6));
    place_put_commit(&other, 0, PROTOCOL METADATA ADD("b") ADD("gone"));
    place_loads(&place, 0);
    place_loads(&other, 0);
    checkpoint_now(&place);
    checkpoint_now(&other);
    move_checkpoint(&place, 0, &place, "00000000000000000004.checkpoint.0000000001.0000000002.parquet");
    move_checkpoint(&other, 0, &place, "00000000000000000004.checkpoint.0000000002.0000000002.parquet");
    g_autofree char *commit = g_build_filename(place.dir, "_delta_log/00000000000000000000.json", NULL);
    g_assert_cmpint(g_unlink(commit), ==, 0);
    place_put_commit(&place, 5, ADD("c") REMOVED("gone", "1"));
    static const char *const hints[] = {
        "{\"version\":4,\"size\":5,\"parts\":2}", "{\"version\":0}", "{\"version\":77}", "", "{\"version\":-4}", "[4]"};
    for (gsize i = 0; i < G_N_ELEMENTS(hints); i++) {
        place_put(&place, "_delta_log/_last_checkpoint", hints[i], -1);
        place_loads(&place, 5);
        g_assert_cmpint(delta_log_txn(place.log, "p/s/x"), ==, 6);
        g_autoptr(GHashTable) live = live_files(&place);
        g_assert_cmpuint(g_hash_table_size(live), ==, 3);
        g_assert_false(g_hash_table_contains(live, "gone"));
    }
    /* Ours on top of them stands alone. */
    checkpoint_now(&place);
    g_autofree char *paths = place_checkpoint_paths(&place, 5);
    g_assert_cmpstr(paths, ==, "c a b ");
}

int main(int argc, char **argv)
{
    if (g_access("/dev/shm", W_OK) == 0) /* thousands of files that no disk is waited for */
        g_setenv("TMPDIR", "/dev/shm", TRUE);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta/checkpoints are due by the table's interval, else by what they cost", test_due);
    g_test_add_func("/delta/checkpoints of other processes count", test_due_of_others);
    g_test_add_func("/delta/classic checkpoints of 10,000 commits are few", test_cost_classic);
    g_test_add_func("/delta/checkpoints with sidecars cost what the commits do", test_cost_v2);
    g_test_add_func("/delta/sidecars stay where nothing in them has changed", test_sidecars_stay);
    g_test_add_func("/delta/sidecars go with the last checkpoint that refers to them", test_sidecars_go);
    g_test_add_func("/delta/files come and go through checkpoints of both kinds", test_lives);
    g_test_add_func("/delta/checkpoints in parts are read, whatever _last_checkpoint says", test_parts);
    return g_test_run();
}
