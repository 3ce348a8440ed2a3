/* The end of the status socket that asks. What comes is another process's, and believed only so far. */
#include "status.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "data/printable.h"
#include "log.h"
#include "state_dir.h"
#include "status_socket.h"

#define MOST_ANSWER (16 << 20)
#define ASK_MS 5000
#define ALIVE_MS 1000
#define RETRY_MS 10

typedef struct Question {
    char *name;
    int socket; /* -1: it has ended */
    GString *text;
    const char *problem; /* NULL: the text is whole */
    bool quiet;          /* nobody is to hear of it */
} Question;

static void question_free(gpointer data)
{
    Question *question = data;
    if (question->socket >= 0)
        close(question->socket);
    g_string_free(question->text, TRUE);
    g_free(question->name);
    g_free(question);
}

/* ---- connecting ------------------------------------------------ */

/* 0, or errno. A queue that is full for the moment is waited for. */
static int connect_to(int directory, const char *name, int socket, gint64 until)
{
    struct sockaddr_un address;
    if (!status_address(directory, name, &address))
        return ENAMETOOLONG;
    while (connect(socket, (const struct sockaddr *) &address, sizeof address) != 0) {
        if (errno != EAGAIN || g_get_monotonic_time() >= until)
            return errno;
        g_usleep(RETRY_MS * 1000);
    }
    return 0;
}

gboolean status_is_alive(int directory, const char *name)
{
    int socket = status_socket_new();
    bool alive =
        socket >= 0 && connect_to(directory, name, socket, g_get_monotonic_time() + (gint64) ALIVE_MS * 1000) == 0;
    if (socket >= 0)
        close(socket);
    return alive;
}

static bool is_socket_of_ours(int directory, const char *name)
{
    struct stat info;
    return state_dir_is_socket_name(name) && fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0 &&
           S_ISSOCK(info.st_mode) && info.st_uid == geteuid();
}

/* A line that fits the socket's buffer, and that nothing more will come. One that has just ended says so by its answer.
 */
static bool say(int socket, const char *asked)
{
    gsize size = strlen(asked);
    bool said = size == 0 || send(socket, asked, size, MSG_NOSIGNAL) == (gssize) size || errno == EPIPE;
    shutdown(socket, SHUT_WR);
    return said;
}

static Question *question_new(int directory, const char *name, const char *asked, gint64 until)
{
    Question *question = g_new0(Question, 1);
    question->name = g_strdup(name);
    question->text = g_string_new(NULL);
    question->socket = status_socket_new();
    int error = question->socket < 0 ? errno : connect_to(directory, name, question->socket, until);
    if (error == ECONNREFUSED) /* a process that was killed leaves its socket behind */
        unlinkat(directory, name, 0);
    question->quiet = error == ECONNREFUSED || error == ENOENT; /* it has just ended */
    if (error)
        question->problem = g_strerror(error);
    else if (!status_peer_is_ours(question->socket))
        question->problem = "another user listens there";
    else if (!say(question->socket, asked))
        question->problem = "it does not take the question";
    if (question->problem && question->socket >= 0) {
        close(question->socket);
        question->socket = -1;
    }
    return question;
}

/* ---- reading ------------------------------------------------ */

static void finish(Question *question, const char *problem)
{
    question->problem = problem;
    close(question->socket);
    question->socket = -1;
}

static void read_more(Question *question)
{
    char piece[65536];
    gssize n = recv(question->socket, piece, sizeof piece, 0);
    if (n == 0)
        finish(question, NULL);
    else if (n < 0 && errno != EAGAIN && errno != EINTR)
        finish(question, g_strerror(errno));
    else if (n > 0)
        g_string_append_len(question->text, piece, n);
    if (question->text->len > MOST_ANSWER && question->socket >= 0)
        finish(question, "it says too much");
}

/* All at once: one that hangs does not take the others' time. */
static void read_answers(const GPtrArray *questions, gint64 until)
{
    g_autofree struct pollfd *polled = g_new0(struct pollfd, questions->len);
    for (;;) {
        guint open = 0;
        for (guint i = 0; i < questions->len; i++) {
            polled[i] = (struct pollfd){.fd = ((const Question *) questions->pdata[i])->socket, .events = POLLIN};
            open += polled[i].fd >= 0;
        }
        gint64 left = until - g_get_monotonic_time();
        if (open == 0 || left <= 0)
            break;
        if (poll(polled, questions->len, (int) (left / 1000) + 1) < 0 && errno != EINTR)
            break;
        for (guint i = 0; i < questions->len; i++) {
            if (polled[i].revents)
                read_more(questions->pdata[i]);
        }
    }
    for (guint i = 0; i < questions->len; i++) {
        Question *question = questions->pdata[i];
        if (question->socket >= 0)
            finish(question, "no answer in time");
    }
}

/* ---- believing ------------------------------------------------ */

static bool names_a_list(const char *key)
{
    static const char *const lists[] = {"pipelines", "steps", "splits", "sinks", NULL};
    return key && g_strv_contains(lists, key);
}

static struct json_object *clean(struct json_object *value, const char *key);

static struct json_object *clean_object(struct json_object *value)
{
    struct json_object *out = json_object_new_object();
    json_object_object_foreach(value, name, member)
    {
        g_autofree char *shown = printable(name, "");
        struct json_object *cleaned = clean(member, name);
        if (!cleaned && (member || names_a_list(name))) {
            json_object_put(out);
            return NULL;
        }
        json_object_object_add(out, shown, cleaned);
    }
    return out;
}

static struct json_object *clean_list(struct json_object *value, bool of_objects)
{
    struct json_object *out = json_object_new_array();
    for (size_t i = 0; i < json_object_array_length(value); i++) {
        struct json_object *item = json_object_array_get_idx(value, i);
        bool fits = json_object_get_type(item) == json_type_object || !of_objects;
        struct json_object *cleaned = fits ? clean(item, NULL) : NULL;
        if (!fits || (item && !cleaned)) {
            json_object_put(out);
            return NULL;
        }
        json_object_array_add(out, cleaned);
    }
    return out;
}

/* A copy with texts fit for a terminal, or NULL: it is not a status, or it is null. The parser bounds the depth. */
static struct json_object *clean(struct json_object *value, const char *key)
{
    enum json_type type = json_object_get_type(value);
    if (names_a_list(key) && type != json_type_array)
        return NULL;
    if (type == json_type_object)
        return clean_object(value);
    if (type == json_type_array)
        return clean_list(value, names_a_list(key));
    if (type != json_type_string)
        return json_object_get(value);
    g_autofree char *text = printable(json_object_get_string(value), "");
    return json_object_new_string(text);
}

/* The document, or NULL. */
static struct json_object *believe(const GString *text)
{
    struct json_tokener *tokener = json_tokener_new();
    struct json_object *said = json_tokener_parse_ex(tokener, text->str, (int) text->len);
    bool whole = json_tokener_get_error(tokener) == json_tokener_success;
    struct json_object *document = whole && json_object_get_type(said) == json_type_object ? clean(said, NULL) : NULL;
    json_object_put(said);
    json_tokener_free(tokener);
    return document;
}

static void put_document(gpointer document)
{
    json_object_put(document);
}

static GPtrArray *questions_new(int directory, const char *asked, gint64 until)
{
    GPtrArray *questions = g_ptr_array_new_with_free_func(question_free);
    int listed = openat(directory, ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    DIR *entries = listed >= 0 ? fdopendir(listed) : NULL;
    const struct dirent *entry;
    while (entries && (entry = readdir(entries))) {
        if (is_socket_of_ours(directory, entry->d_name))
            g_ptr_array_add(questions, question_new(directory, entry->d_name, asked, until));
    }
    if (entries)
        closedir(entries);
    else if (listed >= 0)
        close(listed);
    return questions;
}

static char *line_of(struct json_object *asked)
{
    return asked ? g_strconcat(json_object_to_json_string_ext(asked, JSON_C_TO_STRING_PLAIN), "\n", NULL)
                 : g_strdup("");
}

GPtrArray *status_ask_all(const char *state_dir)
{
    return status_ask(state_dir, NULL);
}

GPtrArray *status_ask(const char *state_dir, struct json_object *asked)
{
    g_autofree char *line = line_of(asked);
    g_autofree char *path = state_dir ? g_strdup(state_dir) : state_dir_default();
    g_autofree char *problem = NULL;
    gint64 until = g_get_monotonic_time() + (gint64) ASK_MS * 1000;
    GPtrArray *documents = g_ptr_array_new_with_free_func(put_document);
    int directory = state_dir_open(path, false, &problem);
    if (problem)
        log_line(LEVEL_ERROR, NULL, NULL, "%s; what is said there is not believed", problem);
    if (directory < 0)
        return documents;
    g_autoptr(GPtrArray) questions = questions_new(directory, line, until);
    read_answers(questions, until);
    for (guint i = 0; i < questions->len; i++) {
        Question *question = questions->pdata[i];
        struct json_object *document = question->problem ? NULL : believe(question->text);
        if (document)
            g_ptr_array_add(documents, document);
        else if (!question->quiet && (question->problem || question->text->len > 0)) /* it ends as we ask */
            log_line(LEVEL_WARNING, NULL, NULL, "'%s' gives no status: %s", question->name,
                     question->problem ? question->problem : "its answer is not a status");
    }
    close(directory);
    return documents;
}
