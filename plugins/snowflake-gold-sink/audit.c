/* The audit of what is in the warehouse by itself: positions, tables, and rows that cannot be right whatever came. */
#include "audit.h"

#include <string.h>

#include "catalog.h"
#include "ledger.h"
#include "written.h"

/* Of one kind of fault in one table. */
#define MOST_EXAMPLES 20

/* ---- the ledger ---- */

static gint64 find_input(const SfNode *node, const char *name)
{
    if (node->n_inputs == 1)
        return *name == '\0' ? 0 : -1;
    for (size_t i = 0; i < node->n_inputs; i++)
        if (strcmp(node->inputs[i], name) == 0)
            return (gint64) i;
    return -1;
}

static bool has_chain(const GoldAudit *audit, gsize input, const char *split)
{
    for (guint i = 0; i < audit->chains->len; i++) {
        const AuditChain *chain = &g_array_index(audit->chains, AuditChain, i);
        if (chain->input == input && strcmp(chain->split, split) == 0)
            return true;
    }
    return false;
}

/* input, split, end_position, rows_in, rows_rejected */
static SfStatus take_position(gpointer data, char **cells, SfError *err)
{
    (void) err;
    GoldAudit *audit = data;
    const char *ledger = audit->session.ledger, *split = cells[1] ? cells[1] : "";
    gint64 input = find_input(audit->session.node, cells[0] ? cells[0] : "");
    int64_t end = audit_number(cells[2]), rows = audit_number(cells[3]), rejected = audit_number(cells[4]);
    if (input < 0) {
        sf_audit_note(audit->report, ledger, "has a position of input '%s', which the step does not have",
                      cells[0] ? cells[0] : "");
        return SF_OK;
    }
    if (has_chain(audit, (gsize) input, split)) {
        sf_audit_fault(audit->report, ledger, "has two rows for '%s': nobody knows which one counts", split);
        return SF_OK;
    }
    if (rows < rejected || rejected < 0)
        sf_audit_fault(audit->report, ledger, "says of '%s' that %s came and %s of them were rejected", split,
                       cells[3] ? cells[3] : "NULL", cells[4] ? cells[4] : "NULL");
    AuditChain chain = {g_strdup(split), (gsize) input, end, MAX(rejected, 0)};
    g_array_append_val(audit->chains, chain);
    if (end < 0) /* made when the split came, and nothing is committed */
        return SF_OK;
    bool whole = !audit->session.adopt && rows >= rejected; /* else another step has had the first rows */
    SfAuditRange range = sf_audit_range_new((uint32_t) input, split, SF_POSITION_NONE, end);
    range.place = ledger;
    if (whole) {
        range.rows = rows - rejected;
        range.rejected = rejected;
    }
    sf_audit_range(audit->report, &range);
    return SF_OK;
}

static SfStatus audit_ledger(GoldAudit *audit, SfError *err)
{
    Session *session = &audit->session;
    g_autofree char *folded = sql_folded(session->dialect, session->ledger);
    g_autoptr(GHashTable) columns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    SF_TRY(catalog_columns(session, folded, columns, err));
    audit->has_ledger = g_hash_table_size(columns) > 0;
    if (!audit->has_ledger) {
        sf_audit_note(audit->report, session->ledger, "does not exist: nothing has been committed");
        return SF_OK;
    }
    g_autoptr(GString) sql = g_string_new("SELECT input, split, end_position, rows_in, rows_rejected FROM ");
    ledger_table(session, sql);
    g_string_append(sql, " WHERE ");
    session_of_this_step(session, sql);
    g_string_append(sql, " ORDER BY input, split");
    return audit_query(audit, sql->str, 5, take_position, audit, err);
}

static bool anything_committed(const GoldAudit *audit)
{
    for (guint i = 0; i < audit->chains->len; i++)
        if (g_array_index(audit->chains, AuditChain, i).end > 0)
            return true;
    return false;
}

/* ---- tables ---- */

static SfStatus check_table(const GoldAudit *audit, const Place *place, bool *intact, SfError *err)
{
    Session *session = (Session *) &audit->session;
    g_autofree char *folded = sql_folded(session->dialect, place->target->table);
    g_autoptr(GHashTable) columns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    SF_TRY(catalog_columns(session, folded, columns, err));
    *intact = g_hash_table_size(columns) > 0;
    if (!*intact && anything_committed(audit))
        sf_audit_fault(audit->report, place->target->table, "does not exist, and the ledger has positions");
    for (guint i = 0; *intact && i < place->target->columns->len; i++) {
        const Column *column = target_column(place->target, i);
        g_autofree char *name = catalog_name(session, column->name);
        *intact = g_hash_table_contains(columns, name);
        if (!*intact)
            sf_audit_fault(audit->report, place->target->table, "has no column '%s'; the next run adds it",
                           column->name);
    }
    return SF_OK;
}

static SfStatus check_tables(GoldAudit *audit, SfError *err)
{
    for (guint i = 0; i < audit->intact->len; i++) {
        Place place = audit_place(audit, i);
        bool *intact = &g_array_index(audit->intact, bool, i);
        SF_TRY(check_table(audit, &place, intact, err));
        if (!*intact || !place.target->deleted)
            continue;
        Place deleted = sql_deleted(&place);
        SF_TRY(check_table(audit, &deleted, intact, err));
    }
    return SF_OK;
}

/* What is known of one table's rows by the topics and partitions that they say they come from. */
typedef struct Origins {
    const GoldAudit *audit;
    const Place *place;
    GHashTable *writers; /* see written_writers() */
    GHashTable *ends;    /* split's name → int64_t *, the furthest of all writers of these tables */
    GHashTable *topics;  /* that these splits are of, if they are of topics */
    bool unknown;        /* there are rows of topics that no split is of */
    int64_t rows;
} Origins;

/* A row of the ledger: pipeline, step, split, end_position */
static SfStatus take_end(gpointer data, char **cells, SfError *err)
{
    (void) err;
    Origins *origins = data;
    const SfNode *node = origins->audit->session.node;
    const char *pipeline = cells[0] ? cells[0] : "", *step = cells[1] ? cells[1] : "";
    g_autofree char *writer = g_strconcat(pipeline, "\n", step, NULL);
    bool own = strcmp(pipeline, node->pipeline) == 0 && strcmp(step, node->step) == 0;
    if (!cells[2] || !(own || g_hash_table_contains(origins->writers, writer)))
        return SF_OK;
    int64_t end = audit_number(cells[3]), *known = g_hash_table_lookup(origins->ends, cells[2]);
    if (end < 0 || (known && *known >= end))
        return SF_OK;
    known = g_new(int64_t, 1);
    *known = end;
    g_hash_table_replace(origins->ends, g_strdup(cells[2]), known);
    const char *slash = strrchr(cells[2], '/');
    if (slash)
        g_hash_table_add(origins->topics, g_strndup(cells[2], (gsize) (slash - cells[2])));
    return SF_OK;
}

/* topic, partition, rows, first and last offset */
static SfStatus take_group(gpointer data, char **cells, SfError *err)
{
    (void) err;
    char **copy = g_new0(char *, 6);
    for (gsize i = 0; i < 5; i++)
        copy[i] = g_strdup(cells[i]);
    g_ptr_array_add(data, copy);
    return SF_OK;
}

static void group_free(gpointer data)
{
    char **cells = data;
    for (gsize i = 0; i < 5; i++)
        g_free(cells[i]);
    g_free(cells);
}

/* A split that is not there is one of another kind (a file's, a Delta table's), unless its topic has others. */
static void judge_stranger(Origins *origins, const char *topic, const char *split, const char *rows, int64_t first,
                           int64_t last)
{
    bool missing = g_hash_table_size(origins->ends) == 0 || g_hash_table_contains(origins->topics, topic);
    origins->unknown |= !missing;
    if (missing)
        sf_audit_fault(origins->audit->report, origins->place->target->table,
                       "has %s of '%s', offsets %" G_GINT64_FORMAT " to %" G_GINT64_FORMAT
                       ", of which the ledger has no position",
                       rows, split, (gint64) first, (gint64) last);
}

static void judge_group(Origins *origins, char **cells)
{
    SfAudit *report = origins->audit->report;
    const char *table = origins->place->target->table;
    int64_t n = audit_number(cells[2]), first = audit_number(cells[3]), last = audit_number(cells[4]);
    g_autofree char *rows = audit_rows_text(n);
    origins->rows += n;
    if (!cells[0] || !cells[1] || !cells[3]) {
        sf_audit_note(report, table, "has %s without _topic, _partition or _offset: of somebody else", rows);
        return;
    }
    g_autofree char *split = g_strdup_printf("%s/%s", cells[0], cells[1]);
    const int64_t *end = g_hash_table_lookup(origins->ends, split);
    if (!end)
        judge_stranger(origins, cells[0], split, rows, first, last);
    else if (last >= *end)
        sf_audit_fault(report, table,
                       "has rows of '%s' up to offset %" G_GINT64_FORMAT ", and the ledger ends at %" G_GINT64_FORMAT,
                       split, (gint64) last, (gint64) *end);
}

static void groups_query(const Place *place, GString *sql)
{
    g_string_append(sql, "SELECT ");
    for (gsize i = 0; i < 2; i++) {
        audit_provenance(place, i, sql);
        g_string_append(sql, ", ");
    }
    g_string_append(sql, "COUNT(*), MIN(");
    audit_provenance(place, 2, sql);
    g_string_append(sql, "), MAX(");
    audit_provenance(place, 2, sql);
    g_string_append(sql, ") FROM ");
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append(sql, " GROUP BY 1, 2 ORDER BY 1, 2");
}

static SfStatus read_ends(Origins *origins, SfError *err)
{
    const GoldAudit *audit = origins->audit;
    if (!audit->has_ledger)
        return SF_OK;
    g_autoptr(GString) sql = g_string_new("SELECT pipeline, step, split, end_position FROM ");
    ledger_table(&audit->session, sql);
    SF_TRY(written_writers((Session *) &audit->session, origins->writers, err));
    return audit_query(audit, sql->str, 4, take_end, origins, err);
}

static SfStatus audit_origins(const GoldAudit *audit, const Place *place, SfError *err)
{
    g_autoptr(GHashTable) writers = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GHashTable) ends = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_autoptr(GHashTable) topics = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    g_autoptr(GPtrArray) groups = g_ptr_array_new_with_free_func(group_free);
    Origins origins = {.audit = audit, .place = place, .writers = writers, .ends = ends, .topics = topics};
    g_autoptr(GString) sql = g_string_new(NULL);
    groups_query(place, sql);
    SF_TRY(audit_query(audit, sql->str, 5, take_group, groups, err));
    SF_TRY(read_ends(&origins, err)); /* afterwards, so that rows which are committed in between are not beyond them */
    for (guint i = 0; i < groups->len; i++)
        judge_group(&origins, groups->pdata[i]);
    if (origins.unknown)
        sf_audit_unknown(audit->report, place->target->table,
                         "has rows of topics, and the ledger's positions are of other splits: whether rows are beyond "
                         "them is not known");
    g_autofree char *what = g_strdup_printf("rows of %s", place->target->table);
    sf_audit_checked(audit->report, what, origins.rows, 0);
    return SF_OK;
}

/* ---- rows that contradict each other ---- */

typedef struct Examples {
    SfAudit *report;
    const char *table, *format; /* of the cells' text */
    guint n_cells, n;
} Examples;

/* All cells but the last, which is how often */
static SfStatus take_example(gpointer data, char **cells, SfError *err)
{
    (void) err;
    Examples *examples = data;
    g_autoptr(GString) what = g_string_new(NULL);
    for (guint i = 0; i + 1 < examples->n_cells; i++)
        g_string_append_printf(what, "%s%s", i > 0 ? ", " : "", cells[i] ? cells[i] : "NULL");
    examples->n++;
    if (examples->n <= MOST_EXAMPLES)
        sf_audit_fault(examples->report, examples->table, "has %s rows of %s %s", cells[examples->n_cells - 1],
                       examples->format, what->str);
    return SF_OK;
}

/* Groups of more than one row, by columns that tell one row from another. */
static SfStatus audit_doubles(const GoldAudit *audit, const Place *place, const GPtrArray *columns, const char *format,
                              SfError *err)
{
    g_autoptr(GString) names = g_string_new(NULL), sql = g_string_new("SELECT ");
    for (guint i = 0; i < columns->len; i++) {
        g_string_append(names, i > 0 ? ", " : "");
        sql_name(place->dialect, columns->pdata[i], names);
    }
    g_string_append_printf(sql, "%s, COUNT(*) FROM ", names->str);
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append(sql, " WHERE ");
    sql_name(place->dialect, columns->pdata[0], sql);
    g_string_append_printf(sql, " IS NOT NULL GROUP BY %s HAVING COUNT(*) > 1 ORDER BY %s", names->str, names->str);
    Examples examples = {audit->report, place->target->table, format, columns->len + 1, 0};
    SF_TRY(audit_query(audit, sql->str, columns->len + 1, take_example, &examples, err));
    if (examples.n > MOST_EXAMPLES)
        sf_audit_fault(audit->report, place->target->table, "has %u more of such", examples.n - MOST_EXAMPLES);
    return SF_OK;
}

static SfStatus take_undeleted(gpointer data, char **cells, SfError *err)
{
    (void) err;
    const Examples *examples = data;
    int64_t n = audit_number(cells[0]);
    g_autofree char *rows = audit_rows_text(n);
    if (n > 0)
        sf_audit_fault(examples->report, examples->table, "has %s that a newer delete should have taken out", rows);
    return SF_OK;
}

static SfStatus audit_undeleted(const GoldAudit *audit, const Place *place, SfError *err)
{
    Place deleted = sql_deleted(place);
    g_autoptr(GString) sql = g_string_new("SELECT COUNT(*) FROM ");
    sql_table(place->dialect, place->schema, place->target->table, sql);
    g_string_append(sql, " AS t JOIN ");
    sql_table(place->dialect, place->schema, deleted.target->table, sql);
    g_string_append(sql, " AS d ON ");
    sql_same_key(place, "t.", "d.", sql);
    g_string_append(sql, " WHERE ");
    sql_newer(&deleted, "d.", "t.", sql);
    Examples examples = {audit->report, place->target->table, NULL, 1, 0};
    return audit_query(audit, sql->str, 1, take_undeleted, &examples, err);
}

static SfStatus audit_contradictions(const GoldAudit *audit, const Place *place, SfError *err)
{
    const Target *target = place->target;
    g_autoptr(GPtrArray) key = g_ptr_array_new(), event = g_ptr_array_new();
    for (guint i = 0; i < target->key->len; i++)
        g_ptr_array_add(key, (gpointer) target_column(target, g_array_index(target->key, guint, i))->name);
    SF_TRY(audit_doubles(audit, place, key, "the key", err));
    for (gsize i = 0; place->model->provenance && i < 3; i++)
        g_ptr_array_add(event,
                        (gpointer) target_column(target, (guint) target_provenance(place->model, target, i))->name);
    if (event->len > 0)
        SF_TRY(audit_doubles(audit, place, event, "the event", err));
    return target->deleted ? audit_undeleted(audit, place, err) : SF_OK;
}

static SfStatus audit_table(const GoldAudit *audit, guint number, SfError *err)
{
    Place place = audit_place(audit, number);
    SfAuditDepth depth = audit->report->depth;
    if (!g_array_index(audit->intact, bool, number) || depth < SF_AUDIT_STORED)
        return SF_OK;
    if (place.model->provenance)
        SF_TRY(audit_origins(audit, &place, err));
    return depth >= SF_AUDIT_DEEP ? audit_contradictions(audit, &place, err) : SF_OK;
}

SfStatus audit_store(GoldAudit *audit, SfAudit *report, SfError *err)
{
    audit->report = report;
    SF_TRY(audit_log_in(audit, err));
    SF_TRY(audit_ledger(audit, err));
    SF_TRY(check_tables(audit, err));
    for (guint i = 0; i < audit->intact->len; i++)
        SF_TRY(audit_table(audit, i, err));
    if (!audit->session.model->provenance && report->depth >= SF_AUDIT_STORED)
        sf_audit_unknown(report, NULL, "'provenance' is false: which events the rows come from is not known");
    return SF_OK;
}
