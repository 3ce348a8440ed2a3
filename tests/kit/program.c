/* A program's run is waited for in a thread, and the main context is asked now and then: GSubprocess and the context's
 * wake-up work under locks of GLib's that the thread sanitizer does not see. */
#include "program.h"

#include <string.h>
#include <sys/wait.h>

typedef struct Call {
    const char *directory;
    char **argv;
    Ran ran;
    int wait_status;
    GError *error;
    gint ended; /* atomic */
} Call;

void ran_done(Ran *ran)
{
    g_free(ran->out);
    g_free(ran->err);
}

bool ran_printed_empty_list(const Ran *ran)
{
    const char *at = ran->out;
    for (const char *want = "[]"; *want; want++, at++) {
        at += strspn(at, " \n");
        if (*at != *want)
            return false;
    }
    return !at[strspn(at, " \n")];
}

static gpointer call_main(gpointer data)
{
    Call *call = data;
    g_spawn_sync(call->directory, call->argv, NULL, G_SPAWN_SEARCH_PATH, NULL, NULL, &call->ran.out, &call->ran.err,
                 &call->wait_status, &call->error);
    g_atomic_int_set(&call->ended, 1);
    return NULL;
}

Ran run_program(const char *directory, const char *words)
{
    g_autoptr(GError) error = NULL;
    g_autofree char *line =
        g_str_has_prefix(words, "sh ") ? g_strdup(words) : g_strconcat(g_getenv("SF_TEST_SFRUN"), " ", words, NULL);
    g_auto(GStrv) argv = NULL;
    g_shell_parse_argv(line, NULL, &argv, &error);
    g_assert_no_error(error);
    Call call = {.directory = directory, .argv = argv};
    GThread *thread = g_thread_new("program", call_main, &call);
    while (!g_atomic_int_get(&call.ended)) {
        g_main_context_iteration(NULL, FALSE);
        g_usleep(1000);
    }
    g_thread_join(thread);
    g_assert_no_error(call.error);
    g_assert_true(WIFEXITED(call.wait_status));
    call.ran.status = WEXITSTATUS(call.wait_status);
    return call.ran;
}
