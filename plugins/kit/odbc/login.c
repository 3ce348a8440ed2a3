/* Connection strings: keywords, log-in, secrets; and what to say when a driver is not there. Does not connect. */
#include "login.h"

#include <odbcinst.h>
#include <string.h>

typedef struct Keyword {
    const char *name;
    gsize name_size;
    const char *value; /* as written, braces included */
    gsize value_size;
} Keyword;

/* One `name=value` at *cursor; a value in braces runs to the closing brace, where }} stands for } (ODBC,
 * SQLDriverConnect, "Connection strings"). False at the end. */
static bool next_keyword(const char **cursor, Keyword *out)
{
    const char *at = *cursor + strspn(*cursor, "; \t\n");
    if (!*at)
        return false;
    out->name = at;
    at += strcspn(at, "=;");
    out->name_size = (gsize) (at - out->name);
    while (out->name_size > 0 && g_ascii_isspace(out->name[out->name_size - 1]))
        out->name_size--;
    out->value = *at == '=' ? ++at : at;
    if (*at == '{') {
        at++;
        while (*at && !(at[0] == '}' && at[1] != '}'))
            at += at[0] == '}' ? 2 : 1;
        at += *at == '}';
    }
    at += strcspn(at, ";");
    out->value_size = (gsize) (at - out->value);
    *cursor = at;
    return true;
}

static bool named(const Keyword *keyword, const char *name)
{
    return keyword->name_size == strlen(name) && g_ascii_strncasecmp(keyword->name, name, keyword->name_size) == 0;
}

/* Without the braces around it, and }} as }. */
static char *unbraced(const char *value)
{
    gsize size = strlen(value);
    if (size < 2 || value[0] != '{' || value[size - 1] != '}')
        return g_strstrip(g_strdup(value));
    g_autofree char *inner = g_strndup(value + 1, size - 2);
    g_auto(GStrv) parts = g_strsplit(inner, "}}", -1);
    return g_strjoinv("}", parts);
}

char *odbc_keyword(const char *connection, const char *keyword)
{
    Keyword at;
    while (next_keyword(&connection, &at)) {
        if (!named(&at, keyword))
            continue;
        g_autofree char *value = g_strndup(at.value, at.value_size);
        return unbraced(value);
    }
    return NULL;
}

static void append_keyword(GString *out, const char *name, const char *value)
{
    if (out->len > 0 && out->str[out->len - 1] != ';')
        g_string_append_c(out, ';');
    bool plain = strpbrk(value, "[]{}(),;?*=!@ ") == NULL;
    g_auto(GStrv) parts = g_strsplit(value, "}", -1);
    g_autofree char *escaped = g_strjoinv("}}", parts);
    g_string_append_printf(out, plain ? "%s=%s;" : "%s={%s};", name, escaped);
}

char *odbc_login_string(const OdbcLogin *login)
{
    GString *out = g_string_new(login->connection);
    if (login->user)
        append_keyword(out, "UID", login->user);
    if (login->password)
        append_keyword(out, "PWD", login->password);
    return g_string_free(out, FALSE);
}

/* What may be shown: how the drivers that we know name driver, data source, server, port, database and user. */
static bool is_shown(const Keyword *keyword)
{
    static const char *const names[] = {"Driver", "DSN",      "Server",   "Servername", "Host",   "Hostname",
                                        "Port",   "Database", "DB",       "DBQ",        "Dbname", "UID",
                                        "User",   "User ID",  "Username", "LogonUser"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (named(keyword, names[i]))
            return true;
    return false;
}

/* In braces to its end, or without any, and without what looks like a password in a URL. */
static bool is_plain(const Keyword *keyword)
{
    const char *value = keyword->value;
    gsize size = keyword->value_size;
    if (size > 0 && value[0] == '{')
        return size >= 2 && value[size - 1] == '}' && strcspn(value + 1, "}") >= size - 2;
    for (gsize i = 0; i < size; i++)
        if (strchr("@={}", value[i]) || g_ascii_iscntrl(value[i]))
            return false;
    return true;
}

char *odbc_login_label(const char *connection)
{
    GString *out = g_string_new(NULL);
    Keyword at;
    while (next_keyword(&connection, &at)) {
        if (!is_shown(&at) || at.value_size == 0)
            continue;
        g_string_append(out, out->len > 0 ? ";" : "");
        g_string_append_len(out, at.name, (gssize) at.name_size);
        g_string_append_c(out, '=');
        g_string_append_len(out, is_plain(&at) ? at.value : "***", is_plain(&at) ? (gssize) at.value_size : 3);
    }
    return g_string_free(out, FALSE);
}

/* Short ones would be found in words that mean something else. */
#define LEAST_SECRET 4

static void hide(GString *text, const char *secret)
{
    if (strlen(secret) >= LEAST_SECRET)
        g_string_replace(text, secret, "***", 0);
}

void odbc_hide_values(const char *connection, GString *text)
{
    Keyword at;
    while (next_keyword(&connection, &at)) {
        g_autofree char *value = g_strndup(at.value, at.value_size);
        g_autofree char *bare = unbraced(value);
        if (is_shown(&at))
            continue;
        hide(text, value);
        hide(text, bare);
        g_auto(GStrv) parts = g_strsplit_set(bare, " =\t\"'", -1); /* libpq quotes options of pqopt */
        for (char **part = parts; *part; part++)
            hide(text, *part);
    }
}

/* ---- what is wrong with a connection string, before anything connects ---- */

/* A keyword's value, in the string itself or in the data source that it names. NULL: not there. */
static char *setting(const char *connection, const char *name)
{
    char *value = odbc_keyword(connection, name);
    g_autofree char *source = odbc_keyword(connection, "DSN");
    if (value || !source)
        return value;
    char text[1024] = "";
    SQLGetPrivateProfileString(source, name, "", text, sizeof text, "odbc.ini");
    return *text ? g_strdup(text) : NULL;
}

static SfStatus check_sqlite(const char *connection, SfError *err)
{
    g_autofree char *file = setting(connection, "Database");
    if (!file || *g_strstrip(file) == '\0')
        return sf_fail(err, SF_CONFIG,
                       "connection: SQLite needs 'Database=' with the path of its file, such as 'Database=gold.db'");
    if (*file == ':')
        return sf_fail(err, SF_CONFIG,
                       "connection: 'Database=%s' is gone with the connection; name a file that keeps the rows", file);
    if (strstr(file, "://"))
        return sf_fail(err, SF_CONFIG, "connection: 'Database=' is a URL; SQLite keeps its database in a local file");
    return SF_OK;
}

static SfStatus check_port(const char *connection, SfError *err)
{
    g_autofree char *port = odbc_keyword(connection, "Port");
    guint64 number = 0;
    if (!port || g_ascii_string_to_unsigned(port, 10, 1, 65535, &number, NULL))
        return SF_OK;
    return sf_fail(err, SF_CONFIG, "connection: 'Port=' is a number from 1 to 65535");
}

/* Every part is name=value, and braces are closed. The text of a part that is not is not shown: it may be the rest of
 * a password with a semicolon in it. */
static SfStatus check_parts(const char *connection, SfError *err)
{
    Keyword at;
    for (int number = 1; next_keyword(&connection, &at); number++) {
        if (at.name_size == 0 || at.value[-1] != '=')
            return sf_fail(
                err, SF_CONFIG,
                "connection: part %d is not 'name=value' (parts end with ';'; a value with a ';' in it stands "
                "in braces: {…})",
                number);
        g_autofree char *value = g_strchomp(g_strndup(at.value, at.value_size));
        gsize size = strlen(value);
        if (value[0] == '{' && (size < 2 || value[size - 1] != '}'))
            return sf_fail(err, SF_CONFIG, "connection: the value of '%.*s' begins with '{' and does not end with '}'",
                           (int) at.name_size, at.name);
    }
    return SF_OK;
}

bool odbc_is_sqlite(const char *connection)
{
    g_autofree char *driver = setting(connection, "Driver");
    g_autofree char *low = g_ascii_strdown(driver ? driver : "", -1);
    return strstr(low, "sqlite") != NULL;
}

char *odbc_database(const char *connection)
{
    return setting(connection, "Database");
}

SfStatus odbc_check(const char *connection, SfError *err)
{
    SF_TRY(check_parts(connection, err));
    g_autofree char *driver = odbc_keyword(connection, "Driver");
    g_autofree char *source = odbc_keyword(connection, "DSN");
    g_autofree char *file = odbc_keyword(connection, "FILEDSN");
    if (!driver && !source && !file)
        return sf_fail(err, SF_CONFIG,
                       "connection: neither 'Driver=' nor 'DSN=' is in it, such as 'Driver=SQLite3;Database=gold.db'");
    SF_TRY(check_port(connection, err));
    return odbc_is_sqlite(connection) ? check_sqlite(connection, err) : SF_OK;
}

static gint by_name(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* Sections of odbcinst.ini: what may stand behind Driver=; in the order of their names, not of their installation. */
static char *installed_drivers(void)
{
    char names[4096] = "";
    int size = SQLGetPrivateProfileString(NULL, NULL, NULL, names, sizeof names, "odbcinst.ini");
    const char *end = names + (size > 0 ? MIN(size, (int) sizeof names) : 0);
    g_autoptr(GPtrArray) drivers = g_ptr_array_new_with_free_func(g_free);
    for (const char *name = names; name < end && *name; name += strlen(name) + 1)
        if (g_ascii_strcasecmp(name, "ODBC") != 0)
            g_ptr_array_add(drivers, g_strdup_printf("'%s'", name));
    if (drivers->len == 0)
        return g_strdup("none");
    g_ptr_array_sort(drivers, by_name);
    g_ptr_array_add(drivers, NULL);
    return g_strjoinv(", ", (char **) drivers->pdata);
}

static const char *package_of(const char *driver)
{
    static const struct {
        const char *part, *package;
    } known[] = {
        {"sqlite", "apt install libsqliteodbc"},
        {"postgres", "apt install odbc-postgresql"},
        {"psql", "apt install odbc-postgresql"},
        {"snowflake", "install Snowflake's ODBC driver (snowflake-odbc, from developers.snowflake.com/odbc)"},
    };
    g_autofree char *low = g_ascii_strdown(driver, -1);
    for (gsize i = 0; i < G_N_ELEMENTS(known); i++)
        if (strstr(low, known[i].part))
            return known[i].package;
    return "install it and register it in /etc/odbcinst.ini";
}

SfStatus odbc_explain_driver(const char *connection, const char *state, SfStatus status, SfError *err)
{
    g_autofree char *label = odbc_login_label(connection);
    g_autofree char *driver = odbc_keyword(connection, "Driver");
    bool missing = strcmp(state, "IM002") == 0 || strcmp(state, "IM003") == 0 || strcmp(state, "IM004") == 0 ||
                   strcmp(state, "01000") == 0;
    if (!missing && driver && g_ascii_strncasecmp(driver, "SQLite", 6) == 0 && strstr(err->message, "(HY000 14)"))
        return sf_fail_prefix(err, status,
                              "cannot open the file of '%s'; is its directory there, and may it be written",
                              label); /* SQLITE_CANTOPEN, for which the driver has no words */
    if (!missing)
        return sf_fail_prefix(err, status, "cannot connect to '%s'", label);
    g_autofree char *drivers = installed_drivers();
    g_autofree char *quoted = g_strdup_printf("'%s'", driver ? driver : "");
    if (driver && strstr(drivers, quoted))
        return sf_fail_prefix(err, SF_CONFIG, "ODBC driver '%s' is registered, but does not load", driver);
    if (driver)
        return sf_fail(err, SF_CONFIG, "ODBC driver '%s' is not installed; %s; installed are: %s", driver,
                       package_of(driver), drivers);
    g_autofree char *source = odbc_keyword(connection, "DSN");
    if (source)
        return sf_fail(err, SF_CONFIG,
                       "ODBC data source '%s' is not known; add it to ~/.odbc.ini or /etc/odbc.ini, or use 'Driver=…'; "
                       "installed drivers are: %s",
                       source, drivers);
    return sf_fail(err, SF_CONFIG, "connection '%s' has neither 'Driver=' nor 'DSN='; installed drivers are: %s", label,
                   drivers);
}
