/* The audit of a table: positions and rows by its log, its files one by one, and what lies beside them that no version
 * names. Reads one version, whatever is committed meanwhile. */
#include <inttypes.h>
#include <string.h>

#include "delta/data_file.h"
#include "sink.h"

#define PAGE_KEYS 1000
#define LOOK_FILES 256 /* whose sizes are asked for at once */
#define FILE_MAX (INT64_C(1) << 33)
#define BATCH_ROWS 4096

enum { TOPIC, PARTITION, OFFSET, PROVENANCE };
static const char *const provenance[] = {"_topic", "_partition", "_offset"};
static const SfType provenance_types[] = {SF_UTF8, SF_INT32, SF_INT64};

typedef struct AuditFile {
    json_object *add; /* a reference */
    char *key;
    int64_t size; /* by the log */
    int64_t rows; /* by the log, those that are deleted not counted; -1: it does not say */
} AuditFile;

typedef struct TableAudit {
    SfNode *node;
    Sink *sink;
    SfAudit *audit;
    DeltaLog *log;
    GArray *files;             /* of AuditFile, which wait to be looked at */
    GHashTable *known;         /* char *: keys that the log names, of files that are gone, too */
    int64_t rows;              /* of all files; -1: not all say */
    bool positions;            /* the rows have columns that say which events they are */
    char *names[PROVENANCE];   /* what files call them */
    struct ArrowSchema stored; /* what is read of a file */
} TableAudit;

static void file_clear(gpointer data)
{
    AuditFile *file = data;
    json_object_put(file->add);
    g_free(file->key);
}

static void table_audit_done(TableAudit *all)
{
    delta_log_free(all->log);
    if (all->files)
        g_array_unref(all->files);
    if (all->known)
        g_hash_table_unref(all->known);
    sf_schema_done(&all->stored);
    for (int i = 0; i < PROVENANCE; i++)
        g_free(all->names[i]);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(TableAudit, table_audit_done)

static char *file_place(const TableAudit *all, const char *key)
{
    return g_strconcat(store_url(all->sink->store), "/", key, NULL);
}

/* ---- positions -------------------------------------------------------------------------------------------------- */

static void give_range(TableAudit *all, size_t input, const char *split, int64_t end)
{
    g_autofree char *place = g_strdup_printf("%s, version %" PRId64, store_url(all->sink->store), all->log->version);
    SfAuditRange range = sf_audit_range_new((uint32_t) input, split, SF_POSITION_NONE, end);
    range.place = place;
    sf_audit_range(all->audit, &range);
}

static bool has_own(const TableAudit *all, size_t input, const char *split)
{
    const SfNode *node = all->node;
    g_autofree char *own = node->n_inputs > 1
                               ? g_strdup_printf("%s/%s/%s/%s", node->pipeline, node->step, node->inputs[input], split)
                               : g_strdup_printf("%s/%s/%s", node->pipeline, node->step, split);
    return delta_log_find_txn(all->log, own) != NULL;
}

/* The appIds that begin so: the rest is the split's name. `adopted`: only where there is none of our own name. */
static void take_txns(TableAudit *all, size_t input, const char *prefix, bool adopted)
{
    GHashTableIter iter;
    gpointer id, txn;
    g_hash_table_iter_init(&iter, all->log->txns);
    while (g_hash_table_iter_next(&iter, &id, &txn)) {
        const char *split = (const char *) id + strlen(prefix);
        if (g_str_has_prefix(id, prefix) && *split && !strstr(split, "#origin:") &&
            (!adopted || !has_own(all, input, split)))
            give_range(all, input, split, ((const DeltaTxn *) txn)->version);
    }
}

static void take_positions(TableAudit *all)
{
    const SfNode *node = all->node;
    g_auto(GStrv) adopted = adopt_names(node, all->sink->adopt);
    for (size_t input = 0; input < node->n_inputs; input++) {
        const char *name = node->n_inputs > 1 ? node->inputs[input] : "";
        g_autofree char *own = g_strdup_printf("%s/%s/%s%s", node->pipeline, node->step, name, *name ? "/" : "");
        take_txns(all, input, own, false);
        for (char **other = adopted; other && *other; other++) {
            g_autofree char *prefix = g_strdup_printf("%s/%s%s", *other, name, *name ? "/" : "");
            take_txns(all, input, prefix, true);
        }
    }
}

/* ---- what is in a file ------------------------------------------------------------------------------------------ */

/* Which of the three it is, or -1. */
static int provenance_of(const char *name)
{
    for (int i = 0; i < PROVENANCE; i++)
        if (strcmp(name, provenance[i]) == 0)
            return i;
    return -1;
}

static void say_positions(TableAudit *all, int found)
{
    const char *place = store_url(all->sink->store);
    all->positions = found == PROVENANCE && all->node->n_inputs == 1;
    if (found < PROVENANCE)
        sf_audit_unknown(all->audit, place,
                         "the table has no columns _topic, _partition and _offset: which events its rows are cannot "
                         "be told");
    else if (!all->positions)
        sf_audit_unknown(all->audit, place, "which of the step's %zu inputs rows came by is not kept",
                         all->node->n_inputs);
}

/* All columns of the table, so that every page is read; where one has a type that we lack, what says which events the
 * rows are. */
static SfStatus plan_columns(TableAudit *all, SfError *err)
{
    SfError why;
    int found = 0;
    g_autoptr(json_object) schema = delta_schema_parse(all->log->metadata, err);
    if (!schema)
        return SF_FATAL;
    bool mapped = delta_log_maps(all->log);
    json_object *fields = delta_json_member(schema, "fields", json_type_array);
    g_autoptr(GPtrArray) stored = g_ptr_array_new(), least = g_ptr_array_new();
    for (size_t i = 0; fields && i < json_object_array_length(fields); i++) {
        json_object *field = json_object_array_get_idx(fields, i);
        const char *name = delta_json_text(field, "name");
        int which = provenance_of(name ? name : "");
        found += which >= 0;
        if (which >= 0)
            all->names[which] = g_strdup(delta_file_name(field, mapped));
        if (delta_is_partition(all->log, name))
            continue;
        g_ptr_array_add(stored, field);
        if (which >= 0)
            g_ptr_array_add(least, field);
    }
    say_positions(all, found);
    if (delta_fields_schema((json_object *const *) stored->pdata, stored->len, mapped, true, &all->stored, &why) ==
        SF_OK)
        return SF_OK;
    sf_audit_note(all->audit, store_url(all->sink->store),
                  "%s: only the columns that say which events the rows are were read", why.message);
    return delta_fields_schema((json_object *const *) least->pdata, least->len, mapped, true, &all->stored, err);
}

/* One of the three in a batch of a file, or what the file's partition says. */
typedef struct Provenance {
    bool there[PROVENANCE];
    SfColumn columns[PROVENANCE];
    const char *texts[PROVENANCE]; /* of the partition */
} Provenance;

static SfStatus find_provenance(const TableAudit *all, const AuditFile *file, const SfBatch *batch, Provenance *out,
                                SfError *err)
{
    json_object *values = delta_json_member(file->add, "partitionValues", json_type_object);
    for (int i = 0; i < PROVENANCE; i++) {
        const char *name = all->names[i];
        int64_t at = sf_schema_find(batch->schema, name);
        out->there[i] = at >= 0;
        out->texts[i] = delta_json_text(values, name);
        if (at >= 0)
            SF_TRY(sf_column(batch, name, provenance_types[i], &out->columns[i], err));
    }
    return SF_OK;
}

static bool provenance_null(const Provenance *of, int64_t row)
{
    for (int i = 0; i < PROVENANCE; i++)
        if (of->there[i] ? sf_is_null(&of->columns[i], row) : !of->texts[i])
            return true;
    return false;
}

static int32_t partition_at(const Provenance *of, int64_t row)
{
    return of->there[PARTITION] ? sf_i32(&of->columns[PARTITION], row)
                                : (int32_t) g_ascii_strtoll(of->texts[PARTITION], NULL, 10);
}

static SfBytes topic_at(const Provenance *of, int64_t row)
{
    if (of->there[TOPIC])
        return sf_bytes(&of->columns[TOPIC], row);
    return (SfBytes){of->texts[TOPIC], (int64_t) strlen(of->texts[TOPIC])};
}

static int64_t offset_at(const Provenance *of, int64_t row)
{
    return of->there[OFFSET] ? sf_i64(&of->columns[OFFSET], row) : g_ascii_strtoll(of->texts[OFFSET], NULL, 10);
}

/* Rows of one topic and partition in a row are told together. */
typedef struct Told {
    char *topic;
    int32_t partition;
    int64_t positions[BATCH_ROWS];
    size_t n;
} Told;

static void tell_rows(TableAudit *all, Told *told)
{
    if (told->n > 0)
        sf_audit_rows(all->audit, 0, told->topic, told->partition, told->positions, told->n);
    told->n = 0;
}

static int64_t tell_batch(TableAudit *all, const Provenance *of, const uint8_t *deleted, int64_t first, int64_t n,
                          Told *told)
{
    int64_t nameless = 0;
    for (int64_t row = 0; row < n; row++) {
        if (delta_vector_has(deleted, first + row))
            continue;
        if (provenance_null(of, row)) {
            nameless++;
            continue;
        }
        SfBytes topic = topic_at(of, row);
        int32_t partition = partition_at(of, row);
        bool same = told->topic && partition == told->partition && strlen(told->topic) == (size_t) topic.size &&
                    memcmp(told->topic, topic.data, (size_t) topic.size) == 0;
        if (!same || told->n == BATCH_ROWS)
            tell_rows(all, told);
        if (!same) {
            g_free(told->topic);
            told->topic = g_strndup(topic.data, (gsize) topic.size);
            told->partition = partition;
        }
        told->positions[told->n++] = offset_at(of, row);
    }
    return nameless;
}

typedef struct FileRead {
    int64_t rows;
    int64_t nameless; /* rows that do not say which event they are */
    uint8_t *deleted;
} FileRead;

static SfStatus read_rows(TableAudit *all, const AuditFile *file, GBytes *body, FileRead *out, SfError *err)
{
    g_autofree Told *told = g_new0(Told, 1);
    g_autoptr(ParquetReader) reader = parquet_reader_new(body, &all->stored, err);
    if (!reader)
        return SF_FATAL;
    SfStatus status = delta_vector_read(all->log, file->add, parquet_reader_rows(reader), &out->deleted, err);
    while (status == SF_OK) {
        SfBatch batch = {.schema = &all->stored};
        Provenance of = {0};
        status = parquet_reader_next(reader, BATCH_ROWS, &batch.rows, err);
        if (status != SF_OK)
            break;
        if (all->positions)
            status = find_provenance(all, file, &batch, &of, err);
        if (status == SF_OK && all->positions)
            out->nameless += tell_batch(all, &of, out->deleted, out->rows, sf_rows(&batch), told);
        out->rows += sf_rows(&batch);
        sf_array_done(&batch.rows);
    }
    tell_rows(all, told);
    g_free(told->topic);
    return status == SF_END ? SF_OK : status;
}

/* Its rows by what the file itself says against the log. */
static SfStatus read_file(TableAudit *all, const AuditFile *file, SfError *err)
{
    SfError why = {""};
    FileRead read = {0};
    g_autoptr(GBytes) body = NULL;
    g_autofree char *place = file_place(all, file->key);
    SF_TRY(store_get(all->sink->store, file->key, FILE_MAX, &body, err));
    SfStatus status = read_rows(all, file, body, &read, &why);
    int64_t live = read.rows - (read.deleted ? delta_vector_cardinality(file->add) : 0);
    g_free(read.deleted);
    if (status == SF_RETRY)
        return sf_fail(err, status, "%s", why.message);
    if (status != SF_OK)
        sf_audit_fault(all->audit, place, "cannot be read: %s", why.message);
    else if (file->rows >= 0 && live != file->rows)
        sf_audit_fault(all->audit, place, "has %" PRId64 " rows, by the log %" PRId64, live, file->rows);
    if (read.nameless > 0)
        sf_audit_unknown(all->audit, place, "%" PRId64 " of its rows do not say which event they are", read.nameless);
    return SF_OK;
}

/* ---- files ------------------------------------------------------------------------------------------------------ */

static SfStatus look_at_file(TableAudit *all, const AuditFile *file, int64_t size, SfError *err)
{
    g_autofree char *place = file_place(all, file->key);
    if (size < 0) {
        sf_audit_fault(all->audit, place, "is missing; version %" PRId64 " names it, with %" PRId64 " rows",
                       all->log->version, file->rows);
        return SF_OK;
    }
    sf_audit_checked(all->audit, "files", 1, size);
    if (size != file->size) {
        sf_audit_fault(all->audit, place, "has %" PRId64 " bytes, by the log %" PRId64, size, file->size);
        return SF_OK;
    }
    return all->audit->depth == SF_AUDIT_DEEP ? read_file(all, file, err) : SF_OK;
}

static SfStatus look_at_files(TableAudit *all, SfError *err)
{
    guint n = all->files->len;
    g_autofree const char **keys = g_new(const char *, n + 1);
    g_autofree int64_t *sizes = g_new(int64_t, n + 1);
    for (guint i = 0; i < n; i++)
        keys[i] = g_array_index(all->files, AuditFile, i).key;
    if (n > 0)
        SF_TRY(store_stat_all(all->sink->store, keys, sizes, n, err));
    for (guint i = 0; i < n; i++)
        SF_TRY(look_at_file(all, &g_array_index(all->files, AuditFile, i), sizes[i], err));
    g_array_set_size(all->files, 0);
    return SF_OK;
}

static int64_t stats_rows(json_object *add)
{
    const char *text = delta_json_text(add, "stats");
    g_autoptr(json_object) stats = text ? delta_json_parse(text, strlen(text), NULL) : NULL;
    int64_t rows = delta_stats_rows(stats);
    return rows < 0 ? -1 : rows - delta_vector_cardinality(add);
}

static SfStatus audit_add(gpointer user, json_object *add, SfError *err)
{
    TableAudit *all = user;
    json_object *size = delta_json_member(add, "size", json_type_int);
    int64_t rows = stats_rows(add);
    all->rows = all->rows < 0 || rows < 0 ? -1 : all->rows + rows;
    if (all->audit->depth == SF_AUDIT_QUICK) {
        sf_audit_checked(all->audit, "files of the log", 1, 0);
        return SF_OK;
    }
    AuditFile file = {
        .key = delta_file_key(all->log, add, err), .size = size ? json_object_get_int64(size) : -1, .rows = rows};
    if (!file.key)
        return SF_CONFIG;
    file.add = json_object_get(add);
    g_array_append_val(all->files, file);
    if (!g_hash_table_add(all->known, g_strdup(file.key))) {
        g_autofree char *place = file_place(all, file.key);
        sf_audit_fault(all->audit, place, "is named twice by version %" PRId64, all->log->version);
    }
    return all->files->len < LOOK_FILES ? SF_OK : look_at_files(all, err);
}

/* Of a version that is no more: the file may stay until VACUUM. */
static SfStatus take_removed(gpointer user, json_object *removed, SfError *err)
{
    (void) err;
    TableAudit *all = user;
    char *key = delta_file_key(all->log, removed, NULL);
    if (key)
        g_hash_table_add(all->known, key);
    return SF_OK;
}

/* Hidden directories have the log, change data, and what others keep. */
static bool is_data(const char *key)
{
    bool hidden = *key == '_' || *key == '.' || strstr(key, "/_delta") || strstr(key, "/.");
    return !hidden && g_str_has_suffix(key, ".parquet");
}

static SfStatus look_for_orphans(TableAudit *all, SfError *err)
{
    g_autofree char *after = NULL;
    for (bool full = true; full;) {
        g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(all->sink->store, "", after, PAGE_KEYS, page, err));
        full = page->len == PAGE_KEYS;
        for (guint i = 0; i < page->len; i++) {
            const StoreEntry *entry = page->pdata[i];
            g_autofree char *place = file_place(all, entry->key);
            if (is_data(entry->key) && !g_hash_table_contains(all->known, entry->key))
                sf_audit_orphan(all->audit, place,
                                "no version that the log has names it (%" PRId64
                                " bytes): of a commit under way, or one that was killed; VACUUM removes it",
                                entry->size);
        }
        g_free(after);
        after = full ? g_strdup(((const StoreEntry *) page->pdata[PAGE_KEYS - 1])->key) : NULL;
    }
    return SF_OK;
}

static SfStatus audit_table(TableAudit *all, SfError *err)
{
    bool stored = all->audit->depth > SF_AUDIT_QUICK;
    take_positions(all);
    if (all->audit->depth == SF_AUDIT_DEEP)
        SF_TRY(plan_columns(all, err));
    SF_TRY(delta_files_all(all->log, audit_add, stored ? take_removed : NULL, all, err));
    SF_TRY(look_at_files(all, err));
    if (all->node->n_inputs == 1) {
        SfAuditRange range = sf_audit_range_new(0, NULL, SF_POSITION_NONE, SF_POSITION_NONE);
        range.rows = all->rows;
        sf_audit_range(all->audit, &range);
    }
    return stored ? look_for_orphans(all, err) : SF_OK;
}

SfStatus silver_audit(SfNode *node, SfAudit *audit, SfError *err)
{
    Sink *sink = node->state;
    g_auto(TableAudit) all = {.node = node, .sink = sink, .audit = audit};
    sink->store = store_new(node, &sink->store_options, err);
    if (!sink->store)
        return SF_CONFIG;
    all.log = delta_log_new(node, sink->store);
    SF_TRY(delta_log_load(all.log, err));
    if (all.log->version < 0)
        return SF_OK;
    SF_TRY(delta_log_check_reading(all.log, err));
    all.files = g_array_new(FALSE, FALSE, sizeof(AuditFile));
    g_array_set_clear_func(all.files, file_clear);
    all.known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return audit_table(&all, err);
}
