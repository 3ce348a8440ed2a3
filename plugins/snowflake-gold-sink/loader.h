/* Loading: the fastest way into each database (facts: warehouse.md §1). A loader belongs to one table and one
 * connection. */
#ifndef GOLD_LOADER_H
#define GOLD_LOADER_H

#include "odbc/odbc.h"
#include "pending.h"
#include "sql.h"

/* Its implementation's struct begins with it. */
typedef struct Loader {
    const LoaderClass *class;
    Odbc *odbc;
    Place place; /* where the rows go */
    Place erase; /* of a table of deleted keys: where they are then deleted; else without a target */
    const Pending *pending;
} Loader;

struct LoaderClass {
    gsize size; /* of the implementation's struct */
    /* Brings rows next to the table, outside of a transaction. NULL: load does it all. */
    SfStatus (*stage)(Loader *loader, const RowRef *rows, gsize n, SfError *err);
    /* Upserts rows[first, first + n), all of different keys, and deletes them where they are to be, within a
     * transaction. SF_REJECT: some of them are refused. */
    SfStatus (*load)(Loader *loader, const RowRef *rows, gsize first, gsize n, SfError *err);
    void (*done)(Loader *loader);
};

/* For the rows of a table that stay. */
Loader *loader_new(Odbc *odbc, const Place *place, const Pending *pending);
/* For those that delete: into its table of deleted keys, and out of it. */
Loader *loader_new_eraser(Odbc *odbc, const Place *place, const Pending *pending);
void loader_free(Loader *loader);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Loader, loader_free)

#endif
