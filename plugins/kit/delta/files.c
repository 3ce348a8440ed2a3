/* The live files of a version: the commits since the checkpoint, newest first, then the checkpoint (PROTOCOL.md,
 * "Action Reconciliation"). */
#include "read.h"

#define BATCH_ROWS 1024

typedef struct Walk {
    DeltaLog *log;
    DeltaFileCall call;
    DeltaFileCall removed; /* NULL: nobody asks for them */
    gpointer user;
    GHashTable *seen; /* char *: files that a newer commit has decided on */
    GPtrArray *sidecars;
    struct ArrowSchema plain; /* of a checkpoint, likewise */
    struct ArrowSchema typed; /* with stats_parsed */
    bool has_typed;
} Walk;

static void walk_done(Walk *walk)
{
    g_clear_pointer(&walk->seen, g_hash_table_unref);
    g_clear_pointer(&walk->sidecars, g_ptr_array_unref);
    sf_schema_done(&walk->plain);
    sf_schema_done(&walk->typed);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Walk, walk_done)

char *delta_file_identity(json_object *action)
{
    json_object *vector = delta_json_member(action, "deletionVector", json_type_object);
    json_object *offset = delta_json_member(vector, "offset", json_type_int);
    const char *path = delta_json_text(action, "path"), *where = delta_json_text(vector, "pathOrInlineDv");
    g_autofree char *file = delta_path_identity(path ? path : "");
    if (!delta_json_text(vector, "storageType"))
        return g_steal_pointer(&file);
    return g_strdup_printf("%s\n%s%s@%" G_GINT64_FORMAT, file, delta_json_text(vector, "storageType"),
                           where ? where : "", offset ? json_object_get_int64(offset) : -1);
}

/* Below the URL of the table, however that is written. */
static const char *below(const char *path, const char *root)
{
    size_t size = strlen(root);
    while (size > 1 && root[size - 1] == '/')
        size--;
    return strncmp(path, root, size) == 0 && path[size] == '/' ? path + size + 1 : NULL;
}

static const char *skip_scheme(const char *path)
{
    if (g_str_has_prefix(path, "s3a://") || g_str_has_prefix(path, "s3n://"))
        return path + 6;
    if (g_str_has_prefix(path, "s3://"))
        return path + 5;
    if (g_str_has_prefix(path, "file://"))
        return path + 7;
    return g_str_has_prefix(path, "file:/") ? path + 5 : path;
}

/* "gs://bucket/x", "dbfs:/x": of any scheme (RFC 3986, section 3.1). */
static bool has_scheme(const char *path)
{
    const char *at = path;
    while (g_ascii_isalnum(*at) || (*at && strchr("+.-", *at)))
        at++;
    return g_ascii_isalpha(*path) && at[0] == ':' && at[1] == '/';
}

char *delta_file_key(const DeltaLog *log, json_object *add, SfError *err)
{
    const char *path = delta_json_text(add, "path");
    g_autofree char *decoded = path ? delta_path_decode(path) : NULL;
    if (!decoded) {
        sf_fail(err, SF_FATAL, "%s: an add action has the path '%s'", store_url(log->store), path ? path : "null");
        return NULL;
    }
    const char *bare = skip_scheme(decoded);
    if (bare == decoded && *decoded != '/' && !has_scheme(path))
        return g_steal_pointer(&decoded);
    const char *key = below(bare, skip_scheme(store_url(log->store)));
    if (!key)
        sf_fail(err, SF_CONFIG, "%s: the file '%s' lies outside of the table (a shallow clone?), where we do not read",
                store_url(log->store), path);
    return g_strdup(key);
}

static SfStatus take_add(Walk *walk, json_object *add, SfError *err)
{
    delta_stats_complete(add, DELTA_STATS_TEXT);
    return walk->call(walk->user, add, err);
}

static SfStatus take_sidecar(Walk *walk, json_object *sidecar, SfError *err)
{
    char *key = delta_sidecar_key(sidecar, err);
    if (key)
        g_ptr_array_add(walk->sidecars, key);
    return key ? SF_OK : SF_FATAL;
}

static SfStatus take_line(gpointer user, json_object *line, SfError *err)
{
    Walk *walk = user;
    json_object *add = delta_json_member(line, "add", json_type_object);
    json_object *removed = delta_json_member(line, "remove", json_type_object);
    json_object *sidecar = delta_json_member(line, "sidecar", json_type_object);
    if (sidecar)
        return take_sidecar(walk, sidecar, err);
    if (!add && !removed)
        return SF_OK;
    bool news = g_hash_table_add(walk->seen, delta_file_identity(add ? add : removed));
    if (add)
        return news ? take_add(walk, add, err) : SF_OK;
    return news && walk->removed ? walk->removed(walk->user, removed, err) : SF_OK;
}

static SfStatus walk_text(Walk *walk, GBytes *body, SfError *err)
{
    gsize size;
    const char *at = g_bytes_get_data(body, &size);
    DeltaText lines = {.at = at, .end = at + size};
    return delta_text_each(&lines, take_line, walk, err);
}

/* A file of the log, which may be gone when others clean up. */
static SfStatus get(Walk *walk, const char *key, int64_t limit, GBytes **out, SfError *err)
{
    SfStatus status = store_get(walk->log->store, key, limit, out, err);
    return status == SF_EMPTY ? sf_fail(err, SF_FATAL, "%s/%s is gone", store_url(walk->log->store), key) : status;
}

static SfStatus walk_commit(Walk *walk, int64_t version, SfError *err)
{
    g_autofree char *key = delta_commit_key(version);
    g_autoptr(GBytes) body = NULL;
    SF_TRY(get(walk, key, DELTA_MAX_COMMIT, &body, err));
    return walk_text(walk, body, err);
}

static SfStatus walk_removed(Walk *walk, const SfColumn *removed, int64_t row, SfError *err)
{
    g_autoptr(json_object) action = delta_checkpoint_json(removed, row, err);
    g_autofree char *identity = action ? delta_file_identity(action) : NULL;
    return action && !g_hash_table_contains(walk->seen, identity) ? walk->removed(walk->user, action, err) : SF_OK;
}

static SfStatus walk_rows(gpointer user, const struct ArrowSchema *schema, const struct ArrowArray *rows, SfError *err)
{
    Walk *walk = user;
    SfColumn adds, sidecars, removed;
    if (walk->removed)
        SF_TRY(sf_column_view(schema->children[2], rows->children[2], &removed, err));
    SF_TRY(sf_column_view(schema->children[0], rows->children[0], &adds, err));
    SF_TRY(sf_column_view(schema->children[1], rows->children[1], &sidecars, err));
    for (int64_t row = 0; row < rows->length; row++) {
        g_autoptr(json_object) sidecar = delta_checkpoint_json(&sidecars, row, err);
        g_autoptr(json_object) add = delta_checkpoint_json(&adds, row, err);
        if (sidecar)
            SF_TRY(take_sidecar(walk, sidecar, err));
        if (walk->removed)
            SF_TRY(walk_removed(walk, &removed, row, err));
        if (!add)
            continue;
        g_autofree char *identity = delta_file_identity(add);
        if (!g_hash_table_contains(walk->seen, identity))
            SF_TRY(take_add(walk, add, err));
    }
    return SF_OK;
}

static void nothing_owned(struct ArrowSchema *schema)
{
    (void) schema;
}

/* Its columns add and sidecar alone, and remove where that is asked for. */
static SfStatus walk_parquet(Walk *walk, GBytes *file, SfError *err)
{
    const struct ArrowSchema *full = &walk->plain;
    struct ArrowSchema *children[3] = {full->children[DELTA_COLUMN_ADD], full->children[DELTA_COLUMN_SIDECAR],
                                       full->children[DELTA_COLUMN_REMOVE]};
    struct ArrowSchema schema = {.format = "+s",
                                 .name = "",
                                 .n_children = walk->removed ? 3 : 2,
                                 .children = children,
                                 .release = nothing_owned};
    g_autoptr(ParquetReader) reader = parquet_reader_new(file, &schema, err);
    if (!reader)
        return SF_FATAL;
    if (walk->has_typed && parquet_reader_has(reader, "add", "stats_parsed")) {
        children[0] = walk->typed.children[DELTA_COLUMN_ADD];
        ParquetReader *typed = parquet_reader_new(file, &schema, NULL);
        if (typed) {
            parquet_reader_free(reader);
            reader = typed;
        } else {
            children[0] = full->children[DELTA_COLUMN_ADD];
        }
    }
    return parquet_reader_each(reader, &schema, BATCH_ROWS, walk_rows, walk, err);
}

static SfStatus walk_file(Walk *walk, const char *key, SfError *err)
{
    g_autoptr(GBytes) file = NULL;
    SF_TRY(get(walk, key, DELTA_MAX_CHECKPOINT, &file, err));
    return g_str_has_suffix(key, ".json") ? walk_text(walk, file, err) : walk_parquet(walk, file, err);
}

static SfStatus walk_checkpoint(Walk *walk, SfError *err)
{
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    SF_TRY(delta_checkpoint_keys(walk->log, walk->log->checkpoint, keys, err));
    if (keys->len == 0)
        return sf_fail(err, SF_RETRY, "%s: the checkpoint of version %" G_GINT64_FORMAT " went away meanwhile",
                       store_url(walk->log->store), walk->log->checkpoint);
    for (guint i = 0; i < keys->len; i++)
        SF_TRY(walk_file(walk, keys->pdata[i], err));
    for (guint i = 0; i < walk->sidecars->len; i++)
        SF_TRY(walk_file(walk, walk->sidecars->pdata[i], err));
    return SF_OK;
}

SfStatus delta_files_each(DeltaLog *log, DeltaFileCall call, gpointer user, SfError *err)
{
    return delta_files_all(log, call, NULL, user, err);
}

SfStatus delta_files_all(DeltaLog *log, DeltaFileCall call, DeltaFileCall removed, gpointer user, SfError *err)
{
    g_auto(Walk) walk = {.log = log, .call = call, .removed = removed, .user = user};
    walk.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    walk.sidecars = g_ptr_array_new_with_free_func(g_free);
    SF_TRY(delta_checkpoint_schema(DELTA_COLUMNS_OF_V2, &walk.plain, err));
    walk.has_typed = delta_checkpoint_schema_of(log, DELTA_COLUMNS_OF_V2, &walk.typed, NULL) == SF_OK;
    for (int64_t version = log->version; version > log->checkpoint; version--)
        SF_TRY(walk_commit(&walk, version, err));
    return log->checkpoint >= 0 ? walk_checkpoint(&walk, err) : SF_OK;
}

static SfStatus pass_over(gpointer user, json_object *add, SfError *err)
{
    (void) user;
    (void) add;
    (void) err;
    return SF_OK;
}

SfStatus delta_removals_each(DeltaLog *log, int64_t from, int64_t to, DeltaFileCall removed, gpointer user,
                             SfError *err)
{
    g_auto(Walk) walk = {.log = log, .call = pass_over, .removed = removed, .user = user};
    walk.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    walk.sidecars = g_ptr_array_new_with_free_func(g_free);
    for (int64_t version = to; version >= from; version--)
        SF_TRY(walk_commit(&walk, version, err));
    return SF_OK;
}
