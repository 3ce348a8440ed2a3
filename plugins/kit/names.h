/* Names of columns and tables as a catalogue compares them, and a set of them with a number each. */
#ifndef KIT_NAMES_H
#define KIT_NAMES_H

#include <glib.h>
#include <stdbool.h>

typedef enum NameRule {
    NAMES_EXACT,    /* by their bytes: an Arrow schema, names in quotes in PostgreSQL and Snowflake */
    NAMES_ASCII,    /* A is a to Z is z, all else by its bytes: SQLite, and what databases do to names without quotes */
    NAMES_ANY_CASE, /* character by character without case, as Spark's resolver does
                     * (java.lang.String.equalsIgnoreCase): 'Ünit' is 'ünit', but 'straße' is not 'strasse', which has
                     * other characters; UTF-8 */
} NameRule;

bool name_equal(NameRule rule, const char *a, const char *b);

/* Adding and finding take constant time. Keeps copies of the names. */
typedef GHashTable NameSet; /* free by g_hash_table_unref */
NameSet *name_set_new(NameRule rule);
bool name_set_add(NameSet *set, const char *name, gint64 number); /* false: it is there, with its number */
gint64 name_set_find(const NameSet *set, const char *name);       /* -1: it is not there */

#endif
