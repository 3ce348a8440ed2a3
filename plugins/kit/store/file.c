/* What the local store's files stand on: the words of its errors, its paths, temporary files and new names. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

SfStatus file_fail(SfError *err, const char *action, const char *path, int error)
{
    bool wrong_path = error == ENAMETOOLONG || error == ENOTDIR || error == EISDIR || error == ELOOP || error == EINVAL;
    return sf_fail(err, wrong_path ? SF_CONFIG : SF_RETRY, "cannot %s '%s': %s", action, path, g_strerror(error));
}

char *file_path(const FileStore *store, const char *key)
{
    return g_build_filename(store->root, key, NULL);
}

int file_create_temporary(FileStore *store, const char *suffix, char **path)
{
    g_autofree char *name =
        g_strdup_printf("%s/%08x-%" G_GUINT64_FORMAT "%s", store->temporary, store->run, store->next++, suffix);
    int fd = open(name, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, store->mode < 0 ? 0666 : 0600);
    if (fd < 0)
        return -1;
    if (store->mode >= 0 && fchmod(fd, (mode_t) store->mode) != 0) {
        int failed = errno;
        unlink(name);
        close(fd);
        errno = failed;
        return -1;
    }
    *path = g_steal_pointer(&name);
    return fd;
}

/* File systems that know no RENAME_NOREPLACE (NFS) have hard links, and the other way round (FAT). */
int file_name_new(const char *from, const char *to)
{
    if (renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0)
        return 0;
    if (errno != EINVAL && errno != ENOSYS && errno != ENOTSUP)
        return errno;
    return link(from, to) == 0 ? 0 : errno;
}
