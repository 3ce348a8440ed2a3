/* The status socket, both ends. Knows nothing of what the document says. */
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define MAX_ANSWER (16 << 20)
#define ASK_SECONDS 5
#define MOST_OF_A_PID 100

struct StatusServer {
    GSocketService *service;
    int directory;
    char *name; /* in the directory; NULL: there is no socket */
    struct json_object *(*document)(gpointer data);
    gpointer data;
};

char *status_directory(void)
{
    const char *own = g_getenv("SF_STATE_DIR"), *runtime = g_getenv("XDG_RUNTIME_DIR");
    if (own && *own)
        return g_strdup(own);
    if (runtime && *runtime)
        return g_build_filename(runtime, "streamforge", NULL);
    return g_strdup_printf("/tmp/streamforge-%u", (guint) getuid());
}

/* A socket's path has room for 107 bytes only; this one is short whatever the directory is called. */
static GSocketAddress *address_in(int directory, const char *name)
{
    g_autofree char *path = g_strdup_printf("/proc/self/fd/%d/%s", directory, name);
    return g_unix_socket_address_new(path);
}

typedef struct Answer {
    GSocketConnection *connection;
    struct json_object *document;
} Answer;

/* Who asked may have gone. */
static void answered(GObject *source, GAsyncResult *result, gpointer data)
{
    Answer *answer = data;
    g_output_stream_write_all_finish(G_OUTPUT_STREAM(source), result, NULL, NULL);
    g_io_stream_close(G_IO_STREAM(answer->connection), NULL, NULL);
    g_object_unref(answer->connection);
    json_object_put(answer->document);
    g_free(answer);
}

/* Does not wait for who asked: the main loop has signals and deadlines to see to. */
static gboolean answer(GSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
    (void) service;
    (void) source;
    StatusServer *server = data;
    Answer *answer = g_new0(Answer, 1);
    answer->connection = g_object_ref(connection);
    answer->document = server->document(server->data);
    const char *text = json_object_to_json_string_ext(answer->document, JSON_C_TO_STRING_NOSLASHESCAPE);
    g_socket_set_timeout(g_socket_connection_get_socket(connection), ASK_SECONDS);
    g_output_stream_write_all_async(g_io_stream_get_output_stream(G_IO_STREAM(connection)), text, strlen(text),
                                    G_PRIORITY_DEFAULT, NULL, answered, answer);
    return TRUE;
}

/* Somebody else's directory in /tmp is not used. -1 and error. */
static int make_directory(const char *path, GError **error)
{
    struct stat info = {0};
    int directory = -1;
    if (g_mkdir_with_parents(path, 0700) == 0)
        directory = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    const char *cause = directory < 0 ? g_strerror(errno) : "it is another user's";
    if (directory >= 0 && fstat(directory, &info) == 0 && info.st_uid == getuid())
        return directory;
    if (directory >= 0)
        close(directory);
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "'%s' is no directory of ours: %s", path, cause);
    return -1;
}

/* Whether a process listens there: of another container that shares the directory, it may have our number. */
static bool is_alive(int directory, const char *name)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = address_in(directory, name);
    g_socket_client_set_timeout(client, 1);
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, NULL);
    return connection != NULL;
}

static bool listen_at(StatusServer *server, GError **error)
{
    g_autofree char *name = g_strdup_printf("%d.sock", (int) getpid());
    for (int i = 2; i < MOST_OF_A_PID && is_alive(server->directory, name); i++) {
        g_free(name);
        name = g_strdup_printf("%d-%d.sock", (int) getpid(), i);
    }
    /* It gets its name when it listens: who asks takes one that refuses for a dead process's, and removes it. */
    g_autofree char *unready = g_strconcat(name, ".new", NULL);
    unlinkat(server->directory, unready, 0);
    g_autoptr(GSocketAddress) address = address_in(server->directory, unready);
    if (!g_socket_listener_add_address(G_SOCKET_LISTENER(server->service), address, G_SOCKET_TYPE_STREAM,
                                       G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, error))
        return false;
    if (renameat(server->directory, unready, server->directory, name) != 0) {
        g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "'%s': %s", name, g_strerror(errno));
        unlinkat(server->directory, unready, 0);
        return false;
    }
    server->name = g_steal_pointer(&name);
    return true;
}

StatusServer *status_server_new(const char *state_dir, struct json_object *(*document)(gpointer data), gpointer data)
{
    g_autofree char *directory = state_dir ? g_strdup(state_dir) : status_directory();
    g_autoptr(GError) error = NULL;
    StatusServer *server = g_new0(StatusServer, 1);
    server->document = document;
    server->data = data;
    server->service = g_socket_service_new();
    g_signal_connect(server->service, "incoming", G_CALLBACK(answer), server);
    server->directory = make_directory(directory, &error);
    if (server->directory < 0 || !listen_at(server, &error)) {
        log_line(LEVEL_WARNING, NULL, NULL, "no status socket: %s; 'sfrun status' will not see this process",
                 error->message);
        status_server_free(server);
        return NULL;
    }
    g_socket_service_start(server->service);
    return server;
}

void status_server_free(StatusServer *server)
{
    if (!server)
        return;
    g_socket_service_stop(server->service);
    g_socket_listener_close(G_SOCKET_LISTENER(server->service));
    g_object_unref(server->service);
    if (server->name)
        unlinkat(server->directory, server->name, 0);
    if (server->directory >= 0)
        close(server->directory);
    g_free(server->name);
    g_free(server);
}

static char *read_all(GInputStream *in, GError **error)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char piece[4096];
    gssize n;
    while ((n = g_input_stream_read(in, piece, sizeof piece, NULL, error)) > 0 && text->len < MAX_ANSWER)
        g_string_append_len(text, piece, n);
    return n == 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* NULL where nobody answers: a process that was killed leaves its socket behind, which goes now. */
static struct json_object *ask(int directory, const char *name)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = address_in(directory, name);
    g_autoptr(GError) error = NULL;
    g_socket_client_set_timeout(client, ASK_SECONDS);
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, &error);
    g_autofree char *text = connection ? read_all(g_io_stream_get_input_stream(G_IO_STREAM(connection)), &error) : NULL;
    if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
        unlinkat(directory, name, 0);
    else if (error && !g_error_matches(error, G_IO_ERROR, G_IO_ERROR_NOT_FOUND)) /* it has just ended */
        log_line(LEVEL_WARNING, NULL, NULL, "'%s' does not answer: %s", name, error->message);
    return text ? json_tokener_parse(text) : NULL;
}

static void put_document(gpointer document)
{
    json_object_put(document);
}

GPtrArray *status_ask_all(const char *state_dir)
{
    g_autofree char *directory = state_dir ? g_strdup(state_dir) : status_directory();
    GPtrArray *documents = g_ptr_array_new_with_free_func(put_document);
    g_autoptr(GDir) entries = g_dir_open(directory, 0, NULL);
    int place = entries ? open(directory, O_PATH | O_DIRECTORY | O_CLOEXEC) : -1;
    for (const char *name; place >= 0 && (name = g_dir_read_name(entries));) {
        if (!g_str_has_suffix(name, ".sock"))
            continue;
        struct json_object *document = ask(place, name);
        if (document)
            g_ptr_array_add(documents, document);
    }
    if (place >= 0)
        close(place);
    return documents;
}
