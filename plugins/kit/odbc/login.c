/* Connection strings: keywords, log-in, secrets; and what to say when a driver is not there. Does not connect. */
#include "login.h"

#include <odbcinst.h>
#include <string.h>

#include "keyword.h"

static void append_keyword(GString *out, const char *name, const char *value)
{
    if (out->len > 0 && out->str[out->len - 1] != ';')
        g_string_append_c(out, ';');
    bool plain = strpbrk(value, "[]{}(),;?*=!@ ") == NULL;
    g_auto(GStrv) parts = g_strsplit(value, "}", -1);
    g_autofree char *escaped = g_strjoinv("}}", parts);
    g_string_append_printf(out, plain ? "%s=%s;" : "%s={%s};", name, escaped);
}

static void append_defaults(GString *out, const char *defaults)
{
    OdbcKeyword at;
    for (const char *rest = defaults ? defaults : ""; odbc_next_keyword(&rest, &at);) {
        g_autofree char *name = g_strndup(at.name, at.name_size), *value = g_strndup(at.value, at.value_size);
        g_autofree char *own = odbc_setting(out->str, name);
        g_autofree char *bare = odbc_unbraced(value);
        if (!own)
            append_keyword(out, name, bare);
    }
}

char *odbc_login_string(const OdbcLogin *login)
{
    GString *out = g_string_new(login->connection);
    if (login->user)
        append_keyword(out, "UID", login->user);
    if (login->password)
        append_keyword(out, "PWD", login->password);
    const OdbcProfile *profile = odbc_profile_by_driver(login->profiles, login->connection);
    append_defaults(out, profile ? profile->defaults : NULL);
    append_defaults(out, profile && login->read_only ? profile->read_only : NULL);
    return g_string_free(out, FALSE);
}

/* What may be shown: how the drivers that we know name driver, data source, server, port, database and user. */
static bool is_shown_keyword(const OdbcKeyword *keyword)
{
    static const char *const names[] = {"Driver", "DSN",      "Server",   "Servername", "Host",   "Hostname",
                                        "Port",   "Database", "DB",       "DBQ",        "Dbname", "UID",
                                        "User",   "User ID",  "Username", "LogonUser"};
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++)
        if (odbc_keyword_is(keyword, names[i]))
            return true;
    return false;
}

/* In braces to its end, or without any, and without what looks like a password in a URL. */
static bool is_plain_value(const OdbcKeyword *keyword)
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
    OdbcKeyword at;
    while (odbc_next_keyword(&connection, &at)) {
        if (!is_shown_keyword(&at) || at.value_size == 0)
            continue;
        g_string_append(out, out->len > 0 ? ";" : "");
        g_string_append_len(out, at.name, (gssize) at.name_size);
        g_string_append_c(out, '=');
        g_string_append_len(out, is_plain_value(&at) ? at.value : "***",
                            is_plain_value(&at) ? (gssize) at.value_size : 3);
    }
    return g_string_free(out, FALSE);
}

/* Short ones would be found in words that mean something else. */
#define LEAST_SECRET 4

static void hide_secret(GString *text, const char *secret)
{
    if (strlen(secret) >= LEAST_SECRET)
        g_string_replace(text, secret, "***", 0);
}

void odbc_hide_values(const char *connection, GString *text)
{
    OdbcKeyword at;
    while (odbc_next_keyword(&connection, &at)) {
        g_autofree char *value = g_strndup(at.value, at.value_size);
        g_autofree char *bare = odbc_unbraced(value);
        if (is_shown_keyword(&at))
            continue;
        hide_secret(text, value);
        hide_secret(text, bare);
        g_auto(GStrv) parts = g_strsplit_set(bare, " =\t\"'", -1); /* libpq quotes options of pqopt */
        for (char **part = parts; *part; part++)
            hide_secret(text, *part);
    }
}

/* ---- what is wrong with a connection string, before anything connects ---- */

static SfStatus check_port_keyword(const char *connection, SfError *err)
{
    g_autofree char *port = odbc_keyword(connection, "Port");
    guint64 number = 0;
    if (!port || g_ascii_string_to_unsigned(port, 10, 1, 65535, &number, NULL))
        return SF_OK;
    return sf_fail(err, SF_CONFIG, "connection: 'Port=' is a number from 1 to 65535");
}

/* Every part is name=value, and braces are closed. The text of a part that is not is not shown: it may be the rest of
 * a password with a semicolon in it. */
static SfStatus check_keywords(const char *connection, SfError *err)
{
    OdbcKeyword at;
    for (int number = 1; odbc_next_keyword(&connection, &at); number++) {
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

/* One of the three says what to connect to; without a value it says nothing. */
static SfStatus check_driver_keyword(const char *connection, const OdbcProfile *const *profiles, SfError *err)
{
    static const char *const names[] = {"Driver", "DSN", "FILEDSN"};
    const char *empty = NULL;
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *value = odbc_keyword(connection, names[i]);
        if (value && *value)
            return SF_OK;
        empty = value && !empty ? names[i] : empty;
    }
    const char *example = profiles && *profiles ? (*profiles)->example : "DSN=warehouse";
    if (empty)
        return sf_fail(err, SF_CONFIG, "connection: '%s=' has no value; name a driver or a data source, such as '%s'",
                       empty, example);
    return sf_fail(err, SF_CONFIG, "connection: neither 'Driver=' nor 'DSN=' is set; write one, such as '%s'", example);
}

SfStatus odbc_check(const char *connection, const OdbcProfile *const *profiles, SfError *err)
{
    SF_TRY(check_keywords(connection, err));
    SF_TRY(check_driver_keyword(connection, profiles, err));
    SF_TRY(check_port_keyword(connection, err));
    const OdbcProfile *profile = odbc_profile_by_driver(profiles, connection);
    return profile && profile->check ? profile->check(connection, err) : SF_OK;
}

static gint by_driver_name(gconstpointer a, gconstpointer b)
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
    g_ptr_array_sort(drivers, by_driver_name);
    g_ptr_array_add(drivers, NULL);
    return g_strjoinv(", ", (char **) drivers->pdata);
}

/* The driver manager's or the driver's own file is not there, or not registered (ODBC, appendix A). */
static bool is_driver_missing(const char *state)
{
    static const char *const states[] = {"IM002", "IM003", "IM004", "01000", NULL};
    return g_strv_contains(states, state);
}

SfStatus odbc_explain_login(const OdbcProfile *profile, const char *connection, const char *state, int native,
                            SfStatus status, SfError *err)
{
    g_autofree char *label = odbc_login_label(connection);
    g_autofree char *driver = odbc_keyword(connection, "Driver");
    if (!is_driver_missing(state)) {
        const char *hint = profile && profile->login_hint ? profile->login_hint(native) : NULL;
        return sf_fail_prefix(err, status, "cannot connect to '%s'%s%s", label, hint ? "; " : "", hint ? hint : "");
    }
    g_autofree char *drivers = installed_drivers();
    g_autofree char *quoted = g_strdup_printf("'%s'", driver ? driver : "");
    if (driver && strstr(drivers, quoted))
        return sf_fail_prefix(err, SF_CONFIG, "ODBC driver '%s' is registered, but does not load", driver);
    if (driver)
        return sf_fail(err, SF_CONFIG, "ODBC driver '%s' is not installed; %s; installed are: %s", driver,
                       profile ? profile->install : "install it and register it in /etc/odbcinst.ini", drivers);
    g_autofree char *source = odbc_keyword(connection, "DSN");
    if (source)
        return sf_fail(err, SF_CONFIG,
                       "ODBC data source '%s' is not known; add it to ~/.odbc.ini or /etc/odbc.ini, or use 'Driver=…'; "
                       "installed drivers are: %s",
                       source, drivers);
    return sf_fail(err, SF_CONFIG, "connection '%s' has neither 'Driver=' nor 'DSN='; installed drivers are: %s", label,
                   drivers);
}
