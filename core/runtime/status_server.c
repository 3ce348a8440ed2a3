/* The end of the status socket that answers, in the main loop. Knows nothing of what is asked and answered. */
#include "status.h"

#include <errno.h>
#include <fcntl.h>
#include <glib-unix.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "log.h"
#include "state_dir.h"
#include "status_socket.h"

#define ANSWER_MS 5000
#define SILENCE_MS 100 /* of who asks by connecting alone */
#define MOST_ASKED 65536
#define PAUSE_MS 1000 /* while no descriptors are to be had */
#define MOST_ANSWERS 32
#define MOST_OF_A_PID 100

struct StatusServer {
    int directory;
    int socket;
    char *name;      /* in the directory; NULL: there is no socket */
    guint source;    /* of the socket, or of the pause; 0: none */
    GList *answers;  /* Answer *, on their way */
    guint n_answers; /* of them */
    StatusAnswer *make_answer;
    gpointer data;
};

typedef struct Answer {
    StatusServer *server;
    int socket;
    guint ready, silent, late; /* sources; 0: none */
    GString *asked;
    GBytes *text; /* NULL: it is still being asked */
    gsize sent;
} Answer;

static void stop_source(guint *source)
{
    if (*source > 0)
        g_source_remove(*source);
    *source = 0;
}

static void answer_free(Answer *answer)
{
    StatusServer *server = answer->server;
    server->answers = g_list_remove(server->answers, answer);
    server->n_answers--;
    stop_source(&answer->ready);
    stop_source(&answer->silent);
    stop_source(&answer->late);
    close(answer->socket);
    g_string_free(answer->asked, TRUE);
    if (answer->text)
        g_bytes_unref(answer->text);
    g_free(answer);
}

static gboolean on_room(gint socket, GIOCondition condition, gpointer data)
{
    Answer *answer = data;
    gsize size = 0;
    const char *text = g_bytes_get_data(answer->text, &size);
    gssize n = send(socket, text + answer->sent, size - answer->sent, MSG_NOSIGNAL);
    (void) condition;
    answer->sent += n > 0 ? (gsize) n : 0;
    bool gone = n < 0 && errno != EAGAIN && errno != EINTR;
    if (gone || answer->sent == size)
        answer_free(answer);
    return G_SOURCE_CONTINUE; /* or it is removed already */
}

static gboolean on_late(gpointer data)
{
    answer_free(data);
    return G_SOURCE_CONTINUE;
}

static GBytes *text_of(const StatusServer *server, const GString *asked)
{
    struct json_object *document = server->make_answer(server->data, asked->str, asked->len);
    const char *text = json_object_to_json_string_ext(document, JSON_C_TO_STRING_NOSLASHESCAPE);
    GBytes *bytes = g_bytes_new(text, strlen(text));
    json_object_put(document);
    return bytes;
}

static void begin_answer(Answer *answer)
{
    stop_source(&answer->ready);
    stop_source(&answer->silent);
    answer->text = text_of(answer->server, answer->asked);
    answer->ready = g_unix_fd_add(answer->socket, G_IO_OUT | G_IO_ERR | G_IO_HUP, on_room, answer);
}

static gboolean on_silence(gpointer data)
{
    Answer *answer = data;
    if (answer->asked->len == 0)
        begin_answer(answer);
    else
        stop_source(&answer->silent);
    return G_SOURCE_CONTINUE; /* or it is removed already, likewise below */
}

/* One line, or all up to the end. */
static gboolean on_question(gint socket, GIOCondition condition, gpointer data)
{
    Answer *answer = data;
    char piece[4096];
    gssize n = recv(socket, piece, sizeof piece, 0);
    (void) condition;
    if (n < 0 && (errno == EAGAIN || errno == EINTR))
        return G_SOURCE_CONTINUE;
    if (n < 0) {
        answer_free(answer);
        return G_SOURCE_CONTINUE;
    }
    g_string_append_len(answer->asked, piece, n);
    const char *line = memchr(answer->asked->str, '\n', answer->asked->len);
    if (line)
        g_string_truncate(answer->asked, (gsize) (line - answer->asked->str));
    if (line || n == 0 || answer->asked->len > MOST_ASKED)
        begin_answer(answer);
    return G_SOURCE_CONTINUE;
}

/* Does not wait for who asked: the main loop has signals and deadlines to see to. */
static void take_question(StatusServer *server, int socket)
{
    if (!status_peer_is_ours(socket) || server->n_answers >= MOST_ANSWERS) {
        close(socket);
        return;
    }
    Answer *answer = g_new0(Answer, 1);
    answer->server = server;
    answer->socket = socket;
    answer->asked = g_string_new(NULL);
    answer->ready = g_unix_fd_add(socket, G_IO_IN | G_IO_ERR | G_IO_HUP, on_question, answer);
    answer->silent = g_timeout_add(SILENCE_MS, on_silence, answer);
    answer->late = g_timeout_add(ANSWER_MS, on_late, answer);
    server->answers = g_list_prepend(server->answers, answer);
    server->n_answers++;
}

static gboolean on_asked(gint socket, GIOCondition condition, gpointer data);

static gboolean on_pause_over(gpointer data)
{
    StatusServer *server = data;
    server->source = g_unix_fd_add(server->socket, G_IO_IN, on_asked, server);
    return G_SOURCE_REMOVE;
}

static gboolean on_asked(gint socket, GIOCondition condition, gpointer data)
{
    StatusServer *server = data;
    int asker = accept4(socket, NULL, NULL, SOCK_NONBLOCK | SOCK_CLOEXEC);
    (void) condition;
    if (asker >= 0) {
        take_question(server, asker);
        return G_SOURCE_CONTINUE;
    }
    if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
        return G_SOURCE_CONTINUE;
    /* Who asks stays in the queue, so that the socket stays ready: looking at it again at once would be a busy loop. */
    log_line(LEVEL_WARNING, NULL, NULL, "the status socket cannot take who asks: %s; trying again", g_strerror(errno));
    server->source = g_timeout_add(PAUSE_MS, on_pause_over, server);
    return G_SOURCE_REMOVE;
}

/* It gets its name when it listens: who asks takes one that refuses for a dead process's, and removes it. */
static bool listen_as(StatusServer *server, const char *name, char **problem)
{
    g_autofree char *unready = g_strconcat(name, ".new", NULL);
    struct sockaddr_un address;
    unlinkat(server->directory, unready, 0);
    bool done = status_address(server->directory, unready, &address) &&
                bind(server->socket, (const struct sockaddr *) &address, sizeof address) == 0 &&
                fchmodat(server->directory, unready, 0600, 0) == 0 && listen(server->socket, 16) == 0 &&
                renameat(server->directory, unready, server->directory, name) == 0;
    if (!done) {
        *problem = g_strdup_printf("'%s': %s", name, g_strerror(errno));
        unlinkat(server->directory, unready, 0);
    }
    return done;
}

static bool listen_at(StatusServer *server, char **problem)
{
    g_autofree char *name = g_strdup_printf("%d.sock", (int) getpid());
    for (int i = 2; i < MOST_OF_A_PID && status_is_alive(server->directory, name); i++) {
        g_free(name);
        name = g_strdup_printf("%d-%d.sock", (int) getpid(), i);
    }
    server->socket = status_socket_new();
    if (server->socket < 0) {
        *problem = g_strdup(g_strerror(errno));
        return false;
    }
    if (!listen_as(server, name, problem))
        return false;
    server->name = g_steal_pointer(&name);
    server->source = g_unix_fd_add(server->socket, G_IO_IN, on_asked, server);
    return true;
}

StatusServer *status_server_new(const char *state_dir, StatusAnswer *answer, gpointer data)
{
    g_autofree char *path = state_dir ? g_strdup(state_dir) : state_dir_default();
    g_autofree char *problem = NULL;
    StatusServer *server = g_new0(StatusServer, 1);
    server->make_answer = answer;
    server->data = data;
    server->socket = -1;
    server->directory = state_dir_open(path, true, &problem);
    if (server->directory < 0 || !listen_at(server, &problem)) {
        log_line(LEVEL_WARNING, NULL, NULL, "no status socket: %s; 'sfrun status' will not see this process", problem);
        status_server_free(server);
        return NULL;
    }
    return server;
}

void status_server_free(StatusServer *server)
{
    if (!server)
        return;
    while (server->answers)
        answer_free(server->answers->data);
    if (server->source)
        g_source_remove(server->source);
    if (server->name)
        unlinkat(server->directory, server->name, 0);
    if (server->socket >= 0)
        close(server->socket);
    if (server->directory >= 0)
        close(server->directory);
    g_free(server->name);
    g_free(server);
}
