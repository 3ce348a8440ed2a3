/* Tables for terminals: what they show where there is room, and what goes where there is none. */
#include "cli/table.h"

#include <stdio.h>
#include <unistd.h>

static const TableColumn columns[] = {{.title = "step", .left = true, .least = 6},
                                      {.title = "rows"},
                                      {.title = "plugin", .left = true, .worth = 2},
                                      {.title = "lag", .worth = 1}};

/* What the table prints, which goes to standard output. */
static char *printed(const Table *table, guint width)
{
    FILE *file = tmpfile();
    g_assert_nonnull(file);
    fflush(stdout);
    int kept = dup(STDOUT_FILENO);
    g_assert_cmpint(dup2(fileno(file), STDOUT_FILENO), ==, STDOUT_FILENO);
    table_print(table, width);
    fflush(stdout);
    g_assert_cmpint(dup2(kept, STDOUT_FILENO), ==, STDOUT_FILENO);
    close(kept);
    char text[2000];
    rewind(file);
    size_t size = fread(text, 1, sizeof text, file);
    fclose(file);
    return g_strndup(text, size);
}

static void assert_printed(const Table *table, guint width, const char *expected)
{
    g_autofree char *text = printed(table, width);
    g_assert_cmpstr(text, ==, expected);
}

/* First counts become short, then columns go, those of the greatest number first, before the name is less than it has
 * to be. */
static void test_room(void)
{
    g_autoptr(Table) table = table_new(columns, G_N_ELEMENTS(columns));
    table_text(table, "events", NULL);
    table_count(table, 1234567, NULL);
    table_text(table, "kafka-source", NULL);
    table_count(table, -1, NULL);
    table_text(table, "a-sink-with-a-name", NULL);
    table_count(table, 0, NULL);
    table_text(table, "file-sink", NULL);
    table_count(table, 20, NULL);
    static const char all[] = "  step                     rows  plugin        lag\n"
                              "  events              1,234,567  kafka-source    -\n"
                              "  a-sink-with-a-name          0  file-sink      20\n";
    assert_printed(table, 0, all);
    assert_printed(table, 50, all);
    assert_printed(table, 49,
                   "  step                rows  plugin        lag\n"
                   "  events              1.2M  kafka-source    -\n"
                   "  a-sink-with-a-name     0  file-sink      20\n");
    assert_printed(table, 33,
                   "  step    rows  plugin        lag\n"
                   "  events  1.2M  kafka-source    -\n"
                   "  a-…ame     0  file-sink      20\n");
    assert_printed(table, 32,
                   "  step                rows  lag\n"
                   "  events              1.2M    -\n"
                   "  a-sink-with-a-name     0   20\n");
    assert_printed(table, 18,
                   "  step        rows\n"
                   "  events      1.2M\n"
                   "  a-si…-name     0\n");
}

/* Nobody wants blanks at the ends of lines, whichever column is the last that is shown. */
static void test_no_blanks_at_the_end(void)
{
    static const TableColumn two[] = {{.title = "step", .left = true, .least = 4},
                                      {.title = "plugin", .left = true},
                                      {.title = "trouble", .left = true, .worth = 1}};
    g_autoptr(Table) table = table_new(two, G_N_ELEMENTS(two));
    table_text(table, "a", NULL);
    table_text(table, "x", NULL);
    table_text(table, "y", NULL);
    assert_printed(table, 0, "  step  plugin  trouble\n  a     x       y\n");
    assert_printed(table, 15, "  step  plugin\n  a     x\n");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/table/room", test_room);
    g_test_add_func("/table/no-blanks-at-the-end", test_no_blanks_at_the_end);
    return g_test_run();
}
