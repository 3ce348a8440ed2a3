/* What the loaders of PostgreSQL and Snowflake send, statement by statement, to a driver of this test's own: without
 * any server. */
#include <string.h>
#include "dialects.h"
#include "gold_rows.h"
#include "loader.h"

#define SCHEMA "id int, t string, raw binary, day date, at timestamp, paid bool, sum decimal(9,2), x double, gone bool"

/* ---- the driver: odbc.h as far as loaders use it ---- */

typedef struct Bound {
    const char *cells;
    gsize width;
    const int64_t *sizes;
} Bound;

struct OdbcStatement {
    char *sql;
    Bound bound[16];
    guint n_bound, fetched;
    gsize rows;
};

static GString *sent;         /* one line a call */
static const char *fail_with; /* the next statement that has this in it is refused; NULL: none */
static guint alive;           /* statements that are not freed */

SfStatus odbc_prepare(Odbc *odbc, const char *sql, OdbcStatement **out, SfError *err)
{
    (void) odbc;
    (void) err;
    *out = g_new0(OdbcStatement, 1);
    (*out)->sql = g_strdup(sql);
    (*out)->rows = 1;
    alive++;
    return SF_OK;
}

void odbc_statement_free(OdbcStatement *statement)
{
    if (!statement)
        return;
    alive--;
    g_free(statement->sql);
    g_free(statement);
}

SfStatus odbc_bind(OdbcStatement *statement, guint number, OdbcType type, const void *cells, gsize width,
                   const int64_t *sizes, SfError *err)
{
    (void) type;
    (void) err;
    statement->bound[number] = (Bound){cells, width, sizes};
    statement->n_bound = MAX(statement->n_bound, number + 1);
    return SF_OK;
}

SfStatus odbc_array(OdbcStatement *statement, gsize rows, SfError *err)
{
    (void) err;
    statement->rows = rows;
    return SF_OK;
}

static SfStatus refuse(const char *sql, SfError *err)
{
    return fail_with && strstr(sql, fail_with) ? sf_fail(err, SF_REJECT, "refused") : SF_OK;
}

/* "UPSERT a|b", where a and b are what is bound; texts of any length by their first bytes. */
static void note(const OdbcStatement *statement)
{
    g_autofree char *verb = g_strndup(statement->sql, strcspn(statement->sql, " "));
    for (gsize row = 0; row < MIN(statement->rows, 4); row++) {
        g_string_append(sent, verb);
        for (guint i = 0; i < statement->n_bound; i++) {
            const Bound *at = &statement->bound[i];
            g_string_append_c(sent, i > 0 ? '|' : ' ');
            int64_t number = 0;
            if (at->sizes[row] == ODBC_NULL)
                g_string_append(sent, "NULL");
            else if (at->width == 8 && strstr(statement->sql, "SF_STAGE"))
                g_string_append_printf(sent, "%d", (int) *(const int64_t *) (memcpy(&number, at->cells + 8 * row, 8)));
            else
                g_string_append_len(sent, at->cells + at->width * row, (gssize) MIN(at->sizes[row], 40));
        }
        g_string_append_c(sent, '\n');
    }
}

SfStatus odbc_execute(OdbcStatement *statement, int64_t *rows, SfError *err)
{
    (void) rows;
    note(statement);
    return refuse(statement->sql, err);
}

SfStatus odbc_exec(Odbc *odbc, const char *sql, int64_t *rows, SfError *err)
{
    (void) odbc;
    (void) rows;
    const char *end = strpbrk(sql, "(");
    g_string_append_len(sent, sql, end && strstr(sql, "CREATE") ? end - sql : (gssize) MIN(strlen(sql), 40));
    g_string_append_c(sent, '\n');
    return refuse(sql, err);
}

SfStatus odbc_query(Odbc *odbc, const char *sql, OdbcStatement **out, SfError *err)
{
    SF_TRY(odbc_prepare(odbc, sql, out, err));
    g_string_append_len(sent, sql, (gssize) MIN(strlen(sql), 40));
    g_string_append_c(sent, '\n');
    return refuse(sql, err);
}

/* What a query finds: one row of these cells, and then no more. */
static const char *const *found;

SfStatus odbc_fetch(OdbcStatement *statement, SfError *err)
{
    (void) err;
    bool first = found && statement->fetched++ == 0;
    return first ? SF_OK : SF_EMPTY;
}

void odbc_forget_rows(OdbcStatement *statement)
{
    statement->fetched = 0;
}

SfStatus odbc_text(OdbcStatement *statement, guint column, const char **out, SfError *err)
{
    (void) statement;
    (void) err;
    *out = found[column];
    return SF_OK;
}

SfStatus odbc_int64(OdbcStatement *statement, guint column, bool *null, int64_t *out, SfError *err)
{
    (void) statement;
    (void) err;
    *null = false;
    *out = g_ascii_strtoll(found[column], NULL, 10);
    return SF_OK;
}

/* ---- rows ---- */

typedef struct Fixture {
    GoldRows rows;
    Pending *pending; /* the rows' */
    Place place;
    Loader *loader, *eraser;
} Fixture;

typedef struct Setting {
    const Dialect *dialect;
    const char *tables;
} Setting;

static void setup(Fixture *f, gconstpointer data)
{
    const Setting *setting = data;
    gold_rows_init(&f->rows, SCHEMA, setting->tables);
    f->pending = f->rows.pending;
    const Model *model = f->rows.model;
    f->place = (Place){.dialect = setting->dialect, .model = model, .target = model->targets->pdata[0]};
    f->loader = loader_new(NULL, &f->place, f->pending);
    if (f->place.target->deleted)
        f->eraser = loader_new_eraser(NULL, &f->place, f->pending);
    sent = g_string_new(NULL);
    fail_with = NULL;
}

static void teardown(Fixture *f, gconstpointer data)
{
    (void) data;
    loader_free(f->loader);
    loader_free(f->eraser);
    g_assert_cmpuint(alive, ==, 0);
    g_string_free(sent, TRUE);
    gold_rows_done(&f->rows);
}

static void add(Fixture *f, const char *const *values, gsize n)
{
    f->rows.offset = 0;
    gold_rows_add(&f->rows, values, n);
    g_assert_cmpint(pending_sort(f->pending, NULL), ==, SF_OK);
}

#define ADD(f, ...)                                                                                                    \
    do {                                                                                                               \
        const char *rows_[] = {__VA_ARGS__};                                                                           \
        add(f, rows_, G_N_ELEMENTS(rows_));                                                                            \
    } while (0)

static SfStatus load(Fixture *f, Loader *loader, gsize first, gsize n, SfError *err)
{
    return loader->class->load(loader, f->pending->winners[0].rows, first, n, err);
}

static guint count_lines(const char *begin)
{
    guint n = 0;
    for (const char *at = sent->str; (at = strstr(at, begin)); at++)
        n++;
    return n;
}

/* ---- PostgreSQL: an array literal a column (postgresql.org/docs/15/arrays.html, "Array Input and Output Syntax") */

static const Setting all_types = {&dialect_postgresql,
                                  "facts: {f: {key: id, columns: [id, t, raw, day, at, paid, sum, x]}}"};

static void test_literals(Fixture *f, gconstpointer data)
{
    (void) data;
    ADD(f, "1, \"a\\\"b\", \"\", \"2024-01-15\", \"2024-01-15T10:30:00.5Z\", true, 1.5, 0.25, null",
        "2, \"c\\\\d\", \"ef\", \"0001-01-01\", \"1969-12-31T23:59:59Z\", false, -7, 1e300, null",
        "3, \"NULL\", null, null, null, null, null, null, null", "4, null, null, null, null, null, null, null, null",
        "5, \"\", null, null, null, null, null, null, null", "6, \"{,}\", null, null, null, null, null, null, null");
    g_assert_cmpint(load(f, f->loader, 0, 6, NULL), ==, SF_OK);
    static const char *const literals[] = {"INSERT {1,2,3,4,5,6}",
                                           "{\"a\\\"b\",\"c\\\\d\",\"NULL\",NULL,\"\",\"{,}\"}",
                                           "{\"\\\\x\",\"\\\\x6566\",NULL,NULL,NULL,NULL}",
                                           "{\"2024-01-15\",\"0001-01-01\",NULL,NULL,NUL",
                                           "{\"2024-01-15T10:30:00.500000Z\",\"1969-12-",
                                           "{true,false,NULL,NULL,NULL,NULL}",
                                           "{1.50,-7.00,NULL,NULL,NULL,NULL}"};
    g_auto(GStrv) parts = g_strsplit(sent->str, "|", -1);
    for (gsize i = 0; i < G_N_ELEMENTS(literals); i++)
        g_assert_cmpstr(parts[i], ==, literals[i]);
    g_assert_cmpuint(count_lines("INSERT "), ==, 1);
}

static void test_part_of_the_rows(Fixture *f, gconstpointer data)
{
    (void) data;
    ADD(f, "1, \"a\", null, null, null, null, null, null, null", "2, \"b\", null, null, null, null, null, null, null",
        "3, \"c\", null, null, null, null, null, null, null");
    g_assert_cmpint(load(f, f->loader, 1, 2, NULL), ==, SF_OK);
    g_assert_true(g_str_has_prefix(sent->str, "INSERT {2,3}|{\"b\",\"c\"}|"));
    g_string_truncate(sent, 0);
    fail_with = "INSERT";
    SfError err;
    g_assert_cmpint(load(f, f->loader, 0, 1, &err), ==, SF_REJECT);
    g_assert_cmpstr(err.message, ==, "refused");
}

static const Setting narrow = {&dialect_postgresql, "facts: {f: {key: id, columns: [t, day]}}"};

static void test_values_that_are_refused(Fixture *f, gconstpointer data)
{
    (void) data;
    static const struct {
        const char *row;
        int limit;
        const char *message; /* NULL: taken */
    } cases[] = {
        {"1, \"a\\u0000b\", null, null, null, null, null, null, null", -1, "t: the text has a NUL character in it"},
        {"1, \"abc  \", null, null, null, null, null, null, null", 4,
         "t: value too long for type character varying(4), with its blanks"},
        {"1, \"abc  \", null, null, null, null, null, null, null", 5, NULL},
        {"1, \"\303\244\303\244  \", null, null, null, null, null, null, null", 4, NULL}, /* characters, not bytes */
        {"1, \"\303\244\303\244   \", null, null, null, null, null, null, null", 4, "value too long"},
        {"1, \"abcdef\", null, null, null, null, null, null, null", 4, NULL}, /* the server says so aloud */
        {"1, \"abc  \", null, null, null, null, null, null, null", -1, NULL},
        {"1, \"\", null, null, null, null, null, null, null", 0, NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        int limits[16];
        for (gsize k = 0; k < G_N_ELEMENTS(limits); k++)
            limits[k] = -1;
        limits[target_find(f->place.target, "t")] = cases[i].limit;
        f->place.limits = limits;
        pending_clear(f->pending);
        ADD(f, cases[i].row);
        g_autoptr(Loader) loader = loader_new(NULL, &f->place, f->pending);
        SfError err = {""};
        g_assert_cmpint(load(f, loader, 0, 1, &err), ==, cases[i].message ? SF_REJECT : SF_OK);
        if (cases[i].message && !strstr(err.message, cases[i].message))
            g_error("'%s' is not in '%s'", cases[i].message, err.message);
    }
}

/* A statement holds 2,000 rows at first, and no more than 8 MiB of texts. */
static void test_lots(Fixture *f, gconstpointer data)
{
    (void) data;
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < 2001; i++)
        g_ptr_array_add(rows, g_strdup_printf("%d, \"x\", null, null, null, null, null, null, null", i));
    add(f, (const char *const *) rows->pdata, rows->len);
    g_assert_cmpint(load(f, f->loader, 0, 2001, NULL), ==, SF_OK);
    g_assert_cmpuint(count_lines("INSERT "), ==, 2);
    g_assert_nonnull(strstr(sent->str, "{\"x\"}")); /* the one that is left */

    pending_clear(f->pending);
    g_string_truncate(sent, 0);
    g_ptr_array_set_size(rows, 0);
    g_autofree char *large = g_strnfill(3 << 20, 'x');
    for (int i = 0; i < 5; i++)
        g_ptr_array_add(rows, g_strdup_printf("%d, \"%s\", null, null, null, null, null, null, null", i, large));
    add(f, (const char *const *) rows->pdata, rows->len);
    g_assert_cmpint(load(f, f->loader, 0, 5, NULL), ==, SF_OK);
    g_assert_cmpuint(count_lines("INSERT "), ==, 3); /* two, two and one */
}

static const Setting deleting = {&dialect_postgresql, "facts: {f: {key: id, columns: [t], delete_when: {gone: true}}}"};

static void test_deletes(Fixture *f, gconstpointer data)
{
    (void) data;
    ADD(f, "1, \"a\", null, null, null, null, null, null, false", "2, \"b\", null, null, null, null, null, null, true");
    g_assert_cmpuint(f->pending->winners[0].n_kept, ==, 1);
    g_assert_cmpint(load(f, f->loader, 0, 1, NULL), ==, SF_OK);
    g_assert_cmpuint(count_lines("WITH "), ==, 1);
    g_string_truncate(sent, 0);
    g_assert_cmpint(load(f, f->eraser, 1, 1, NULL), ==, SF_OK); /* into the deleted keys, then out of the table */
    g_auto(GStrv) lines = g_strsplit(sent->str, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 3);
    g_assert_true(g_str_has_prefix(lines[0], "INSERT {2}|"));
    g_assert_true(g_str_has_prefix(lines[1], "WITH {2}|"));
    fail_with = "DELETE FROM";
    g_assert_cmpint(load(f, f->eraser, 1, 1, NULL), ==, SF_REJECT);
}

/* A log-in that failed before the first row. */
static void test_never_used(Fixture *f, gconstpointer data)
{
    (void) data;
    g_autoptr(Loader) loader = loader_new(NULL, &f->place, f->pending);
    g_assert_cmpuint(sent->len, ==, 0);
}

/* ---- Snowflake: arrays into a temporary table outside of the transaction, then MERGE within ---- */

static const Setting staged = {&dialect_snowflake, "facts: {f: {key: id, columns: [t, raw]}}"};

static void test_stage_and_merge(Fixture *f, gconstpointer data)
{
    (void) data;
    ADD(f, "1, \"a\", \"b\", null, null, null, null, null, null", "2, null, null, null, null, null, null, null, null");
    const RowRef *rows = f->pending->winners[0].rows;
    for (int round = 0; round < 2; round++) {
        g_string_truncate(sent, 0);
        g_assert_cmpint(f->loader->class->stage(f->loader, rows, 2, NULL), ==, SF_OK);
        g_autofree char *expected = g_strconcat(round == 0 ? "CREATE OR REPLACE TEMPORARY TABLE \"SF_STAGE_F\" \n" : "",
                                                "TRUNCATE TABLE \"SF_STAGE_F\"\n"
                                                "INSERT 0|a|62|1|NULL|t|0|0\n"
                                                "INSERT 1|NULL|NULL|2|NULL|t|0|1\n",
                                                NULL);
        g_assert_cmpstr(sent->str, ==, expected);
    }
    g_string_truncate(sent, 0);
    g_assert_cmpint(load(f, f->loader, 0, 2, NULL), ==, SF_OK);
    g_assert_cmpstr(sent->str, ==, "MERGE INTO \"F\" AS t USING (SELECT * FROM\n");
    fail_with = "TRUNCATE";
    g_assert_cmpint(f->loader->class->stage(f->loader, rows, 2, NULL), ==, SF_REJECT);
}

/* No more than 65,279 cells an array: from 65,280 on the driver stages it by DDL of its own, which would commit. */
static void test_arrays_are_small(Fixture *f, gconstpointer data)
{
    (void) data;
    guint cells = f->place.target->columns->len + 1, most = 65279 / cells;
    g_autoptr(GPtrArray) rows = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i <= most; i++)
        g_ptr_array_add(rows, g_strdup_printf("%u, \"x\", null, null, null, null, null, null, null", i));
    add(f, (const char *const *) rows->pdata, rows->len);
    g_assert_cmpint(f->loader->class->stage(f->loader, f->pending->winners[0].rows, most + 1, NULL), ==, SF_OK);
    g_autofree char *last = g_strdup_printf("INSERT %u|x|NULL|%u|NULL|t|0|%u\n", most, most, most);
    g_assert_cmpuint(count_lines("INSERT "), ==, 5); /* four of the first array are noted, and all of the second */
    g_assert_true(g_str_has_suffix(sent->str, last));
}

static const Setting staged_deletes = {&dialect_snowflake,
                                       "facts: {f: {key: id, columns: [t], delete_when: {gone: true}}}"};

static void test_merge_deletes(Fixture *f, gconstpointer data)
{
    (void) data;
    ADD(f, "2, \"b\", null, null, null, null, null, null, true");
    g_assert_cmpint(f->eraser->class->stage(f->eraser, f->pending->winners[0].rows, 1, NULL), ==, SF_OK);
    g_string_truncate(sent, 0);
    g_assert_cmpint(load(f, f->eraser, 0, 1, NULL), ==, SF_OK);
    g_assert_cmpstr(sent->str, ==,
                    "MERGE INTO \"SF_DELETED_F\" AS t USING (SE\nMERGE INTO \"F\" AS t USING (SELECT * FROM\n");
}

/* ---- checkers: the same rows, in a query that tells what the table has ---- */

static void hear(gpointer data, const Finding *finding)
{
    g_string_append_printf(data, "%s %s/%d %d: %d-%d\n", finding->verdict, finding->topic, finding->partition,
                           (int) finding->n, (int) finding->first, (int) finding->last);
}

static void check(Fixture *f, const char *expected)
{
    static const char *const cells[] = {"older", "t", "3", "2", "7", "9"};
    g_autoptr(GString) heard = g_string_new(NULL);
    LoaderListener listener = {hear, heard};
    Place none = {0};
    g_autoptr(Loader) checker = loader_new_checker(NULL, &f->place, &none, f->pending, &listener);
    const RowRef *rows = f->pending->winners[0].rows;
    found = cells;
    g_string_truncate(sent, 0);
    for (int round = 0; round < 2; round++) {
        if (checker->class->stage)
            g_assert_cmpint(checker->class->stage(checker, rows, 2, NULL), ==, SF_OK);
        g_assert_cmpint(load(f, checker, 0, 2, NULL), ==, SF_OK);
    }
    found = NULL;
    g_assert_cmpstr(heard->str, ==, "older t/3 2: 7-9\nolder t/3 2: 7-9\n");
    g_assert_nonnull(strstr(sent->str, expected));
    fail_with = "WITH r";
    g_assert_cmpint(load(f, checker, 0, 2, NULL), ==, SF_REJECT);
}

static void test_checkers(Fixture *f, gconstpointer data)
{
    (void) data;
    ADD(f, "1, \"a\", \"b\", null, null, null, null, null, null", "2, null, null, null, null, null, null, null, null");
    check(f, "WITH ");
    g_assert_null(strstr(sent->str, "INSERT INTO \"f\""));
    g_assert_null(strstr(sent->str, "MERGE"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define CASE(name, setting, function) g_test_add("/gold/loaders/" name, Fixture, &setting, setup, function, teardown)
    CASE("PostgreSQL's literals are quoted", all_types, test_literals);
    CASE("PostgreSQL gets the rows that are asked for", all_types, test_part_of_the_rows);
    CASE("PostgreSQL would cut or refuse a value: it is rejected", narrow, test_values_that_are_refused);
    CASE("PostgreSQL gets so many rows a statement", narrow, test_lots);
    CASE("PostgreSQL deletes after it knows what", deleting, test_deletes);
    CASE("a loader that was never used is freed", all_types, test_never_used);
    CASE("Snowflake stages, then merges", staged, test_stage_and_merge);
    CASE("Snowflake's arrays are small", staged, test_arrays_are_small);
    CASE("Snowflake merges deletes", staged_deletes, test_merge_deletes);
    CASE("PostgreSQL is asked for the rows", all_types, test_checkers);
    CASE("Snowflake is asked for the rows", staged, test_checkers);
    return g_test_run();
}
