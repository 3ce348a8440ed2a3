/* snowflake-gold-sink: a star schema kept up to date in Snowflake, PostgreSQL or SQLite through ODBC, exactly once.
 * This file is the descriptor and the hooks; the work is in commit.c. */
#include "audit.h"
#include "audit_rows.h"
#include "bounds.h"
#include "commit.h"
#include "dialects.h"
#include "ranges/adopt.h"
#include "ready.h"

typedef struct Gold {
    const char *connection;
    const char *user;
    const char *password;
    const char *schema;
    const char *ledger;
    const char *adopt;
    int32_t start;
    const SfValue *dimensions;
    const SfValue *facts;
    bool provenance;
    bool create;
    int64_t connect_timeout;
    int64_t commit_interval;
    int64_t delete_retention;

    Model *model;
    GPtrArray *numbers; /* gint64 *: for each input, the schema's column of each source */
    Pending *pending;
    Session session;
    GoldAudit *audit; /* instead of a session; likewise lookup */
    AuditLookup *lookup;
    Ranges *chains; /* Chain */
    int64_t charged;
    int64_t last_commit_ms; /* monotonic: a clock that is set holds no commit back */
    bool committed;
} Gold;

/* Of a table; model.c reads them. */
static const char *const dimension_keys[] = {"key", "columns", "latest_by", "delete_when", "skip_when", NULL};
static const char *const fact_keys[] = {"key", "columns", "latest_by", "delete_when", "skip_when", "dimensions", NULL};

static const SfOption options[] = {
    SF_OPTION_SECRET(Gold, connection, .required = true,
                     .doc = "ODBC connection string, 'Driver=…;…' or 'DSN=…'; the driver says which database it is.",
                     .example = "Driver=SQLite3;Database=gold.db"),
    SF_OPTION_STRING(Gold, user, .doc = "User to log in as, when not in 'connection'."),
    SF_OPTION_SECRET(Gold, password, .doc = "Its password; file:PATH and exec:COMMAND keep it out of the pipeline."),
    SF_OPTION_STRING(Gold, schema, .doc = "Schema of the tables, created if absent; the connection's own without."),
    SF_OPTION_TREE(
        Gold, dimensions, .words = dimension_keys,
        .doc =
            "Dimension tables: name: {key, columns, latest_by, delete_when, skip_when}; the latest row of a key stays.",
        .example = "dim_customer: {key: customer_id, columns: [customer_name, region]}"),
    SF_OPTION_TREE(Gold, facts, .words = fact_keys,
                   .doc = "Fact tables: as dimensions, and {dimensions}; columns may be renamed (new: old) or typed.",
                   .example =
                       "fact_sales: {key: order_id, latest_by: [_timestamp], columns: {order_date: , amount: sales}}"),
    SF_OPTION_BOOL(Gold, provenance, .value = "true",
                   .doc = "Keep _topic, _partition, _offset and _timestamp in every table: where a row comes from. "
                          "false: of rows with equal 'latest_by' the last to be committed stays."),
    SF_OPTION_BOOL(Gold, create, .value = "true",
                   .doc = "Create missing schemas, tables and columns; false: only check them."),
    SF_OPTION_STRING(Gold, ledger, .value = "sf_ledger",
                     .doc = "Table that holds how far each split has been committed."),
    SF_OPTION_STRING(Gold, adopt,
                     .doc = "Name under which the ledger knows the positions so far, `pipeline/step`: this step goes "
                            "on from there. For pipelines and steps that were renamed; it may stay.",
                     .example = "old_pipeline/gold"),
    SF_OPTION_ENUM(Gold, start, .value = "known", .words = start_words,
                   .doc = "What to do where another pipeline or step has written the same split to these tables: "
                          "`known` stops, `anew` reads it from the beginning."),
    SF_OPTION_DURATION(Gold, delete_retention, .name = "delete.retention", .value = "0s", .min = "0s",
                       .doc = "How long a deleted key is remembered, so that an older row that comes later does not "
                              "bring it back; 0s: for ever."),
    SF_OPTION_DURATION(
        Gold, commit_interval, .name = "commit.interval", .value = "0s", .min = "0s",
        .doc = "Shortest time between commits, where a warehouse bills by the minute; 0s: at each checkpoint."),
    SF_OPTION_DURATION(Gold, connect_timeout, .name = "connect.timeout", .value = "15s", .min = "1s",
                       .doc = "How long a log-in may take."),
    SF_OPTION_END};

enum { OWN_LEDGER, OWN_DELETED };

/* Tables of the sink's own would be one with the pipeline's. */
static SfStatus gold_check_names(const Gold *gold, SfError *err)
{
    const GPtrArray *targets = gold->model->targets;
    g_autofree char *columns = g_strconcat(gold->ledger, "_columns", NULL);
    g_autoptr(GHashTable) own = name_set_new(MODEL_NAMES);
    name_set_add(own, gold->ledger, OWN_LEDGER);
    name_set_add(own, columns, OWN_LEDGER);
    for (guint i = 0; i < targets->len; i++) {
        const Target *target = targets->pdata[i];
        if (target->deleted && !name_set_add(own, target->deleted->table, OWN_DELETED))
            return sf_value_fail(target->place, err,
                                 "table '%s' keeps its deleted keys in '%s', which is the ledger's name; rename it, or "
                                 "set 'ledger'",
                                 target->table, target->deleted->table);
    }
    for (guint i = 0; i < targets->len; i++) {
        const Target *target = targets->pdata[i];
        gint64 found = name_set_find(own, target->table);
        if (found == OWN_LEDGER)
            return sf_value_fail(target->place, err, "table '%s' has the ledger's name; rename it, or set 'ledger'",
                                 target->table);
        if (found == OWN_DELETED)
            return sf_value_fail(target->place, err, "table '%s' has the name of another one's deleted keys",
                                 target->table);
    }
    return SF_OK;
}

/* `sfrun check` binds too, and leaves references as they are. */
static SfStatus gold_check_connection(const char *connection, SfError *err)
{
    bool reference = g_str_has_prefix(connection, "file:") || g_str_has_prefix(connection, "exec:");
    return reference ? SF_OK : odbc_check(connection, dialect_profiles, err);
}

/* What the database that the connection string names does not take. One that it does not name is asked later. */
static SfStatus check_bounds(const Gold *gold, SfError *err)
{
    const Dialect *dialect = dialect_guess(gold->connection);
    if (!dialect)
        return SF_OK;
    SfError all = {""}, one;
    if (bounds_check_names(dialect, gold->schema, gold->ledger, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (bounds_check_stages(dialect, gold->model, gold->ledger, &one) != SF_OK)
        sf_fail_also(&all, &one);
    for (guint i = 0; i < gold->model->targets->len; i++) {
        Place place = {.dialect = dialect, .schema = gold->schema, .model = gold->model};
        place.target = gold->model->targets->pdata[i];
        if (bounds_check_table(&place, &one) != SF_OK)
            sf_fail_also(&all, &one);
    }
    return *all.message ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

/* All that is wrong, not the first of it only. */
static SfStatus gold_make_model(Gold *gold, const ModelInput *from, SfError *err)
{
    SfError all = {""}, one;
    if (gold_check_connection(gold->connection, &one) != SF_OK)
        sf_fail_also(&all, &one);
    gold->model = model_new(gold->dimensions, gold->facts, gold->provenance, from, &one);
    if (!gold->model || gold_check_names(gold, &one) != SF_OK || check_bounds(gold, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (*all.message) {
        g_clear_pointer(&gold->model, model_free);
        return sf_fail(err, SF_CONFIG, "%s", all.message);
    }
    gold->numbers = g_ptr_array_new_with_free_func(g_free);
    return SF_OK;
}

static SfStatus gold_bind_input(SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err)
{
    Gold *gold = node->state;
    g_autoptr(GHashTable) columns = model_columns(schema);
    ModelInput from = {.schema = schema, .name = node->inputs[input], .columns = columns};
    if (!gold->model)
        SF_TRY(gold_make_model(gold, &from, err));
    g_autofree gint64 *numbers = g_new0(gint64, MAX(gold->model->sources->len, 1));
    SF_TRY(model_match(gold->model, &from, numbers, err));
    if (gold->numbers->len <= input)
        g_ptr_array_set_size(gold->numbers, (gint) input + 1);
    g_free(gold->numbers->pdata[input]);
    gold->numbers->pdata[input] = g_steal_pointer(&numbers);
    return SF_OK;
}

static Session gold_session(SfNode *node, bool read_only)
{
    const Gold *gold = node->state;
    return (Session){
        .node = node,
        .odbc = odbc_new(&(OdbcLogin){.connection = gold->connection,
                                      .user = gold->user,
                                      .password = gold->password,
                                      .timeout_ms = gold->connect_timeout,
                                      .read_only = read_only,
                                      .profiles = dialect_profiles}),
        .schema = gold->schema,
        .ledger = gold->ledger,
        .adopt = gold->adopt,
        .anew = gold->start == START_ANEW,
        .create = gold->create,
        .retention = gold->delete_retention,
        .model = gold->model,
        .pending = gold->pending,
    };
}

static SfStatus gold_open_sink(SfNode *node, SfError *err)
{
    Gold *gold = node->state;
    if (!gold->session.odbc) {
        gold->pending = pending_new(gold->model);
        gold->chains = ranges_new(node, sizeof(Chain), chain_clear);
        gold->session = gold_session(node, false);
    }
    SfStatus status = session_ready(&gold->session, err);
    return status == SF_REJECT || status == SF_EMPTY ? SF_RETRY : status;
}

/* Chains that are new or come again, and those among them that the ledger has no position of. */
static GPtrArray *gold_add_chains(Gold *gold, const SfRecovery *chains, size_t n)
{
    GPtrArray *added = g_ptr_array_new();
    for (size_t i = 0; i < n; i++) {
        bool fresh = !ranges_find(gold->chains, chains[i].input, chains[i].split);
        Chain *chain = ranges_add(gold->chains, chains[i].input, chains[i].split);
        if (fresh)
            chain->uncertain = SF_POSITION_NONE;
        g_ptr_array_add(added, chain);
    }
    return added;
}

static SfStatus gold_read_positions(Gold *gold, GPtrArray *wanted, SfError *err)
{
    SF_TRY(session_ready(&gold->session, err));
    SF_TRY(ledger_read(&gold->session, gold->chains, err));
    for (guint i = 0; i < wanted->len; i++) {
        Chain *chain = wanted->pdata[i];
        chain->ledger = chain->there;
    }
    SF_TRY(ledger_adopt(&gold->session, wanted, err));
    return ledger_add(&gold->session, gold->chains, err);
}

static SfStatus gold_recover(SfNode *node, SfRecovery *chains, size_t n, SfError *err)
{
    Gold *gold = node->state;
    g_autoptr(GPtrArray) wanted = gold_add_chains(gold, chains, n);
    SfStatus status = gold_read_positions(gold, wanted, err);
    if (status != SF_OK) {
        session_drop(&gold->session);
        return status == SF_REJECT || status == SF_EMPTY ? SF_RETRY : status;
    }
    for (size_t i = 0; i < n; i++) {
        Chain *chain = wanted->pdata[i];
        chains[i].position = chain->there;
        range_reset(&chain->range, chain->there);
        if (chain->there == SF_POSITION_NONE)
            continue;
        bool told = chain->origin && *chain->origin;
        sf_recovered_origin(node, chain->range.input, chain->range.split, told ? chain->origin : NULL);
        if (chain->moved_ms > 0)
            sf_recovered(node, chain->range.input, chain->range.split, chain->there, chain->moved_ms);
    }
    return SF_OK;
}

static void gold_charge(SfNode *node, Gold *gold)
{
    int64_t bytes = (int64_t) pending_bytes(gold->pending);
    sf_charge(node, bytes - gold->charged);
    gold->charged = bytes;
}

static SfStatus gold_write_batch(SfNode *node, size_t input, const SfBatch *batch, SfError *err)
{
    Gold *gold = node->state;
    SF_TRY(range_check(ranges_find(gold->chains, input, batch->split), batch, err));
    if (sf_rows(batch) > 0)
        SF_TRY(pending_add(gold->pending, node, batch, input, gold->numbers->pdata[input], err));
    SF_TRY(ranges_write(gold->chains, input, batch, err));
    gold_charge(node, gold);
    return SF_OK;
}

static SfStatus gold_commit(SfNode *node, SfCommitReason reason, SfError *err)
{
    Gold *gold = node->state;
    int64_t now_ms = sf_monotonic_ms(node);
    bool early =
        reason == SF_COMMIT_CHECKPOINT && gold->committed && now_ms - gold->last_commit_ms < gold->commit_interval;
    if (!ranges_moved(gold->chains) || early)
        return SF_OK;
    SF_TRY(commit_pending(&gold->session, gold->pending, gold->chains, err));
    pending_clear(gold->pending);
    gold_charge(node, gold);
    gold->last_commit_ms = sf_monotonic_ms(node);
    gold->committed = true;
    ranges_publish(gold->chains);
    return SF_OK;
}

static SfStatus gold_audit(SfNode *node, SfAudit *audit, SfError *err)
{
    Gold *gold = node->state;
    Session settings = gold_session(node, true);
    gold->audit = audit_new(&settings);
    return audit_store(gold->audit, audit, err);
}

static SfStatus gold_audit_rows(SfNode *node, SfAudit *audit, uint32_t input, const SfBatch *batch, SfError *err)
{
    Gold *gold = node->state;
    if (!gold->provenance)
        return SF_OK;
    if (!gold->lookup)
        gold->lookup = audit_lookup_new(gold->audit);
    return audit_lookup_rows(gold->lookup, audit, input, gold->numbers->pdata[input], batch, err);
}

static void gold_interrupt(SfNode *node)
{
    Gold *gold = node->state;
    if (gold->session.odbc)
        odbc_interrupt(gold->session.odbc);
}

static void gold_close_sink(SfNode *node)
{
    Gold *gold = node->state;
    if (gold->session.odbc)
        session_drop(&gold->session);
    g_clear_pointer(&gold->session.odbc, odbc_free);
    g_clear_pointer(&gold->lookup, audit_lookup_free);
    g_clear_pointer(&gold->audit, audit_free);
    g_clear_pointer(&gold->chains, ranges_free);
    g_clear_pointer(&gold->pending, pending_free);
    g_clear_pointer(&gold->numbers, g_ptr_array_unref);
    g_clear_pointer(&gold->model, model_free);
}

SF_SINK_PLUGIN = {
    SF_SINK_HEAD(
        Gold, .name = "snowflake-gold-sink", .version = SF_VERSION,
        .summary = "Keeps a star schema in Snowflake, PostgreSQL or SQLite, one row a key, exactly once",
        .doc =
            "Rows are deduplicated by `key`: the greatest `latest_by` wins, then topic, partition and offset decide, "
            "so "
            "the outcome is the same in whatever order and batches events come. Rows, deletions of older ones and the "
            "ledger of positions are one transaction. A row that the database refuses goes to the step's errors with "
            "the database's words; the rest is loaded.\n\n"
            "`delete_when: {op: d}` on a table makes such rows delete: the row of their key goes, unless it is newer "
            "by "
            "`latest_by`. The value is a text, a whole number, true, false, null or a list of them; several columns "
            "must "
            "all have theirs; of a list of such maps one is enough. A tombstone (json-decode with `tombstones: keep`) "
            "deletes in every table that it has the key of. Rows for which `skip_when` holds are not for that table. "
            "The "
            "columns may be any of the input's. Deleted keys and their `latest_by` are kept in `sf_deleted_<table>`, "
            "so "
            "that an older row that comes later, from another partition or process, brings nothing back.\n\n"
            "A column that is taken out of the pipeline stays in the table, and is NULL in rows that are rewritten; "
            "which "
            "ones the step has written is kept in `<ledger>_columns`. Columns that others add stay theirs. A replay "
            "brings "
            "new columns to the rows of events that are still the latest.\n\n"
            "A decimal of more than 15 digits is kept as text in SQLite, whose numbers are doubles.",
        .options = options),
    .delivery = SF_EXACTLY_ONCE,
    .bind = gold_bind_input,
    .open = gold_open_sink,
    .recover = gold_recover,
    .write = gold_write_batch,
    .commit = gold_commit,
    .interrupt = gold_interrupt,
    .close = gold_close_sink,
    .audit = gold_audit,
    .audit_rows = gold_audit_rows,
};
