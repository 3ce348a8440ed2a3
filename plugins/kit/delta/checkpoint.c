/* Writing a checkpoint: a streaming merge of the one before and the commits since, newest first. What is held is one
 * batch of rows, one commit's text, the paths of the files that those commits name, and the compressed result. */
#include "read.h"

#define BATCH_ROWS 4096
#define BATCH_BYTES (32 << 20)
#define DAY_MS INT64_C(86400000)

typedef struct Merge {
    DeltaLog *log;
    struct ArrowSchema schema; /* of what is read: the last column is not written */
    struct ArrowSchema plain;  /* the same without stats_parsed, for files where that cannot be read */
    bool typed;                /* `schema` is there */
    DeltaStatsForm stats;
    ParquetWriter *writer;
    SfBuilder *builder;
    GPtrArray *sidecars; /* char *: keys of files that the older checkpoint refers to */
    GHashTable *seen;    /* char *: files and domains that a newer commit has decided on */
    int64_t actions;
    int64_t adds;
    int64_t expired_before; /* removes with an older deletionTimestamp are dropped */
} Merge;

static void merge_done(Merge *merge)
{
    parquet_writer_free(merge->writer);
    sf_builder_free(merge->builder);
    sf_schema_done(&merge->schema);
    sf_schema_done(&merge->plain);
    g_clear_pointer(&merge->seen, g_hash_table_unref);
    g_clear_pointer(&merge->sidecars, g_ptr_array_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Merge, merge_done)

static SfStatus flush_rows(Merge *merge, SfError *err)
{
    struct ArrowArray rows;
    if (sf_builder_rows(merge->builder) == 0)
        return SF_OK;
    SF_TRY(sf_builder_finish(merge->builder, &rows, err));
    SfStatus status =
        parquet_writer_add(merge->writer, (const struct ArrowArray *const *) rows.children, 0, NULL, rows.length, err);
    sf_array_done(&rows);
    return status;
}

static bool has_struct_stats(const Merge *merge)
{
    return merge->stats != DELTA_STATS_TEXT;
}

static const struct ArrowSchema *written_schema(const Merge *merge)
{
    return has_struct_stats(merge) ? &merge->schema : &merge->plain;
}

static SfStatus add_action(Merge *merge, int column, json_object *action, SfError *err)
{
    if (column == DELTA_COLUMN_ADD)
        delta_stats_complete(action, merge->stats);
    for (int i = 0; i < DELTA_COLUMNS; i++)
        delta_checkpoint_add(written_schema(merge)->children[i], i == column ? action : NULL,
                             sf_builder_column(merge->builder, (size_t) i));
    SF_TRY(sf_builder_end_row(merge->builder, err));
    merge->actions++;
    merge->adds += column == DELTA_COLUMN_ADD;
    if (sf_builder_rows(merge->builder) >= BATCH_ROWS || sf_builder_full(merge->builder) ||
        sf_builder_bytes(merge->builder) >= BATCH_BYTES)
        return flush_rows(merge, err);
    return SF_OK;
}

/* As delta_file_identity(). */
static char *file_key(const char *path, const char *storage, const char *vector, int64_t offset)
{
    g_autofree char *file = delta_path_identity(path);
    if (!storage)
        return g_steal_pointer(&file);
    return g_strdup_printf("%s\n%s%s@%" G_GINT64_FORMAT, file, storage, vector ? vector : "", offset);
}

static bool is_expired(const Merge *merge, json_object *removed)
{
    json_object *time = delta_json_member(removed, "deletionTimestamp", json_type_int);
    return !time || json_object_get_int64(time) < merge->expired_before;
}

/* A file's name, encoded as paths are; one that leads elsewhere does not belong to this table's log. */
static SfStatus add_sidecar(Merge *merge, const char *path, SfError *err)
{
    g_autofree char *name = path ? delta_path_decode(path) : NULL;
    if (!name || !*name || strchr(name, '/'))
        return sf_fail(err, SF_FATAL, "a sidecar of the checkpoint is called '%s'", path ? path : "null");
    g_ptr_array_add(merge->sidecars, g_strconcat("_delta_log/_sidecars/", name, NULL));
    return SF_OK;
}

static SfStatus merge_action(gpointer user, json_object *line, SfError *err)
{
    Merge *merge = user;
    json_object *action = delta_json_member(line, "add", json_type_object);
    if (action) {
        if (!g_hash_table_add(merge->seen, delta_file_identity(action)))
            return SF_OK;
        json_object_object_add(action, "dataChange", json_object_new_boolean(false));
        return add_action(merge, DELTA_COLUMN_ADD, action, err);
    }
    action = delta_json_member(line, "remove", json_type_object);
    if (action) {
        if (!g_hash_table_add(merge->seen, delta_file_identity(action)) || is_expired(merge, action))
            return SF_OK;
        json_object_object_add(action, "dataChange", json_object_new_boolean(false));
        return add_action(merge, DELTA_COLUMN_REMOVE, action, err);
    }
    action = delta_json_member(line, "sidecar", json_type_object);
    if (action)
        return add_sidecar(merge, delta_json_text(action, "path"), err);
    action = delta_json_member(line, "domainMetadata", json_type_object);
    const char *domain = delta_json_text(action, "domain");
    if (!domain || !g_hash_table_add(merge->seen, g_strconcat("\n", domain, NULL)))
        return SF_OK;
    json_object *removed = delta_json_member(action, "removed", json_type_boolean);
    return removed && json_object_get_boolean(removed) ? SF_OK : add_action(merge, DELTA_COLUMN_DOMAIN, action, err);
}

static SfStatus merge_text(Merge *merge, GBytes *body, SfError *err)
{
    gsize size;
    const char *at = g_bytes_get_data(body, &size);
    DeltaText lines = {.at = at, .end = at + size};
    return delta_text_each(&lines, merge_action, merge, err);
}

static SfStatus merge_commit(Merge *merge, int64_t version, SfError *err)
{
    g_autofree char *key = delta_commit_key(version);
    g_autoptr(GBytes) body = NULL;
    SfStatus status = store_get(merge->log->store, key, DELTA_MAX_COMMIT, &body, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_FATAL, "%s is gone", key);
    SF_TRY(status);
    return merge_text(merge, body, err);
}

/* Columns of an older checkpoint's file actions: what decides whether a row stays. */
typedef struct FileColumns {
    SfColumn action;
    SfColumn path;
    SfColumn vector;
    SfColumn storage;
    SfColumn inline_or_path;
    SfColumn offset;
    SfColumn stats;  /* of adds; likewise */
    SfColumn parsed; /* type 0: the file has nothing that we can read */
} FileColumns;

static SfStatus member_view(const SfColumn *action, const char *name, SfColumn *out, SfError *err)
{
    return sf_column_child(action, sf_schema_find(action->schema, name), out, err);
}

static SfStatus view_files(const struct ArrowSchema *schema, const struct ArrowArray *rows, int column,
                           FileColumns *out, SfError *err)
{
    SF_TRY(sf_column_view(schema->children[column], rows->children[column], &out->action, err));
    SF_TRY(member_view(&out->action, "path", &out->path, err));
    SF_TRY(member_view(&out->action, "deletionVector", &out->vector, err));
    SF_TRY(member_view(&out->vector, "storageType", &out->storage, err));
    SF_TRY(member_view(&out->vector, "pathOrInlineDv", &out->inline_or_path, err));
    return member_view(&out->vector, "offset", &out->offset, err);
}

static char *text_at(const SfColumn *column, int64_t row)
{
    SfBytes bytes = sf_bytes(column, row);
    return sf_is_null(column, row) ? NULL : g_strndup(bytes.data ? bytes.data : "", (gsize) bytes.size);
}

static bool is_decided(const Merge *merge, const FileColumns *files, int64_t row)
{
    g_autofree char *path = text_at(&files->path, row);
    bool vector = !sf_is_null(&files->vector, row);
    g_autofree char *storage = vector ? text_at(&files->storage, row) : NULL;
    g_autofree char *rest = vector ? text_at(&files->inline_or_path, row) : NULL;
    int64_t offset = vector && !sf_is_null(&files->offset, row) ? sf_i32(&files->offset, row) : -1;
    g_autofree char *key = file_key(path ? path : "", storage, rest, offset);
    return g_hash_table_contains(merge->seen, key);
}

static SfStatus keeps_domain(const Merge *merge, const SfColumn *domains, int64_t row, bool *keep, SfError *err)
{
    g_autoptr(json_object) action = delta_checkpoint_json(domains, row, err);
    const char *domain = delta_json_text(action, "domain");
    g_autofree char *key = g_strconcat("\n", domain ? domain : "", NULL);
    *keep = domain && !g_hash_table_contains(merge->seen, key);
    return SF_OK;
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

static SfStatus merge_add(Merge *merge, const SfColumn *adds, int64_t row, SfError *err)
{
    g_autoptr(json_object) action = delta_checkpoint_json(adds, row, err);
    return action ? add_action(merge, DELTA_COLUMN_ADD, action, err) : SF_FATAL;
}

static SfStatus merge_one_by_one(Merge *merge, const struct ArrowSchema *schema, const struct ArrowArray *rows,
                                 const int32_t *picked, int64_t n, SfError *err)
{
    merge->actions -= n;
    for (int64_t i = 0; i < n; i++)
        for (int column = DELTA_COLUMN_DOMAIN; column < DELTA_COLUMNS; column++) {
            SfColumn view;
            SF_TRY(sf_column_view(schema->children[column], rows->children[column], &view, err));
            g_autoptr(json_object) action = delta_checkpoint_json(&view, picked[i], err);
            merge->adds -= action && column == DELTA_COLUMN_ADD;
            if (action)
                SF_TRY(add_action(merge, column, action, err));
        }
    return SF_OK;
}

/* Rows of an older checkpoint that still hold, straight from its columns to ours. */
static SfStatus merge_rows(Merge *merge, const struct ArrowSchema *schema, const struct ArrowArray *rows, SfError *err)
{
    FileColumns adds = {0};
    FileColumns removes = {0};
    SfColumn removed_at;
    SfColumn domains;
    SfColumn sidecars;
    SfColumn sidecar_path;
    SF_TRY(view_files(schema, rows, DELTA_COLUMN_ADD, &adds, err));
    SF_TRY(member_view(&adds.action, "stats", &adds.stats, err));
    if (schema == &merge->schema)
        SF_TRY(member_view(&adds.action, "stats_parsed", &adds.parsed, err));
    SF_TRY(view_files(schema, rows, DELTA_COLUMN_REMOVE, &removes, err));
    SF_TRY(member_view(&removes.action, "deletionTimestamp", &removed_at, err));
    SF_TRY(sf_column_view(schema->children[DELTA_COLUMN_DOMAIN], rows->children[DELTA_COLUMN_DOMAIN], &domains, err));
    SF_TRY(
        sf_column_view(schema->children[DELTA_COLUMN_SIDECAR], rows->children[DELTA_COLUMN_SIDECAR], &sidecars, err));
    SF_TRY(member_view(&sidecars, "path", &sidecar_path, err));
    g_autofree int32_t *picked = g_new(int32_t, (gsize) rows->length);
    int64_t n = 0;
    for (int64_t row = 0; row < rows->length; row++) {
        bool keep = false;
        if (!sf_is_null(&adds.action, row)) {
            keep = !is_decided(merge, &adds, row);
            bool other = keep && other_stats(merge, &adds, row);
            if (other)
                SF_TRY(merge_add(merge, &adds.action, row, err));
            keep &= !other;
            merge->adds += keep;
        } else if (!sf_is_null(&removes.action, row)) {
            keep = !sf_is_null(&removed_at, row) && sf_i64(&removed_at, row) >= merge->expired_before &&
                   !is_decided(merge, &removes, row);
        } else if (!sf_is_null(&domains, row)) {
            SF_TRY(keeps_domain(merge, &domains, row, &keep, err));
        } else if (!sf_is_null(&sidecars, row)) {
            g_autofree char *path = text_at(&sidecar_path, row);
            SF_TRY(add_sidecar(merge, path, err));
        }
        picked[n] = (int32_t) row;
        n += keep;
    }
    merge->actions += n;
    /* A file without stats_parsed has one column less than the writer then has. */
    if (has_struct_stats(merge) && schema == &merge->plain)
        return merge_one_by_one(merge, schema, rows, picked, n, err);
    return parquet_writer_add(merge->writer, (const struct ArrowArray *const *) rows->children, 0, picked, n, err);
}

static SfStatus merge_parquet(Merge *merge, GBytes *file, SfError *err)
{
    const struct ArrowSchema *schema = &merge->plain;
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, schema, err);
    if (reader && merge->typed && parquet_reader_has(reader, "add", "stats_parsed")) {
        ParquetReader *typed = parquet_reader_new(file, &merge->schema, NULL);
        schema = typed ? &merge->schema : schema;
        if (typed) {
            parquet_reader_free(reader);
            reader = typed;
        }
    }
    SfStatus status = reader ? SF_OK : SF_FATAL;
    while (status == SF_OK) {
        struct ArrowArray rows;
        status = parquet_reader_next(reader, BATCH_ROWS, &rows, err);
        if (status != SF_OK)
            break;
        status = merge_rows(merge, schema, &rows, err);
        sf_array_done(&rows);
    }
    return status == SF_END ? SF_OK : status;
}

static SfStatus merge_file(Merge *merge, const char *key, SfError *err)
{
    g_autoptr(GBytes) file = NULL;
    SfStatus status = store_get(merge->log->store, key, DELTA_MAX_CHECKPOINT, &file, err);
    if (status == SF_EMPTY)
        return sf_fail(err, SF_FATAL, "%s is gone", key);
    SF_TRY(status);
    if (g_str_has_suffix(key, ".json"))
        return merge_text(merge, file, err);
    SF_TRY(flush_rows(merge, err));
    return merge_parquet(merge, file, err);
}

/* The state's rows have gone before, and what a newer commit has decided on. */
static SfStatus merge_checkpoint(Merge *merge, const GPtrArray *keys, SfError *err)
{
    for (guint i = 0; i < keys->len; i++)
        SF_TRY(merge_file(merge, keys->pdata[i], err));
    for (guint i = 0; i < merge->sidecars->len; i++)
        SF_TRY(merge_file(merge, merge->sidecars->pdata[i], err));
    return flush_rows(merge, err);
}

static SfStatus merge_state(Merge *merge, SfError *err)
{
    SF_TRY(add_action(merge, DELTA_COLUMN_PROTOCOL, merge->log->protocol, err));
    SF_TRY(add_action(merge, DELTA_COLUMN_METADATA, merge->log->metadata, err));
    GHashTableIter iter;
    gpointer app_id;
    gpointer value;
    g_hash_table_iter_init(&iter, merge->log->txns);
    while (g_hash_table_iter_next(&iter, &app_id, &value)) {
        const DeltaTxn *known = value;
        g_autoptr(json_object) txn = json_object_new_object();
        json_object_object_add(txn, "appId", json_object_new_string(app_id));
        json_object_object_add(txn, "version", json_object_new_int64(known->version));
        if (known->updated_ms != DELTA_NEVER)
            json_object_object_add(txn, "lastUpdated", json_object_new_int64(known->updated_ms));
        SF_TRY(add_action(merge, DELTA_COLUMN_TXN, txn, err));
    }
    return SF_OK;
}

/* Without the text there must be the struct, whatever the other property says: readers skip files by one of them. */
static DeltaStatsForm stats_form(const DeltaLog *log)
{
    if (g_strcmp0(delta_log_property(log, "delta.checkpoint.writeStatsAsJson"), "false") == 0)
        return DELTA_STATS_STRUCT;
    bool both = g_strcmp0(delta_log_property(log, "delta.checkpoint.writeStatsAsStruct"), "true") == 0;
    return both ? DELTA_STATS_BOTH : DELTA_STATS_TEXT;
}

static SfStatus merge_init(Merge *merge, DeltaLog *log, SfError *err)
{
    int64_t retention = delta_log_interval_ms(log, "delta.deletedFileRetentionDuration", 7 * DAY_MS);
    merge->log = log;
    merge->expired_before = retention == INT64_MAX ? INT64_MIN : sf_now_ms(log->node) - retention;
    merge->seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    merge->sidecars = g_ptr_array_new_with_free_func(g_free);
    struct ArrowSchema written;
    SF_TRY(delta_checkpoint_schema(DELTA_COLUMNS_OF_V2, &merge->plain, err));
    /* Columns that our schemas cannot hold, nested too deep, have their statistics as text only. */
    merge->typed = delta_checkpoint_schema_of(log, DELTA_COLUMNS_OF_V2, &merge->schema, NULL) == SF_OK;
    merge->stats = merge->typed ? stats_form(log) : DELTA_STATS_TEXT;
    SF_TRY(has_struct_stats(merge) ? delta_checkpoint_schema_of(log, DELTA_COLUMNS, &written, err)
                                   : delta_checkpoint_schema(DELTA_COLUMNS, &written, err));
    merge->builder = sf_builder_new(&written, err);
    ParquetOptions options = {.codec = PARQUET_SNAPPY, .maps = delta_checkpoint_maps};
    merge->writer = parquet_writer_new(&written, &options, err);
    sf_schema_done(&written);
    return merge->builder && merge->writer ? SF_OK : SF_FATAL;
}

static SfStatus point_to(Merge *merge, int64_t size, SfError *err)
{
    int64_t last;
    SF_TRY(delta_checkpoint_last(merge->log, &last, err));
    if (last > merge->log->version) {
        /* Another process is further than we know; or the hint leads to nowhere, and costs every reader a listing. */
        g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
        SF_TRY(delta_checkpoint_keys(merge->log, last, keys, err));
        if (keys->len > 0)
            return SF_OK;
    }
    char *text = g_strdup_printf("{\"version\":%" G_GINT64_FORMAT ",\"size\":%" G_GINT64_FORMAT
                                 ",\"sizeInBytes\":%" G_GINT64_FORMAT ",\"numOfAddFiles\":%" G_GINT64_FORMAT "}",
                                 merge->log->version, merge->actions, size, merge->adds);
    g_autoptr(GBytes) body = g_bytes_new_take(text, strlen(text));
    return store_put(merge->log->store, "_delta_log/_last_checkpoint", body, err);
}

/* On top of the checkpoint of version `base`, where there is one. */
static SfStatus write_on(DeltaLog *log, int64_t base, SfError *err)
{
    g_auto(Merge) merge = {0};
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    SF_TRY(merge_init(&merge, log, err));
    if (base >= 0)
        SF_TRY(delta_checkpoint_keys(log, base, keys, err));
    if (keys->len == 0)
        base = -1;
    SF_TRY(merge_state(&merge, err));
    for (int64_t version = log->version; version > base; version--)
        SF_TRY(merge_commit(&merge, version, err));
    SF_TRY(merge_checkpoint(&merge, keys, err));
    g_autoptr(GBytes) file = NULL;
    SF_TRY(parquet_writer_finish(merge.writer, &file, err));
    sf_fault(log->node, "silver-checkpoint");
    g_autofree char *key = g_strdup_printf("_delta_log/%020" G_GINT64_FORMAT ".checkpoint.parquet", log->version);
    SF_TRY(store_put(log->store, key, file, err));
    log->checkpoint = log->version;
    sf_fault(log->node, "silver-last-checkpoint");
    return point_to(&merge, (int64_t) g_bytes_get_size(file), err);
}

/* Another process may have written a newer one than we know of, and cleaned up what lies before it; or one that cannot
 * be read. */
SfStatus delta_checkpoint_write(DeltaLog *log, SfError *err)
{
    int64_t last;
    SF_TRY(delta_checkpoint_last(log, &last, err));
    if (last > log->checkpoint && last <= log->version) {
        SfError why = {0};
        SfStatus status = write_on(log, last, &why);
        if (status != SF_FATAL)
            return status == SF_OK ? SF_OK : sf_fail(err, status, "%s", why.message);
    }
    return write_on(log, log->checkpoint, err);
}
