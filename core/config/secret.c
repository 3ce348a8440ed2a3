/* Secrets by reference: `file:PATH` is read, `exec:COMMAND` is run (no shell), anything else is the secret itself. What
 * they give is never printed. */
#include "secret.h"

#include <gio/gio.h>
#include <stdbool.h>
#include <string.h>

#define MAX_SECRET (64 * 1024)
#define EXEC_TIMEOUT_S 30

/* Files and commands end their output with a line break, which is no part of the secret. */
static char *trimmed(const char *text, gsize size)
{
    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (size > 0 && text[size - 1] == '\r')
        size--;
    return g_strndup(text, size);
}

static char *checked(const char *text, gsize size, const char *from, char **problem)
{
    if (size > MAX_SECRET)
        *problem = g_strdup_printf("%s gives more than %d bytes", from, MAX_SECRET);
    else if (memchr(text, 0, size) || !g_utf8_validate(text, (gssize) size, NULL))
        *problem = g_strdup_printf("%s gives no text", from);
    else
        return trimmed(text, size);
    return NULL;
}

static char *read_secret(const char *path, char **problem)
{
    g_autofree char *from = g_strdup_printf("file '%s'", path);
    g_autoptr(GError) error = NULL;
    g_autoptr(GFile) file = g_file_new_for_path(path);
    g_autoptr(GFileInputStream) stream = g_file_read(file, NULL, &error);
    g_autofree char *text = g_malloc(MAX_SECRET + 2);
    gsize size = 0;
    if (!stream || !g_input_stream_read_all(G_INPUT_STREAM(stream), text, MAX_SECRET + 1, &size, NULL, &error)) {
        *problem = g_strdup_printf("cannot read %s: %s", from, error->message);
        return NULL;
    }
    char *secret = checked(text, size, from, problem);
    explicit_bzero(text, MAX_SECRET + 2);
    return secret;
}

typedef struct Waiting {
    GMainLoop *loop;
    GCancellable *cancellable;
    GBytes *output;
    GError *error;
} Waiting;

static void command_done(GObject *source, GAsyncResult *result, gpointer data)
{
    Waiting *waiting = data;
    g_subprocess_communicate_finish(G_SUBPROCESS(source), result, &waiting->output, NULL, &waiting->error);
    g_main_loop_quit(waiting->loop);
}

static gboolean took_too_long(gpointer data)
{
    Waiting *waiting = data;
    g_cancellable_cancel(waiting->cancellable);
    return G_SOURCE_REMOVE;
}

/* Waits for the command's output in a main context of our own, with a deadline. */
static GBytes *wait_for(GSubprocess *process, GError **error)
{
    g_autoptr(GMainContext) context = g_main_context_new();
    g_autoptr(GMainLoop) loop = g_main_loop_new(context, FALSE);
    g_autoptr(GCancellable) cancellable = g_cancellable_new();
    g_autoptr(GSource) deadline = g_timeout_source_new_seconds(EXEC_TIMEOUT_S);
    Waiting waiting = {.loop = loop, .cancellable = cancellable};
    g_main_context_push_thread_default(context);
    g_source_set_callback(deadline, took_too_long, &waiting, NULL);
    g_source_attach(deadline, context);
    g_subprocess_communicate_async(process, NULL, cancellable, command_done, &waiting);
    g_main_loop_run(loop);
    g_source_destroy(deadline);
    g_main_context_pop_thread_default(context);
    if (waiting.error) {
        g_subprocess_force_exit(process);
        g_propagate_error(error, waiting.error);
    }
    return waiting.output;
}

static char *run_command(const char *command, char **problem)
{
    g_autofree char *from = g_strdup_printf("command '%s'", command);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) argv = NULL;
    g_autoptr(GSubprocess) process = NULL;
    g_autoptr(GBytes) output = NULL;
    if (g_shell_parse_argv(command, NULL, &argv, &error))
        process = g_subprocess_newv((const char *const *) argv, G_SUBPROCESS_FLAGS_STDOUT_PIPE, &error);
    if (process)
        output = wait_for(process, &error);
    if (!output) {
        bool late = g_error_matches(error, G_IO_ERROR, G_IO_ERROR_CANCELLED);
        *problem = g_strdup_printf("%s failed: %s", from, late ? "no answer within 30 s" : error->message);
        return NULL;
    }
    if (!g_subprocess_get_if_exited(process) || g_subprocess_get_exit_status(process) != 0) {
        *problem = g_strdup_printf("%s failed: %s %d", from,
                                   g_subprocess_get_if_exited(process) ? "exit status" : "killed by signal",
                                   g_subprocess_get_if_exited(process) ? g_subprocess_get_exit_status(process)
                                                                       : g_subprocess_get_term_sig(process));
        return NULL;
    }
    gsize size = 0;
    const char *text = g_bytes_get_data(output, &size);
    return checked(text ? text : "", size, from, problem);
}

char *secret_resolve(const char *reference, char **problem)
{
    if (g_str_has_prefix(reference, "file:"))
        return read_secret(reference + strlen("file:"), problem);
    if (g_str_has_prefix(reference, "exec:"))
        return run_command(reference + strlen("exec:"), problem);
    return g_strdup(reference);
}

void secret_free(gpointer secret)
{
    if (secret)
        explicit_bzero(secret, strlen(secret));
    g_free(secret);
}
