/* Connection strings: keywords, log-in, secrets; and what to say when a driver is not there. Does not connect. */
#include "private.h"

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

char *odbc_keyword(const char *connection, const char *keyword)
{
    Keyword at;
    while (next_keyword(&connection, &at)) {
        if (!named(&at, keyword))
            continue;
        if (at.value_size >= 2 && at.value[0] == '{' && at.value[at.value_size - 1] == '}') {
            g_autofree char *inner = g_strndup(at.value + 1, at.value_size - 2);
            g_auto(GStrv) parts = g_strsplit(inner, "}}", -1);
            return g_strjoinv("}", parts);
        }
        return g_strstrip(g_strndup(at.value, at.value_size));
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

char *odbc_login_label(const char *connection)
{
    static const char *const secrets[] = {
        "PWD",    "Password",     "PRIV_KEY_FILE_PWD",   "PRIV_KEY_PWD", "PRIV_KEY_BASE64",
        "Token",  "AccessToken",  "OAuth_Client_Secret", "Passcode",     "pqopt",
        "Secret", "ClientSecret", "SSLKeyPassword"};
    GString *out = g_string_new(NULL);
    Keyword at;
    while (next_keyword(&connection, &at)) {
        bool secret = false;
        for (gsize i = 0; i < G_N_ELEMENTS(secrets); i++)
            secret |= named(&at, secrets[i]);
        if (out->len > 0)
            g_string_append_c(out, ';');
        g_string_append_len(out, at.name, (gssize) at.name_size);
        g_string_append_c(out, '=');
        g_string_append_len(out, secret ? "***" : at.value, secret ? 3 : (gssize) at.value_size);
    }
    return g_string_free(out, FALSE);
}

/* Sections of odbcinst.ini: what may stand behind Driver=. */
static char *installed_drivers(void)
{
    char names[4096] = "";
    int size = SQLGetPrivateProfileString(NULL, NULL, NULL, names, sizeof names, "odbcinst.ini");
    GString *out = g_string_new(NULL);
    const char *end = names + (size > 0 ? MIN(size, (int) sizeof names) : 0);
    for (const char *name = names; name < end && *name; name += strlen(name) + 1)
        if (g_ascii_strcasecmp(name, "ODBC") != 0)
            g_string_append_printf(out, "%s'%s'", out->len > 0 ? ", " : "", name);
    if (out->len == 0)
        g_string_append(out, "none");
    return g_string_free(out, FALSE);
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

SfStatus odbc_explain_driver(const Odbc *odbc, SfStatus status, SfError *err)
{
    g_autofree char *driver = odbc_keyword(odbc->connection, "Driver");
    bool missing = strcmp(odbc->state, "IM002") == 0 || strcmp(odbc->state, "IM003") == 0 ||
                   strcmp(odbc->state, "IM004") == 0 || strcmp(odbc->state, "01000") == 0;
    if (!missing && driver && g_ascii_strncasecmp(driver, "SQLite", 6) == 0 && strstr(err->message, "(HY000 14)"))
        return sf_fail_prefix(err, status,
                              "cannot open the file of '%s'; is its directory there, and may it be written",
                              odbc->label); /* SQLITE_CANTOPEN, for which the driver has no words */
    if (!missing)
        return sf_fail_prefix(err, status, "cannot connect to '%s'", odbc->label);
    g_autofree char *drivers = installed_drivers();
    g_autofree char *quoted = g_strdup_printf("'%s'", driver ? driver : "");
    if (driver && strstr(drivers, quoted))
        return sf_fail_prefix(err, SF_CONFIG, "ODBC driver '%s' is registered, but does not load", driver);
    if (driver)
        return sf_fail(err, SF_CONFIG, "ODBC driver '%s' is not installed; %s; installed are: %s", driver,
                       package_of(driver), drivers);
    g_autofree char *source = odbc_keyword(odbc->connection, "DSN");
    if (source)
        return sf_fail(err, SF_CONFIG,
                       "ODBC data source '%s' is not known; add it to ~/.odbc.ini or /etc/odbc.ini, or use 'Driver=…'; "
                       "installed drivers are: %s",
                       source, drivers);
    return sf_fail(err, SF_CONFIG, "connection '%s' has neither 'Driver=' nor 'DSN='; installed drivers are: %s",
                   odbc->label, drivers);
}
