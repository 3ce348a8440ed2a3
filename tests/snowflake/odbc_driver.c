/* An ODBC driver for tests only: forwards statements and bound arrays to server.py, which runs them in an emulator
 * of Snowflake. It behaves as Snowflake's own driver where that matters to the gold sink: an array is one statement,
 * a failure tells no row, autocommit off begins a transaction with the next statement. Only the calls that the kit
 * makes are here.
 *
 * A program that exports char *sf_test_odbc_answer(const char *question) answers by itself, without a server: JSON for
 * JSON, freed by free(). The connection string's `Product` is then what the database is called. */
#include <curl/curl.h>
#include <dlfcn.h>
#include <glib.h>
#include <json-c/json.h>
#include <stdbool.h>
#include <sql.h>
#include <sqlext.h>
#include <string.h>

#define EXPORT __attribute__((visibility("default")))
#define MOST_PARAMETERS 256

typedef struct Handle {
    struct Handle *connection; /* a statement's */
    char *message, *more;      /* NULL: none */
    char state[6];
    SQLINTEGER native;
    /* connection */
    char *url;
    char *product;
    CURL *curl;
    gint64 session;
    bool autocommit;
    /* statement */
    char *sql;
    struct {
        SQLSMALLINT type;
        char *cells;
        SQLLEN width;
        SQLLEN *sizes;
    } parameters[MOST_PARAMETERS];
    guint n_parameters;
    SQLULEN rows;
    json_object *answer;
    gsize row;            /* 1 is the first; 0: none fetched yet */
    gsize column, offset; /* of the last SQLGetData */
} Handle;

static bool is_snowflake(const Handle *handle)
{
    const char *product = handle->connection ? handle->connection->product : handle->product;
    return !product || *product == '\0' || strcmp(product, "Snowflake") == 0;
}

static SQLRETURN fail(Handle *handle, const char *state, SQLINTEGER native, const char *message)
{
    g_clear_pointer(&handle->more, g_free);
    g_clear_pointer(&handle->message, g_free);
    if (message)
        handle->message = is_snowflake(handle)
                              ? g_strdup_printf("[Snowflake][Snowflake] (%d) %s", (int) native, message)
                              : g_strdup_printf("[test][driver]%s", message);
    g_strlcpy(handle->state, state, sizeof handle->state);
    handle->native = native;
    return SQL_ERROR;
}

static size_t collect(char *data, size_t size, size_t n, void *text)
{
    g_string_append_len(text, data, (gssize) (size * n));
    return size * n;
}

static char *(*own_answer(void))(const char *)
{
    char *(*answer)(const char *) = NULL;
    *(void **) &answer = dlsym(RTLD_DEFAULT, "sf_test_odbc_answer");
    return answer;
}

/* The answer to a question; NULL with why there is none. */
static json_object *exchange(Handle *connection, const char *question, const char **why)
{
    *why = "the server's answer is not JSON";
    if (own_answer()) {
        char *text = own_answer()(question);
        json_object *answer = json_tokener_parse(text);
        free(text);
        return answer;
    }
    g_autoptr(GString) text = g_string_new(NULL);
    curl_easy_setopt(connection->curl, CURLOPT_URL, connection->url);
    curl_easy_setopt(connection->curl, CURLOPT_COPYPOSTFIELDS, question);
    curl_easy_setopt(connection->curl, CURLOPT_WRITEFUNCTION, collect);
    curl_easy_setopt(connection->curl, CURLOPT_WRITEDATA, text);
    CURLcode done = curl_easy_perform(connection->curl);
    if (done == CURLE_OK)
        return json_tokener_parse(text->str);
    *why = curl_easy_strerror(done);
    return NULL;
}

/* Sends {"session", "autocommit", …} and gives the answer, or NULL with the handle's diagnostics. */
static json_object *ask(Handle *handle, Handle *connection, const char *verb, json_object *question)
{
    json_object_object_add(question, "do", json_object_new_string(verb));
    json_object_object_add(question, "session", json_object_new_int64(connection->session));
    json_object_object_add(question, "autocommit", json_object_new_boolean(connection->autocommit));
    const char *why = NULL;
    json_object *answer = exchange(connection, json_object_to_json_string(question), &why);
    json_object *error = NULL, *value = NULL;
    json_object_put(question);
    if (!answer) {
        fail(handle, "08S01", 0, why);
        return NULL;
    }
    if (!json_object_object_get_ex(answer, "error", &error))
        return answer;
    const char *state = json_object_object_get_ex(error, "state", &value) ? json_object_get_string(value) : "HY000";
    int native = json_object_object_get_ex(error, "code", &value) ? json_object_get_int(value) : 0;
    fail(handle, state, native,
         json_object_object_get_ex(error, "message", &value) ? json_object_get_string(value) : NULL);
    if (json_object_object_get_ex(error, "more", &value))
        handle->more = g_strdup(json_object_get_string(value));
    json_object_put(answer);
    return NULL;
}

static SQLRETURN ask_only(Handle *handle, const char *verb)
{
    json_object *answer = ask(handle, handle, verb, json_object_new_object());
    return answer && json_object_put(answer) ? SQL_SUCCESS : SQL_ERROR;
}

/* ---- handles and connections ---- */

EXPORT SQLRETURN SQL_API SQLAllocHandle(SQLSMALLINT kind, SQLHANDLE parent, SQLHANDLE *out)
{
    Handle *handle = g_new0(Handle, 1);
    handle->autocommit = true;
    handle->rows = 1;
    handle->connection = kind == SQL_HANDLE_STMT ? parent : NULL;
    *out = handle;
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQL_API SQLFreeHandle(SQLSMALLINT kind, SQLHANDLE raw)
{
    Handle *handle = raw;
    (void) kind;
    if (handle->curl)
        curl_easy_cleanup(handle->curl);
    json_object_put(handle->answer);
    g_free(handle->url);
    g_free(handle->sql);
    g_free(handle->product);
    g_free(handle->message);
    g_free(handle->more);
    g_free(handle);
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQL_API SQLFreeStmt(SQLHSTMT statement, SQLUSMALLINT what)
{
    return what == SQL_DROP ? SQLFreeHandle(SQL_HANDLE_STMT, statement) : SQL_SUCCESS;
}

EXPORT SQLRETURN SQL_API SQLSetEnvAttr(SQLHENV environment, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER size)
{
    (void) environment, (void) attribute, (void) value, (void) size;
    return SQL_SUCCESS;
}

static char *keyword(const char *connection, const char *name)
{
    g_auto(GStrv) pairs = g_strsplit(connection, ";", -1);
    for (char **pair = pairs; *pair; pair++)
        if (g_ascii_strncasecmp(*pair, name, strlen(name)) == 0 && (*pair)[strlen(name)] == '=')
            return g_strdup(*pair + strlen(name) + 1);
    return g_strdup("");
}

EXPORT SQLRETURN SQL_API SQLDriverConnect(SQLHDBC raw, SQLHWND window, SQLCHAR *in, SQLSMALLINT in_size, SQLCHAR *out,
                                          SQLSMALLINT out_max, SQLSMALLINT *out_size, SQLUSMALLINT completion)
{
    (void) window, (void) completion;
    Handle *handle = raw;
    g_autofree char *text = in_size == SQL_NTS ? g_strdup((char *) in) : g_strndup((char *) in, (gsize) in_size);
    g_autofree char *server = keyword(text, "Server"), *port = keyword(text, "Port");
    g_autofree char *user = keyword(text, "UID"), *password = keyword(text, "PWD");
    if (out && out_max > 0)
        g_strlcpy((char *) out, text, (gsize) out_max);
    if (out_size)
        *out_size = (SQLSMALLINT) strlen(text);
    handle->url = g_strdup_printf("http://%s:%s/", server, port);
    handle->product = keyword(text, "Product");
    handle->curl = own_answer() ? NULL : curl_easy_init();
    json_object *question = json_object_new_object(), *session = NULL;
    json_object_object_add(question, "user", json_object_new_string(user));
    json_object_object_add(question, "password", json_object_new_string(password));
    json_object *answer = ask(handle, handle, "login", question);
    if (!answer)
        return SQL_ERROR;
    handle->session = json_object_object_get_ex(answer, "session", &session) ? json_object_get_int64(session) : 0;
    json_object_put(answer);
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQL_API SQLDisconnect(SQLHDBC raw)
{
    return ask_only(raw, "logout") == SQL_SUCCESS ? SQL_SUCCESS : SQL_SUCCESS_WITH_INFO;
}

EXPORT SQLRETURN SQL_API SQLGetInfo(SQLHDBC raw, SQLUSMALLINT what, SQLPOINTER out, SQLSMALLINT max, SQLSMALLINT *size)
{
    const char *product = ((Handle *) raw)->product;
    const char *text = what == SQL_DBMS_NAME         ? (product && *product ? product : "Snowflake")
                       : what == SQL_DRIVER_ODBC_VER ? "03.80"
                                                     : "";
    if (what == SQL_CURSOR_COMMIT_BEHAVIOR || what == SQL_CURSOR_ROLLBACK_BEHAVIOR) {
        *(SQLUSMALLINT *) out = SQL_CB_CLOSE;
        return SQL_SUCCESS;
    }
    if (out && max > 0)
        g_strlcpy(out, text, (gsize) max);
    if (size)
        *size = (SQLSMALLINT) strlen(text);
    return SQL_SUCCESS;
}

/* Toggling autocommit commits what is open, as in Snowflake. */
EXPORT SQLRETURN SQL_API SQLSetConnectAttr(SQLHDBC raw, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER size)
{
    (void) size;
    Handle *handle = raw;
    if (attribute != SQL_ATTR_AUTOCOMMIT)
        return SQL_SUCCESS;
    handle->autocommit = GPOINTER_TO_SIZE(value) == SQL_AUTOCOMMIT_ON;
    json_object *question = json_object_new_object();
    json_object_object_add(question, "toggle", json_object_new_boolean(true));
    json_object *answer = ask(handle, handle, "commit", question);
    return answer && json_object_put(answer) ? SQL_SUCCESS : SQL_ERROR;
}

EXPORT SQLRETURN SQL_API SQLEndTran(SQLSMALLINT kind, SQLHANDLE raw, SQLSMALLINT how)
{
    (void) kind;
    return ask_only(raw, how == SQL_COMMIT ? "commit" : "rollback");
}

/* ---- statements ---- */

EXPORT SQLRETURN SQL_API SQLSetStmtAttr(SQLHSTMT raw, SQLINTEGER attribute, SQLPOINTER value, SQLINTEGER size)
{
    (void) size;
    if (attribute == SQL_ATTR_PARAMSET_SIZE)
        ((Handle *) raw)->rows = GPOINTER_TO_SIZE(value);
    return SQL_SUCCESS;
}

/* The driver manager asks for the descriptors that it passes on; none of ours is ever used. */
EXPORT SQLRETURN SQL_API SQLGetStmtAttr(SQLHSTMT raw, SQLINTEGER attribute, SQLPOINTER out, SQLINTEGER max,
                                        SQLINTEGER *size)
{
    (void) raw, (void) attribute, (void) max, (void) size;
    static char descriptors[16];
    *(SQLPOINTER *) out = &descriptors[attribute & 15];
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQL_API SQLPrepare(SQLHSTMT raw, SQLCHAR *sql, SQLINTEGER size)
{
    Handle *handle = raw;
    g_free(handle->sql);
    handle->sql = size == SQL_NTS ? g_strdup((char *) sql) : g_strndup((char *) sql, (gsize) size);
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQL_API SQLBindParameter(SQLHSTMT raw, SQLUSMALLINT number, SQLSMALLINT direction, SQLSMALLINT c_type,
                                          SQLSMALLINT sql_type, SQLULEN precision, SQLSMALLINT scale, SQLPOINTER cells,
                                          SQLLEN width, SQLLEN *sizes)
{
    (void) direction, (void) sql_type, (void) precision, (void) scale;
    Handle *handle = raw;
    if (number < 1 || number > MOST_PARAMETERS)
        return fail(handle, "07009", 0, "parameter number out of range");
    handle->n_parameters = MAX(handle->n_parameters, number);
    handle->parameters[number - 1].type = c_type;
    handle->parameters[number - 1].cells = cells;
    handle->parameters[number - 1].width = width;
    handle->parameters[number - 1].sizes = sizes;
    return SQL_SUCCESS;
}

static json_object *cell(const Handle *handle, guint parameter, SQLULEN row)
{
    SQLLEN size = handle->parameters[parameter].sizes[row];
    const char *at = handle->parameters[parameter].cells + (SQLLEN) row * handle->parameters[parameter].width;
    if (size == SQL_NULL_DATA)
        return NULL;
    if (handle->parameters[parameter].type == SQL_C_SBIGINT)
        return json_object_new_int64(*(const gint64 *) (const void *) at);
    return json_object_new_string_len(at, (int) size);
}

EXPORT SQLRETURN SQL_API SQLExecute(SQLHSTMT raw)
{
    Handle *handle = raw;
    json_object *question = json_object_new_object();
    json_object_object_add(question, "sql", json_object_new_string(handle->sql));
    if (handle->n_parameters > 0) {
        json_object *rows = json_object_new_array();
        for (SQLULEN row = 0; row < handle->rows; row++) {
            json_object *cells = json_object_new_array();
            for (guint i = 0; i < handle->n_parameters; i++)
                json_object_array_add(cells, cell(handle, i, row));
            json_object_array_add(rows, cells);
        }
        json_object_object_add(question, "rows", rows);
    }
    json_object_put(handle->answer);
    handle->row = 0;
    handle->answer = ask(handle, handle->connection, "run", question);
    return handle->answer ? SQL_SUCCESS : SQL_ERROR;
}

EXPORT SQLRETURN SQL_API SQLExecDirect(SQLHSTMT raw, SQLCHAR *sql, SQLINTEGER size)
{
    SQLPrepare(raw, sql, size);
    return SQLExecute(raw);
}

EXPORT SQLRETURN SQL_API SQLCancel(SQLHSTMT raw)
{
    (void) raw;
    return SQL_SUCCESS;
}

/* ---- results ---- */

static gint64 number_in(const Handle *handle, const char *key)
{
    json_object *value = NULL;
    return handle->answer && json_object_object_get_ex(handle->answer, key, &value) ? json_object_get_int64(value) : 0;
}

EXPORT SQLRETURN SQL_API SQLRowCount(SQLHSTMT raw, SQLLEN *out)
{
    *out = (SQLLEN) number_in(raw, "changed");
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQL_API SQLNumResultCols(SQLHSTMT raw, SQLSMALLINT *out)
{
    *out = (SQLSMALLINT) number_in(raw, "columns");
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQL_API SQLFetch(SQLHSTMT raw)
{
    Handle *handle = raw;
    json_object *rows = NULL;
    handle->column = 0;
    if (!handle->answer || !json_object_object_get_ex(handle->answer, "rows", &rows))
        return fail(handle, "24000", 0, "no result");
    return ++handle->row > json_object_array_length(rows) ? SQL_NO_DATA : SQL_SUCCESS;
}

/* Texts only, in pieces when they are longer than the caller's buffer. */
EXPORT SQLRETURN SQL_API SQLGetData(SQLHSTMT raw, SQLUSMALLINT column, SQLSMALLINT type, SQLPOINTER out, SQLLEN max,
                                    SQLLEN *size)
{
    Handle *handle = raw;
    json_object *rows = NULL;
    if (type != SQL_C_CHAR || handle->row == 0 || !json_object_object_get_ex(handle->answer, "rows", &rows))
        return fail(handle, "24000", 0, "no row, or no text is asked for");
    json_object *value = json_object_array_get_idx(json_object_array_get_idx(rows, handle->row - 1), column - 1u);
    if (handle->column != column)
        handle->offset = 0;
    handle->column = column;
    if (!value) {
        *size = SQL_NULL_DATA;
        return SQL_SUCCESS;
    }
    const char *text = json_object_get_string(value);
    gsize left = strlen(text) - handle->offset, piece = MIN(left, (gsize) max - 1);
    memcpy(out, text + handle->offset, piece);
    ((char *) out)[piece] = '\0';
    *size = (SQLLEN) left;
    handle->offset += piece;
    return piece < left ? SQL_SUCCESS_WITH_INFO : SQL_SUCCESS;
}

EXPORT SQLRETURN SQL_API SQLGetDiagRec(SQLSMALLINT kind, SQLHANDLE raw, SQLSMALLINT number, SQLCHAR *state,
                                       SQLINTEGER *native, SQLCHAR *message, SQLSMALLINT max, SQLSMALLINT *size)
{
    (void) kind;
    Handle *handle = raw;
    const char *text = number == 1 ? handle->message : number == 2 ? handle->more : NULL;
    if (!text)
        return SQL_NO_DATA;
    g_strlcpy((char *) state, handle->state, 6);
    *native = handle->native;
    if (message && max > 0)
        g_strlcpy((char *) message, text, (gsize) max);
    if (size)
        *size = (SQLSMALLINT) strlen(text);
    return SQL_SUCCESS;
}

EXPORT SQLRETURN SQL_API SQLGetDiagField(SQLSMALLINT kind, SQLHANDLE raw, SQLSMALLINT number, SQLSMALLINT field,
                                         SQLPOINTER out, SQLSMALLINT max, SQLSMALLINT *size)
{
    (void) kind, (void) raw, (void) number, (void) field, (void) out, (void) max, (void) size;
    return SQL_NO_DATA;
}
