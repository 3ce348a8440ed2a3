/* A Delta table in a directory of its own, for the tests of delta-silver-sink. */
#ifndef TEST_SILVER_TABLE_H
#define TEST_SILVER_TABLE_H

#include "delta/delta.h"
#include "harness.h"

typedef struct SilverTable {
    char *dir; /* the table is DIR/t */
    char *options;
} SilverTable;

/* more: options beside the url, as YAML. */
void silver_init(SilverTable *table, const char *more);
void silver_done(SilverTable *table);
/* A table of somebody else's: its first commit, from JSON texts. Fields as in a schema's "fields", "" for the protocol
 * that everybody starts with; more: further actions, lines. */
typedef struct ForeignTable {
    const char *protocol;      /* {"minReaderVersion":1,"minWriterVersion":2} */
    const char *fields;        /* [{"name":…}] */
    const char *partitions;    /* NULL: [] */
    const char *configuration; /* NULL: {} */
    const char *more;          /* NULL: none */
} ForeignTable;
void silver_put_table(const SilverTable *table, const ForeignTable *foreign);
Harness *silver_sink_new(const SilverTable *table, const char *schema);

char *silver_log_path(const SilverTable *table, gint64 version);
gint64 silver_last_version(const SilverTable *table); /* -1: no commit */
/* Actions called `name` of a commit: json_object *. */
GPtrArray *silver_actions(const SilverTable *table, gint64 version, const char *name);
/* All rows by these columns, sorted, joined by line breaks. */
char *silver_text(const SilverTable *table, const char *columns);
void silver_write_rows(Harness *h, const char *split, gint64 start, const char *const *json, gsize n);
int silver_compare_lines(gconstpointer a, gconstpointer b); /* of char ** */

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(SilverTable, silver_done)

#endif
