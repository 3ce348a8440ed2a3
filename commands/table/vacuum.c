/* `sfrun table vacuum`: deletes the files that no version within the retention needs. What decides is the age of a
 * file and of its removal: neither who reads an older version nor who is about to commit loses what he needs. */
#include "table.h"

#include <stdio.h>
#include <string.h>

#include "data/printable.h"
#include "runtime/runtime.h"
#include "vacuum.h"

#define PAGE 5000 /* a local directory is walked anew for each */
#define HOUR_MS INT64_C(3600000)
#define DAY_MS (24 * HOUR_MS)
#define USUAL_RETENTION_MS (7 * DAY_MS) /* of delta.deletedFileRetentionDuration */

typedef struct VacuumOptions {
    TableOptions table;
    gint64 retention_ms; /* -1: the table's */
    bool dry_run;
    bool force;
} VacuumOptions;

static const CliFlag flags[] = {
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(VacuumOptions, dry_run, .doc = "Only say what would be deleted.")),
    CLI_FLAG('r', NULL,
             SF_OPTION_DURATION(VacuumOptions, retention_ms, .name = "retention", .min = "0",
                                .doc = "Keep what was removed, or written, within so long; by default the table's "
                                       "delta.deletedFileRetentionDuration, else 7 days.")),
    CLI_FLAG(0, NULL,
             SF_OPTION_BOOL(VacuumOptions, force,
                            .doc = "Take a retention shorter than the table's: nobody may be reading or writing.")),
    CLI_FLAG(0, NULL,
             SF_OPTION_BOOL(VacuumOptions, table.json, .name = "json", .doc = "Print JSON, one object a line.")),
    PLACE_FLAGS(VacuumOptions, table.place),
    CLI_FLAGS_END};

static const CliPage page = {
    .name = "table vacuum",
    .arguments = "URL",
    .summary = "Delete the files of a Delta table that no version needs any more",
    .text =
        "Deleted are files below the URL that no live version has, that were removed from the table longer ago than "
        "the retention (or never were in it: leavings of writers that were killed), and that are older than it. "
        "Files and directories whose names begin with '_' or '.' stay. Versions from before the retention can no "
        "longer be read afterwards. It may be stopped at any time, and called again.",
    .flags = flags,
    .examples = "sfrun table vacuum s3://processed-bucket/silver/sales --dry-run\n"
                "sfrun table vacuum --from pipelines/sales.yaml silver --retention 30d",
    .least = 1,
    .most = 1};

typedef struct Vacuum {
    const VacuumOptions *options;
    OpenTable *table;
    int64_t before_ms;
    bool beyond_table; /* the retention is longer than the table's, by which checkpoints forget removals */
    GArray *needed;    /* guint64: hashes of keys, sorted. Two keys of one hash keep a file that could go. */
    GPtrArray *going;  /* char *: keys of the page that are to be deleted */
    int64_t files, bytes, kept;
} Vacuum;

/* ---- what is needed --------------------------------------------------------------------------------------------- */

/* FNV-1a, 64 bits (http://www.isthe.com/chongo/tech/comp/fnv/). */
static guint64 hash_of(const char *key)
{
    guint64 hash = G_GUINT64_CONSTANT(14695981039346656037);
    for (; *key; key++)
        hash = (hash ^ (guchar) *key) * G_GUINT64_CONSTANT(1099511628211);
    return hash;
}

static void need_key(Vacuum *vacuum, const char *key)
{
    guint64 hash = hash_of(key);
    g_array_append_val(vacuum->needed, hash);
}

/* A file that lies elsewhere, as it seems, may be one of these by another name (a link, another host's path): then
 * nothing is deleted. */
static SfStatus need_file(gpointer user, json_object *action, SfError *err)
{
    Vacuum *vacuum = user;
    g_autofree char *key = delta_file_key(vacuum->table->log, action, err);
    g_autofree char *vector = NULL;
    if (!key)
        return SF_CONFIG;
    SF_TRY(delta_vector_key(vacuum->table->log, action, &vector, err));
    need_key(vacuum, key);
    if (vector)
        need_key(vacuum, vector);
    return SF_OK;
}

/* Within the retention, versions that have it can be read. A removal without a time is an old one (PROTOCOL.md, "Add
 * File and Remove File"). */
static SfStatus need_removed(gpointer user, json_object *action, SfError *err)
{
    Vacuum *vacuum = user;
    bool young = table_number(action, "deletionTimestamp") >= vacuum->before_ms;
    return young ? need_file(user, action, err) : SF_OK;
}

static int by_value(gconstpointer a, gconstpointer b)
{
    guint64 left = *(const guint64 *) a, right = *(const guint64 *) b;
    return left < right ? -1 : left > right;
}

static bool is_needed(const Vacuum *vacuum, const char *key)
{
    guint64 hash = hash_of(key);
    return g_array_binary_search(vacuum->needed, &hash, by_value, NULL);
}

/* Of the log, of other programs, temporary. Partitions of columns whose names begin so are not. */
static bool is_hidden(const char *key)
{
    g_auto(GStrv) segments = g_strsplit(key, "/", -1);
    for (char **segment = segments; *segment; segment++) {
        if (**segment == '.' || (**segment == '_' && !strchr(*segment, '=')))
            return true;
    }
    return false;
}

/* ---- deleting --------------------------------------------------------------------------------------------------- */

static void tell_of_file(const Vacuum *vacuum, const StoreEntry *entry)
{
    bool dry = vacuum->options->dry_run;
    if (vacuum->options->table.json) {
        json_object *out = json_object_new_object();
        g_autofree char *time = time_json(entry->modified_ms), *valid = g_utf8_make_valid(entry->key, -1);
        json_add(out, "path", valid);
        json_add_number(out, "size", entry->size);
        json_add(out, "modified", time);
        json_object_object_add(out, "deleted", json_object_new_boolean(!dry));
        json_print(out);
    } else if (dry) {
        g_autofree char *size = place_size(entry->size), *time = time_text(entry->modified_ms);
        g_autofree char *name = printable(entry->key, "");
        printf("%10s  %s  %s\n", size, time, name);
    }
}

static SfStatus take_entry(Vacuum *vacuum, const StoreEntry *entry)
{
    if (is_hidden(entry->key))
        return SF_OK;
    if (entry->modified_ms >= vacuum->before_ms || is_needed(vacuum, entry->key)) {
        vacuum->kept++;
        return SF_OK;
    }
    g_ptr_array_add(vacuum->going, g_strdup(entry->key));
    vacuum->files++;
    vacuum->bytes += entry->size;
    return SF_OK;
}

static SfStatus delete_going(Vacuum *vacuum, const GPtrArray *entries, SfError *err)
{
    Store *store = vacuum->table->place.store;
    if (!vacuum->options->dry_run)
        SF_TRY(store_delete_all(store, (const char *const *) vacuum->going->pdata, vacuum->going->len, err));
    guint next = 0;
    for (guint i = 0; i < entries->len && next < vacuum->going->len; i++) {
        const StoreEntry *entry = entries->pdata[i];
        if (!g_str_equal(entry->key, vacuum->going->pdata[next]))
            continue;
        tell_of_file(vacuum, entry);
        next++;
    }
    g_ptr_array_set_size(vacuum->going, 0);
    return SF_OK;
}

static SfStatus sweep(Vacuum *vacuum, SfError *err)
{
    g_autofree char *after = NULL;
    for (bool more = true; more;) {
        g_autoptr(GPtrArray) entries = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(vacuum->table->place.store, "", after, PAGE, entries, err));
        for (guint i = 0; i < entries->len; i++)
            SF_TRY(take_entry(vacuum, entries->pdata[i]));
        SF_TRY(delete_going(vacuum, entries, err));
        more = entries->len == PAGE;
        g_free(after);
        after = more ? g_strdup(((const StoreEntry *) entries->pdata[PAGE - 1])->key) : NULL;
    }
    return SF_OK;
}

/* ---- the command ------------------------------------------------------------------------------------------------ */

static SfStatus refuse_short(int64_t least, SfError *err)
{
    bool hours = least >= HOUR_MS;
    return sf_fail(err, SF_CONFIG,
                   "--retention is shorter than the table's %" G_GINT64_FORMAT
                   " %s: who reads an older version, or writes for so long, would lose files; --force takes it",
                   least / (hours ? HOUR_MS : 1000), hours ? "hours" : "seconds");
}

static SfStatus set_retention(Vacuum *vacuum, SfError *err)
{
    const VacuumOptions *options = vacuum->options;
    int64_t tables =
        delta_log_interval_ms(vacuum->table->log, "delta.deletedFileRetentionDuration", USUAL_RETENTION_MS);
    int64_t least = tables == INT64_MAX ? USUAL_RETENTION_MS : tables;
    int64_t retention = options->retention_ms >= 0 ? options->retention_ms : tables;
    if (retention == INT64_MAX)
        return sf_fail(err, SF_CONFIG,
                       "the table's delta.deletedFileRetentionDuration is not an interval that we "
                       "understand; give --retention");
    if (retention < least && !options->force)
        return refuse_short(least, err);
    vacuum->before_ms = g_get_real_time() / 1000 - retention;
    vacuum->beyond_table = retention > least;
    return SF_OK;
}

/* What checkpoints have forgotten of the time within the retention, the commits before them still say. */
static SfStatus need_forgotten(Vacuum *vacuum, SfError *err)
{
    DeltaLog *log = vacuum->table->log;
    g_autoptr(GArray) commits = NULL;
    guint first = 0;
    if (!vacuum->beyond_table || log->checkpoint < 0)
        return SF_OK;
    SF_TRY(delta_commits_list(log, &commits, err));
    while (first < commits->len && g_array_index(commits, DeltaCommit, first).time_ms < vacuum->before_ms)
        first++;
    if (first > 0 && first == commits->len)
        return SF_OK;
    int64_t from = commits->len > 0 ? g_array_index(commits, DeltaCommit, first).version : log->version + 1;
    if (first == 0 && from > 0)
        return sf_fail(err, SF_CONFIG,
                       "--retention is longer than the log goes back: which files were removed before version "
                       "%" G_GINT64_FORMAT " can no longer be told; give a shorter one",
                       from);
    return delta_removals_each(log, from, log->checkpoint, need_removed, vacuum, err);
}

static void print_vacuumed(const Vacuum *vacuum)
{
    bool dry = vacuum->options->dry_run;
    g_autofree char *size = place_size(vacuum->bytes);
    if (vacuum->options->table.json) {
        json_object *out = json_object_new_object();
        json_add_number(out, dry ? "would_delete" : "deleted", vacuum->files);
        json_add_number(out, "bytes", vacuum->bytes);
        json_add_number(out, "kept", vacuum->kept);
        json_print(out);
        return;
    }
    printf("%s %" G_GINT64_FORMAT " file%s (%s); %" G_GINT64_FORMAT " stay%s\n", dry ? "Would delete" : "Deleted",
           vacuum->files, vacuum->files == 1 ? "" : "s", size, vacuum->kept, vacuum->kept == 1 ? "s" : "");
}

static SfStatus vacuum_table(Vacuum *vacuum, SfError *err)
{
    DeltaLog *log = vacuum->table->log;
    SF_TRY(delta_log_check_features(log, err));
    SF_TRY(set_retention(vacuum, err));
    SF_TRY(delta_files_all(log, need_file, need_removed, vacuum, err));
    SF_TRY(need_forgotten(vacuum, err));
    g_array_sort(vacuum->needed, by_value);
    SF_TRY(sweep(vacuum, err));
    print_vacuumed(vacuum);
    return SF_OK;
}

static int run_vacuum(const VacuumOptions *options, const char *word)
{
    SfError err = {""};
    g_auto(OpenTable) table = {0};
    int status = table_open(&page, &options->table, word, &table);
    if (status >= 0)
        return status;
    Vacuum vacuum = {.options = options,
                     .table = &table,
                     .needed = g_array_new(FALSE, FALSE, sizeof(guint64)),
                     .going = g_ptr_array_new_with_free_func(g_free)};
    SfStatus done = vacuum_table(&vacuum, &err);
    g_array_unref(vacuum.needed);
    g_ptr_array_unref(vacuum.going);
    return done == SF_OK ? EXIT_OK : place_failed(&page, &err);
}

int table_vacuum(int argc, char **argv)
{
    g_auto(CliLine) line = {0};
    VacuumOptions options = {.table.version = -1, .retention_ms = -1};
    argv[0] = (char *) page.name;
    int status = place_parse(&page, argc, argv, &options, &options.table.place, &line);
    if (status < 0)
        status = run_vacuum(&options, line.words[0]);
    place_options_done(&options.table.place);
    return status;
}
