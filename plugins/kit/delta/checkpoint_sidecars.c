/* Checkpoints of V2 (PROTOCOL.md, "V2 Spec"): the state in a file of its own, the files of the table in sidecars. A
 * sidecar in which nothing has changed is referred to again, so that a checkpoint costs what has changed. Small ones
 * are merged with what is new as soon as that is half as large: an action is written a logarithm of times, and the
 * number of sidecars is a logarithm, too. */
#include "checkpoint_parts.h"

#define BATCH_ROWS 4096
#define MERGE_MOST (INT64_C(64) << 20) /* bytes of a sidecar that is never merged for its size */
#define COMMIT_SHARE 4                 /* a commit's text is about so many times its rows in a sidecar */

static const SfField vector_members[] = {{.name = "storageType", .type = SF_UTF8, .nullable = true},
                                         {.name = "pathOrInlineDv", .type = SF_UTF8, .nullable = true},
                                         {.name = "offset", .type = SF_INT32, .nullable = true}};
static const SfField add_members[] = {{.name = "path", .type = SF_UTF8, .nullable = true},
                                      {.name = "deletionVector",
                                       .type = SF_STRUCT,
                                       .nullable = true,
                                       .n_children = G_N_ELEMENTS(vector_members),
                                       .children = vector_members}};
static const SfField remove_members[] = {{.name = "path", .type = SF_UTF8, .nullable = true},
                                         {.name = "deletionVector",
                                          .type = SF_STRUCT,
                                          .nullable = true,
                                          .n_children = G_N_ELEMENTS(vector_members),
                                          .children = vector_members},
                                         {.name = "deletionTimestamp", .type = SF_INT64, .nullable = true}};
static const SfField looked_at[] = {{.name = "add",
                                     .type = SF_STRUCT,
                                     .nullable = true,
                                     .n_children = G_N_ELEMENTS(add_members),
                                     .children = add_members},
                                    {.name = "remove",
                                     .type = SF_STRUCT,
                                     .nullable = true,
                                     .n_children = G_N_ELEMENTS(remove_members),
                                     .children = remove_members}};

/* ---- which of the older ones stay -------------------------------------------------------------------------------- */

typedef struct Look {
    const Merge *merge;
    int64_t rows;
    int64_t decided; /* on by a newer commit */
    int64_t expired;
} Look;

static SfStatus look_at_rows(gpointer user, const struct ArrowSchema *schema, const struct ArrowArray *rows,
                             SfError *err)
{
    Look *look = user;
    FileColumns adds, removes;
    SF_TRY(file_columns_view(schema, rows, 0, &adds, err));
    SF_TRY(file_columns_view(schema, rows, 1, &removes, err));
    look->rows += rows->length;
    for (int64_t row = 0; row < rows->length; row++) {
        bool add = !sf_is_null(&adds.action, row), removed = !sf_is_null(&removes.action, row);
        look->decided += add && merge_decides(look->merge, &adds, row);
        look->decided += removed && merge_decides(look->merge, &removes, row);
        look->expired += removed && merge_expires(look->merge, &removes, row);
    }
    return SF_OK;
}

/* A sidecar stays as long as no newer commit has decided on one of its files, and most of it is not forgotten. */
static SfStatus has_changed(const Merge *merge, const char *key, bool *changed, SfError *err)
{
    g_autoptr(GBytes) file = NULL;
    struct ArrowSchema schema;
    Look look = {.merge = merge};
    SF_TRY(merge_get(merge, key, DELTA_MAX_CHECKPOINT, &file, err));
    SF_TRY(sf_schema_make(looked_at, G_N_ELEMENTS(looked_at), &schema, err));
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, err);
    SfStatus status = parquet_reader_each(reader, &schema, BATCH_ROWS, look_at_rows, &look, err);
    sf_schema_done(&schema);
    *changed = look.decided > 0 || 2 * look.expired > look.rows;
    return status;
}

static int64_t bytes_of(json_object *sidecar)
{
    json_object *size = delta_json_member(sidecar, "sizeInBytes", json_type_int);
    return size ? json_object_get_int64(size) : INT64_MAX;
}

static int by_size(gconstpointer a, gconstpointer b)
{
    int64_t left = bytes_of(*(json_object *const *) a), right = bytes_of(*(json_object *const *) b);
    return left < right ? -1 : left > right;
}

/* Rows of the older sidecars that do not stay; those that do go to `kept`. */
static SfStatus merge_sidecars(Merge *merge, GPtrArray *kept, SfError *err)
{
    int64_t fresh = merge->commit_bytes / COMMIT_SHARE;
    g_ptr_array_sort(merge->sidecars, by_size);
    for (guint i = 0; i < merge->sidecars->len; i++) {
        json_object *sidecar = merge->sidecars->pdata[i];
        g_autofree char *key = delta_sidecar_key(sidecar, err);
        if (!key)
            return SF_FATAL;
        int64_t bytes = bytes_of(sidecar);
        bool changed = bytes < MERGE_MOST && bytes <= 2 * fresh;
        fresh += changed ? bytes : 0;
        if (!changed && !merge->fresh)
            SF_TRY(has_changed(merge, key, &changed, err));
        if (changed)
            SF_TRY(merge_file(merge, key, err));
        else
            g_ptr_array_add(kept, sidecar);
    }
    return SF_OK;
}

/* ---- the files --------------------------------------------------------------------------------------------------- */

static SfStatus put_sidecar(Merge *merge, json_object **out, SfError *err)
{
    g_autoptr(GBytes) file = NULL;
    g_autofree char *uuid = delta_uuid();
    g_autofree char *name = g_strconcat(uuid, ".parquet", NULL);
    g_autofree char *key = g_strconcat("_delta_log/_sidecars/", name, NULL);
    SF_TRY(action_file_finish(&merge->file, &file, err));
    SF_TRY(store_put(merge->log->store, key, file, err));
    *out = json_object_new_object();
    json_object_object_add(*out, "path", json_object_new_string(name));
    json_object_object_add(*out, "sizeInBytes", json_object_new_int64((int64_t) g_bytes_get_size(file)));
    json_object_object_add(*out, "modificationTime", json_object_new_int64(sf_now_ms(merge->log->node)));
    return SF_OK;
}

enum { TOP_METADATA = DELTA_COLUMNS_OF_STATE, TOP_SIDECAR, TOP_COLUMNS };

static SfStatus add_top(ActionFile *file, const DeltaLog *log, const GPtrArray *sidecars, SfError *err)
{
    g_autoptr(json_object) metadata = json_object_new_object();
    json_object_object_add(metadata, "version", json_object_new_int64(log->version));
    SF_TRY(action_file_add(file, TOP_METADATA, metadata, err));
    SF_TRY(action_file_add_state(file, log, err));
    for (guint i = 0; i < sidecars->len; i++)
        SF_TRY(action_file_add(file, TOP_SIDECAR, sidecars->pdata[i], err));
    return SF_OK;
}

static SfStatus put_top(const Merge *merge, const GPtrArray *sidecars, Written *out, SfError *err)
{
    struct ArrowSchema **all = merge->plain.children, *columns[TOP_COLUMNS];
    g_auto(ActionFile) file = {0};
    g_autoptr(GBytes) body = NULL;
    g_autofree char *uuid = delta_uuid();
    memcpy(columns, all, DELTA_COLUMNS_OF_STATE * sizeof *all);
    columns[TOP_METADATA] = all[DELTA_COLUMN_CHECKPOINT];
    columns[TOP_SIDECAR] = all[DELTA_COLUMN_SIDECAR];
    SF_TRY(action_file_init(&file, columns, TOP_COLUMNS, err));
    SF_TRY(add_top(&file, merge->log, sidecars, err));
    SF_TRY(action_file_finish(&file, &body, err));
    out->key = g_strdup_printf("_delta_log/%020" G_GINT64_FORMAT ".checkpoint.%s.parquet", merge->log->version, uuid);
    out->size = (int64_t) g_bytes_get_size(body);
    out->actions = file.actions;
    sf_fault(merge->log->node, "silver-checkpoint");
    return store_put(merge->log->store, out->key, body, err);
}

SfStatus sidecars_write(DeltaLog *log, int64_t base, const GPtrArray *keys, Written *out, SfError *err)
{
    g_auto(Merge) merge = {0};
    g_autoptr(GPtrArray) kept = g_ptr_array_new();
    g_autoptr(json_object) made = NULL;
    SF_TRY(merge_init(&merge, log, DELTA_COLUMN_ADD, err));
    for (int64_t version = log->version; version > base; version--)
        SF_TRY(merge_commit(&merge, version, err));
    for (guint i = 0; i < keys->len; i++)
        SF_TRY(merge_file(&merge, keys->pdata[i], err));
    SF_TRY(merge_sidecars(&merge, kept, err));
    if (merge.file.actions > 0) {
        SF_TRY(put_sidecar(&merge, &made, err));
        sf_fault(log->node, "silver-sidecar");
        g_ptr_array_add(kept, made);
    }
    return put_top(&merge, kept, out, err);
}
