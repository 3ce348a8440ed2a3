/* Making and freeing loaders, and what their implementations share. */
#include "loader.h"

Loader *loader_new(Odbc *odbc, const Place *place, const Pending *pending)
{
    Loader *loader = g_malloc0(place->dialect->loader->size);
    *loader = (Loader){.class = place->dialect->loader, .odbc = odbc, .place = *place, .pending = pending};
    return loader;
}

Loader *loader_new_eraser(Odbc *odbc, const Place *place, const Pending *pending)
{
    Place deleted = sql_deleted(place);
    Loader *loader = loader_new(odbc, &deleted, pending);
    loader->erase = *place;
    return loader;
}

Loader *loader_new_checker(Odbc *odbc, const Place *place, const Place *erase, const Pending *pending,
                           const LoaderListener *listener)
{
    Loader *loader = loader_new(odbc, place, pending);
    loader->erase = *erase;
    loader->listener = listener;
    return loader;
}

void loader_statement(const Loader *loader, const char *rows, GString *sql)
{
    if (loader->listener)
        sql_check(&loader->place, &loader->erase, rows, sql);
    else
        sql_upsert(&loader->place, rows, sql);
}

SfStatus loader_take_findings(const Loader *loader, OdbcStatement *statement, SfError *err)
{
    SfStatus status = SF_OK;
    while ((status = odbc_fetch(statement, err)) == SF_OK) {
        const char *text = NULL;
        bool null = false;
        int64_t partition = 0;
        Finding finding = {.topic = ""};
        SF_TRY(odbc_text(statement, 0, &text, err));
        g_autofree char *verdict = g_strdup(text);
        SF_TRY(odbc_text(statement, 1, &text, err));
        g_autofree char *topic = g_strdup(text ? text : "");
        SF_TRY(odbc_int64(statement, 2, &null, &partition, err));
        SF_TRY(odbc_int64(statement, 3, &null, &finding.n, err));
        SF_TRY(odbc_int64(statement, 4, &null, &finding.first, err));
        SF_TRY(odbc_int64(statement, 5, &null, &finding.last, err));
        finding.verdict = verdict;
        finding.topic = topic;
        finding.partition = (int32_t) partition;
        loader->listener->found(loader->listener->data, &finding);
    }
    odbc_forget_rows(statement);
    return status == SF_EMPTY ? SF_OK : status;
}

SfStatus loader_execute(const Loader *loader, OdbcStatement *statement, SfError *err)
{
    SF_TRY(odbc_execute(statement, NULL, err));
    return loader->listener ? loader_take_findings(loader, statement, err) : SF_OK;
}

void loader_free(Loader *loader)
{
    if (!loader)
        return;
    loader->class->done(loader);
    g_free(loader);
}
