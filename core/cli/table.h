/* Tables that fit a terminal: counts become short, columns of little worth go, names are cut in their middle. */
#ifndef CORE_CLI_TABLE_H
#define CORE_CLI_TABLE_H

#include <glib.h>
#include <stdbool.h>
#include "private.h"

/* The first column of a table is the one that is cut where there is no room. */
typedef struct TableColumn {
    const char *title;
    bool left;   /* aligned so; numbers are not */
    guint worth; /* 0: always shown; columns of the greatest number go first */
    guint least; /* of the first column: other columns go before it is cut to less */
} TableColumn;

typedef struct Table Table;

/* The columns are not copied. Not thread-safe. */
SF_PRIVATE Table *table_new(const TableColumn *columns, guint n_columns);
SF_PRIVATE void table_free(Table *table);

/* The next cell, row by row. Texts are copied. `colour` is an SGR sequence, or NULL. */
SF_PRIVATE void table_text(Table *table, const char *text, const char *colour);

/* The same of a number, "-" if it is negative; it may be shown as 1.2M. */
SF_PRIVATE void table_count(Table *table, gint64 n, const char *colour);

/* On standard output, indented by two; width 0: as wide as it gets. */
SF_PRIVATE void table_print(const Table *table, guint width);

/* A paragraph on standard output, broken at blanks where it does not fit; further lines are indented by four. */
SF_PRIVATE void table_paragraph(const char *text, const char *colour);

/* Of the terminal at standard output, or COLUMNS; 0 where there is none, since files and pipes take any width. */
SF_PRIVATE guint table_room(void);

/* Whether standard output may be coloured: a terminal, and neither NO_COLOR (https://no-color.org) nor TERM=dumb says
 * otherwise. */
SF_PRIVATE bool table_colours(void);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Table, table_free)

#endif
