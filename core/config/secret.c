/* Secrets by reference: `file:PATH` is read, `exec:COMMAND` is run (no shell), anything else is the secret itself. What
 * they give is never printed. */
#include "secret.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#define MAX_SECRET (64 * 1024)
#define EXEC_S 30
#define FILE_S 5 /* a FIFO that nobody writes to */
#define LOOK_US 10000

/* ---- memory ------------------------------------------------ */

typedef struct Block {
    gsize size; /* of the mapping */
    char text[];
} Block;

char *secret_copy(const char *text, gsize size)
{
    gsize whole = sizeof(Block) + size + 1;
    Block *block = mmap(NULL, whole, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (block == MAP_FAILED)
        g_error("failed to allocate %" G_GSIZE_FORMAT " bytes", whole);
    madvise(block, whole, MADV_DONTDUMP);
    block->size = whole;
    memcpy(block->text, text, size);
    block->text[size] = '\0';
    return block->text;
}

void secret_free(gpointer secret)
{
    if (!secret)
        return;
    Block *block = (Block *) (gpointer) ((char *) secret - offsetof(Block, text));
    gsize size = block->size;
    explicit_bzero(block, size);
    munmap(block, size);
}

/* ---- reading ------------------------------------------------ */

typedef enum Reading { READ_WHOLE, READ_TOO_MUCH, READ_TOO_LATE, READ_FAILED } Reading;

/* What comes until the end, at most MAX_SECRET + 1 bytes, within the time. */
static Reading read_within(int file, char *out, gsize *size, gint64 until)
{
    *size = 0;
    while (*size <= MAX_SECRET) {
        struct pollfd polled = {.fd = file, .events = POLLIN};
        gint64 left = until - g_get_monotonic_time();
        int ready = left > 0 ? poll(&polled, 1, (int) (left / 1000) + 1) : 0;
        if (ready == 0)
            return READ_TOO_LATE;
        gssize n = ready > 0 ? read(file, out + *size, MAX_SECRET + 1 - *size) : -1;
        if (n == 0)
            return READ_WHOLE;
        if (n < 0 && errno != EINTR && errno != EAGAIN)
            return READ_FAILED;
        *size += n > 0 ? (gsize) n : 0;
    }
    return READ_TOO_MUCH;
}

static bool has_control(const char *text, gsize size, bool lines)
{
    for (gsize i = 0; i < size; i++) {
        if (g_ascii_iscntrl(text[i]) && !(lines && strchr("\r\n\t", text[i])))
            return true;
    }
    return false;
}

/* Files and commands end their output with a line break, which does not belong to the secret. */
static gsize trimmed(const char *text, gsize size)
{
    if (size > 0 && text[size - 1] == '\n')
        size--;
    if (size > 0 && text[size - 1] == '\r')
        size--;
    return size;
}

static char *checked(const char *text, gsize size, bool lines, const char *from, char **problem)
{
    if (memchr(text, 0, size) || !g_utf8_validate(text, (gssize) size, NULL))
        *problem = g_strdup_printf("%s gives no text", from);
    else if (has_control(text, size, lines))
        *problem = g_strdup_printf("%s gives a text with a line break or another control character in it", from);
    else
        return secret_copy(text, size);
    return NULL;
}

/* Takes the reading's outcome and what was read; overwrites it. */
static char *taken(Reading reading, char *text, gsize size, bool lines, const char *from, int seconds, char **problem)
{
    char *secret = NULL;
    if (reading == READ_WHOLE)
        secret = checked(text, trimmed(text, size), lines, from, problem);
    else if (reading == READ_TOO_MUCH)
        *problem = g_strdup_printf("%s gives more than %d bytes", from, MAX_SECRET);
    else if (reading == READ_TOO_LATE)
        *problem = g_strdup_printf("%s failed: no answer within %d s", from, seconds);
    else
        *problem = g_strdup_printf("cannot read %s: %s", from, g_strerror(errno));
    explicit_bzero(text, size);
    return secret;
}

/* ---- file: ------------------------------------------------ */

/* Why it is not to be read, or NULL. */
static const char *fault_of(const struct stat *info)
{
    if (S_ISDIR(info->st_mode))
        return "it is a directory";
    bool group = (info->st_mode & S_IWGRP) && info->st_gid != getegid();
    if (S_ISREG(info->st_mode) && (group || (info->st_mode & S_IWOTH)))
        return "others can write to it; `chmod go-w` it";
    return NULL;
}

static char *read_secret(const char *path, bool lines, char **problem)
{
    g_autofree char *from = g_strdup_printf("file '%s'", path);
    g_autofree char *text = g_malloc(MAX_SECRET + 1);
    struct stat info;
    gsize size = 0;
    int file = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY);
    if (file < 0 || fstat(file, &info) != 0) {
        *problem = g_strdup_printf("cannot read %s: %s", from, g_strerror(errno));
        if (file >= 0)
            close(file);
        return NULL;
    }
    const char *fault = fault_of(&info);
    char *secret = NULL;
    if (fault) {
        *problem = g_strdup_printf("%s is not read: %s", from, fault);
    } else {
        Reading reading = read_within(file, text, &size, g_get_monotonic_time() + FILE_S * G_USEC_PER_SEC);
        secret = taken(reading, text, size, lines, from, FILE_S, problem);
    }
    close(file);
    return secret;
}

/* ---- exec: ------------------------------------------------ */

/* Whether it has ended within the time; then waitpid's status. */
static bool ended_within(GPid pid, gint64 until, int *status)
{
    while (waitpid(pid, status, WNOHANG) == 0) {
        if (g_get_monotonic_time() >= until)
            return false;
        g_usleep(LOOK_US);
    }
    return true;
}

static char *exit_problem(const char *from, int status)
{
    if (WIFEXITED(status))
        return g_strdup_printf("%s failed: exit status %d", from, WEXITSTATUS(status));
    return g_strdup_printf("%s failed: killed by signal %d", from, WTERMSIG(status));
}

static char *run_command(const char *command, bool lines, char **problem)
{
    g_autofree char *from = g_strdup_printf("command '%s'", command), *text = g_malloc(MAX_SECRET + 1);
    g_autoptr(GError) error = NULL;
    g_auto(GStrv) argv = NULL;
    GPid pid = 0;
    int output = -1, status = 0;
    gsize size = 0;
    if (!g_shell_parse_argv(command, NULL, &argv, &error) ||
        !g_spawn_async_with_pipes(NULL, argv, NULL, G_SPAWN_SEARCH_PATH | G_SPAWN_DO_NOT_REAP_CHILD, NULL, NULL, &pid,
                                  NULL, &output, NULL, &error)) {
        *problem = g_strdup_printf("%s failed: %s", from, error->message);
        return NULL;
    }
    gint64 until = g_get_monotonic_time() + EXEC_S * G_USEC_PER_SEC;
    Reading reading = read_within(output, text, &size, until);
    close(output);
    if (reading == READ_WHOLE && !ended_within(pid, until, &status))
        reading = READ_TOO_LATE;
    if (reading != READ_WHOLE) {
        kill(pid, SIGKILL);
        waitpid(pid, &status, 0);
    } else if (status != 0) {
        *problem = exit_problem(from, status);
        explicit_bzero(text, size);
        return NULL;
    }
    return taken(reading, text, size, lines, from, EXEC_S, problem);
}

char *secret_resolve(const char *reference, bool lines, char **problem)
{
    if (g_str_has_prefix(reference, "file:"))
        return read_secret(reference + strlen("file:"), lines, problem);
    if (g_str_has_prefix(reference, "exec:"))
        return run_command(reference + strlen("exec:"), lines, problem);
    return checked(reference, strlen(reference), lines, "it", problem);
}
