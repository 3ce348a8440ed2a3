/* The ODBC wrapper on SQLite: values both ways, transactions, and what each failure says. */
#include <dlfcn.h>
#include <glib.h>
#include <glib/gstdio.h>
#include <sql.h>
#include <string.h>
#include "odbc/diag.h"
#include "odbc/keyword.h"
#include "odbc/odbc.h"

/* As a user of the kit has one: of the database that the tests can be sure of. */
static SfStatus test_judge(const char *state, int native, const char *text)
{
    if (native == 19 && strcmp(state, "HY000") == 0)
        return SF_REJECT;
    return strstr(text, "no such table") ? SF_EMPTY : SF_OK;
}

static SfStatus test_check(const char *connection, SfError *err)
{
    g_autofree char *database = odbc_setting(connection, "Database");
    return database ? SF_OK : sf_fail(err, SF_CONFIG, "the test wants 'Database='");
}

static SfStatus test_before_login(const char *connection, SfError *err)
{
    return strstr(connection, "/refused/") ? sf_fail(err, SF_RETRY, "not yet") : SF_OK;
}

static const char *test_login_hint(int native)
{
    return native == 14 ? "does its directory exist" : NULL;
}

static const char *const test_drivers[] = {"sqlite", NULL};
static const OdbcVerdict test_verdicts[] = {{"23505", SF_EMPTY}, {NULL, SF_OK}};
static const OdbcProfile test_profile = {.product = "SQL",
                                         .drivers = test_drivers,
                                         .install = "ask the test",
                                         .example = "Driver=SQLite3;Database=x.db",
                                         .defaults = "Timeout=200;Step={a b}",
                                         .verdicts = test_verdicts,
                                         .judge = test_judge,
                                         .check = test_check,
                                         .before_login = test_before_login,
                                         .login_hint = test_login_hint};
static const OdbcProfile *const profiles[] = {&test_profile, NULL};

typedef struct Place {
    char *directory;
    char *connection;
    Odbc *odbc;
} Place;

static void setup(Place *place, gconstpointer data)
{
    (void) data;
    SfError err;
    place->directory = g_dir_make_tmp("sf-odbc-XXXXXX", NULL);
    place->connection = g_strdup_printf("Driver=SQLite3;Database=%s/t.db;Timeout=200", place->directory);
    place->odbc = odbc_new(&(OdbcLogin){.connection = place->connection, .timeout_ms = 1000, .profiles = profiles});
    if (odbc_open(place->odbc, &err) != SF_OK)
        g_error("%s", err.message);
}

static void teardown(Place *place, gconstpointer data)
{
    (void) data;
    odbc_free(place->odbc);
    static const char *const files[] = {"t.db", "t.db-wal", "t.db-shm", "t.db-journal"};
    for (gsize i = 0; i < G_N_ELEMENTS(files); i++) {
        g_autofree char *path = g_build_filename(place->directory, files[i], NULL);
        g_unlink(path);
    }
    g_assert_cmpint(g_rmdir(place->directory), ==, 0);
    g_free(place->connection);
    g_free(place->directory);
}

static void exec(Place *place, const char *sql)
{
    SfError err;
    if (odbc_exec(place->odbc, sql, NULL, &err) != SF_OK)
        g_error("%s: %s", sql, err.message);
}

/* Rows as "a|b\n". */
static char *query(Place *place, const char *sql, guint columns)
{
    SfError err;
    g_autoptr(OdbcStatement) statement = NULL;
    GString *out = g_string_new(NULL);
    if (odbc_query(place->odbc, sql, &statement, &err) != SF_OK)
        g_error("%s: %s", sql, err.message);
    while (odbc_fetch(statement, &err) == SF_OK)
        for (guint i = 0; i < columns; i++) {
            const char *text = NULL;
            g_assert_cmpint(odbc_text(statement, i, &text, &err), ==, SF_OK);
            g_string_append_printf(out, "%s%c", text ? text : "NULL", i + 1 < columns ? '|' : '\n');
        }
    return g_string_free(out, FALSE);
}

static void assert_fails(Place *place, const char *sql, SfStatus status, const char *message)
{
    SfError err = {""};
    g_assert_cmpstr(sf_status_name(odbc_exec(place->odbc, sql, NULL, &err)), ==, sf_status_name(status));
    if (!strstr(err.message, message))
        g_error("'%s' is not in '%s'", message, err.message);
}

static void test_product(Place *place, gconstpointer data)
{
    (void) data;
    g_assert_cmpstr(odbc_product(place->odbc), ==, "SQLite");
    g_assert_true(odbc_profile(place->odbc) == &test_profile);
}

static void test_bound_values(Place *place, gconstpointer data)
{
    (void) data;
    SfError err;
    exec(place, "CREATE TABLE t (a TEXT, b BIGINT, c DOUBLE, d BLOB)");
    g_autoptr(OdbcStatement) statement = NULL;
    g_assert_cmpint(odbc_prepare(place->odbc, "INSERT INTO t VALUES (?, ?, ?, ?)", &statement, &err), ==, SF_OK);
    char text[32] = "€ and more";
    int64_t number = 9007199254740993, text_size = 3, full = 8, null = ODBC_NULL;
    double real = 0.1;
    g_assert_cmpint(odbc_bind(statement, 0, ODBC_TEXT, text, sizeof text, &text_size, &err), ==, SF_OK);
    g_assert_cmpint(odbc_bind(statement, 1, ODBC_INT64, &number, 8, &full, &err), ==, SF_OK);
    g_assert_cmpint(odbc_bind(statement, 2, ODBC_DOUBLE, &real, 8, &full, &err), ==, SF_OK);
    g_assert_cmpint(odbc_bind(statement, 3, ODBC_BYTES, text, sizeof text, &null, &err), ==, SF_OK);
    int64_t rows = 0;
    g_assert_cmpint(odbc_execute(statement, &rows, &err), ==, SF_OK);
    g_assert_cmpint(rows, ==, 1);
    text_size = 0; /* bound once, read at each execution */
    null = 2;
    g_assert_cmpint(odbc_execute(statement, &rows, &err), ==, SF_OK);
    g_autofree char *got = query(place, "SELECT a, b, c, iif(d IS NULL, d, hex(d)), typeof(b) FROM t", 5);
    g_assert_cmpstr(got, ==, "€|9007199254740993|0.1|NULL|integer\n|9007199254740993|0.1|E282|integer\n");
}

static void test_long_text_comes_back_whole(Place *place, gconstpointer data)
{
    (void) data;
    g_autofree char *got = query(place, "SELECT hex(zeroblob(3000))", 1);
    g_assert_cmpuint(strspn(got, "0"), ==, 6000);
}

static void test_transactions(Place *place, gconstpointer data)
{
    (void) data;
    SfError err;
    exec(place, "CREATE TABLE t (a INTEGER)");
    g_assert_cmpint(odbc_autocommit(place->odbc, false, &err), ==, SF_OK);
    exec(place, "INSERT INTO t VALUES (1)");
    g_assert_cmpint(odbc_rollback(place->odbc, &err), ==, SF_OK);
    exec(place, "INSERT INTO t VALUES (2)");
    g_assert_cmpint(odbc_commit(place->odbc, &err), ==, SF_OK);
    exec(place, "INSERT INTO t VALUES (3)");
    odbc_close(place->odbc); /* takes the open transaction with it */
    g_assert_false(odbc_is_open(place->odbc));
    g_assert_cmpint(odbc_open(place->odbc, &err), ==, SF_OK);
    g_autofree char *got = query(place, "SELECT a FROM t", 1);
    g_assert_cmpstr(got, ==, "2\n");
}

static void test_failures(Place *place, gconstpointer data)
{
    (void) data;
    exec(place, "CREATE TABLE t (a INTEGER PRIMARY KEY, b TEXT CHECK (length(b) < 3))");
    assert_fails(place, "INSERT INTO t VALUES (1, 'abc')", SF_REJECT,
                 "CHECK constraint failed: length(b) < 3 (19) (HY000 19)");
    assert_fails(place, "SELECT * FROM nope", SF_EMPTY, "no such table: nope");
    assert_fails(place, "SELEC 1", SF_RETRY, "syntax error");
    g_assert_false(odbc_was_forbidden(place->odbc));
    int64_t rows = -1;
    g_assert_cmpint(odbc_exec(place->odbc, "UPDATE t SET b = 'x' WHERE a = 99", &rows, NULL), ==, SF_OK);
    g_assert_cmpint(rows, ==, 0);
}

static void test_a_lock_is_a_retry(Place *place, gconstpointer data)
{
    (void) data;
    SfError err;
    exec(place, "CREATE TABLE t (a INTEGER)");
    g_autoptr(Odbc) other =
        odbc_new(&(OdbcLogin){.connection = place->connection, .timeout_ms = 1000, .profiles = profiles});
    g_assert_cmpint(odbc_open(other, &err), ==, SF_OK);
    g_assert_cmpint(odbc_autocommit(other, false, &err), ==, SF_OK);
    g_assert_cmpint(odbc_exec(other, "INSERT INTO t VALUES (1)", NULL, &err), ==, SF_OK);
    assert_fails(place, "INSERT INTO t VALUES (2)", SF_RETRY, "locked");
}

static gpointer interrupt_later(gpointer data)
{
    g_usleep(50000);
    odbc_interrupt(data);
    return NULL;
}

static void test_interrupt(Place *place, gconstpointer data)
{
    (void) data;
    odbc_interrupt(place->odbc); /* before the call */
    assert_fails(place, "SELECT 1", SF_RETRY, "interrupted");
    GThread *thread = g_thread_new("interrupt", interrupt_later, place->odbc);
    g_autoptr(OdbcStatement) statement = NULL;
    SfError err;
    const char *endless = "CREATE TABLE t AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n LIMIT "
                          "2000000000) SELECT count(*) FROM n";
    g_assert_cmpint(odbc_exec(place->odbc, endless, NULL, &err), ==, SF_RETRY);
    g_assert_cmpstr(err.message, ==, "interrupted");
    g_thread_join(thread);
    exec(place, "CREATE TABLE u (a INTEGER)");
}

/* An interrupt while SQLFetch runs, which a test cannot time: from within the call, and the driver then answers as when
 * the result was taken away (SQL_NO_DATA), or had its row already. */
static struct {
    Odbc *odbc; /* NULL: none */
    bool row;
} in_fetch;

SQLRETURN SQL_API SQLFetch(SQLHSTMT statement)
{
    SQLRETURN (*fetch)(SQLHSTMT) = NULL;
    *(void **) &fetch = dlsym(RTLD_NEXT, "SQLFetch");
    Odbc *odbc = g_steal_pointer(&in_fetch.odbc);
    SQLRETURN done = odbc && !in_fetch.row ? SQL_NO_DATA : fetch(statement);
    if (odbc)
        odbc_interrupt(odbc);
    return done;
}

#define THREE "SELECT 1 UNION ALL SELECT 2 UNION ALL SELECT 3"

static void assert_fetch_is_interrupted(Place *place, int rows_before, bool row)
{
    SfError err = {""};
    g_autoptr(OdbcStatement) statement = NULL;
    g_assert_cmpint(odbc_query(place->odbc, THREE, &statement, &err), ==, SF_OK);
    for (int i = 0; i < rows_before; i++)
        g_assert_cmpint(odbc_fetch(statement, &err), ==, SF_OK);
    in_fetch.odbc = place->odbc;
    in_fetch.row = row;
    g_assert_cmpstr(sf_status_name(odbc_fetch(statement, &err)), ==, "retry");
    g_assert_cmpstr(err.message, ==, "interrupted");
}

static void test_interrupted_rows(Place *place, gconstpointer data)
{
    (void) data;
    for (int before = 0; before < 3; before++) {
        assert_fetch_is_interrupted(place, before, false);
        assert_fetch_is_interrupted(place, before, true);
    }
    g_autofree char *all = query(place, THREE, 1); /* the interrupts are used up */
    g_assert_cmpstr(all, ==, "1\n2\n3\n");
}

static void assert_open_fails(const OdbcLogin *login, SfStatus status, const char *message)
{
    SfError err = {""};
    g_autoptr(Odbc) odbc = odbc_new(login);
    g_assert_cmpint(odbc_open(odbc, &err), ==, status);
    g_assert_false(odbc_is_open(odbc));
    if (!strstr(err.message, message))
        g_error("'%s' is not in '%s'", message, err.message);
    g_assert_null(strstr(err.message, "hunter2"));
}

static void test_what_is_missing_is_named(void)
{
    assert_open_fails(&(OdbcLogin){.connection = "Driver=Nowhere;PWD=hunter2", .timeout_ms = 1000}, SF_CONFIG,
                      "ODBC driver 'Nowhere' is not installed; install it and register it in /etc/odbcinst.ini");
    assert_open_fails(&(OdbcLogin){.connection = "Driver={My SQLite};Database=x", .profiles = profiles}, SF_CONFIG,
                      "ODBC driver 'My SQLite' is not installed; ask the test; installed are: '");
    assert_open_fails(&(OdbcLogin){.connection = "Driver={My SQLite};Database=x"}, SF_CONFIG, "'SQLite3'");
    assert_open_fails(
        &(OdbcLogin){.connection =
                         "Driver=PostgreSQL Unicode;Server=127.0.0.1;Port=1;Database=d;pqopt={hunter2=hunter2}"},
        SF_RETRY, "***");
    assert_open_fails(&(OdbcLogin){.connection = "DSN=nowhere;PWD=hunter2"}, SF_CONFIG,
                      "data source 'nowhere' is not known");
    assert_open_fails(&(OdbcLogin){.connection = "Database=x"}, SF_CONFIG, "has neither 'Driver=' nor 'DSN='");
    assert_open_fails(
        &(OdbcLogin){.connection = "Driver=SQLite3;Database=/nonexistent/t.db", .profiles = profiles}, SF_RETRY,
        "cannot connect to 'Driver=SQLite3;Database=/nonexistent/t.db'; does its directory exist: connect failed");
    assert_open_fails(&(OdbcLogin){.connection = "Driver=SQLite3;Database=/refused/t.db", .profiles = profiles},
                      SF_RETRY, "not yet");
    assert_open_fails(&(OdbcLogin){.connection = "Driver=PostgreSQL Unicode;Server=127.0.0.1;Port=1;Database=d",
                                   .user = "u",
                                   .password = "hunter2"},
                      SF_RETRY, "Connection refused");
}

static void test_secrets_are_masked(void)
{
    static const char *const labels[][2] = {
        {"Driver={A;B};UID=me; pwd={x;y}};z};Priv_Key_File_Pwd=hunter2;Server=s", "Driver={A;B};UID=me;Server=s"},
        {"DSN=d;AnyNewSecret=hunter2;PORT=5432", "DSN=d;PORT=5432"},
        {"hunter2", ""},
        {"postgres://u:hunter2@h/d", ""},
        {"Driver={SQLite3;PWD=hunter2", "Driver=***"},
        {"Driver=x;Server=https://u:hunter2@h;Database=d", "Driver=x;Server=***;Database=d"},
        {"Driver=x;Server={u:hunter2}PWD=hunter2;Database=a=hunter2", "Driver=x;Server=***;Database=***"},
        {"Driver=x;hunter2;UID=u", "Driver=x;UID=u"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(labels); i++) {
        g_autofree char *label = odbc_login_label(labels[i][0]);
        g_assert_cmpstr(label, ==, labels[i][1]);
    }
    g_autoptr(GString) said = g_string_new("no user p;}w at PWD={p;}}w}, no option hunter2");
    odbc_hide_values("Driver=said;PWD={p;}}w};pqopt=hunter2;A=no", said);
    g_assert_cmpstr(said->str, ==, "no user *** at PWD=***, no option ***");
    g_autofree char *whole = odbc_login_string(&(OdbcLogin){.connection = "DSN=x", .user = "a b", .password = "p;}w"});
    g_assert_cmpstr(whole, ==, "DSN=x;UID={a b};PWD={p;}}w};");
    g_autofree char *password = odbc_keyword(whole, "pwd");
    g_assert_cmpstr(password, ==, "p;}w");
    g_assert_null(odbc_keyword(whole, "Server"));
}

static void test_mistakes_before_a_connection(void)
{
    static const struct {
        const char *connection, *message; /* NULL: fine */
    } cases[] = {
        {"DSN=warehouse;PWD={a;b}", NULL},
        {" Driver = {PostgreSQL Unicode} ;Server=h;Port=5432;Database=d;", NULL},
        {"Database=gold.db", "neither 'Driver=' nor 'DSN='"},
        {"", "neither 'Driver=' nor 'DSN=' is set; write one, such as 'Driver=SQLite3;Database=x.db'"},
        {"Driver=", "'Driver=' has no value; name a driver or a data source, such as 'Driver=SQLite3;Database=x.db'"},
        {"Driver={};Database=gold.db", "'Driver=' has no value"},
        {"Driver= ;Server=h", "'Driver=' has no value"},
        {"DSN=;UID=u", "'DSN=' has no value"},
        {"FILEDSN=", "'FILEDSN=' has no value"},
        {"Driver=;DSN=warehouse", NULL}, /* drivers and tools write all that they know */
        {"Driver=SQLite3", "the test wants 'Database='"},
        {"hunter2", "part 1 is not 'name=value'"},
        {"Driver=PostgreSQL Unicode;PWD=a;hunter2", "part 3 is not 'name=value'"},
        {"Driver={PostgreSQL Unicode;PWD=hunter2", "the value of 'Driver' begins with '{'"},
        {"Driver=x;PWD={hunter2}3", "the value of 'PWD' begins with '{'"},
        {"Driver=x;Port=hunter2", "'Port=' is a number from 1 to 65535"},
        {"Driver=x;Port=65535", NULL},
        {"Driver=x;Port=65536", "'Port=' is a number from 1 to 65535"},
        {"Driver=x;Port=0", "'Port=' is a number from 1 to 65535"},
        {"Driver=x;Port=70000", "'Port=' is a number from 1 to 65535"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        SfError err = {""};
        SfStatus status = odbc_check(cases[i].connection, profiles, &err);
        g_assert_cmpint(status, ==, cases[i].message ? SF_CONFIG : SF_OK);
        if (cases[i].message && !strstr(err.message, cases[i].message))
            g_error("'%s' is not in '%s'", cases[i].message, err.message);
        g_assert_null(strstr(err.message, "hunter2"));
    }
}

/* What the connection string leaves to the data source is looked up there. */
static void test_data_sources_are_checked(void)
{
    SfError err = {""};
    g_autofree char *directory = g_dir_make_tmp("sf-odbc-XXXXXX", NULL);
    g_autofree char *ini = g_build_filename(directory, "odbc.ini", NULL);
    g_assert_true(g_file_set_contents(ini,
                                      "[without]\nDriver=SQLite3\n[whole]\nDriver=SQLite3\nDatabase=/x/gold.db\n"
                                      "Timeout=7\n[other]\nDriver=PostgreSQL Unicode\n",
                                      -1, NULL));
    g_setenv("ODBCINI", ini, TRUE);
    g_assert_cmpint(odbc_check("DSN=without", profiles, &err), ==, SF_CONFIG);
    g_assert_nonnull(strstr(err.message, "the test wants 'Database='"));
    g_assert_cmpint(odbc_check("DSN=without;Database=gold.db", profiles, &err), ==, SF_OK);
    g_assert_cmpint(odbc_check("DSN=whole", profiles, &err), ==, SF_OK);
    g_assert_cmpint(odbc_check("DSN=other", profiles, &err), ==, SF_OK);
    g_autofree char *database = odbc_setting("DSN=whole", "database");
    g_assert_cmpstr(database, ==, "/x/gold.db");
    g_assert_true(odbc_profile_by_driver(profiles, "DSN=whole") == &test_profile);
    g_assert_null(odbc_profile_by_driver(profiles, "DSN=other"));
    g_assert_null(odbc_profile_by_driver(NULL, "DSN=whole"));
    static const char *const defaults[][2] = {
        {"DSN=without", "DSN=without;Timeout=200;Step={a b};"},
        {"DSN=whole;", "DSN=whole;Step={a b};"},
        {"DSN=without;timeout=1;Step=", "DSN=without;timeout=1;Step="},
        {"DSN=other", "DSN=other"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(defaults); i++) {
        g_autofree char *login = odbc_login_string(&(OdbcLogin){.connection = defaults[i][0], .profiles = profiles});
        g_assert_cmpstr(login, ==, defaults[i][1]);
    }
    g_unsetenv("ODBCINI");
    g_unlink(ini);
    g_rmdir(directory);
}

static void test_judgements(void)
{
    static const struct {
        const char *state;
        int native;
        SfStatus by_standard, by_profile;
    } cases[] = {
        {"22003", 1, SF_REJECT, SF_REJECT}, {"40001", 1, SF_RETRY, SF_RETRY},  {"08S01", 35, SF_RETRY, SF_RETRY},
        {"42601", 1, SF_FATAL, SF_FATAL},   {"HYT00", 1, SF_RETRY, SF_RETRY},  {"HY000", 1, SF_RETRY, SF_RETRY},
        {"42S02", 1, SF_EMPTY, SF_EMPTY},   {"42501", 1, SF_RETRY, SF_RETRY},  {"IM002", 0, SF_CONFIG, SF_CONFIG},
        {"HY000", 19, SF_RETRY, SF_REJECT}, {"23505", 1, SF_REJECT, SF_EMPTY}, {"23000", 1, SF_REJECT, SF_REJECT},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_assert_cmpstr(sf_status_name(odbc_judge(NULL, cases[i].state, cases[i].native, "words")), ==,
                        sf_status_name(cases[i].by_standard));
        g_assert_cmpstr(sf_status_name(odbc_judge(&test_profile, cases[i].state, cases[i].native, "words")), ==,
                        sf_status_name(cases[i].by_profile));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add("/odbc/" name, Place, NULL, setup, function, teardown)
    ADD("the driver names its database", test_product);
    ADD("bound values arrive exactly", test_bound_values);
    ADD("a long text comes back whole", test_long_text_comes_back_whole);
    ADD("transactions commit, roll back and die with the connection", test_transactions);
    ADD("each failure has its status and the driver's words", test_failures);
    ADD("a lock is a retry", test_a_lock_is_a_retry);
    ADD("an interrupt ends the call that runs, or the next", test_interrupt);
    ADD("rows that an interrupt cuts short do not pass for all", test_interrupted_rows);
    g_test_add_func("/odbc/a missing driver is named with its package, secrets are not", test_what_is_missing_is_named);
    g_test_add_func("/odbc/what is not known to be harmless is not shown", test_secrets_are_masked);
    g_test_add_func("/odbc/a connection string is checked without connecting", test_mistakes_before_a_connection);
    g_test_add_func("/odbc/a data source is checked like a connection string", test_data_sources_are_checked);
    g_test_add_func("/odbc/SQLSTATE and native code give the status", test_judgements);
    return g_test_run();
}
