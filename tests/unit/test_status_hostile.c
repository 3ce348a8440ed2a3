/* The status socket among people who mean harm: who answers falsely, slowly or at length, whose directory it is, and
 * what is no socket of ours. */
#include "runtime/status.h"

#include <errno.h>
#include <fcntl.h>
#include <glib/gstdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "runtime/log.h"
#include "runtime/state_dir.h"

typedef struct Evil {
    const char *text;
    bool drips; /* a byte now and then, without end */
    int socket;
    GThread *thread;
} Evil;

static gpointer evil_main(gpointer data)
{
    const Evil *evil = data;
    int asker = accept(evil->socket, NULL, NULL);
    gsize size = strlen(evil->text);
    if (asker < 0)
        return NULL;
    while (size > 0 && send(asker, evil->text, size, MSG_NOSIGNAL) > 0 && evil->drips)
        g_usleep(20000);
    close(asker);
    return NULL;
}

static void listen_at(const char *dir, const char *name, Evil *evil)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", dir, name);
    evil->socket = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
    g_assert_cmpint(bind(evil->socket, (const struct sockaddr *) &address, sizeof address), ==, 0);
    g_assert_cmpint(listen(evil->socket, 4), ==, 0);
    evil->thread = g_thread_new("evil", evil_main, evil);
}

static void stop(const char *dir, const char *name, Evil *evil)
{
    g_autofree char *path = g_build_filename(dir, name, NULL);
    shutdown(evil->socket, SHUT_RDWR);
    g_thread_join(evil->thread);
    close(evil->socket);
    g_unlink(path);
}

static char *new_dir(void)
{
    log_setup(LOG_HUMAN, LEVEL_ERROR + 1); /* it complains, as it should */
    return g_dir_make_tmp("sf-status-XXXXXX", NULL);
}

/* What an answer becomes, or NULL. */
static char *believed(const char *text)
{
    g_autofree char *dir = new_dir();
    Evil evil = {.text = text};
    listen_at(dir, "1.sock", &evil);
    g_autoptr(GPtrArray) documents = status_ask_all(dir);
    char *said = documents->len > 0 ? g_strdup(json_object_to_json_string_ext(documents->pdata[0], 0)) : NULL;
    stop(dir, "1.sock", &evil);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
    return said;
}

static void test_types(void)
{
    static const char *const bad[] = {"",
                                      "nonsense",
                                      "[]",
                                      "\"text\"",
                                      "null",
                                      "{\"pipelines\":{}}",
                                      "{\"pipelines\":7}",
                                      "{\"pipelines\":[7]}",
                                      "{\"pipelines\":[null]}",
                                      "{\"pipelines\":[[]]}",
                                      "{\"pipelines\":[{\"steps\":\"x\"}]}",
                                      "{\"pipelines\":[{\"steps\":[\"x\"]}]}",
                                      "{\"pipelines\":[{\"splits\":null}]}",
                                      "{\"pipelines\":[{\"splits\":[{\"sinks\":{}}]}]}",
                                      "{\"pid\":1"};
    for (gsize i = 0; i < G_N_ELEMENTS(bad); i++) {
        g_autofree char *said = believed(bad[i]);
        g_test_message("%s", bad[i]);
        g_assert_null(said);
    }
    g_autofree char *good = believed("{\"pid\":1,\"pipelines\":[{\"pipeline\":\"p\",\"steps\":[],\"trouble\":null}]}");
    g_assert_cmpstr(good, ==, "{\"pid\":1,\"pipelines\":[{\"pipeline\":\"p\",\"steps\":[],\"trouble\":null}]}");
}

/* Deeper than anything of ours, so deep that a stack would not do. */
static void test_depth(void)
{
    g_autoptr(GString) text = g_string_new("{\"a\":");
    for (int i = 0; i < 50000; i++)
        g_string_append_c(text, '[');
    g_autofree char *said = believed(text->str);
    g_assert_null(said);
}

static void test_control_characters(void)
{
    g_autofree char *said =
        believed("{\"pipelines\":[{\"pipeline\":\"\\u001b]0;owned\\u0007\\u009b31m\\u007f\xc3\xa9\",\"\\u001bk\":1}]}");
    g_assert_nonnull(said);
    for (const char *at = said; *at; at++)
        g_assert_true((guchar) *at >= ' ' && *at != 0x7F);
    g_assert_nonnull(strstr(said, "x1b]0;owned"));
    g_assert_nonnull(strstr(said, "x9b31m"));
    g_assert_nonnull(strstr(said, "\xc3\xa9"));
}

/* One deadline for all: neither a drip nor several of them make it longer, and who answers is heard. */
static void test_drip(void)
{
    g_autofree char *dir = new_dir();
    Evil drips[3] = {{.text = " ", .drips = true}, {.text = " ", .drips = true}, {.text = "{\"pid\":1}"}};
    static const char *const names[] = {"1.sock", "2.sock", "3-2.sock"};
    for (gsize i = 0; i < G_N_ELEMENTS(drips); i++)
        listen_at(dir, names[i], &drips[i]);
    gint64 began = g_get_monotonic_time();
    g_autoptr(GPtrArray) documents = status_ask_all(dir);
    g_test_message("%d ms", (int) ((g_get_monotonic_time() - began) / 1000));
    g_assert_cmpuint(documents->len, ==, 1);
    for (gsize i = 0; i < G_N_ELEMENTS(drips); i++)
        stop(dir, names[i], &drips[i]);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void test_answer_without_end(void)
{
    g_autofree char *much = g_strnfill(1 << 20, ' ');
    g_autofree char *dir = new_dir();
    Evil evil = {.text = much, .drips = true};
    listen_at(dir, "1.sock", &evil);
    g_autoptr(GPtrArray) documents = status_ask_all(dir);
    g_assert_cmpuint(documents->len, ==, 0);
    stop(dir, "1.sock", &evil);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* Only what we have made is removed: by its name, its kind and its owner. */
static void test_nothing_else_is_removed(void)
{
    static const char *const names[] = {"app.sock", "1.sock.sock", "-1.sock", "1-.sock", ".sock", "1.sockx"};
    g_autofree char *dir = new_dir(), *file = g_build_filename(dir, "12.sock", NULL);
    g_autofree char *link = g_build_filename(dir, "13.sock", NULL), *fifo = g_build_filename(dir, "14.sock", NULL);
    g_assert_true(g_file_set_contents(file, "mine", -1, NULL));
    g_assert_cmpint(symlink(file, link), ==, 0);
    g_assert_cmpint(mkfifo(fifo, 0600), ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        int dead = socket(AF_UNIX, SOCK_STREAM, 0);
        g_snprintf(address.sun_path, sizeof address.sun_path, "%s/%s", dir, names[i]);
        g_assert_cmpint(bind(dead, (const struct sockaddr *) &address, sizeof address), ==, 0);
        close(dead);
    }
    g_autoptr(GPtrArray) documents = status_ask_all(dir);
    g_assert_cmpuint(documents->len, ==, 0);
    for (gsize i = 0; i < G_N_ELEMENTS(names); i++) {
        g_autofree char *path = g_build_filename(dir, names[i], NULL);
        g_assert_cmpint(g_unlink(path), ==, 0);
    }
    g_assert_cmpint(g_unlink(link), ==, 0);
    g_assert_cmpint(g_unlink(file), ==, 0);
    g_assert_cmpint(g_unlink(fifo), ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static struct json_object *document(gpointer data, const char *asked, gsize size)
{
    struct json_object *object = json_object_new_object();
    (void) asked, (void) size;
    ++*(int *) data;
    return object;
}

/* Both ends refuse a directory that others can write to, that is another user's, or that a link stands for. */
static void test_directories(void)
{
    int asked = 0;
    static const int modes[] = {0777, 01777, 0770, 0702};
    for (gsize i = 0; i < G_N_ELEMENTS(modes) + 2; i++) {
        g_autofree char *dir = new_dir(), *link = g_strconcat(dir, ".link", NULL);
        Evil evil = {.text = "{\"pid\":1}"};
        listen_at(dir, "1.sock", &evil);
        bool linked = i == G_N_ELEMENTS(modes), foreign = i > G_N_ELEMENTS(modes);
        g_assert_cmpint(symlink(dir, link), ==, 0);
        if (!linked && !foreign)
            g_assert_cmpint(chmod(dir, (mode_t) modes[i]), ==, 0);
        if (!foreign || (geteuid() == 0 && chown(dir, 4242, 4242) == 0)) {
            g_autoptr(GPtrArray) documents = status_ask_all(linked ? link : dir);
            g_assert_cmpuint(documents->len, ==, 0);
            g_assert_null(status_server_new(linked ? link : dir, document, &asked));
        }
        stop(dir, "1.sock", &evil);
        g_unlink(link);
        g_assert_cmpint(g_rmdir(dir), ==, 0);
    }
}

/* While no descriptors are to be had the main loop rests; when there are some, who asked is answered. */
static void test_no_descriptors(void)
{
    g_autofree char *dir = new_dir();
    int asked = 0, taken[64], n = 0;
    struct rlimit before, few = {0};
    StatusServer *server = status_server_new(dir, document, &asked);
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    char text[16];
    g_assert_nonnull(server);
    g_snprintf(address.sun_path, sizeof address.sun_path, "%s/%d.sock", dir, (int) getpid());
    int asker = socket(AF_UNIX, SOCK_STREAM, 0);
    while (g_main_context_iteration(NULL, FALSE))
        continue;
    g_assert_cmpint(getrlimit(RLIMIT_NOFILE, &before), ==, 0);
    few = before;
    few.rlim_cur = (rlim_t) asker + 32;
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &few), ==, 0);
    while (n < 64 && (taken[n] = dup(asker)) >= 0)
        n++;
    g_assert_cmpint(errno, ==, EMFILE);
    g_assert_cmpint(connect(asker, (const struct sockaddr *) &address, sizeof address), ==, 0);
    for (int i = 0; i < 3; i++)
        g_main_context_iteration(NULL, FALSE);
    g_assert_false(g_main_context_pending(NULL));
    while (n > 0)
        close(taken[--n]);
    g_assert_cmpint(setrlimit(RLIMIT_NOFILE, &before), ==, 0);
    while (asked == 0)
        g_main_context_iteration(NULL, TRUE);
    while (recv(asker, text, sizeof text, MSG_DONTWAIT) < 0)
        g_main_context_iteration(NULL, TRUE);
    close(asker);
    status_server_free(server);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

/* An empty variable is none, as the XDG base directory specification has it. */
static void test_default_directory(void)
{
    static const struct {
        const char *own, *runtime, *expected; /* NULL: by the user's number */
    } cases[] = {{"/a", "/run/b", "/a"},
                 {"", "/run/b", "/run/b/streamforge"},
                 {NULL, "/run/b", "/run/b/streamforge"},
                 {NULL, "", NULL},
                 {"", NULL, NULL}};
    g_autofree char *by_number = g_strdup_printf("/tmp/streamforge-%u", (guint) getuid());
    g_auto(GStrv) before = g_get_environ();
    for (gsize i = 0; i < G_N_ELEMENTS(cases); i++) {
        g_unsetenv("SF_STATE_DIR");
        g_unsetenv("XDG_RUNTIME_DIR");
        if (cases[i].own)
            g_setenv("SF_STATE_DIR", cases[i].own, TRUE);
        if (cases[i].runtime)
            g_setenv("XDG_RUNTIME_DIR", cases[i].runtime, TRUE);
        g_autofree char *found = state_dir_default();
        g_assert_cmpstr(found, ==, cases[i].expected ? cases[i].expected : by_number);
    }
    for (gsize i = 0; i < 2; i++) {
        static const char *const names[] = {"SF_STATE_DIR", "XDG_RUNTIME_DIR"};
        const char *value = g_environ_getenv(before, names[i]);
        if (value)
            g_setenv(names[i], value, TRUE);
        else
            g_unsetenv(names[i]);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/status/default-directory", test_default_directory);
    g_test_add_func("/status/types", test_types);
    g_test_add_func("/status/depth", test_depth);
    g_test_add_func("/status/control-characters", test_control_characters);
    g_test_add_func("/status/drip", test_drip);
    g_test_add_func("/status/answer-without-end", test_answer_without_end);
    g_test_add_func("/status/nothing-else-is-removed", test_nothing_else_is_removed);
    g_test_add_func("/status/directories", test_directories);
    g_test_add_func("/status/no-descriptors", test_no_descriptors);
    return g_test_run();
}
