/* A program's first steps: each case is this program anew, called by a shell that has prepared what it finds. */
#include "runtime/process.h"

#include <errno.h>
#include <fcntl.h>
#include <glib.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "runtime/log.h"

typedef struct Called {
    int status;
    char *out, *err;
} Called;

static void called_done(Called *called)
{
    g_free(called->out);
    g_free(called->err);
}
G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Called, called_done)

/* "<before> exec <this program> <case> <redirections>" in a shell. */
static Called call(const char *before, const char *name, const char *redirections)
{
    Called called = {0};
    g_autofree char *self = g_file_read_link("/proc/self/exe", NULL);
    g_autofree char *line = g_strdup_printf("%s exec '%s' %s %s", before, self, name, redirections);
    char *argv[] = {(char *) "/bin/sh", (char *) "-c", line, NULL};
    g_assert_true(
        g_spawn_sync(NULL, argv, NULL, G_SPAWN_DEFAULT, NULL, NULL, &called.out, &called.err, &called.status, NULL));
    return called;
}

static int exit_status(const Called *called)
{
    g_test_message("%s%s", called->out, called->err);
    return WIFEXITED(called->status) ? WEXITSTATUS(called->status) : -1;
}

/* ---- what is called ------------------------------------------------ */

static int child_files(void)
{
    int file = open("/dev/null", O_RDWR | O_CLOEXEC);
    bool refused = write(STDOUT_FILENO, "x", 1) < 0 && errno == EBADF && write(STDERR_FILENO, "x", 1) < 0;
    return file > STDERR_FILENO && refused ? 0 : 1;
}

static int child_large(void)
{
    char *path = g_strdup("/tmp/sf-process-XXXXXX");
    int file = mkstemp(path);
    unlink(path);
    g_free(path);
    setrlimit(RLIMIT_FSIZE, &(struct rlimit){10, 10});
    return file >= 0 && pwrite(file, "x", 1, 10) < 0 && errno == EFBIG ? 0 : 1;
}

static int child_limits(void)
{
    struct rlimit core, files;
    g_autofree char *filter = NULL;
    getrlimit(RLIMIT_CORE, &core);
    getrlimit(RLIMIT_NOFILE, &files);
    g_file_get_contents("/proc/self/coredump_filter", &filter, NULL, NULL);
    printf("core %d filter %s files %d\n", core.rlim_cur > 0, filter ? filter : "", (int) files.rlim_cur);
    return 0;
}

static int child_warns(void)
{
    log_setup(LOG_JSON, LEVEL_INFO);
    for (int i = 0; i < 1000; i++)
        g_log("GLib-Net", G_LOG_LEVEL_WARNING, "it is\nwet");
    return log_flush(60 * 1000) ? 0 : 1;
}

static int child_dies(void)
{
    log_setup(g_getenv("LOG_AS_JSON") ? LOG_JSON : LOG_HUMAN, LEVEL_INFO);
    g_log("GLib", G_LOG_LEVEL_ERROR, "gmem.c:1: failed to allocate \"5\" bytes");
    return 0;
}

static int child(const char *name)
{
    static const struct {
        const char *name;
        int (*run)(void);
    } children[] = {{"files", child_files},
                    {"large", child_large},
                    {"limits", child_limits},
                    {"warns", child_warns},
                    {"dies", child_dies}};
    process_begin();
    for (gsize i = 0; i < G_N_ELEMENTS(children); i++) {
        if (g_str_equal(name, children[i].name))
            return children[i].run();
    }
    return 99;
}

/* ---- what comes of it ------------------------------------------------ */

/* A file of a sink's would get the number, and every log line. */
static void test_closed_descriptors(void)
{
    static const char *const closed[] = {"<&- >&- 2>&-", ">&- 2>&-"};
    for (gsize i = 0; i < G_N_ELEMENTS(closed); i++) {
        g_auto(Called) called = call("", "files", closed[i]);
        g_assert_cmpint(exit_status(&called), ==, 0);
    }
}

static void test_too_large_a_file(void)
{
    g_auto(Called) called = call("", "large", "");
    g_assert_cmpint(exit_status(&called), ==, 0);
}

static void test_core_dumps(void)
{
    g_auto(Called) none = call("ulimit -S -c unlimited 2>/dev/null;", "limits", "");
    g_assert_cmpint(exit_status(&none), ==, 0);
    g_assert_nonnull(strstr(none.out, "core 0 filter 00000000"));
    g_auto(Called) asked = call("ulimit -H -c 2>/dev/null; SF_CORE_DUMPS=1", "limits", "");
    g_assert_cmpint(exit_status(&asked), ==, 0);
    g_assert_null(strstr(asked.out, "filter 00000000"));
}

static void test_open_files(void)
{
    g_auto(Called) called = call("ulimit -S -n 100; ulimit -H -n 300;", "limits", "");
    g_assert_cmpint(exit_status(&called), ==, 0);
    g_assert_nonnull(strstr(called.out, "files 300\n"));
}

/* In the log's form, one line each, and held back like ours. */
static void test_messages_of_glib(void)
{
    g_auto(Called) called = call("", "warns", "");
    g_assert_cmpint(exit_status(&called), ==, 0);
    g_assert_true(g_str_has_prefix(called.err, "{"));
    g_assert_nonnull(strstr(called.err, "\"message\":\"GLib-Net: it is wet\""));
    g_assert_true(strchr(called.err, '\n') == called.err + strlen(called.err) - 1);
}

static void test_no_memory(void)
{
    static const char *const befores[] = {"", "LOG_AS_JSON=1"};
    for (gsize i = 0; i < G_N_ELEMENTS(befores); i++) {
        g_auto(Called) called = call(befores[i], "dies", "");
        g_assert_cmpint(exit_status(&called), ==, 1);
        g_assert_nonnull(strstr(called.err, "there is no memory left"));
        g_assert_cmpint(*called.err, ==, i == 0 ? '[' : '{');
        g_assert_true(g_str_has_suffix(called.err, i == 0 ? "'memory'\n" : "'memory'\"}\n"));
    }
}

int main(int argc, char **argv)
{
    if (argc == 2 && *argv[1] != '-')
        return child(argv[1]);
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/process/closed-descriptors", test_closed_descriptors);
    g_test_add_func("/process/too-large-a-file", test_too_large_a_file);
    g_test_add_func("/process/core-dumps", test_core_dumps);
    g_test_add_func("/process/open-files", test_open_files);
    g_test_add_func("/process/messages-of-glib", test_messages_of_glib);
    g_test_add_func("/process/no-memory", test_no_memory);
    return g_test_run();
}
