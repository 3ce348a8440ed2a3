/* All that differs between the databases: one constant each, in dialect_<name>.c, chosen by what the ODBC driver says
 * it talks to. A dialect knows log-in, errors, types, SQL text and which way of loading is the fastest there; it holds
 * no state. No other file names a database (tools/check-style). */
#ifndef GOLD_DIALECT_H
#define GOLD_DIALECT_H

#include "model.h"
#include "odbc/profile.h"

typedef struct LoaderClass LoaderClass;

/* What the database does to a name without quotes. Ours are always quoted, after the same change, so that people can
 * write them without. As it is: kept, but compared without regard to case, in quotes or not. */
typedef enum NameCase { NAME_AS_IT_IS, NAME_LOWER, NAME_UPPER } NameCase;

typedef struct Dialect {
    OdbcProfile odbc;
    NameCase name_case;
    gsize longest_name;         /* bytes of a name that it tells apart, or takes; 0: any */
    guint most_columns;         /* of a table; 0: any */
    bool has_schemas;           /* CREATE SCHEMA */
    bool has_backslash_escapes; /* in '…' */
    bool ledger_last;           /* its update locks more than its row: not before the loading */
    const char *same;           /* equality that holds for two nulls */
    const char *bytewise;       /* behind a text that is compared by its bytes */
    const char *const *session; /* statements after the log-in, NULL-terminated */
    const char *const *reading; /* likewise of a session that only reads, in one snapshot where there is such a thing */
    const char *label;          /* begins the statement that names the session for its operators; NULL: none */
    const char *strict;         /* begins a transaction that looks for bad rows; NULL: nothing needed */
    const char *values;         /* around rows in FROM, which give column1, column2, … */
    const char *end_values;
    const char *insert;       /* begins an upsert that INSERT does */
    const char *ruled_insert; /* likewise where a row comes of `find_rules`; NULL: the same */
    const char *find_rules;   /* whether tables have rules of their own about conflicts; NULL: none can */
    bool has_savepoints;      /* otherwise a statement that fails undoes itself only */
    const char *stage;        /* begins the names of temporary tables that rows go through; NULL: none */
    /* The type of a new column. */
    void (*type)(const Source *source, GString *sql);
    /* What a column's own type needs behind it to keep texts as they are; NULL: nothing ever. */
    const char *(*text_suffix)(const char *type);
    /* Whether an existing column of this type takes every value exactly, or refuses it aloud. */
    bool (*takes)(const Source *source, const char *type);
    /* The characters that a column of this type has room for, where it cuts off blanks beyond them in silence; else -1.
     * NULL: that is never so. */
    int (*limit)(const char *type);
    /* Whether the column's values can be compared in the database. NULL: all. */
    bool (*orders)(const Source *source);
    /* A query for the name and type of each column of a table; no rows when there is no table. */
    void (*list_columns)(const char *schema, const char *table, GString *sql);
    /* Inserts the ledger rows that are missing: `rows` is "('…', …), …", all columns but the origin. */
    void (*add_to_ledger)(const char *ledger, const char *rows, GString *sql);
    /* Within the transaction, before rows go into a table that has one of deleted keys: keeps apart those that delete
     * and those that write. NULL: the database, or the ledger's row before all else, does. */
    void (*lock)(const char *deleted, bool deletes, GString *sql);
    /* The statement that brings rows from where the loader puts them into the table, newer rows only. */
    const LoaderClass *loader;
} Dialect;

#endif
