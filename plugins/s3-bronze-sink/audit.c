/* The audit of bronze: its ledger's entries one after the other, and what lies beside their objects under our names.
 * Reads only. What is in the objects: audit_objects.c. */
#include <inttypes.h>
#include <string.h>

#include "audit_objects.h"

#define PAGE_KEYS 1000
#define LOOK_OBJECTS 256               /* whose sizes are asked for at once */
#define LOOK_BYTES (INT64_C(16) << 20) /* of entries that wait for that */
#define UNDER_WAY_MS 10000             /* an object of the last entry may be on its way so long */
#define LOOK_US (200 * 1000)

static void ledger_done(gpointer data)
{
    AuditLedger *ledger = data;
    g_free(ledger->prefix);
    g_free(ledger->beside);
    g_free(ledger->topic);
    g_free(ledger->below);
    g_free(ledger);
}

static void absent_clear(gpointer data)
{
    g_free(((Absent *) data)->key);
    g_free(((Absent *) data)->what);
}

static void audit_begin(BronzeAudit *all)
{
    all->ledgers = g_ptr_array_new_with_free_func(ledger_done);
    all->entries = g_ptr_array_new_with_free_func((GDestroyNotify) entry_free);
    all->owners = g_ptr_array_new();
    all->named = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    all->absent = g_array_new(FALSE, FALSE, sizeof(Absent));
    g_array_set_clear_func(all->absent, absent_clear);
}

static void audit_end(BronzeAudit *all)
{
    g_ptr_array_unref(all->entries);
    g_ptr_array_unref(all->owners);
    g_hash_table_unref(all->named);
    g_array_unref(all->absent);
    g_ptr_array_unref(all->ledgers);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(BronzeAudit, audit_end)

/* ---- entries ---------------------------------------------------------------------------------------------------- */

static void check_object(BronzeAudit *all, const AuditLedger *ledger, const Entry *entry, const EntryObject *object,
                         const char *place)
{
    if (!g_str_has_prefix(object->key, ledger->below) || object->first < entry->start || object->last >= entry->end)
        sf_audit_fault(all->audit, place, "names the object '%.200s', which is not one of its topic and range",
                       object->key);
    if (!object->index && object->last - object->first + 1 != object->rows)
        sf_audit_unknown(all->audit, place,
                         "is of an earlier version, which kept no positions: which rows '%.200s' has cannot be told",
                         object->key);
    for (int i = 0; i < BESIDE_KINDS; i++)
        if (object->beside[i].key)
            g_hash_table_add(all->named, g_strdup(object->beside[i].key));
    if (all->audit->depth > SF_AUDIT_QUICK && !g_hash_table_add(all->named, g_strdup(object->key)))
        sf_audit_fault(all->audit, place, "names the object '%.200s', which another entry names too", object->key);
}

static SfStatus audit_entry(BronzeAudit *all, Entry *taken, const char *place, SfError *err)
{
    g_autoptr(Entry) entry = taken;
    AuditLedger *ledger = all->ledger;
    int64_t rows = 0;
    for (guint i = 0; i < entry->objects->len; i++) {
        const EntryObject *object = &g_array_index(entry->objects, EntryObject, i);
        check_object(all, ledger, entry, object, place);
        rows += object->rows;
    }
    SfAuditRange range = sf_audit_range_new(0, entry->split, entry->start, entry->end);
    range.topic = entry->topic;
    range.partition = entry->partition;
    range.rows = rows;
    range.rejected = entry->rejected;
    range.place = place;
    sf_audit_range(all->audit, &range);
    sf_audit_checked(all->audit, "ledger entries", 1, 0);
    ledger->end = entry->end;
    ledger->last_start = entry->start;
    int64_t from, to;
    g_autofree char *split =
        entry->split ? g_strdup(entry->split) : g_strdup_printf("%s/%" PRId32, entry->topic, entry->partition);
    sf_audit_wanted(all->audit, split, &from, &to);
    if (all->audit->depth == SF_AUDIT_QUICK || entry->end <= from)
        return SF_OK;
    all->n_objects += entry->objects->len;
    all->held += (int64_t) g_bytes_get_size(entry->body);
    g_ptr_array_add(all->entries, g_steal_pointer(&entry));
    g_ptr_array_add(all->owners, ledger);
    return all->n_objects < LOOK_OBJECTS && all->held < LOOK_BYTES ? SF_OK : audit_objects(all, err);
}

/* The ledger that a key is of: the one at hand, or the next one. */
static void meet_ledger(BronzeAudit *all, const char *key, const Entry *entry)
{
    g_autofree char *prefix = g_path_get_dirname(key);
    g_autofree char *parent = g_path_get_dirname(prefix);
    g_autofree char *partition = g_path_get_basename(prefix);
    g_autofree char *name = g_path_get_basename(parent);
    g_autofree char *segment = ledger_segment(entry->topic);
    if (all->ledger && g_str_has_prefix(key, all->ledger->prefix))
        return;
    AuditLedger *ledger = g_new0(AuditLedger, 1);
    *ledger = (AuditLedger){.prefix = g_strconcat(prefix, "/", NULL),
                            .beside = g_strdup_printf("/%s+%s+", name, partition),
                            .topic = g_strdup(entry->topic),
                            .below = g_strconcat(all->bronze->root, segment, "/", NULL),
                            .partition = entry->partition};
    g_ptr_array_add(all->ledgers, ledger);
    all->ledger = ledger;
}

static bool is_entry(const char *key, int64_t *start)
{
    const char *digits = strrchr(key, '/') + 1;
    if (strspn(digits, G_CSET_DIGITS) != 20 || strcmp(digits + 20, ".json") != 0)
        return false;
    *start = (int64_t) g_ascii_strtoull(digits, NULL, 10);
    return *start >= 0;
}

static bool writes_as_us(const SfNode *node, const Entry *entry, const char *pipeline)
{
    g_auto(GStrv) names = adopt_names(node, bronze_of(node)->adopt);
    g_autofree char *name = g_strconcat(pipeline, "/", entry->step, NULL);
    return (strcmp(entry->step, node->step) == 0 && strcmp(pipeline, node->pipeline) == 0) ||
           g_strv_contains((const char *const *) names, name);
}

static SfStatus audit_key(BronzeAudit *all, const char *pipeline, const char *key, SfError *err)
{
    int64_t start;
    SfError why = {""};
    g_autoptr(GBytes) body = NULL;
    if (!is_entry(key, &start))
        return SF_OK;
    g_autofree char *place = audit_place(all, key);
    SfStatus status = store_get(all->bronze->store, key, ENTRY_MAX, &body, &why);
    if (status == SF_RETRY)
        return sf_fail(err, status, "%s", why.message);
    g_autoptr(Entry) entry = status == SF_OK ? entry_read(body, key, &why) : NULL;
    if (!entry || entry->start != start) {
        sf_audit_fault(all->audit, place, "is not a ledger entry that can be read: %s",
                       entry          ? "it says that it starts elsewhere"
                       : *why.message ? why.message
                                      : "it has vanished");
        return SF_OK;
    }
    if (!writes_as_us(all->node, entry, pipeline))
        return SF_OK;
    meet_ledger(all, key, entry);
    return audit_entry(all, g_steal_pointer(&entry), place, err);
}

static SfStatus audit_pipeline(BronzeAudit *all, const char *pipeline, SfError *err)
{
    g_autofree char *segment = ledger_segment(pipeline);
    g_autofree char *prefix = g_strconcat(all->bronze->root, LEDGERS, segment, "/", NULL);
    g_autofree char *after = NULL;
    for (bool full = true; full;) {
        g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(all->bronze->store, prefix, after, PAGE_KEYS, page, err));
        full = page->len == PAGE_KEYS;
        for (guint i = 0; i < page->len; i++)
            SF_TRY(audit_key(all, pipeline, ((const StoreEntry *) page->pdata[i])->key, err));
        g_free(after);
        after = full ? g_strdup(((const StoreEntry *) page->pdata[PAGE_KEYS - 1])->key) : NULL;
    }
    return SF_OK;
}

/* ---- what is not there, and what nobody names ------------------------------------------------------------------- */

/* The entry is created before its objects: those of the last one may come yet. */
static SfStatus wait_for_absent(BronzeAudit *all, Absent *absent, SfError *err)
{
    int64_t size = -1, until = sf_monotonic_ms(all->node) + UNDER_WAY_MS;
    g_autofree char *place = audit_place(all, absent->key);
    SfStatus status = SF_EMPTY;
    bool last = absent->start == absent->ledger->last_start;
    for (int tries = 0; status == SF_EMPTY && last && tries * LOOK_US < UNDER_WAY_MS * 1000; tries++) {
        status = store_stat(all->bronze->store, absent->key, &size, err);
        if (status == SF_EMPTY && sf_monotonic_ms(all->node) < until)
            g_usleep(LOOK_US);
    }
    if (status != SF_EMPTY)
        return status;
    sf_audit_fault(all->audit, place, "is missing; %s%s", absent->what,
                   last ? " (its entry is the last one: where a run was killed, the next one writes it)" : "");
    return SF_OK;
}

static const AuditLedger *ledger_of_object(const BronzeAudit *all, const char *key, int64_t *first)
{
    const char *name = strrchr(key, '/');
    for (guint i = 0; name && i < all->ledgers->len; i++) {
        const AuditLedger *ledger = all->ledgers->pdata[i];
        const char *digits = name + strlen(ledger->beside);
        if (!g_str_has_prefix(key, ledger->below) || !g_str_has_prefix(name, ledger->beside) ||
            !g_ascii_isdigit(*digits))
            continue;
        *first = (int64_t) g_ascii_strtoull(digits, NULL, 10);
        return ledger;
    }
    return NULL;
}

static SfStatus meet_object(BronzeAudit *all, const StoreEntry *object, SfError *err)
{
    int64_t first;
    const AuditLedger *ledger = ledger_of_object(all, object->key, &first);
    if (!ledger || g_hash_table_contains(all->named, object->key))
        return SF_OK;
    if (first >= ledger->end) { /* of a range that was cut meanwhile? */
        g_autoptr(Entry) entry = NULL;
        SfStatus status = ledger_find(all->bronze->store, ledger->prefix, ledger->end, &entry, err);
        if (status != SF_EMPTY)
            return status;
    }
    int64_t from, to;
    g_autofree char *split = g_strdup_printf("%s/%" PRId32, ledger->topic, ledger->partition);
    g_autofree char *place = audit_place(all, object->key);
    sf_audit_wanted(all->audit, split, &from, &to);
    if (first >= from)
        sf_audit_fault(all->audit, place,
                       "is an orphan: no ledger entry names it (%" PRId64
                       " bytes), and whoever reads the directory takes its rows for ours",
                       object->size);
    return SF_OK;
}

static SfStatus list_topic(BronzeAudit *all, const char *below, SfError *err)
{
    g_autofree char *after = NULL;
    for (bool full = true; full;) {
        g_autoptr(GPtrArray) page = g_ptr_array_new_with_free_func((GDestroyNotify) store_entry_free);
        SF_TRY(store_list(all->bronze->store, below, after, PAGE_KEYS, page, err));
        full = page->len == PAGE_KEYS;
        for (guint i = 0; i < page->len; i++)
            SF_TRY(meet_object(all, page->pdata[i], err));
        g_free(after);
        after = full ? g_strdup(((const StoreEntry *) page->pdata[PAGE_KEYS - 1])->key) : NULL;
    }
    return SF_OK;
}

static SfStatus look_for_orphans(BronzeAudit *all, SfError *err)
{
    g_autoptr(GHashTable) listed = g_hash_table_new(g_str_hash, g_str_equal);
    for (guint i = 0; i < all->ledgers->len; i++) {
        const AuditLedger *ledger = all->ledgers->pdata[i];
        if (g_hash_table_add(listed, ledger->below))
            SF_TRY(list_topic(all, ledger->below, err));
    }
    return SF_OK;
}

SfStatus bronze_audit(SfNode *node, SfAudit *audit, SfError *err)
{
    Bronze *bronze = bronze_of(node);
    g_auto(BronzeAudit) all = {.node = node, .bronze = bronze, .audit = audit};
    audit_begin(&all);
    bronze->store = store_new(node, &bronze->place, err);
    if (!bronze->store)
        return SF_CONFIG;
    if (node->n_inputs > 1)
        sf_audit_unknown(audit, NULL, "the ledger does not keep which of its %zu inputs rows came by", node->n_inputs);
    g_auto(GStrv) before = g_strsplit(bronze->adopt ? bronze->adopt : "", "/", 2);
    if (before[0] && strcmp(before[0], node->pipeline) != 0)
        SF_TRY(audit_pipeline(&all, before[0], err));
    SF_TRY(audit_pipeline(&all, node->pipeline, err));
    SF_TRY(audit_objects(&all, err));
    for (guint i = 0; i < all.absent->len; i++)
        SF_TRY(wait_for_absent(&all, &g_array_index(all.absent, Absent, i), err));
    return audit->depth > SF_AUDIT_QUICK ? look_for_orphans(&all, err) : SF_OK;
}

/* Rows without a value are left out where the option says so: they count as there. */
SfStatus bronze_audit_rows(SfNode *node, SfAudit *audit, uint32_t input, const SfBatch *batch, SfError *err)
{
    SfColumn value, offset;
    if (!batch || bronze_of(node)->layout_options.nulls != NULLS_IGNORE)
        return SF_OK;
    SF_TRY(sf_column_at(batch, sf_schema_find(batch->schema, "value"), &value, err));
    bool has_offset = sf_schema_find(batch->schema, "offset") >= 0;
    if (has_offset)
        SF_TRY(sf_column(batch, "offset", SF_INT64, &offset, err));
    for (int64_t row = 0; row < sf_rows(batch); row++) {
        int64_t position = has_offset ? sf_i64(&offset, row) : batch->start + row;
        if (sf_is_null(&value, row))
            sf_audit_rows(audit, input, batch->split->topic, batch->split->partition, &position, 1);
    }
    return SF_OK;
}
