/* sf_ledger(pipeline, step, input, split, end_position, rows_in, rows_rejected, updated_at). A row is there, with
 * the position -1, before the first commit: so every commit is the same compare-and-set, also where primary keys are
 * not enforced. */
#include "ledger.h"

#include <string.h>
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

SfStatus ledger_create(Session *session, SfError *err)
{
    static const Source text = {.type = SF_UTF8}, number = {.type = SF_INT64}, time = {.type = SF_TIMESTAMP};
    static const struct {
        const char *name;
        const Source *type;
    } columns[] = {{"pipeline", &text},       {"step", &text},      {"input", &text},           {"split", &text},
                   {"end_position", &number}, {"rows_in", &number}, {"rows_rejected", &number}, {"updated_at", &time}};
    g_autoptr(GString) list = g_string_new(NULL);
    g_autofree char *folded = sql_folded(session->dialect, session->ledger);
    session->dialect->list_columns(session->schema, folded, list);
    g_autoptr(OdbcStatement) statement = NULL;
    SfStatus status = odbc_query(session->odbc, list->str, &statement, err);
    if (status == SF_OK)
        status = odbc_fetch(statement, err);
    if (status != SF_EMPTY)
        return status;
    g_autoptr(GString) sql = g_string_new("CREATE TABLE IF NOT EXISTS ");
    ledger_table(session, sql);
    g_string_append(sql, " (");
    for (gsize i = 0; i < G_N_ELEMENTS(columns); i++) {
        g_string_append_printf(sql, "%s ", columns[i].name);
        session->dialect->type(columns[i].type, sql);
        g_string_append(sql, " NOT NULL, ");
    }
    g_string_append(sql, "PRIMARY KEY (pipeline, step, input, split))");
    if (!session->create)
        return sf_fail(err, SF_CONFIG, "table '%s' does not exist, and 'create' is false; create it by: %s",
                       session->ledger, sql->str);
    return schema_create(session, sql->str, err);
}

/* "2024-01-15 10:30:00.123", and what drivers put behind it; without a fraction it may have been until the second's
 * end. 0: it is no time. */
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

static void take_row(const Session *session, const Ranges *chains, const char *input, const char *split,
                     int64_t position, int64_t ms)
{
    for (guint i = 0; i < ranges_count(chains); i++) {
        Chain *chain = ranges_at(chains, i);
        if (strcmp(split, chain->range.split->name) != 0 || strcmp(input, ledger_input(session, chain)) != 0)
            continue;
        chain->found = true;
        chain->moved_ms = ms;
        chain->there = position < 0 ? SF_POSITION_NONE : position;
    }
}

SfStatus ledger_read(Session *session, const Ranges *chains, SfError *err)
{
    for (guint i = 0; i < ranges_count(chains); i++) {
        Chain *chain = ranges_at(chains, i);
        chain->found = false;
        chain->there = SF_POSITION_NONE;
        chain->moved_ms = 0;
    }
    g_autoptr(GString) sql = g_string_new("SELECT input, split, end_position, updated_at FROM ");
    ledger_table(session, sql);
    g_string_append(sql, " WHERE ");
    session_of_this_step(session, sql);
    g_autoptr(OdbcStatement) statement = NULL;
    SfStatus status = odbc_query(session->odbc, sql->str, &statement, err);
    while (status == SF_OK && (status = odbc_fetch(statement, err)) == SF_OK) {
        const char *text = NULL;
        SF_TRY(odbc_text(statement, 0, &text, err));
        g_autofree char *input = g_strdup(text ? text : "");
        SF_TRY(odbc_text(statement, 1, &text, err));
        g_autofree char *split = g_strdup(text ? text : "");
        int64_t position = 0;
        bool null = false;
        SF_TRY(odbc_int64(statement, 2, &null, &position, err));
        SF_TRY(odbc_text(statement, 3, &text, err));
        take_row(session, chains, input, split, position, ledger_time(text ? text : ""));
    }
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
static void count_rows(const Session *session, const Chain *chain, gint64 *rows, gint64 *struck)
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

SfStatus ledger_move(Session *session, const Ranges *chains, SfError *err)
{
    int64_t expected = 0, changed = 0;
    g_autoptr(GString) sql = g_string_new("UPDATE ");
    ledger_table(session, sql);
    g_string_append(sql,
                    " SET end_position = v.new_end, rows_in = rows_in + v.more_rows, rows_rejected = rows_rejected + "
                    "v.more_rejects, updated_at = ");
    session_time(sf_now_ms(session->node), sql);
    g_string_append(
        sql, " FROM (SELECT column1 AS v_input, column2 AS v_split, column3 AS old_end, column4 AS new_end, column5 "
             "AS more_rows, column6 AS more_rejects FROM ");
    g_string_append(sql, session->dialect->values);
    for (guint i = 0; i < ranges_count(chains); i++) {
        const Chain *chain = ranges_at(chains, i);
        if (!range_moved(&chain->range))
            continue;
        gint64 rows = 0, struck = 0;
        count_rows(session, chain, &rows, &struck);
        g_string_append(sql, expected > 0 ? ", (" : "(");
        sql_string(session->dialect, ledger_input(session, chain), sql);
        g_string_append(sql, ", ");
        sql_string(session->dialect, chain->range.split->name, sql);
        g_string_append_printf(
            sql, ", %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ", %" G_GINT64_FORMAT ")",
            (gint64) chain->ledger, (gint64) chain->range.end, rows, struck);
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
