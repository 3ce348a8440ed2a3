/* Loading: the fastest way into each database (facts: warehouse.md §1). A loader belongs to one table and one
 * connection. */
#ifndef GOLD_LOADER_H
#define GOLD_LOADER_H

#include "odbc/odbc.h"
#include "pending.h"
#include "sql.h"

/* What a checker hears of rows that it looked up: so many of a topic's partition are as `verdict` says (sql_check()),
 * at offsets from `first` to `last`. */
typedef struct Finding {
    const char *verdict, *topic;
    int32_t partition;
    int64_t n, first, last;
} Finding;

typedef struct LoaderListener {
    void (*found)(gpointer data, const Finding *finding);
    gpointer data;
} LoaderListener;

/* Its implementation's struct begins with it. */
typedef struct Loader {
    const LoaderClass *class;
    Odbc *odbc;
    Place place; /* where the rows go */
    Place erase; /* of a table of deleted keys: where they are then deleted; else without a target */
    const Pending *pending;
    const LoaderListener *listener; /* of a checker, which loads nothing; else NULL */
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
/* Looks rows up instead of loading them, by sql_check(). `erase` as an eraser's, or without a target. The listener
 * stays the caller's. */
Loader *loader_new_checker(Odbc *odbc, const Place *place, const Place *erase, const Pending *pending,
                           const LoaderListener *listener);
void loader_free(Loader *loader);

/* For implementations: the statement for these rows, and running it, which tells the listener what it found. */
void loader_statement(const Loader *loader, const char *rows, GString *sql);
SfStatus loader_execute(const Loader *loader, OdbcStatement *statement, SfError *err);
SfStatus loader_take_findings(const Loader *loader, OdbcStatement *statement, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Loader, loader_free)

#endif
