/* A log-in from the connection to the loaders. */
#include "ready.h"

#include "bounds.h"
#include "catalog.h"
#include "dialects.h"
#include "ledger.h"
#include "schema.h"
#include "written.h"

/* Who this is, for the people who look at the database's sessions or at what they cost. */
static SfStatus label_session(Session *session, SfError *err)
{
    if (!session->dialect->label)
        return SF_OK;
    g_autofree char *who = g_strdup_printf("streamforge %s/%s", session->node->pipeline, session->node->step);
    g_autoptr(GString) sql = g_string_new(session->dialect->label);
    sql_string(session->dialect, who, sql);
    return session_exec(session, sql->str, err);
}

static SfStatus choose_dialect(Session *session, SfError *err)
{
    const char *product = odbc_product(session->odbc);
    session->dialect = dialect_find(product);
    if (!session->dialect) {
        g_autofree char *known = dialect_products();
        return sf_fail(err, SF_CONFIG, "the driver connects to '%s', which this sink does not support; it supports %s",
                       product, known);
    }
    SF_TRY(bounds_check_names(session->dialect, session->schema, session->ledger, err));
    SF_TRY(bounds_check_stages(session->dialect, session->model, session->ledger, err));
    for (const char *const *sql = session->dialect->session; *sql; sql++)
        SF_TRY(session_exec(session, *sql, err));
    return label_session(session, err);
}

static void stale_names_free(GPtrArray *names)
{
    if (names)
        g_ptr_array_unref(names);
}

/* The table and that of its deleted keys; what is known of the table then. */
static SfStatus ensure_target(Session *session, guint target, SfError *err)
{
    Place place = session_place(session, target);
    SF_TRY(bounds_check_table(&place, err));
    g_autoptr(GHashTable) columns = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    SF_TRY(schema_ensure(session, &place, columns, err));
    session->limits->pdata[target] = schema_limits(session, place.target, columns);
    session->stale->pdata[target] = written_stale(session, place.target, columns);
    if (!place.target->deleted)
        return SF_OK;
    Place deleted = sql_deleted(&place);
    g_hash_table_remove_all(columns);
    return schema_ensure(session, &deleted, columns, err);
}

static SfStatus start_session(Session *session, SfError *err)
{
    SF_TRY(odbc_open(session->odbc, err));
    SF_TRY(choose_dialect(session, err));
    SF_TRY(catalog_has_rules(session, &session->ruled, err));
    session->stale = g_ptr_array_new_with_free_func((GDestroyNotify) stale_names_free);
    g_ptr_array_set_size(session->stale, (gint) session->model->targets->len);
    session->limits = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_set_size(session->limits, (gint) session->model->targets->len);
    SF_TRY(written_read(session, err));
    for (guint i = 0; i < session->model->targets->len; i++)
        SF_TRY(ensure_target(session, i, err));
    SF_TRY(ledger_create(session, err));
    SF_TRY(written_add(session, err)); /* before the first row is */
    session->warned = true;
    session->loaders = g_ptr_array_new_with_free_func((GDestroyNotify) loader_free);
    session->erasers = g_ptr_array_new_with_free_func((GDestroyNotify) loader_free);
    for (guint i = 0; i < session->model->targets->len; i++) {
        Place place = session_place(session, i);
        g_ptr_array_add(session->loaders, loader_new(session->odbc, &place, session->pending));
        g_ptr_array_add(session->erasers,
                        place.target->deleted ? loader_new_eraser(session->odbc, &place, session->pending) : NULL);
    }
    return SF_OK;
}

SfStatus session_ready(Session *session, SfError *err)
{
    if (session->dialect)
        return SF_OK;
    SfStatus status = start_session(session, err);
    if (status != SF_OK)
        session_drop(session);
    return status;
}
