/* The status socket: one document a question, dead processes' sockets go, no socket where it must not be. */
#include "runtime/status.h"

#include <gio/gunixsocketaddress.h>
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>

#include "runtime/log.h"

static struct json_object *document(gpointer data, const char *asked, gsize size)
{
    struct json_object *object = json_object_new_object();
    (void) asked, (void) size;
    json_object_object_add(object, "answer", json_object_new_int(*(int *) data));
    return object;
}

typedef struct Asker {
    const char *dir;
    GPtrArray *documents;
    gint done; /* atomic */
} Asker;

static gpointer ask_main(gpointer data)
{
    Asker *asker = data;
    asker->documents = status_ask_all(asker->dir);
    g_atomic_int_set(&asker->done, 1);
    g_main_context_wakeup(NULL);
    return NULL;
}

static GPtrArray *ask(const char *dir)
{
    Asker asker = {.dir = dir};
    GThread *thread = g_thread_new("ask", ask_main, &asker);
    while (!g_atomic_int_get(&asker.done))
        g_main_context_iteration(NULL, TRUE);
    g_thread_join(thread);
    return asker.documents;
}

static void test_answers(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-status-XXXXXX", NULL);
    int number = 42;
    {
        g_autoptr(StatusServer) server = status_server_new(dir, document, &number);
        g_assert_nonnull(server);
        for (int i = 0; i < 2; i++) {
            g_autoptr(GPtrArray) documents = ask(dir);
            struct json_object *value = NULL;
            g_assert_cmpuint(documents->len, ==, 1);
            g_assert_true(json_object_object_get_ex(documents->pdata[0], "answer", &value));
            g_assert_cmpint(json_object_get_int(value), ==, 42);
        }
    }
    g_autoptr(GPtrArray) none = ask(dir);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_cmpint(g_rmdir(dir), ==, 0); /* the socket has gone with its server */
}

static void test_dead_socket_goes(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-status-XXXXXX", NULL);
    g_autofree char *path = g_build_filename(dir, "1.sock", NULL);
    {
        g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, NULL);
        g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
        g_assert_true(g_socket_bind(socket, address, FALSE, NULL));
    }
    g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    g_autoptr(GPtrArray) none = ask(dir);
    g_assert_cmpuint(none->len, ==, 0);
    g_assert_false(g_file_test(path, G_FILE_TEST_EXISTS));
    g_rmdir(dir);
}

static gpointer ask_again_and_again(gpointer data)
{
    Asker *asker = data;
    while (!g_atomic_int_get(&asker->done)) {
        g_autoptr(GPtrArray) documents = status_ask_all(asker->dir);
    }
    return NULL;
}

/* A socket that is bound and does not listen yet looks like a dead one to who asks in that moment. */
static void test_asked_while_it_starts(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-status-XXXXXX", NULL);
    g_autofree char *path = g_strdup_printf("%s/%d.sock", dir, (int) getpid());
    int number = 1;
    log_setup(LOG_HUMAN, LEVEL_ERROR); /* it is gone before it answers, too */
    Asker asker = {.dir = dir};
    GThread *thread = g_thread_new("ask", ask_again_and_again, &asker);
    for (int i = 0; i < 2000; i++) {
        g_autoptr(StatusServer) server = status_server_new(dir, document, &number);
        g_assert_true(g_file_test(path, G_FILE_TEST_EXISTS));
    }
    g_atomic_int_set(&asker.done, 1);
    g_thread_join(thread);
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static void test_no_directory_of_others(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-status-XXXXXX", NULL);
    g_autofree char *link = g_build_filename(dir, "link", NULL);
    int number = 1;
    g_assert_cmpint(symlink(dir, link), ==, 0);
    log_setup(LOG_HUMAN, LEVEL_ERROR);
    g_assert_null(status_server_new(link, document, &number));
    g_unlink(link);
    g_rmdir(dir);
}

/* Longer than a socket's path can be. */
static void test_long_directory(void)
{
    g_autofree char *top = g_dir_make_tmp("sf-status-XXXXXX", NULL);
    g_autofree char *name = g_strnfill(200, 'n');
    g_autofree char *dir = g_build_filename(top, name, NULL);
    int number = 7;
    {
        g_autoptr(StatusServer) server = status_server_new(dir, document, &number);
        g_assert_nonnull(server);
        g_autoptr(GPtrArray) documents = ask(dir);
        g_assert_cmpuint(documents->len, ==, 1);
    }
    g_assert_cmpint(g_rmdir(dir), ==, 0);
    g_rmdir(top);
}

/* Processes of several containers may have one number, and one directory. */
static void test_living_socket_stays(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-status-XXXXXX", NULL);
    int one = 1, two = 2;
    {
        g_autoptr(StatusServer) first = status_server_new(dir, document, &one);
        g_autoptr(StatusServer) second = status_server_new(dir, document, &two);
        g_assert_nonnull(second);
        g_autoptr(GPtrArray) documents = ask(dir);
        g_assert_cmpuint(documents->len, ==, 2);
    }
    g_assert_cmpint(g_rmdir(dir), ==, 0);
}

static struct json_object *large_document(gpointer data, const char *asked, gsize size)
{
    struct json_object *object = json_object_new_object();
    (void) asked, (void) size;
    g_autofree char *text = g_strnfill(4 << 20, 'x');
    ++*(int *) data;
    json_object_object_add(object, "text", json_object_new_string(text));
    return object;
}

static gboolean too_late(gpointer data)
{
    *(bool *) data = true;
    return G_SOURCE_REMOVE;
}

/* Who asks and does not read the answer holds nobody up. */
static void test_reader_that_does_not_read(void)
{
    g_autofree char *dir = g_dir_make_tmp("sf-status-XXXXXX", NULL);
    g_autofree char *path = g_strdup_printf("%s/%d.sock", dir, (int) getpid());
    int asked = 0;
    bool late = false;
    {
        g_autoptr(StatusServer) server = status_server_new(dir, large_document, &asked);
        g_autoptr(GSocket) socket = g_socket_new(G_SOCKET_FAMILY_UNIX, G_SOCKET_TYPE_STREAM, 0, NULL);
        g_autoptr(GSocketAddress) address = g_unix_socket_address_new(path);
        g_assert_true(g_socket_connect(socket, address, NULL, NULL));
        guint timer = g_timeout_add(2000, too_late, &late);
        while (asked == 0)
            g_main_context_iteration(NULL, TRUE);
        gint64 began = g_get_monotonic_time();
        while (g_main_context_iteration(NULL, FALSE))
            continue;
        g_assert_cmpint(g_get_monotonic_time() - began, <, G_USEC_PER_SEC);
        g_assert_false(late);
        g_source_remove(timer);
        g_autoptr(GPtrArray) documents = ask(dir);
        g_assert_cmpuint(documents->len, ==, 1);
    }
    g_rmdir(dir);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/status/answers", test_answers);
    g_test_add_func("/status/dead-socket-goes", test_dead_socket_goes);
    g_test_add_func("/status/asked-while-it-starts", test_asked_while_it_starts);
    g_test_add_func("/status/no-directory-of-others", test_no_directory_of_others);
    g_test_add_func("/status/long-directory", test_long_directory);
    g_test_add_func("/status/living-socket-stays", test_living_socket_stays);
    g_test_add_func("/status/reader-that-does-not-read", test_reader_that_does_not_read);
    return g_test_run();
}
