/* Taking connection strings apart. */
#include "keyword.h"

#include <odbcinst.h>
#include <string.h>

/* A value in braces runs to the closing brace, where }} stands for } (ODBC, SQLDriverConnect, "Connection strings"). */
bool odbc_next_keyword(const char **cursor, OdbcKeyword *out)
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

bool odbc_keyword_is(const OdbcKeyword *keyword, const char *name)
{
    return keyword->name_size == strlen(name) && g_ascii_strncasecmp(keyword->name, name, keyword->name_size) == 0;
}

char *odbc_unbraced(const char *value)
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
    OdbcKeyword at;
    while (odbc_next_keyword(&connection, &at)) {
        if (!odbc_keyword_is(&at, keyword))
            continue;
        g_autofree char *value = g_strndup(at.value, at.value_size);
        return odbc_unbraced(value);
    }
    return NULL;
}

char *odbc_setting(const char *connection, const char *name)
{
    char *value = odbc_keyword(connection, name);
    g_autofree char *source = odbc_keyword(connection, "DSN");
    if (value || !source)
        return value;
    char text[1024] = "";
    SQLGetPrivateProfileString(source, name, "", text, sizeof text, "odbc.ini");
    return *text ? g_strdup(text) : NULL;
}
