/* Tables on a terminal; see table.h. */
#include "table.h"

#include <stdio.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "data/printable.h"

enum { INDENT = 2, GAP = 2, USUAL_ROOM = 80, NAME_LEAST = 6, PARAGRAPH_INDENT = 4 };

#define PLAIN "\033[0m"

typedef struct Cell {
    char *full, *brief; /* brief is NULL where it is the same */
    const char *colour;
} Cell;

struct Table {
    const TableColumn *columns;
    guint n_columns;
    GArray *cells; /* Cell, row by row; the titles are the first row */
};

/* How a table is shown: what is given up for want of room. */
typedef struct Layout {
    bool brief;
    guint kept; /* columns of that worth at most */
    guint name; /* columns of the terminal for the first column at most */
} Layout;

static void cell_done(gpointer data)
{
    Cell *cell = data;
    g_free(cell->full);
    g_free(cell->brief);
}

static void add_cell(Table *table, char *full, char *brief, const char *colour)
{
    Cell cell = {.full = full, .brief = brief, .colour = colour};
    g_array_append_val(table->cells, cell);
}

Table *table_new(const TableColumn *columns, guint n_columns)
{
    Table *table = g_new0(Table, 1);
    table->columns = columns;
    table->n_columns = n_columns;
    table->cells = g_array_new(FALSE, FALSE, sizeof(Cell));
    g_array_set_clear_func(table->cells, cell_done);
    for (guint i = 0; i < n_columns; i++)
        add_cell(table, g_strdup(columns[i].title), NULL, NULL);
    return table;
}

void table_free(Table *table)
{
    g_array_unref(table->cells);
    g_free(table);
}

void table_text(Table *table, const char *text, const char *colour)
{
    add_cell(table, g_strdup(text), NULL, colour);
}

void table_count(Table *table, gint64 n, const char *colour)
{
    if (n < 0)
        add_cell(table, g_strdup("-"), NULL, NULL);
    else
        add_cell(table, printable_count(n), printable_brief_count(n), colour);
}

static char *shown_text(const Cell *cell, const Layout *layout, bool is_name)
{
    const char *text = layout->brief && cell->brief ? cell->brief : cell->full;
    return is_name ? printable_cut(text, layout->name, layout->name / 2) : g_strdup(text);
}

static guint column_width(const Table *table, guint column, const Layout *layout)
{
    guint width = 0;
    for (guint i = column; i < table->cells->len; i += table->n_columns) {
        g_autofree char *text = shown_text(&g_array_index(table->cells, Cell, i), layout, column == 0);
        width = MAX(width, printable_width(text));
    }
    return width;
}

static guint table_width(const Table *table, const Layout *layout)
{
    guint width = INDENT;
    for (guint i = 0; i < table->n_columns; i++) {
        if (table->columns[i].worth <= layout->kept)
            width += column_width(table, i, layout) + (i > 0 ? GAP : 0);
    }
    return width;
}

/* With all of the name, then with what is still readable of it. */
static bool fits_with_name(const Table *table, guint width, guint least, Layout *layout)
{
    layout->name = G_MAXINT;
    guint taken = table_width(table, layout), name = column_width(table, 0, layout);
    if (taken <= width)
        return true;
    layout->name = taken - name < width ? width - (taken - name) : 0;
    return layout->name >= MIN(least, name);
}

static Layout layout_of(const Table *table, guint width)
{
    Layout layout = {.kept = G_MAXUINT, .name = G_MAXINT};
    guint most = 0;
    if (width == 0 || fits_with_name(table, width, G_MAXUINT, &layout))
        return layout;
    for (guint i = 0; i < table->n_columns; i++)
        most = MAX(most, table->columns[i].worth);
    layout.brief = true;
    for (layout.kept = most; layout.kept > 0; layout.kept--) {
        if (fits_with_name(table, width, table->columns[0].least, &layout))
            return layout;
    }
    if (!fits_with_name(table, width, NAME_LEAST, &layout))
        layout.name = NAME_LEAST;
    return layout;
}

static void print_cell(const Cell *cell, const char *text, guint width, bool left, bool last)
{
    int blanks = (int) width - (int) printable_width(text);
    const char *colour = cell->colour && table_colours() ? cell->colour : "";
    printf("%*s%s%s%s%*s", left ? 0 : blanks, "", colour, text, *colour ? PLAIN : "", left && !last ? blanks : 0, "");
}

void table_print(const Table *table, guint width)
{
    Layout layout = layout_of(table, width);
    g_autofree guint *widths = g_new0(guint, table->n_columns);
    guint last = 0;
    for (guint i = 0; i < table->n_columns; i++) {
        widths[i] = column_width(table, i, &layout);
        last = table->columns[i].worth <= layout.kept ? i : last;
    }
    for (guint i = 0; i < table->cells->len; i++) {
        guint column = i % table->n_columns;
        const Cell *cell = &g_array_index(table->cells, Cell, i);
        g_autofree char *text = shown_text(cell, &layout, column == 0);
        if (table->columns[column].worth <= layout.kept) {
            printf("%*s", column == 0 ? INDENT : GAP, "");
            print_cell(cell, text, widths[column], table->columns[column].left, column == last);
        }
        if (column + 1 == table->n_columns)
            putchar('\n');
    }
}

void table_paragraph(const char *text, const char *colour)
{
    guint width = table_room(), column = 0;
    bool coloured = colour && table_colours();
    g_auto(GStrv) words = g_strsplit(text, " ", -1);
    fputs(coloured ? colour : "", stdout);
    for (char **word = words; *word; word++) {
        guint length = printable_width(*word);
        if (width > 0 && column > PARAGRAPH_INDENT && column + 1 + length > width) {
            printf("\n%*s", PARAGRAPH_INDENT, "");
            column = PARAGRAPH_INDENT;
        } else if (word > words) {
            putchar(' ');
            column++;
        }
        fputs(*word, stdout);
        column += length;
    }
    printf("%s\n", coloured ? PLAIN : "");
}

guint table_room(void)
{
    struct winsize size = {0};
    bool terminal = isatty(STDOUT_FILENO);
    const char *columns = g_getenv("COLUMNS");
    gint64 wanted = columns ? g_ascii_strtoll(columns, NULL, 10) : 0;
    if (terminal && ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0)
        return size.ws_col;
    if (wanted > 0)
        return (guint) MIN(wanted, G_MAXINT);
    return terminal ? USUAL_ROOM : 0;
}

bool table_colours(void)
{
    const char *no = g_getenv("NO_COLOR"), *term = g_getenv("TERM");
    return !(no && *no) && g_strcmp0(term, "dumb") != 0 && isatty(STDOUT_FILENO);
}
