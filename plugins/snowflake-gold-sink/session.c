/* What a session does, wherever it is. */
#include "session.h"

Place session_place(const Session *session, guint target)
{
    return (Place){.dialect = session->dialect,
                   .schema = session->schema,
                   .model = session->model,
                   .target = session->model->targets->pdata[target],
                   .stale = session->stale->pdata[target],
                   .limits = session->limits->pdata[target],
                   .ruled = session->ruled};
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
