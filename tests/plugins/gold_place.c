/* A private SQLite database, made and read through the kit's ODBC wrapper. */
#include "gold_place.h"

#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
#include "odbc/private.h"
#include "tree.h"

static void take_sqlite(GoldPlace *place)
{
    place->directory = g_dir_make_tmp("sf-gold-XXXXXX", NULL);
    place->connection = g_strdup_printf("Driver=SQLite3;Database=%s/gold.db;Timeout=300", place->directory);
}

/* Unquoted and in lower case, so it is one name for the sink's option and for our statements. */
static void take_server(GoldPlace *place, const char *connection)
{
    static int n;
    place->connection = g_strdup(connection);
    place->schema = g_strdup_printf("sf_test_%d_%d", (int) getpid(), n++);
}

GoldPlace *gold_place_new(void)
{
    SfError err;
    GoldPlace *place = g_new0(GoldPlace, 1);
    const char *server = g_getenv("SF_GOLD_CONNECTION");
    if (server)
        take_server(place, server);
    else
        take_sqlite(place);
    place->odbc = odbc_new(&(OdbcLogin){.connection = place->connection, .timeout_ms = 10000});
    if (odbc_open(place->odbc, &err) != SF_OK)
        g_error("%s", err.message);
    if (!place->schema)
        return place;
    g_autofree char *create = g_strdup_printf("CREATE SCHEMA %s", place->schema);
    g_autofree char *use =
        g_strdup_printf(gold_is(place, "Snowflake") ? "USE SCHEMA %s" : "SET search_path = %s", place->schema);
    gold_exec(place, create);
    gold_exec(place, use);
    return place;
}

bool gold_is(const GoldPlace *place, const char *product)
{
    return strcmp(odbc_product(place->odbc), product) == 0;
}

void gold_place_free(GoldPlace *place)
{
    if (!place)
        return;
    if (place->schema) {
        g_autofree char *drop = g_strdup_printf("DROP SCHEMA %s CASCADE", place->schema);
        gold_exec(place, drop);
    }
    odbc_free(place->odbc);
    if (place->directory)
        remove_tree(place->directory);
    g_free(place->directory);
    g_free(place->schema);
    g_free(place->connection);
    g_free(place);
}

Harness *gold_harness(GoldPlace *place, const char *options)
{
    g_autofree char *all =
        g_strdup_printf("connection: %s\n%s%s\n%s", place->connection, place->schema ? "schema: " : "",
                        place->schema ? place->schema : "", options);
    return harness_new("snowflake-gold-sink", all);
}

void gold_exec(GoldPlace *place, const char *sql)
{
    SfError err;
    if (odbc_exec(place->odbc, sql, NULL, &err) != SF_OK)
        g_error("%s: %s", sql, err.message);
}

char *gold_query(GoldPlace *place, const char *sql)
{
    SfError err;
    g_autoptr(OdbcStatement) statement = NULL;
    GString *out = g_string_new(NULL);
    if (odbc_query(place->odbc, sql, &statement, &err) != SF_OK)
        g_error("%s: %s", sql, err.message);
    SQLSMALLINT columns = 0;
    SQLNumResultCols(statement->handle, &columns);
    while (odbc_fetch(statement, &err) == SF_OK)
        for (guint i = 0; i < (guint) columns; i++) {
            const char *text = NULL;
            g_assert_cmpint(odbc_text(statement, i, &text, &err), ==, SF_OK);
            g_string_append_printf(out, "%s%c", text ? text : "NULL", i + 1 < (guint) columns ? '|' : '\n');
        }
    g_string_truncate(out, out->len > 0 ? out->len - 1 : 0);
    return g_string_free(out, FALSE);
}

void gold_assert_query(GoldPlace *place, const char *sql, const char *expected)
{
    g_autofree char *got = gold_query(place, sql);
    g_assert_cmpstr(got, ==, expected);
}

void gold_assert_contains(const char *text, const char *part)
{
    if (!strstr(text, part))
        g_error("'%s' is not in '%s'", part, text);
}

bool gold_processes(GoldPlace *place, int n, int (*run)(GoldPlace *place, int number))
{
    if (gold_is(place, "Snowflake")) {
        g_test_skip("the emulator has no locks");
        return false;
    }
    g_autofree pid_t *children = g_new0(pid_t, n);
    for (int i = 0; i < n; i++) {
        children[i] = fork();
        if (children[i] == 0) {
            /* the parent's connection is not theirs to use */
            GoldPlace own = {.schema = place->schema, .connection = place->connection};
            _exit(run(&own, i));
        }
    }
    for (int i = 0; i < n; i++) {
        int status = 0;
        g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
        g_assert_cmpint(status, ==, 0);
    }
    return true;
}
