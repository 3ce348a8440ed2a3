/* Diagnostics of ODBC drivers → one line for a person and one of our statuses. */
#include "diag.h"

#include <string.h>

typedef struct Verdict {
    const char *state; /* a prefix of the SQLSTATE */
    SfStatus status;
} Verdict;

/* The longest prefix first. Classes: ISO/IEC 9075 "SQLSTATE class values", PostgreSQL's appendix A, ODBC's appendix
 * A. */
static const Verdict by_state[] = {
    {"25006", SF_RETRY}, /* read only: a standby */
    {"25P0", SF_RETRY},  /* the transaction was ended from outside */
    {"42501", SF_RETRY}, /* no permission */
    {"42P01", SF_EMPTY}, /* no such table, schema, column, constraint to conflict on */
    {"42P10", SF_CONFIG}, {"42S02", SF_EMPTY}, {"42S22", SF_EMPTY},
    {"42710", SF_RETRY}, /* made by another process in the same moment, IF NOT EXISTS or not */
    {"42P07", SF_RETRY},  {"42703", SF_EMPTY}, {"3F000", SF_EMPTY},
    {"3D000", SF_RETRY},                       /* no such database */
    {"54000", SF_REJECT},                      /* a row that no index page takes */
    {"54001", SF_FATAL},  {"55P03", SF_RETRY}, /* locked */
    {"57014", SF_RETRY},                       /* cancelled */
    {"02000", SF_EMPTY},                       /* Snowflake: no such object */
    {"08", SF_RETRY},                          /* connection */
    {"21", SF_REJECT},                         /* two rows for one target: apart they work */
    {"22", SF_REJECT},                         /* data */
    {"23", SF_REJECT},                         /* constraint */
    {"27", SF_REJECT},    {"28", SF_RETRY},    /* log-in */
    {"40", SF_RETRY},                          /* serialization, deadlock, unknown outcome */
    {"44", SF_REJECT},                         /* check option */
    {"53", SF_RETRY},                          /* disk, memory, connections */
    {"57", SF_RETRY},                          /* shut down, starting up */
    {"58", SF_RETRY},                          /* the server's file system */
    {"P0", SF_REJECT},                         /* raised by a trigger */
    {"HYT", SF_RETRY},    {"HY008", SF_RETRY}, {"IM00", SF_CONFIG},
};

/* SQLite's driver says HY000 for all; the number is SQLite's result code (sqlite.org/rescode.html). */
static SfStatus judge_sqlite(int native, const char *text)
{
    static const SfStatus by_code[] = {
        [3] = SF_RETRY /* PERM */,         [5] = SF_RETRY /* BUSY */,       [6] = SF_RETRY /* LOCKED */,
        [7] = SF_RETRY /* NOMEM */,        [8] = SF_RETRY /* READONLY */,   [9] = SF_RETRY /* INTERRUPT */,
        [10] = SF_RETRY /* IOERR */,       [13] = SF_RETRY /* FULL */,      [14] = SF_RETRY /* CANTOPEN */,
        [15] = SF_RETRY /* PROTOCOL */,    [17] = SF_RETRY /* SCHEMA */,    [18] = SF_REJECT /* TOOBIG */,
        [19] = SF_REJECT /* CONSTRAINT */, [20] = SF_REJECT /* MISMATCH */,
    };
    static const struct {
        const char *part;
        SfStatus status;
    } by_text[] = {{"ON CONFLICT clause does not match", SF_CONFIG},
                   {"no such table", SF_EMPTY},
                   {"no such column", SF_EMPTY},
                   {"has no column", SF_EMPTY},
                   {"overflow", SF_REJECT}};
    guint code = (guint) native & 0xff;
    if (code < G_N_ELEMENTS(by_code) && by_code[code] != SF_OK)
        return by_code[code];
    for (gsize i = 0; i < G_N_ELEMENTS(by_text); i++)
        if (strstr(text, by_text[i].part))
            return by_text[i].status;
    return SF_FATAL;
}

/* Snowflake's data errors come with states that say little: a value that cannot be cast or is out of range (1000 35
 * … 46), null where there must be none, a text too long, one row for two (docs.snowflake.com, "Bulk loading" and DML
 * messages). */
static bool is_snowflake_data(int native)
{
    static const int numbers[] = {100035, 100037, 100038, 100039, 100040, 100046, 100069,
                                  100071, 100072, 100073, 100078, 100090, 100096, 100097};
    for (gsize i = 0; i < G_N_ELEMENTS(numbers); i++)
        if (numbers[i] == native)
            return true;
    return false;
}

SfStatus odbc_judge(const char *product, const char *state, int native, const char *text)
{
    if (g_ascii_strncasecmp(product, "SQLite", 6) == 0 && g_str_has_prefix(state, "HY"))
        return judge_sqlite(native, text);
    /* Snowflake numbers its log-in and session errors 39xxxx */
    if (native >= 390000 && native < 400000)
        return SF_RETRY;
    if (is_snowflake_data(native))
        return SF_REJECT;
    for (gsize i = 0; i < G_N_ELEMENTS(by_state); i++)
        if (g_str_has_prefix(state, by_state[i].state))
            return by_state[i].status;
    /* A driver that loses the server in the middle of something says HY000 and any words. */
    return g_str_has_prefix(state, "HY") ? SF_RETRY : SF_FATAL;
}

/* Cuts "[vendor][driver]" prefixes and psqlodbc's "Error while executing the query", and makes it one line. */
static void append_text(GString *out, char *text)
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
        append_text(text, (char *) message);
    }
    if (text->len == 0)
        g_string_append(text, "the driver gives no reason");
    SfStatus status = odbc_judge(odbc->product, odbc->state, native, text->str);
    return sf_fail(err, status, "%s (%s %d)", text->str, odbc->state, (int) native);
}
