/* Names the plugin, the step, the hook and the rows, and shows the stack. Signal handlers: what is called here is no
 * more than is needed, and an alarm ends what gets stuck in it. */
#include "crash.h"

#include <execinfo.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config/hook.h"
#include "log.h"
#include "runtime.h"

enum { MOST_FRAMES = 48, TEXT_BYTES = 700, GIVE_UP_S = 3 };

static const int signals[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL};

static void show_stack(void)
{
    void *frames[MOST_FRAMES];
    backtrace_symbols_fd(frames, backtrace(frames, MOST_FRAMES), STDERR_FILENO);
}

static void say_crash(int number)
{
    char where[TEXT_BYTES / 2], text[TEXT_BYTES];
    const char *name = sigabbrev_np(number);
    if (hook_describe(where, sizeof where))
        snprintf(text, sizeof text, "crash (SIG%s) in %s; what is committed stays, the rest is read again",
                 name ? name : "?", where);
    else
        snprintf(text, sizeof text, "crash (SIG%s) in no plugin's hook", name ? name : "?");
    log_last_words(text);
    show_stack();
}

static void on_crash(int number)
{
    signal(SIGALRM, SIG_DFL);
    alarm(GIVE_UP_S);
    say_crash(number);
    raise(number); /* the handler is gone: the process ends as it would have */
}

void crash_name_abort(void)
{
    char where[TEXT_BYTES / 2], text[TEXT_BYTES];
    if (!hook_describe(where, sizeof where))
        return;
    snprintf(text, sizeof text, "abort in %s", where);
    log_last_words(text);
    show_stack();
}

/* A plugin has no business to end the process, and least of all with status 0. */
static void on_exit_in_hook(void)
{
    char where[TEXT_BYTES / 2], text[TEXT_BYTES];
    if (!hook_describe(where, sizeof where))
        return;
    snprintf(text, sizeof text, "exit() was called in %s; a plugin returns a status and an error instead", where);
    log_last_words(text);
    _exit(EXIT_FAILED);
}

void crash_watch(void)
{
    void *frame[1];
    (void) backtrace(frame, 1); /* loads what it needs now */
    for (size_t i = 0; i < sizeof signals / sizeof *signals; i++) {
        struct sigaction now = {0};
        if (sigaction(signals[i], NULL, &now) != 0 || now.sa_handler != SIG_DFL)
            continue;
        struct sigaction action = {.sa_handler = on_crash, .sa_flags = SA_ONSTACK | (int) SA_RESETHAND | SA_NODEFER};
        sigaction(signals[i], &action, NULL);
    }
    atexit(on_exit_in_hook);
}
