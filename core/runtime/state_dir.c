/* See state_dir.h. */
#include "state_dir.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

char *state_dir_default(void)
{
    const char *own = g_getenv("SF_STATE_DIR"), *runtime = g_getenv("XDG_RUNTIME_DIR");
    if (own && *own)
        return g_strdup(own);
    if (runtime && *runtime)
        return g_build_filename(runtime, "streamforge", NULL);
    return g_strdup_printf("/tmp/streamforge-%u", (guint) getuid());
}

/* Why a directory is not to be trusted, or NULL. */
static const char *fault_of(const struct stat *info)
{
    if (info->st_uid != geteuid())
        return "it is another user's";
    if (info->st_mode & (S_IWGRP | S_IWOTH))
        return "others can write to it; `chmod go-w` it";
    return NULL;
}

int state_dir_open(const char *path, bool make, char **problem)
{
    struct stat info = {0};
    int directory = -1;
    const char *cause = NULL;
    *problem = NULL;
    if (make && g_mkdir_with_parents(path, 0700) != 0)
        cause = g_strerror(errno);
    if (!cause && (directory = open(path, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC)) < 0) {
        if (errno == ENOENT && !make)
            return -1;
        cause = errno == ENOTDIR ? "it is a symbolic link or a file" : g_strerror(errno);
    }
    if (!cause && fstat(directory, &info) != 0)
        cause = g_strerror(errno);
    if (!cause)
        cause = fault_of(&info);
    if (!cause)
        return directory;
    *problem = g_strdup_printf("'%s' is not a directory of ours: %s", path, cause);
    if (directory >= 0)
        close(directory);
    return -1;
}

static const char *behind_digits(const char *text)
{
    return text + strspn(text, "0123456789");
}

bool state_dir_is_socket_name(const char *name)
{
    const char *end = behind_digits(name);
    if (end == name)
        return false;
    if (*end == '-') {
        const char *number = end + 1;
        end = behind_digits(number);
        if (end == number)
            return false;
    }
    return strcmp(end, ".sock") == 0;
}
