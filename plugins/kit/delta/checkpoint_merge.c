/* The file actions of a checkpoint: a streaming merge of the commits, newest first, and the checkpoint before. What is
 * held is one batch of rows, one commit's text, the paths of the files that those commits name, and the compressed
 * result. */
#include "checkpoint_parts.h"

#define BATCH_ROWS 4096
#define DAY_MS INT64_C(86400000)
#define ENGINE "streamforge/"

void merge_done(Merge *merge)
{
    action_file_done(&merge->file);
    sf_schema_done(&merge->typed);
    sf_schema_done(&merge->plain);
    g_clear_pointer(&merge->seen, g_hash_table_unref);
    g_clear_pointer(&merge->sidecars, g_ptr_array_unref);
}

static bool has_struct_stats(const Merge *merge)
{
    return merge->stats != DELTA_STATS_TEXT;
}

/* Without the text there must be the struct, whatever the other property says: readers skip files by one of them. */
static DeltaStatsForm stats_form(const DeltaLog *log)
{
    if (g_strcmp0(delta_log_property(log, "delta.checkpoint.writeStatsAsJson"), "false") == 0)
        return DELTA_STATS_STRUCT;
    bool both = g_strcmp0(delta_log_property(log, "delta.checkpoint.writeStatsAsStruct"), "true") == 0;
    return both ? DELTA_STATS_BOTH : DELTA_STATS_TEXT;
}

static void put_action(gpointer object)
{
    json_object_put(object);
}

SfStatus merge_init(Merge *merge, DeltaLog *log, int first, SfError *err)
{
    int64_t retention = delta_log_interval_ms(log, "delta.deletedFileRetentionDuration", 7 * DAY_MS);
    merge->log = log;
    merge->first = first;
    merge->fresh = true;
    merge->expired_before = retention == INT64_MAX ? INT64_MIN : sf_now_ms(log->node) - retention;
    merge->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    merge->sidecars = g_ptr_array_new_with_free_func(put_action);
    SF_TRY(delta_checkpoint_schema(DELTA_COLUMNS_OF_V2, &merge->plain, err));
    /* Columns that our schemas cannot hold, nested too deep, have their statistics as text only. */
    merge->has_typed = delta_checkpoint_schema_of(log, DELTA_COLUMNS_OF_V2, &merge->typed, NULL) == SF_OK;
    merge->stats = merge->has_typed ? stats_form(log) : DELTA_STATS_TEXT;
    struct ArrowSchema *written = has_struct_stats(merge) ? &merge->typed : &merge->plain;
    return action_file_init(&merge->file, written->children + first, DELTA_COLUMNS - first, err);
}

static SfStatus take_file_action(Merge *merge, int column, json_object *action, SfError *err)
{
    if (column == DELTA_COLUMN_ADD)
        delta_stats_complete(action, merge->stats);
    merge->adds += column == DELTA_COLUMN_ADD;
    return action_file_add(&merge->file, column - merge->first, action, err);
}

/* ---- commits, and checkpoints that are texts --------------------------------------------------------------------- */

static bool is_expired(const Merge *merge, json_object *removed)
{
    json_object *time = delta_json_member(removed, "deletionTimestamp", json_type_int);
    return !time || json_object_get_int64(time) < merge->expired_before;
}

/* A writer of ours that has read nothing gives its files names that there were none of. */
static bool is_blind_and_ours(json_object *info)
{
    const char *engine = delta_json_text(info, "engineInfo");
    json_object *blind = delta_json_member(info, "isBlindAppend", json_type_boolean);
    return engine && g_str_has_prefix(engine, ENGINE) && blind && json_object_get_boolean(blind);
}

static SfStatus merge_action(gpointer user, json_object *line, SfError *err)
{
    Merge *merge = user;
    json_object *add = delta_json_member(line, "add", json_type_object);
    json_object *removed = delta_json_member(line, "remove", json_type_object);
    json_object *sidecar = delta_json_member(line, "sidecar", json_type_object);
    json_object *info = delta_json_member(line, "commitInfo", json_type_object);
    json_object *action = add ? add : removed;
    merge->commit_adds |= add != NULL;
    merge->commit_ours |= info && is_blind_and_ours(info);
    merge->fresh &= !removed;
    if (sidecar)
        g_ptr_array_add(merge->sidecars, json_object_get(sidecar));
    if (!action || !g_hash_table_add(merge->seen, delta_file_identity(action)) || (!add && is_expired(merge, removed)))
        return SF_OK;
    json_object_object_add(action, "dataChange", json_object_new_boolean(false));
    return take_file_action(merge, add ? DELTA_COLUMN_ADD : DELTA_COLUMN_REMOVE, action, err);
}

static SfStatus merge_text(Merge *merge, GBytes *body, SfError *err)
{
    gsize size;
    const char *at = g_bytes_get_data(body, &size);
    DeltaText lines = {.at = at, .end = at + size};
    return delta_text_each(&lines, merge_action, merge, err);
}

SfStatus merge_get(const Merge *merge, const char *key, int64_t limit, GBytes **out, SfError *err)
{
    SfStatus status = store_get(merge->log->store, key, limit, out, err);
    return status == SF_EMPTY ? sf_fail(err, SF_FATAL, "%s is gone", key) : status;
}

SfStatus merge_commit(Merge *merge, int64_t version, SfError *err)
{
    g_autofree char *key = delta_commit_key(version);
    g_autoptr(GBytes) body = NULL;
    SF_TRY(merge_get(merge, key, DELTA_MAX_COMMIT, &body, err));
    merge->commit_adds = merge->commit_ours = false;
    merge->commit_bytes += (int64_t) g_bytes_get_size(body);
    SF_TRY(merge_text(merge, body, err));
    merge->fresh &= merge->commit_ours || !merge->commit_adds;
    return SF_OK;
}

/* ---- rows of an older checkpoint --------------------------------------------------------------------------------- */

/* As delta_file_identity(). */
static char *identity_of(const char *path, const char *storage, const char *vector, int64_t offset)
{
    g_autofree char *file = delta_path_identity(path);
    if (!storage)
        return g_steal_pointer(&file);
    return g_strdup_printf("%s\n%s%s@%" G_GINT64_FORMAT, file, storage, vector ? vector : "", offset);
}

static SfStatus member_view(const SfColumn *action, const char *name, SfColumn *out, SfError *err)
{
    int64_t number = sf_schema_find(action->schema, name);
    return number < 0 ? SF_OK : sf_column_child(action, number, out, err);
}

SfStatus file_columns_view(const struct ArrowSchema *schema, const struct ArrowArray *rows, int64_t column,
                           FileColumns *out, SfError *err)
{
    *out = (FileColumns){0};
    SF_TRY(sf_column_view(schema->children[column], rows->children[column], &out->action, err));
    SF_TRY(member_view(&out->action, "path", &out->path, err));
    SF_TRY(member_view(&out->action, "deletionVector", &out->vector, err));
    SF_TRY(member_view(&out->vector, "storageType", &out->storage, err));
    SF_TRY(member_view(&out->vector, "pathOrInlineDv", &out->inline_or_path, err));
    SF_TRY(member_view(&out->vector, "offset", &out->offset, err));
    SF_TRY(member_view(&out->action, "deletionTimestamp", &out->removed_at, err));
    SF_TRY(member_view(&out->action, "stats", &out->stats, err));
    return member_view(&out->action, "stats_parsed", &out->parsed, err);
}

static char *text_at(const SfColumn *column, int64_t row)
{
    SfBytes bytes = sf_bytes(column, row);
    return sf_is_null(column, row) ? NULL : g_strndup(bytes.data ? bytes.data : "", (gsize) bytes.size);
}

bool merge_decides(const Merge *merge, const FileColumns *files, int64_t row)
{
    g_autofree char *path = text_at(&files->path, row);
    bool vector = !sf_is_null(&files->vector, row);
    g_autofree char *storage = vector ? text_at(&files->storage, row) : NULL;
    g_autofree char *rest = vector ? text_at(&files->inline_or_path, row) : NULL;
    int64_t offset = vector && !sf_is_null(&files->offset, row) ? sf_i32(&files->offset, row) : -1;
    g_autofree char *identity = identity_of(path ? path : "", storage, rest, offset);
    return g_hash_table_contains(merge->seen, identity);
}

bool merge_expires(const Merge *merge, const FileColumns *removes, int64_t row)
{
    return sf_is_null(&removes->removed_at, row) || sf_i64(&removes->removed_at, row) < merge->expired_before;
}

/* Whether a file's statistics are there in another form than those that are written. */
static bool other_stats(const Merge *merge, const FileColumns *files, int64_t row)
{
    bool text = !sf_is_null(&files->stats, row);
    bool parsed = files->parsed.type == SF_STRUCT && !sf_is_null(&files->parsed, row);
    switch (merge->stats) {
    case DELTA_STATS_TEXT:
        return parsed && !text;
    case DELTA_STATS_BOTH:
        return parsed != text;
    default:
        return text;
    }
}

static SfStatus take_file_row(Merge *merge, const SfColumn *actions, int column, int64_t row, SfError *err)
{
    g_autoptr(json_object) action = delta_checkpoint_json(actions, row, err);
    return action ? take_file_action(merge, column, action, err) : SF_FATAL;
}

typedef struct RowsAtHand {
    const struct ArrowSchema *schema;
    const struct ArrowArray *rows;
    FileColumns adds;
    FileColumns removes;
    SfColumn sidecars;
    bool same; /* its columns are those that are written */
} RowsAtHand;

/* *keep: the row goes on as it is. */
static SfStatus merge_row(Merge *merge, const RowsAtHand *at, int64_t row, bool *keep, SfError *err)
{
    *keep = false;
    if (!sf_is_null(&at->adds.action, row)) {
        if (merge_decides(merge, &at->adds, row))
            return SF_OK;
        *keep = at->same && !other_stats(merge, &at->adds, row);
        merge->adds += *keep;
        return *keep ? SF_OK : take_file_row(merge, &at->adds.action, DELTA_COLUMN_ADD, row, err);
    }
    if (!sf_is_null(&at->removes.action, row)) {
        bool gone = merge_expires(merge, &at->removes, row) || merge_decides(merge, &at->removes, row);
        *keep = at->same && !gone;
        return *keep || gone ? SF_OK : take_file_row(merge, &at->removes.action, DELTA_COLUMN_REMOVE, row, err);
    }
    json_object *sidecar = delta_checkpoint_json(&at->sidecars, row, err);
    if (sidecar)
        g_ptr_array_add(merge->sidecars, sidecar);
    return SF_OK;
}

/* Rows that still hold, straight from its columns to ours where they are the same. */
static SfStatus merge_rows(gpointer user, const struct ArrowSchema *schema, const struct ArrowArray *rows, SfError *err)
{
    Merge *merge = user;
    /* A file without stats_parsed has one column less than the writer then has. */
    RowsAtHand at = {.schema = schema, .rows = rows, .same = !has_struct_stats(merge) || schema == &merge->typed};
    SF_TRY(file_columns_view(schema, rows, DELTA_COLUMN_ADD, &at.adds, err));
    SF_TRY(file_columns_view(schema, rows, DELTA_COLUMN_REMOVE, &at.removes, err));
    SF_TRY(sf_column_view(schema->children[DELTA_COLUMN_SIDECAR], rows->children[DELTA_COLUMN_SIDECAR], &at.sidecars,
                          err));
    g_autofree int32_t *picked = g_new(int32_t, (gsize) rows->length);
    int64_t n = 0;
    for (int64_t row = 0; row < rows->length; row++) {
        bool keep = false;
        SF_TRY(merge_row(merge, &at, row, &keep, err));
        picked[n] = (int32_t) row;
        n += keep;
    }
    return n > 0 ? action_file_copy(&merge->file, rows->children + merge->first, picked, n, err) : SF_OK;
}

static SfStatus merge_parquet(Merge *merge, GBytes *file, SfError *err)
{
    const struct ArrowSchema *schema = &merge->plain;
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, schema, err);
    if (reader && merge->has_typed && parquet_reader_has(reader, "add", "stats_parsed")) {
        ParquetReader *typed = parquet_reader_new(file, &merge->typed, NULL);
        schema = typed ? &merge->typed : schema;
        if (typed) {
            parquet_reader_free(reader);
            reader = typed;
        }
    }
    return parquet_reader_each(reader, schema, BATCH_ROWS, merge_rows, merge, err);
}

SfStatus merge_file(Merge *merge, const char *key, SfError *err)
{
    g_autoptr(GBytes) file = NULL;
    SF_TRY(merge_get(merge, key, DELTA_MAX_CHECKPOINT, &file, err));
    return g_str_has_suffix(key, ".json") ? merge_text(merge, file, err) : merge_parquet(merge, file, err);
}
