/* Diagnostics of ODBC drivers → one line for a person and one of our statuses. */
#include "diag.h"

#include <string.h>

/* Classes of ISO/IEC 9075 ("SQLSTATE class values") and of ODBC (appendix A): what holds for any database. */
static const OdbcVerdict standard[] = {
    {"42S02", SF_EMPTY}, {"42S22", SF_EMPTY}, /* no such table, no such column */
    {"42501", SF_RETRY},                      /* no permission: not in the standard, and the same in all */
    {"08", SF_RETRY},                         /* connection */
    {"21", SF_REJECT},                        /* two rows for one target: apart they work */
    {"22", SF_REJECT},                        /* data */
    {"23", SF_REJECT},                        /* constraint */
    {"27", SF_REJECT},   {"28", SF_RETRY},    /* log-in */
    {"40", SF_RETRY},                         /* serialization, deadlock, unknown outcome */
    {"44", SF_REJECT},                        /* check option */
    {"HYT", SF_RETRY},   {"HY008", SF_RETRY}, {"IM00", SF_CONFIG},
    {"HY", SF_RETRY}, /* a driver that loses the server in the middle of something says HY000 and any words */
    {NULL, SF_FATAL},
};

/* The status of the first prefix that fits; SF_OK: none does. */
static SfStatus find_verdict(const OdbcVerdict *verdicts, const char *state)
{
    for (; verdicts && verdicts->state; verdicts++)
        if (g_str_has_prefix(state, verdicts->state))
            return verdicts->status;
    return SF_OK;
}

SfStatus odbc_judge(const OdbcProfile *profile, const char *state, int native, const char *text)
{
    SfStatus status = profile && profile->judge ? profile->judge(state, native, text) : SF_OK;
    if (status == SF_OK && profile)
        status = find_verdict(profile->verdicts, state);
    if (status == SF_OK)
        status = find_verdict(standard, state);
    return status == SF_OK ? SF_FATAL : status;
}

/* Cuts "[vendor][driver]" prefixes and psqlodbc's "Error while executing the query", and makes it one line. */
static void append_diagnostic(GString *out, char *text)
{
    static const char *const tails[] = {";\nError while", "\nError while"};
    for (gsize i = 0; i < G_N_ELEMENTS(tails); i++) {
        char *tail = strstr(text, tails[i]);
        if (tail)
            *tail = '\0';
    }
    while (*text == '[' && strchr(text, ']'))
        text = strchr(text, ']') + 1;
    g_strstrip(text);
    if (*text == '\0' || strstr(out->str, text))
        return;
    if (out->len > 0)
        g_string_append(out, "; ");
    for (const char *at = text; *at; at++)
        if (!g_ascii_isspace(*at))
            g_string_append_c(out, *at);
        else if (at > text && !g_ascii_isspace(at[-1]))
            g_string_append(out, *at == '\n' ? "; " : " ");
}

SfStatus odbc_fail(Odbc *odbc, SQLSMALLINT kind, SQLHANDLE handle, SfError *err)
{
    g_autoptr(GString) text = g_string_new(NULL);
    SQLINTEGER native = 0;
    g_strlcpy(odbc->state, "HY000", sizeof odbc->state);
    for (SQLSMALLINT record = 1; record <= 4; record++) {
        SQLCHAR state[6] = "", message[2048] = "";
        SQLINTEGER number = 0;
        SQLSMALLINT size = 0;
        if (!SQL_SUCCEEDED(SQLGetDiagRec(kind, handle, record, state, &number, message, sizeof message, &size)))
            break;
        if (record == 1) {
            g_strlcpy(odbc->state, (const char *) state, sizeof odbc->state);
            native = number;
        }
        append_diagnostic(text, (char *) message);
    }
    if (text->len == 0)
        g_string_append(text, "the driver gives no reason");
    odbc->native = (int) native;
    odbc->status = odbc_judge(odbc->profile, odbc->state, odbc->native, text->str);
    return sf_fail(err, odbc->status, "%s (%s %d)", text->str, odbc->state, odbc->native);
}
