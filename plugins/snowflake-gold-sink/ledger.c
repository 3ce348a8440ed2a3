/* sf_ledger(pipeline, step, input, split, end_position, rows_in, rows_rejected, updated_at, origin). A row is there,
 * with the position -1, before the first commit: so every commit is the same compare-and-set, also where primary keys
 * are not enforced. Tables of earlier versions have no origin, and their rows none when it is added. */
#include "ledger.h"

#include <string.h>
#include "catalog.h"
#include "schema.h"
#include "value.h"

/* With one input it has no name in the ledger, so that renaming the step before changes nothing. */
const char *ledger_input(const Session *session, const Chain *chain)
{
    return session->node->n_inputs > 1 ? session->node->inputs[chain->range.input] : "";
}

void ledger_table(const Session *session, GString *sql)
{
    sql_table(session->dialect, session->schema, session->ledger, sql);
}

void chain_clear(gpointer chain)
{
    g_free(((Chain *) chain)->origin);
}

/* Before it is changed: a table of that name may be somebody else's. */
static SfStatus check_ledger_columns(const Session *session, GHashTable *columns, SfError *err)
{
    static const char *const names[] = {"pipeline",     "step",    "input",         "split",
                                        "end_position", "rows_in", "rows_rejected", "updated_at"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *name = catalog_name(session, names[i]);
        if (!g_hash_table_contains(columns, name))
            return sf_fail(err, SF_CONFIG,
                           "table '%s' exists and is not a ledger that this version knows: it has no column '%s'; set "
                           "'ledger' to another name",
                           session->ledger, names[i]);
    }
    return SF_OK;
}

static SfStatus has_origins(Session *session, bool *exists, SfError *err)
{
    g_autofree char *folded = sql_folded(session->dialect, session->ledger);
    g_autofree char *origin = catalog_name(session, "origin");
    g_autoptr(GHashTable) columns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    SF_TRY(catalog_columns(session, folded, columns, err));
    *exists = g_hash_table_size(columns) > 0;
    session->origins = g_hash_table_contains(columns, origin);
    return *exists ? check_ledger_columns(session, columns, err) : SF_OK;
}

static SfStatus go_without_origins(const Session *session, const char *alter, const char *why)
{
    if (!session->warned)
        sf_log(session->node, SF_LOG_WARNING,
               "table '%s' has no column 'origin' (%s): a topic that is deleted and created anew while the pipeline is "
               "stopped is not recognised by its id here; add it by: %s",
               session->ledger, why, alter);
    return SF_OK;
}

static SfStatus add_origin(Session *session, SfError *err)
{
    static const Source text = {.type = SF_UTF8};
    g_autoptr(GString) sql = g_string_new("ALTER TABLE ");
    ledger_table(session, sql);
    g_string_append(sql, " ADD COLUMN origin ");
    session->dialect->type(&text, sql);
    if (!session->create)
        return go_without_origins(session, sql->str, "'create' is false");
    sf_fault(session->node, "gold-ddl");
    SfError why = {""};
    SfStatus status = session_exec(session, sql->str, &why);
    if (status == SF_OK)
        sf_log(session->node, SF_LOG_INFO,
               "table '%s': column 'origin' added; before going back to a version that does not know it, drop it: "
               "ALTER TABLE %s DROP COLUMN origin",
               session->ledger, session->ledger);
    bool forbidden = status != SF_OK && odbc_was_forbidden(session->odbc);
    if (status == SF_RETRY && !forbidden)
        return sf_fail(err, status, "%s", why.message);
    bool exists = false;
    SF_TRY(has_origins(session, &exists, err)); /* another process may have added it in the same moment */
    return session->origins ? SF_OK : go_without_origins(session, sql->str, why.message);
}

static SfStatus create_ledger(Session *session, SfError *err)
{
    static const Source text = {.type = SF_UTF8}, number = {.type = SF_INT64}, time = {.type = SF_TIMESTAMP};
    static const struct {
        const char *name;
        const Source *type;
        bool nullable;
    } columns[] = {{"pipeline", &text, false},        {"step", &text, false},           {"input", &text, false},
                   {"split", &text, false},           {"end_position", &number, false}, {"rows_in", &number, false},
                   {"rows_rejected", &number, false}, {"updated_at", &time, false},     {"origin", &text, true}};
    g_autoptr(GString) sql = g_string_new("CREATE TABLE IF NOT EXISTS ");
    ledger_table(session, sql);
    g_string_append(sql, " (");
    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
        g_string_append_printf(sql, "%s ", columns[i].name);
        session->dialect->type(columns[i].type, sql);
        g_string_append(sql, columns[i].nullable ? ", " : " NOT NULL, ");
    }
    g_string_append(sql, "PRIMARY KEY (pipeline, step, input, split))");
    if (!session->create)
        return sf_fail(err, SF_CONFIG, "table '%s' does not exist, and 'create' is false; create it by: %s",
                       session->ledger, sql->str);
    session->origins = true;
    return schema_create(session, sql->str, err);
}

SfStatus ledger_create(Session *session, SfError *err)
{
    bool exists = false;
    SF_TRY(has_origins(session, &exists, err));
    if (!exists)
        return create_ledger(session, err);
    return session->origins ? SF_OK : add_origin(session, err);
}

const char *ledger_origin(const Session *session)
{
    return session->origins ? "origin" : "''";
}

SfStatus ledger_text(OdbcStatement *statement, guint column, char **out, SfError *err)
{
    const char *text = NULL;
    SF_TRY(odbc_text(statement, column, &text, err));
    *out = g_strdup(text ? text : "");
    return SF_OK;
}

/* "2024-01-15 10:30:00.123", and what drivers put behind it; without a fraction it may have been until the second's
 * end. 0: not a time. */
int64_t ledger_time(const char *text)
{
    static const gsize date = sizeof "2024-01-15";
    gsize length = strlen(text);
    if (length <= date)
        return 0;
    g_autofree char *iso = g_strndup(text, date + strspn(text + date, "0123456789:."));
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(g_strdelimit(iso, " ", 'T'), utc);
    if (!time)
        return 0;
    int64_t rest = strchr(iso, '.') ? g_date_time_get_microsecond(time) / 1000 : 1000;
    return g_date_time_to_unix(time) * 1000 + rest;
}

/* One row into its chains. */
static SfStatus take_ledger_row(const Session *session, OdbcStatement *statement, const Ranges *chains, SfError *err)
{
    g_autofree char *input = NULL, *split = NULL, *time = NULL, *origin = NULL;
    int64_t position = -1; /* where it is null */
    bool null = false;
    SF_TRY(ledger_text(statement, 0, &input, err));
    SF_TRY(ledger_text(statement, 1, &split, err));
    SF_TRY(odbc_int64(statement, 2, &null, &position, err));
    SF_TRY(ledger_text(statement, 3, &time, err));
    SF_TRY(ledger_text(statement, 4, &origin, err));
    for (guint i = 0; i < ranges_count(chains); i++) {
        Chain *chain = ranges_at(chains, i);
        if (strcmp(split, chain->range.split->name) != 0 || strcmp(input, ledger_input(session, chain)) != 0)
            continue;
        chain->found = true;
        chain->moved_ms = ledger_time(time);
        chain->there = position < 0 ? SF_POSITION_NONE : position;
        g_free(chain->origin);
        chain->origin = g_strdup(origin);
    }
    return SF_OK;
}

SfStatus ledger_read(Session *session, const Ranges *chains, SfError *err)
{
    for (guint i = 0; i < ranges_count(chains); i++) {
        Chain *chain = ranges_at(chains, i);
        chain->found = false;
        chain->there = SF_POSITION_NONE;
        chain->moved_ms = 0;
        g_clear_pointer(&chain->origin, g_free);
    }
    g_autoptr(GString) sql = g_string_new(NULL);
    g_string_append_printf(sql, "SELECT input, split, end_position, updated_at, %s FROM ", ledger_origin(session));
    ledger_table(session, sql);
    g_string_append(sql, " WHERE ");
    session_of_this_step(session, sql);
    g_autoptr(OdbcStatement) statement = NULL;
    SfStatus status = odbc_query(session->odbc, sql->str, &statement, err);
    while (status == SF_OK && (status = odbc_fetch(statement, err)) == SF_OK)
        SF_TRY(take_ledger_row(session, statement, chains, err));
    return status == SF_EMPTY ? SF_OK : status;
}

SfStatus ledger_add(Session *session, const Ranges *chains, SfError *err)
{
    g_autoptr(GString) rows = g_string_new(NULL);
    for (guint i = 0; i < ranges_count(chains); i++) {
        const Chain *chain = ranges_at(chains, i);
        if (chain->found)
            continue;
        g_string_append(rows, rows->len > 0 ? ", (" : "(");
        sql_string(session->dialect, session->node->pipeline, rows);
        g_string_append(rows, ", ");
        sql_string(session->dialect, session->node->step, rows);
        g_string_append(rows, ", ");
        sql_string(session->dialect, ledger_input(session, chain), rows);
        g_string_append(rows, ", ");
        sql_string(session->dialect, chain->range.split->name, rows);
        g_string_append(rows, ", -1, 0, 0, ");
        session_time(sf_now_ms(session->node), rows);
        g_string_append_c(rows, ')');
    }
    if (rows->len == 0)
        return SF_OK;
    g_autoptr(GString) ledger = g_string_new(NULL), sql = g_string_new(NULL);
    ledger_table(session, ledger);
    session->dialect->add_to_ledger(ledger->str, rows->str, sql);
    sf_fault(session->node, "gold-ledger-row");
    return session_exec(session, sql->str, err);
}

/* Rows of a chain that are pending, and how many of them are struck out. */
static void count_chain_rows(const Session *session, const Chain *chain, gint64 *rows, gint64 *struck)
{
    *rows = *struck = 0;
    for (guint i = 0; i < session->pending->parts->len; i++) {
        const Part *part = pending_part(session->pending, i);
        if (part->batch->split != chain->range.split || part->input != chain->range.input)
            continue;
        *rows += sf_rows(part->batch);
        for (int64_t byte = 0; part->struck && byte < (sf_rows(part->batch) + 7) / 8; byte++)
            *struck += __builtin_popcount(part->struck[byte]);
    }
}

/* ('<input>', '<split>', old end, new end, rows, rejects, '<origin>') */
static void append_move(const Session *session, const Chain *chain, GString *sql)
{
    gint64 rows = 0, struck = 0;
    count_chain_rows(session, chain, &rows, &struck);
    const char *origin = sf_origin(session->node, chain->range.split);
    g_string_append_c(sql, '(');
    sql_string(session->dialect, ledger_input(session, chain), sql);
    g_string_append(sql, ", ");
    sql_string(session->dialect, chain->range.split->name, sql);
    g_string_append_printf(sql,
                           ", %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ", ",
                           (gint64) chain->ledger, (gint64) chain->range.end, rows, struck);
    sql_string(session->dialect, origin ? origin : "", sql);
    g_string_append_c(sql, ')');
}

SfStatus ledger_move(Session *session, const Ranges *chains, SfError *err)
{
    int64_t expected = 0, changed = 0;
    g_autoptr(GString) sql = g_string_new("UPDATE ");
    ledger_table(session, sql);
    g_string_append(sql,
                    " SET end_position = v.new_end, rows_in = rows_in + v.more_rows, rows_rejected = rows_rejected + "
                    "v.more_rejects, ");
    if (session->origins) /* a source that cannot tell now does not take back what it said */
        g_string_append(sql, "origin = COALESCE(NULLIF(v.new_origin, ''), origin), ");
    g_string_append(sql, "updated_at = ");
    session_time(sf_now_ms(session->node), sql);
    g_string_append(
        sql, " FROM (SELECT column1 AS v_input, column2 AS v_split, column3 AS old_end, column4 AS new_end, column5 "
             "AS more_rows, column6 AS more_rejects, column7 AS new_origin FROM ");
    g_string_append(sql, session->dialect->values);
    for (guint i = 0; i < ranges_count(chains); i++) {
        const Chain *chain = ranges_at(chains, i);
        if (!range_moved(&chain->range))
            continue;
        g_string_append(sql, expected > 0 ? ", " : "");
        append_move(session, chain, sql);
        expected++;
    }
    g_string_append_printf(sql, "%s) AS v WHERE ", session->dialect->end_values);
    session_of_this_step(session, sql);
    g_string_append(sql, " AND input = v.v_input AND split = v.v_split AND end_position = v.old_end");
    SfStatus status = odbc_exec(session->odbc, sql->str, &changed, err);
    if (status != SF_OK)
        return status == SF_REJECT ? SF_RETRY : status;
    sf_fault(session->node, "gold-ledger");
    if (changed == expected)
        return SF_OK;
    return sf_fail(err, SF_FENCED, "the ledger has moved on: another process commits for step '%s'",
                   session->node->step);
}
