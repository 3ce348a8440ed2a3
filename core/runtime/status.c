/* The status socket, both ends. Knows nothing of what the document says. */
#include "status.h"

#include <errno.h>
#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"

#define MAX_ANSWER (16 << 20)
#define ASK_SECONDS 5

struct StatusServer {
    GSocketService *service;
    char *path;
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

static gboolean answer(GSocketService *service, GSocketConnection *connection, GObject *source, gpointer data)
{
    (void) service;
    (void) source;
    StatusServer *server = data;
    struct json_object *document = server->document(server->data);
    const char *text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_NOSLASHESCAPE);
    GOutputStream *out = g_io_stream_get_output_stream(G_IO_STREAM(connection));
    g_socket_set_timeout(g_socket_connection_get_socket(connection), ASK_SECONDS);
    g_output_stream_write_all(out, text, strlen(text), NULL, NULL, NULL); /* who asked may have gone */
    g_io_stream_close(G_IO_STREAM(connection), NULL, NULL);
    json_object_put(document);
    return TRUE;
}

/* Somebody else's directory in /tmp is not used. */
static bool make_directory(const char *path, GError **error)
{
    struct stat info;
    if (g_mkdir_with_parents(path, 0700) == 0 && lstat(path, &info) == 0 && S_ISDIR(info.st_mode) &&
        info.st_uid == getuid())
        return true;
    g_set_error(error, G_IO_ERROR, G_IO_ERROR_FAILED, "'%s' is no directory of ours: %s", path, g_strerror(errno));
    return false;
}

static bool listen_at(StatusServer *server, GError **error)
{
    g_unlink(server->path);
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(server->path);
    return g_socket_listener_add_address(G_SOCKET_LISTENER(server->service), address, G_SOCKET_TYPE_STREAM,
                                         G_SOCKET_PROTOCOL_DEFAULT, NULL, NULL, error);
}

StatusServer *status_server_new(const char *state_dir, struct json_object *(*document)(gpointer data), gpointer data)
{
    g_autofree char *directory = state_dir ? g_strdup(state_dir) : status_directory();
    g_autoptr(GError) error = NULL;
    StatusServer *server = g_new0(StatusServer, 1);
    server->path = g_strdup_printf("%s/%d.sock", directory, (int) getpid());
    server->document = document;
    server->data = data;
    server->service = g_socket_service_new();
    g_signal_connect(server->service, "incoming", G_CALLBACK(answer), server);
    if (!make_directory(directory, &error) || !listen_at(server, &error)) {
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
    g_unlink(server->path);
    g_free(server->path);
    g_free(server);
}

static char *read_all(GInputStream *in)
{
    g_autoptr(GString) text = g_string_new(NULL);
    char piece[4096];
    gssize n;
    while ((n = g_input_stream_read(in, piece, sizeof piece, NULL, NULL)) > 0 && text->len < MAX_ANSWER)
        g_string_append_len(text, piece, n);
    return n == 0 ? g_string_free(g_steal_pointer(&text), FALSE) : NULL;
}

/* NULL where nobody answers: a process that was killed leaves its socket behind, which goes now. */
static struct json_object *ask(const char *path)
{
    g_autoptr(GSocketClient) client = g_socket_client_new();
    g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
    g_autoptr(GError) error = NULL;
    g_socket_client_set_timeout(client, ASK_SECONDS);
    g_autoptr(GSocketConnection) connection =
        g_socket_client_connect(client, G_SOCKET_CONNECTABLE(address), NULL, &error);
    if (!connection) {
        if (g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CONNECTION_REFUSED))
            g_unlink(path);
        return NULL;
    }
    g_autofree char *text = read_all(g_io_stream_get_input_stream(G_IO_STREAM(connection)));
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
    for (const char *name; entries && (name = g_dir_read_name(entries));) {
        if (!g_str_has_suffix(name, ".sock"))
            continue;
        g_autofree char *path = g_build_filename(directory, name, NULL);
        struct json_object *document = ask(path);
        if (document)
            g_ptr_array_add(documents, document);
    }
    return documents;
}
