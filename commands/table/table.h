/* `sfrun table`: what its parts share. */
#ifndef COMMANDS_TABLE_TABLE_H
#define COMMANDS_TABLE_TABLE_H

#include "delta/read.h"
#include "objects/place.h"

typedef struct TableOptions {
    bool json;
    bool history;
    bool files;
    bool count;
    bool explain;
    gint64 rows;    /* -1: not asked for */
    gint64 limit;   /* of --history and --files; 0: all */
    gint64 version; /* -1: the newest */
    const char *timestamp;
    const char *where;
    SfList columns;
    PlaceOptions place;
} TableOptions;

/* A table at the version that was asked for. */
typedef struct OpenTable {
    const CliPage *page;
    const TableOptions *options;
    Place place;
    SfHost host; /* warnings go to standard error */
    SfNode node;
    DeltaLog *log;
    json_object *schema;
    json_object *fields; /* its array */
} OpenTable;

/* open.c. -1, or the exit status after a complaint. */
int table_open(const CliPage *page, const TableOptions *options, const char *word, OpenTable *out);
void table_close(OpenTable *table);
int64_t table_number(json_object *object, const char *name); /* -1: there is none */

/* The rest of the parts. Each prints, and returns SF_OK or why not. */
SfStatus table_print_summary(OpenTable *table, SfError *err);
SfStatus table_print_history(OpenTable *table, SfError *err);
SfStatus table_print_files(OpenTable *table, SfError *err);
SfStatus table_print_rows(OpenTable *table, SfError *err);

/* print.c: "2024-01-15 10:30:01" or, as JSON, "2024-01-15T10:30:01.000Z"; a member of a JSON object. */
char *time_text(int64_t ms);
char *time_json(int64_t ms);
void json_print(json_object *object);                                        /* as a line; takes it */
void json_add(json_object *object, const char *name, const char *text);      /* NULL: null */
void json_add_number(json_object *object, const char *name, int64_t number); /* negative: null */

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(OpenTable, table_close)

#endif
