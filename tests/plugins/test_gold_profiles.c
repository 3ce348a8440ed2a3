/* What the gold sink knows of each database before it says a word of SQL: connection strings, drivers, what to install,
 * and what an error means. */
#include <glib.h>
#include <glib/gstdio.h>
#include <string.h>
#include "dialects.h"
#include "odbc/diag.h"
#include "odbc/login.h"

static void test_connection_strings(void)
{
    static const struct {
        const char *connection, *message; /* NULL: fine */
    } cases[] = {
        {"Driver=SQLite3;Database=gold.db", NULL},
        {"Driver=SQLite3", "SQLite needs 'Database='"},
        {"Driver={SQLite3};Database= ;Timeout=5", "SQLite needs 'Database='"},
        {"Driver=/usr/lib/libsqlite3odbc.so;Timeout=5", "SQLite needs 'Database='"},
        {"Driver=SQLite3;Database=:memory:", "'Database=:memory:' is kept in memory and lost"},
        {"Driver=SQLite3;Database=s3://bucket/gold.db", "'Database=' is a URL"},
        {"Driver=;Database=gold.db", "such as 'Driver=SQLite3;Database=gold.db'"},
        {"Driver=PostgreSQL Unicode;Server=h", NULL},
        {"Driver=SnowflakeDSIIDriver;Server=h", NULL},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        SfError err = {""};
        SfStatus status = odbc_check(cases[i].connection, dialect_profiles, &err);
        g_assert_cmpint(status, ==, cases[i].message ? SF_CONFIG : SF_OK);
        if (cases[i].message && !strstr(err.message, cases[i].message))
            g_error("'%s' is not in '%s'", cases[i].message, err.message);
    }
    for (gsize i = 0; dialect_profiles[i]; i++) {
        g_assert_cmpint(odbc_check(dialect_profiles[i]->example, dialect_profiles, NULL), ==, SF_OK);
        g_assert_true(odbc_profile_by_driver(dialect_profiles, dialect_profiles[i]->example) == dialect_profiles[i]);
        g_assert_true(dialect_find(dialect_profiles[i]->product) != NULL);
    }
    g_assert_null(dialect_find("Oracle"));
    g_autofree char *products = dialect_products();
    g_assert_cmpstr(products, ==, "SQLite, PostgreSQL and Snowflake");
}

static void test_what_to_install(void)
{
    static const struct {
        const char *connection, *message;
    } cases[] = {
        {"Driver={My SQLite};Database=/x/y.db", "'My SQLite' is not installed; apt install libsqliteodbc; installed"},
        {"Driver={My psqlODBC}", "'My psqlODBC' is not installed; apt install odbc-postgresql; installed"},
        {"Driver={My Postgres}", "'My Postgres' is not installed; apt install odbc-postgresql; installed"},
        {"Driver=SnowflakeDSIIDriver;PWD=hunter2",
         "'SnowflakeDSIIDriver' is not installed; install Snowflake's ODBC driver"},
        {"Driver=Other", "'Other' is not installed; install it and register it"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        static const char *const states[] = {"IM002", "IM003", "IM004", "01000"};
        SfError err = {"no driver"};
        const OdbcProfile *profile = odbc_profile_by_driver(dialect_profiles, cases[i].connection);
        g_assert_cmpint(
            odbc_explain_login(profile, cases[i].connection, states[i % G_N_ELEMENTS(states)], 0, SF_RETRY, &err), ==,
            SF_CONFIG);
        if (!strstr(err.message, cases[i].message))
            g_error("'%s' is not in '%s'", cases[i].message, err.message);
        g_assert_null(strstr(err.message, "hunter2"));
    }
}

/* SQLite's driver has no words for it, nor a directory for the file: both are the sink's to say and to make. */
static void test_a_file_that_cannot_be_opened(void)
{
    SfError err = {"connect failed"};
    const OdbcProfile *sqlite = &dialect_sqlite.odbc;
    static const int codes[] = {14, 14 | 2 << 8}; /* CANTOPEN, CANTOPEN_ISDIR */
    for (gsize i = 0; i < G_N_ELEMENTS(codes); i++) {
        g_strlcpy(err.message, "connect failed", sizeof err.message);
        odbc_explain_login(sqlite, "Driver=SQLite3;Database=/x/y.db", "HY000", codes[i], SF_RETRY, &err);
        g_assert_cmpstr(err.message, ==,
                        "cannot connect to 'Driver=SQLite3;Database=/x/y.db'; its file cannot be opened: does its "
                        "directory exist, and may it be written: connect failed");
    }
    g_strlcpy(err.message, "database is locked", sizeof err.message);
    odbc_explain_login(sqlite, "Driver=SQLite3;Database=/x/y.db", "HY000", 5, SF_RETRY, &err);
    g_assert_cmpstr(err.message, ==, "cannot connect to 'Driver=SQLite3;Database=/x/y.db': database is locked");

    g_autofree char *directory = g_dir_make_tmp("sf-gold-XXXXXX", NULL);
    g_autofree char *inner = g_build_filename(directory, "a", "b", NULL);
    g_autofree char *connection = g_strdup_printf("Driver=SQLite3;Database=%s/gold.db", inner);
    g_assert_cmpint(sqlite->before_login(connection, &err), ==, SF_OK);
    g_assert_true(g_file_test(inner, G_FILE_TEST_IS_DIR));
    g_autofree char *file = g_build_filename(inner, "file", NULL);
    g_assert_true(g_file_set_contents(file, "", 0, NULL));
    g_autofree char *within = g_strdup_printf("Driver=SQLite3;Database=%s/gold.db", file);
    g_assert_cmpint(sqlite->before_login(within, &err), ==, SF_RETRY);
    g_assert_nonnull(strstr(err.message, "cannot create directory '"));
    g_unlink(file);
    g_rmdir(inner);
    g_autofree char *outer = g_path_get_dirname(inner);
    g_rmdir(outer);
    g_rmdir(directory);
}

static void test_locks_are_not_waited_for_long(void)
{
    g_autofree char *login =
        odbc_login_string(&(OdbcLogin){.connection = "Driver=SQLite3;Database=x", .profiles = dialect_profiles});
    g_assert_cmpstr(login, ==, "Driver=SQLite3;Database=x;Timeout=5000;");
}

static const struct {
    const OdbcProfile *profile;
    const char *state;
    int native;
    const char *text;
    SfStatus status;
} judgements[] = {
    {&dialect_postgresql.odbc, "23505", 1, "duplicate key", SF_REJECT},
    {&dialect_postgresql.odbc, "22003", 1, "out of range", SF_REJECT},
    {&dialect_postgresql.odbc, "40001", 1, "could not serialize", SF_RETRY},
    {&dialect_postgresql.odbc, "40P01", 1, "deadlock detected", SF_RETRY},
    {&dialect_postgresql.odbc, "57P01", 1, "terminating connection", SF_RETRY},
    {&dialect_postgresql.odbc, "42501", 1, "permission denied", SF_RETRY},
    {&dialect_postgresql.odbc, "42P01", 1, "relation does not exist", SF_EMPTY},
    {&dialect_postgresql.odbc, "42P10", 1, "no unique constraint matching", SF_CONFIG},
    {&dialect_postgresql.odbc, "42601", 1, "syntax error", SF_FATAL},
    {&dialect_postgresql.odbc, "08S01", 35, "could not receive data", SF_RETRY},
    {&dialect_postgresql.odbc, "HY000", 1, "server closed the connection unexpectedly", SF_RETRY},
    {&dialect_postgresql.odbc, "53100", 1, "could not extend file", SF_RETRY},
    {&dialect_sqlite.odbc, "HY000", 5, "database is locked", SF_RETRY},
    {&dialect_sqlite.odbc, "HY000", 13, "database or disk is full", SF_RETRY},
    {&dialect_sqlite.odbc, "HY000", 2067, "UNIQUE constraint failed", SF_REJECT},
    {&dialect_snowflake.odbc, "22000", 100078, "String is too long", SF_REJECT},
    {&dialect_snowflake.odbc, "08001", 390100, "Incorrect username or password", SF_RETRY},
    {&dialect_postgresql.odbc, "HY000", 8, "internal SAVEPOINT failed", SF_RETRY},
    {&dialect_postgresql.odbc, "25P02", 1, "current transaction is aborted", SF_RETRY},
    {&dialect_snowflake.odbc, "HY000", 100038, "Numeric value is not recognized", SF_REJECT},
    {&dialect_postgresql.odbc, "25006", 1, "cannot execute UPDATE in a read-only transaction", SF_RETRY},
    {&dialect_postgresql.odbc, "42703", 1, "column does not exist", SF_EMPTY},
    {&dialect_postgresql.odbc, "3F000", 1, "schema does not exist", SF_EMPTY},
    {&dialect_postgresql.odbc, "42P07", 1, "relation already exists", SF_RETRY},
    {&dialect_postgresql.odbc, "3D000", 1, "database does not exist", SF_RETRY},
    {&dialect_postgresql.odbc, "54000", 1, "index row size exceeds", SF_REJECT},
    {&dialect_postgresql.odbc, "54001", 1, "stack depth limit exceeded", SF_FATAL},
    {&dialect_postgresql.odbc, "55P03", 1, "lock not available", SF_RETRY},
    {&dialect_postgresql.odbc, "58030", 1, "I/O error", SF_RETRY},
    {&dialect_postgresql.odbc, "P0001", 1, "raised by a trigger", SF_REJECT},
    {&dialect_postgresql.odbc, "HY000", 19, "no meaning in this number here", SF_RETRY},
    {&dialect_sqlite.odbc, "HY000", 20, "datatype mismatch", SF_REJECT},
    {&dialect_sqlite.odbc, "HY000", 8 | 6 << 8, "attempt to write a readonly database", SF_RETRY},
    {&dialect_sqlite.odbc, "HY000", 1, "no such table: t", SF_EMPTY},
    {&dialect_sqlite.odbc, "HY000", 1, "table t has no column named c", SF_EMPTY},
    {&dialect_sqlite.odbc, "HY000", 1, "ON CONFLICT clause does not match any PRIMARY KEY", SF_CONFIG},
    {&dialect_sqlite.odbc, "HY000", 1, "integer overflow", SF_REJECT},
    {&dialect_sqlite.odbc, "HY000", 1, "near \"SELEC\": syntax error", SF_FATAL},
    {&dialect_sqlite.odbc, "HY000", 21, "not an error", SF_FATAL},
    {&dialect_sqlite.odbc, "08003", 0, "not connected", SF_RETRY},
    {&dialect_snowflake.odbc, "02000", 2003, "Table does not exist or not authorized", SF_EMPTY},
    {&dialect_snowflake.odbc, "42S02", 2003, "Table does not exist or not authorized", SF_EMPTY},
    {&dialect_snowflake.odbc, "42000", 1003, "SQL compilation error", SF_FATAL},
    {&dialect_snowflake.odbc, "42710", 2002, "Object already exists", SF_RETRY},
    {&dialect_snowflake.odbc, "57014", 604, "SQL execution canceled", SF_RETRY},
    {&dialect_snowflake.odbc, "XX000", 390000, "session is gone", SF_RETRY},
    {&dialect_snowflake.odbc, "XX000", 399999, "session is gone", SF_RETRY},
    {&dialect_snowflake.odbc, "XX000", 400000, "internal error", SF_RETRY},
    {&dialect_snowflake.odbc, "42601", 389999, "SQL compilation error", SF_FATAL},
    {&dialect_postgresql.odbc, "XX000", 7, "tuple concurrently updated", SF_RETRY},
    {&dialect_postgresql.odbc, "XX001", 7, "invalid page in block", SF_FATAL},
    {&dialect_postgresql.odbc, "42501", 7, "new row violates row-level security policy for table \"f\"", SF_REJECT},
    {&dialect_postgresql.odbc, "42501", 7, "query would be affected by row-level security policy for table \"f\"",
     SF_RETRY},
};

static void test_judgements(void)
{
    for (gsize i = 0; i < G_N_ELEMENTS(judgements); i++)
        g_assert_cmpstr(sf_status_name(odbc_judge(judgements[i].profile, judgements[i].state, judgements[i].native,
                                                  judgements[i].text)),
                        ==, sf_status_name(judgements[i].status));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/gold/profiles/connection strings are checked without connecting", test_connection_strings);
    g_test_add_func("/gold/profiles/a missing driver's package is named", test_what_to_install);
    g_test_add_func("/gold/profiles/a file that cannot be opened is explained", test_a_file_that_cannot_be_opened);
    g_test_add_func("/gold/profiles/SQLite's locks are not waited for long", test_locks_are_not_waited_for_long);
    g_test_add_func("/gold/profiles/SQLSTATE and native code give the status", test_judgements);
    return g_test_run();
}
