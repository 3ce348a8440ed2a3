/* Packing small files of a partition into larger ones. The rows stay the same, and readers who follow the table see no
 * change. */
#include "care.h"
#include "replace.h"
#include "rewrite.h"

#define BINS_A_COMMIT 64

/* Files of one partition that become one. */
typedef struct Bin {
    GPtrArray *adds; /* json_object *, owned */
    int64_t bytes;
    int64_t largest;
} Bin;

typedef struct Optimize {
    DeltaLog *log;
    const CareOptimize *how;
    CareOptimized *out;
    GHashTable *open; /* char *partition → Bin *: to be filled on */
    GPtrArray *full;  /* Bin * */
    GHashTable *read; /* char *: identities of the bins' files that are not yet replaced */
} Optimize;

static void put_add(gpointer object)
{
    json_object_put(object);
}

static void bin_free(gpointer data)
{
    Bin *bin = data;
    g_ptr_array_unref(bin->adds);
    g_free(bin);
}

static void optimize_done(Optimize *optimize)
{
    g_hash_table_unref(optimize->open);
    g_ptr_array_unref(optimize->full);
    g_hash_table_unref(optimize->read);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Optimize, optimize_done)

/* ---- packing ---------------------------------------------------------------------------------------------------- */

static Bin *bin_of(Optimize *optimize, json_object *add)
{
    json_object *values = delta_json_member(add, "partitionValues", json_type_object);
    const char *partition = values ? json_object_to_json_string_ext(values, JSON_C_TO_STRING_PLAIN) : "";
    Bin *bin = g_hash_table_lookup(optimize->open, partition);
    if (bin)
        return bin;
    bin = g_new0(Bin, 1);
    bin->adds = g_ptr_array_new_with_free_func(put_add);
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

/* With the second rule a row is written anew a logarithm of times, however often this is called. */
static bool is_worth_packing(const Optimize *optimize, const Bin *bin)
{
    return bin->adds->len > 1 && (!optimize->how->thrifty || bin->largest <= bin->bytes / 2);
}

static void close_bin(Optimize *optimize, Bin *bin)
{
    Bin *full = g_new0(Bin, 1);
    *full = *bin;
    *bin = (Bin){.adds = g_ptr_array_new_with_free_func(put_add)};
    if (is_worth_packing(optimize, full))
        g_ptr_array_add(optimize->full, full);
    else
        bin_free(full);
}

static SfStatus pack_file(gpointer user, json_object *add, SfError *err)
{
    Optimize *optimize = user;
    json_object *number = delta_json_member(add, "size", json_type_int);
    int64_t size = number ? json_object_get_int64(number) : -1;
    (void) err;
    if (size < 0 || size >= optimize->how->target)
        return SF_OK;
    Bin *bin = bin_of(optimize, add);
    if (bin->bytes + size > optimize->how->target)
        close_bin(optimize, bin);
    g_ptr_array_add(bin->adds, slim_copy(add));
    bin->bytes += size;
    bin->largest = MAX(bin->largest, size);
    return SF_OK;
}

static SfStatus pack(Optimize *optimize, SfError *err)
{
    SF_TRY(delta_files_each(optimize->log, pack_file, optimize, err));
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
    sf_fault(optimize->log->node, "optimize-data");
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
    CareOptimized *out = optimize->out;
    sf_fault(optimize->log->node, "optimize-commit");
    SF_TRY(replacement_commit(replacement, optimize->log, optimize->read, optimize->how->target, err));
    sf_fault(optimize->log->node, "optimize-committed");
    change_read(optimize->read, replacement->old, false);
    out->commits++;
    out->old_files += replacement->old->len;
    out->new_files += replacement->new->len;
    out->old_bytes += replacement->old_bytes;
    out->new_bytes += replacement->new_bytes;
    out->rows += replacement->rows;
    return SF_OK;
}

static SfStatus rewrite_bins(Optimize *optimize, SfError *err)
{
    g_auto(Rewrite) rewrite = {0};
    SF_TRY(rewrite_init(&rewrite, optimize->log, optimize->how, err));
    SF_TRY(store_open(optimize->log->store, err)); /* proves that commits cannot overwrite each other */
    for (guint i = 0; i < optimize->full->len; i++)
        change_read(optimize->read, ((const Bin *) optimize->full->pdata[i])->adds, true);
    for (guint i = 0; i < optimize->full->len;) {
        g_auto(Replacement) replacement = {0};
        replacement_init(&replacement);
        replacement.before = optimize->out->commits;
        replacement.app_id = optimize->how->app_id;
        for (guint n = 0; n < BINS_A_COMMIT && i < optimize->full->len; n++, i++)
            SF_TRY(rewrite_bin(optimize, &rewrite, optimize->full->pdata[i], &replacement, err));
        SF_TRY(commit_bins(optimize, &replacement, err));
    }
    return SF_OK;
}

static void foresee(const Optimize *optimize)
{
    for (guint i = 0; i < optimize->full->len; i++) {
        const Bin *bin = optimize->full->pdata[i];
        optimize->out->old_files += bin->adds->len;
        optimize->out->old_bytes += bin->bytes;
        optimize->out->new_files++;
    }
}

SfStatus care_optimize(DeltaLog *log, const CareOptimize *how, CareOptimized *out, SfError *err)
{
    g_auto(Optimize) optimize = {.log = log,
                                 .how = how,
                                 .out = out,
                                 .open = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, bin_free),
                                 .full = g_ptr_array_new_with_free_func(bin_free),
                                 .read = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
    *out = (CareOptimized){0};
    SF_TRY(delta_log_check_reading(log, err));
    SF_TRY(delta_log_check_features(log, err));
    if (delta_log_maps_by_id(log))
        return sf_fail(err, SF_CONFIG,
                       "%s: the table's delta.columnMapping.mode is 'id', and columns are found by their names only: a "
                       "copy could lose values",
                       store_url(log->store));
    SF_TRY(pack(&optimize, err));
    if (how->dry_run)
        foresee(&optimize);
    else if (optimize.full->len > 0)
        return rewrite_bins(&optimize, err);
    return SF_OK;
}
