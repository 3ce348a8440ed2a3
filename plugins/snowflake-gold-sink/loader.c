/* Making and freeing loaders. */
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

void loader_free(Loader *loader)
{
    if (!loader)
        return;
    loader->class->done(loader);
    g_free(loader);
}
