/* `sfrun table optimize`: packs small files of a partition into larger ones. The rows stay the same, and readers who
 * follow the table see no change. */
#include "optimize.h"

#include <stdio.h>

#include "replace.h"
#include "rewrite.h"
#include "runtime/runtime.h"

#define BINS_A_COMMIT 64

typedef struct OptimizeOptions {
    TableOptions table;
    gint64 target;
    bool dry_run;
} OptimizeOptions;

static const CliFlag flags[] = {
    CLI_FLAG(0, "SIZE",
             SF_OPTION_SIZE(OptimizeOptions, target, .name = "target_size", .value = "128MiB", .min = "1KiB",
                            .max = "2GiB", .doc = "Files smaller than this are packed into files of about this size.")),
    CLI_FLAG(0, NULL, SF_OPTION_BOOL(OptimizeOptions, dry_run, .doc = "Only say what would be packed.")),
    CLI_FLAG(0, NULL,
             SF_OPTION_BOOL(OptimizeOptions, table.json, .name = "json", .doc = "Print JSON, one object a line.")),
    PLACE_FLAGS(OptimizeOptions, table.place), CLI_FLAGS_END};

static const CliPage page = {
    .name = "table optimize",
    .arguments = "URL",
    .summary = "Pack the small files of a Delta table into larger ones",
    .text =
        "Files of one partition are packed together; deleted rows of those files go. The commits say that no data has "
        "changed, so streams from the table pass over them. Others may append meanwhile. When another writer removes "
        "a file that was read, the commit is not made, and the command ends with status 1: call it again. The small "
        "files "
        "stay for readers of older versions until `sfrun table vacuum` takes them. Killed at any time, it leaves "
        "the table as it was, or packed.\n\nIt takes memory of about the target size and the largest file.",
    .flags = flags,
    .examples = "sfrun table optimize s3://processed-bucket/silver/sales\n"
                "sfrun table optimize --from pipelines/sales.yaml silver --target-size 64MiB --dry-run",
    .least = 1,
    .most = 1};

/* Files of one partition that become one. */
typedef struct Bin {
    GPtrArray *adds; /* json_object *, owned */
    int64_t bytes;
} Bin;

typedef struct Optimize {
    const OptimizeOptions *options;
    OpenTable *table;
    GHashTable *open; /* char *partition → Bin *: to be filled on */
    GPtrArray *full;  /* Bin * */
    GHashTable *read; /* char *: identities of the bins' files that are not yet replaced */
    int64_t old_files, new_files, old_bytes, new_bytes, rows, commits;
} Optimize;

static void put_json(gpointer object)
{
    json_object_put(object);
}

static void bin_free(gpointer data)
{
    Bin *bin = data;
    g_ptr_array_unref(bin->adds);
    g_free(bin);
}

/* ---- packing ---------------------------------------------------------------------------------------------------- */

static Bin *bin_of(Optimize *optimize, json_object *add)
{
    json_object *values = delta_json_member(add, "partitionValues", json_type_object);
    const char *partition = values ? json_object_to_json_string_ext(values, JSON_C_TO_STRING_PLAIN) : "";
    Bin *bin = g_hash_table_lookup(optimize->open, partition);
    if (bin)
        return bin;
    bin = g_new0(Bin, 1);
    bin->adds = g_ptr_array_new_with_free_func(put_json);
    g_hash_table_insert(optimize->open, g_strdup(partition), bin);
    return bin;
}

/* The action without what takes room and is not needed. */
static json_object *slim_copy(json_object *add)
{
    static const char *const kept[] = {"path", "partitionValues", "size", "deletionVector", "tags"};
    json_object *out = json_object_new_object();
    for (size_t i = 0; i < G_N_ELEMENTS(kept); i++) {
        json_object *value = NULL;
        if (json_object_object_get_ex(add, kept[i], &value) && value)
            json_object_object_add(out, kept[i], json_object_get(value));
    }
    return out;
}

static void close_bin(Optimize *optimize, Bin *bin)
{
    Bin *full = g_new0(Bin, 1);
    *full = *bin;
    *bin = (Bin){.adds = g_ptr_array_new_with_free_func(put_json)};
    if (full->adds->len > 1)
        g_ptr_array_add(optimize->full, full);
    else
        bin_free(full);
}

static SfStatus pack_file(gpointer user, json_object *add, SfError *err)
{
    Optimize *optimize = user;
    int64_t size = table_number(add, "size");
    (void) err;
    if (size < 0 || size >= optimize->options->target)
        return SF_OK;
    Bin *bin = bin_of(optimize, add);
    if (bin->bytes + size > optimize->options->target)
        close_bin(optimize, bin);
    g_ptr_array_add(bin->adds, slim_copy(add));
    bin->bytes += size;
    return SF_OK;
}

static SfStatus pack(Optimize *optimize, SfError *err)
{
    SF_TRY(delta_files_each(optimize->table->log, pack_file, optimize, err));
    GHashTableIter iter;
    gpointer bin;
    g_hash_table_iter_init(&iter, optimize->open);
    while (g_hash_table_iter_next(&iter, NULL, &bin))
        close_bin(optimize, bin);
    return SF_OK;
}

/* ---- the work --------------------------------------------------------------------------------------------------- */

static SfStatus rewrite_bin(Optimize *optimize, Rewrite *rewrite, const Bin *bin, Replacement *replacement,
                            SfError *err)
{
    DeltaAdd *made = NULL;
    int64_t rows = 0;
    SF_TRY(rewrite_files(rewrite, bin->adds, &made, &rows, err));
    sf_fault(&optimize->table->node, "optimize-data");
    g_ptr_array_add(replacement->new, made);
    for (guint i = 0; i < bin->adds->len; i++)
        g_ptr_array_add(replacement->old, json_object_get(bin->adds->pdata[i]));
    replacement->rows += rows;
    replacement->old_bytes += bin->bytes;
    replacement->new_bytes += made->size;
    return SF_OK;
}

static void change_read(GHashTable *read, const GPtrArray *adds, bool in)
{
    for (guint i = 0; i < adds->len; i++) {
        g_autofree char *identity = delta_file_identity(adds->pdata[i]);
        if (in)
            g_hash_table_add(read, g_steal_pointer(&identity));
        else
            g_hash_table_remove(read, identity);
    }
}

static SfStatus commit_bins(Optimize *optimize, Replacement *replacement, SfError *err)
{
    sf_fault(&optimize->table->node, "optimize-commit");
    SF_TRY(replacement_commit(replacement, optimize->table, optimize->read, optimize->options->target, err));
    sf_fault(&optimize->table->node, "optimize-committed");
    change_read(optimize->read, replacement->old, false);
    optimize->commits++;
    optimize->old_files += replacement->old->len;
    optimize->new_files += replacement->new->len;
    optimize->old_bytes += replacement->old_bytes;
    optimize->new_bytes += replacement->new_bytes;
    optimize->rows += replacement->rows;
    return SF_OK;
}

static SfStatus rewrite_bins(Optimize *optimize, SfError *err)
{
    g_auto(Rewrite) rewrite = {0};
    SF_TRY(rewrite_init(&rewrite, optimize->table, err));
    SF_TRY(store_open(optimize->table->place.store, err)); /* proves that commits cannot overwrite each other */
    for (guint i = 0; i < optimize->full->len; i++)
        change_read(optimize->read, ((const Bin *) optimize->full->pdata[i])->adds, true);
    for (guint i = 0; i < optimize->full->len;) {
        g_auto(Replacement) replacement = {0};
        replacement_init(&replacement);
        replacement.before = optimize->commits;
        for (guint n = 0; n < BINS_A_COMMIT && i < optimize->full->len; n++, i++)
            SF_TRY(rewrite_bin(optimize, &rewrite, optimize->full->pdata[i], &replacement, err));
        SF_TRY(commit_bins(optimize, &replacement, err));
    }
    return SF_OK;
}

static void foresee(Optimize *optimize)
{
    for (guint i = 0; i < optimize->full->len; i++) {
        const Bin *bin = optimize->full->pdata[i];
        optimize->old_files += bin->adds->len;
        optimize->old_bytes += bin->bytes;
        optimize->new_files++;
    }
}

static void print_packed(const Optimize *optimize)
{
    bool dry = optimize->options->dry_run;
    g_autofree char *before = place_size(optimize->old_bytes), *after = place_size(optimize->new_bytes);
    if (optimize->options->table.json) {
        json_object *out = json_object_new_object();
        json_object_object_add(out, "dry_run", json_object_new_boolean(dry));
        json_add_number(out, "version", optimize->table->log->version);
        json_add_number(out, "commits", optimize->commits);
        json_add_number(out, "files_removed", optimize->old_files);
        json_add_number(out, "bytes_removed", optimize->old_bytes);
        json_add_number(out, "files_added", optimize->new_files);
        json_add_number(out, "bytes_added", dry ? -1 : optimize->new_bytes);
        json_add_number(out, "rows", dry ? -1 : optimize->rows);
        json_print(out);
    } else if (optimize->old_files == 0) {
        puts("Nothing to pack.");
    } else if (dry) {
        printf("Would pack %" G_GINT64_FORMAT " files (%s) into %" G_GINT64_FORMAT "\n", optimize->old_files, before,
               optimize->new_files);
    } else {
        printf("Packed %" G_GINT64_FORMAT " files (%s) into %" G_GINT64_FORMAT " (%s); version %" G_GINT64_FORMAT "\n",
               optimize->old_files, before, optimize->new_files, after, optimize->table->log->version);
    }
}

static SfStatus optimize_table(Optimize *optimize, SfError *err)
{
    SF_TRY(delta_log_check_features(optimize->table->log, err));
    if (delta_log_maps_by_id(optimize->table->log))
        return sf_fail(err, SF_CONFIG,
                       "%s: the table's delta.columnMapping.mode is 'id', and columns are found by their names only: a "
                       "copy could lose values",
                       store_url(optimize->table->log->store));
    SF_TRY(pack(optimize, err));
    if (optimize->options->dry_run)
        foresee(optimize);
    else if (optimize->full->len > 0)
        SF_TRY(rewrite_bins(optimize, err));
    print_packed(optimize);
    return SF_OK;
}

static int run_optimize(const OptimizeOptions *options, const char *word)
{
    SfError err = {""};
    g_auto(OpenTable) table = {0};
    int status = table_open(&page, &options->table, word, &table);
    if (status >= 0)
        return status;
    Optimize optimize = {.options = options,
                         .table = &table,
                         .open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, bin_free),
                         .full = g_ptr_array_new_with_free_func(bin_free),
                         .read = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    SfStatus done = optimize_table(&optimize, &err);
    g_hash_table_unref(optimize.open);
    g_ptr_array_unref(optimize.full);
    g_hash_table_unref(optimize.read);
    return done == SF_OK ? EXIT_OK : place_failed(&page, &err);
}

int table_optimize(int argc, char **argv)
{
    g_auto(CliLine) line = {0};
    OptimizeOptions options = {.table.version = -1};
    argv[0] = (char *) page.name;
    int status = place_parse(&page, argc, argv, &options, &options.table.place, &line);
    if (status < 0)
        status = run_optimize(&options, line.words[0]);
    place_options_done(&options.table.place);
    return status;
}
