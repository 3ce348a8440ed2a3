/* Reading for an audit. */
#include "audit_read.h"

#include "dialects.h"
#include "written.h"

static void clear_chain(gpointer data)
{
    g_free(((AuditChain *) data)->split);
}

GoldAudit *audit_new(const Session *settings)
{
    GoldAudit *audit = g_new0(GoldAudit, 1);
    audit->session = *settings;
    audit->chains = g_array_new(FALSE, FALSE, sizeof(AuditChain));
    g_array_set_clear_func(audit->chains, clear_chain);
    audit->intact = g_array_new(FALSE, TRUE, sizeof(bool));
    g_array_set_size(audit->intact, settings->model->targets->len);
    return audit;
}

void audit_free(GoldAudit *audit)
{
    if (!audit)
        return;
    session_drop(&audit->session);
    odbc_free(audit->session.odbc);
    g_array_unref(audit->chains);
    g_array_unref(audit->intact);
    g_free(audit);
}

Place audit_place(const GoldAudit *audit, guint target)
{
    return (Place){.dialect = audit->session.dialect,
                   .schema = audit->session.schema,
                   .model = audit->session.model,
                   .target = audit->session.model->targets->pdata[target]};
}

int64_t audit_number(const char *cell)
{
    return cell ? g_ascii_strtoll(cell, NULL, 10) : -1;
}

char *audit_rows_text(int64_t n)
{
    return g_strdup_printf("%" G_GINT64_FORMAT " row%s", (gint64) n, n == 1 ? "" : "s");
}

void audit_provenance(const Place *place, gsize number, GString *sql)
{
    guint column = (guint) target_provenance(place->model, place->target, number);
    sql_name(place->dialect, target_column(place->target, column)->name, sql);
}

static SfStatus fetch_cells(OdbcStatement *statement, guint n, char **cells, SfError *err)
{
    SF_TRY(odbc_fetch(statement, err));
    for (guint i = 0; i < n; i++) {
        const char *text = NULL;
        SF_TRY(odbc_text(statement, i, &text, err));
        g_free(cells[i]);
        cells[i] = g_strdup(text);
    }
    return SF_OK;
}

static SfStatus take_cells(OdbcStatement *statement, guint n, char **cells, AuditTake take, gpointer data, SfError *err)
{
    SfStatus status = SF_OK;
    while ((status = fetch_cells(statement, n, cells, err)) == SF_OK)
        SF_TRY(take(data, cells, err));
    return status == SF_EMPTY ? SF_OK : status;
}

SfStatus audit_query(const GoldAudit *audit, const char *sql, guint n, AuditTake take, gpointer data, SfError *err)
{
    g_autoptr(OdbcStatement) statement = NULL;
    SfStatus status = odbc_query(audit->session.odbc, sql, &statement, err);
    if (status != SF_OK) /* somebody changes tables: once more, from the beginning */
        return status == SF_EMPTY || status == SF_REJECT ? SF_RETRY : status;
    g_autofree char **cells = g_new0(char *, n);
    status = take_cells(statement, n, cells, take, data, err);
    for (guint i = 0; i < n; i++)
        g_free(cells[i]);
    return status;
}

SfStatus audit_log_in(GoldAudit *audit, SfError *err)
{
    Session *session = &audit->session;
    SF_TRY(odbc_open(session->odbc, err));
    const char *product = odbc_product(session->odbc);
    session->dialect = dialect_find(product);
    if (!session->dialect)
        return sf_fail(err, SF_CONFIG, "the driver connects to '%s', which this sink does not support", product);
    for (const char *const *sql = session->dialect->reading; *sql; sql++)
        SF_TRY(session_exec(session, *sql, err));
    return written_read(session, err);
}
