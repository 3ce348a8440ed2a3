/* Logging in, and the session's statements. */
#include "session.h"

#include <errno.h>
#include <string.h>
#include "ledger.h"
#include "schema.h"
#include "written.h"

Place session_place(const Session *session, guint target)
{
    return (Place){.dialect = session->dialect,
                   .schema = session->schema,
                   .model = session->model,
                   .target = session->model->targets->pdata[target],
                   .stale = session->stale->pdata[target],
                   .limits = session->limits->pdata[target]};
}

void session_of_this_step(const Session *session, GString *sql)
{
    g_string_append(sql, "pipeline = ");
    sql_string(session->dialect, session->node->pipeline, sql);
    g_string_append(sql, " AND step = ");
    sql_string(session->dialect, session->node->step, sql);
}

SfStatus session_exec(Session *session, const char *sql, SfError *err)
{
    SfStatus status = odbc_exec(session->odbc, sql, NULL, err);
    return status == SF_REJECT || status == SF_EMPTY ? SF_RETRY : status;
}

/* Who this is, for the people who look at the database's sessions or at what they cost. */
static SfStatus label(Session *session, SfError *err)
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
    if (!session->dialect)
        return sf_fail(err, SF_CONFIG,
                       "the driver connects to '%s'; SQLite, PostgreSQL and Snowflake are what this sink knows",
                       product);
    if (session->schema && !session->dialect->has_schemas)
        return sf_fail(err, SF_CONFIG, "%s has no schemas; leave out 'schema: %s'", product, session->schema);
    for (const char *const *sql = session->dialect->session; *sql; sql++)
        SF_TRY(session_exec(session, *sql, err));
    if (session->schema)
        SF_TRY(sql_check_name(session->dialect, session->schema, err));
    SF_TRY(sql_check_name(session->dialect, session->ledger, err));
    return label(session, err);
}

static void stale_free(GPtrArray *names)
{
    if (names)
        g_ptr_array_unref(names);
}

static SfStatus start(Session *session, SfError *err)
{
    SF_TRY(odbc_open(session->odbc, err));
    SF_TRY(choose_dialect(session, err));
    session->stale = g_ptr_array_new_with_free_func((GDestroyNotify) stale_free);
    g_ptr_array_set_size(session->stale, (gint) session->model->targets->len);
    session->limits = g_ptr_array_new_with_free_func(g_free);
    g_ptr_array_set_size(session->limits, (gint) session->model->targets->len);
    SF_TRY(written_read(session, err));
    for (guint i = 0; i < session->model->targets->len; i++)
        SF_TRY(schema_ensure(session, i, err));
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
    SfStatus status = start(session, err);
    if (status != SF_OK)
        session_drop(session);
    return status;
}

void session_time(int64_t ms, GString *sql)
{
    g_autoptr(GDateTime) time = g_date_time_new_from_unix_utc(ms / 1000);
    g_autofree char *text = g_date_time_format(time, "%Y-%m-%d %H:%M:%S");
    g_string_append_printf(sql, "'%s.%03d'", text, (int) (ms % 1000));
}

#define PURGE_EVERY_MS 3600000

SfStatus session_purge(Session *session, SfError *err)
{
    int64_t now_ms = sf_monotonic_ms(session->node);
    if (session->retention == 0 || (session->purged_ms > 0 && now_ms - session->purged_ms < PURGE_EVERY_MS))
        return SF_OK;
    for (guint i = 0; i < session->model->targets->len; i++) {
        const Target *deleted = ((const Target *) session->model->targets->pdata[i])->deleted;
        if (!deleted)
            continue;
        g_autoptr(GString) sql = g_string_new("DELETE FROM ");
        sql_table(session->dialect, session->schema, deleted->table, sql);
        g_string_append(sql, " WHERE ");
        sql_name(session->dialect, deleted->stamp, sql);
        g_string_append(sql, " < ");
        session_time(MAX(sf_now_ms(session->node) - session->retention, 0), sql);
        SF_TRY(session_exec(session, sql->str, err));
    }
    session->purged_ms = now_ms;
    return SF_OK;
}

void session_drop(Session *session)
{
    g_clear_pointer(&session->loaders, g_ptr_array_unref);
    g_clear_pointer(&session->erasers, g_ptr_array_unref);
    g_clear_pointer(&session->stale, g_ptr_array_unref);
    g_clear_pointer(&session->limits, g_ptr_array_unref);
    g_clear_pointer(&session->written, g_hash_table_unref);
    session->dialect = NULL;
    odbc_close(session->odbc);
}
