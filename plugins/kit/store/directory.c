/* Directories of the local store: made with what is above them, and the temporary one kept tidy. */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define STALE_S 3600 /* a temporary file that nobody has finished for so long was left by a process that died */

Touched touched_new(void)
{
    return (Touched){.paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
}

void touched_done(Touched *touched)
{
    g_clear_pointer(&touched->paths, g_hash_table_unref);
}

/* Whoever may read files may enter directories. */
static mode_t directory_mode(const FileStore *store)
{
    return store->mode < 0 ? 0777 : (mode_t) (store->mode | (store->mode & 0444) >> 2);
}

/* 0, or errno; EEXIST where there is one. */
static int make_one(const FileStore *store, const char *path, const Touched *touched)
{
    if (mkdir(path, 0777) == 0) {
        if (store->mode >= 0 && chmod(path, directory_mode(store)) != 0)
            return errno;
        g_hash_table_add(touched->paths, g_path_get_dirname(path));
        return 0;
    }
    return errno == EEXIST && !g_file_test(path, G_FILE_TEST_IS_DIR) ? ENOTDIR : errno;
}

SfStatus file_make_directories(const FileStore *store, const char *path, const Touched *touched, SfError *err)
{
    int failed = make_one(store, path, touched);
    g_autofree char *parent = g_path_get_dirname(path);
    if (failed == ENOENT && !g_str_equal(parent, path)) {
        SF_TRY(file_make_directories(store, parent, touched, err));
        failed = make_one(store, path, touched);
    }
    if (failed == ENOENT) /* below a directory that is there: /proc, or one that was deleted */
        return sf_fail(err, SF_CONFIG, "cannot create directory '%s': nothing can be created in '%s'", path, parent);
    return failed && failed != EEXIST ? file_fail(err, "create directory", path, failed) : SF_OK;
}

static void tidy_one(int directory, const char *name)
{
    struct stat info;
    if (name[0] == '.' || file_draft_tidy(directory, name))
        return;
    bool stale = fstatat(directory, name, &info, AT_SYMLINK_NOFOLLOW) == 0 && S_ISREG(info.st_mode) &&
                 time(NULL) - info.st_mtime > STALE_S;
    if (stale)
        unlinkat(directory, name, 0);
}

/* Takes the descriptor over. */
static void tidy(int directory)
{
    DIR *dir = fdopendir(directory);
    const struct dirent *entry;
    while (dir && (entry = readdir(dir)))
        tidy_one(directory, entry->d_name);
    if (dir)
        closedir(dir);
    else
        close(directory);
}

/* The first directory, from the store's own upward, where everybody could change what the next name leads to; above the
 * store's own the sticky bit prevents that. NULL: none. */
static char *open_to_all(const FileStore *store)
{
    g_autofree char *path = g_strdup(store->root);
    for (bool above = false;; above = true) {
        struct stat info;
        bool open = stat(path, &info) == 0 && (info.st_mode & S_IWOTH) && !(above && (info.st_mode & S_ISVTX));
        if (open)
            return g_steal_pointer(&path);
        char *parent = g_path_get_dirname(path);
        bool top = g_str_equal(parent, path);
        g_free(path);
        path = parent;
        if (top)
            return NULL;
    }
}

void file_warn_of_others(FileStore *store)
{
    g_autofree char *path = store->warned || !store->base.node ? NULL : open_to_all(store);
    if (!path)
        return;
    store->warned = true;
    sf_log(store->base.node, SF_LOG_WARNING,
           "'%s' can be written by everybody on this machine, who may put a link to another place, or an object of "
           "their own, where ours go; take that permission away (chmod o-w)",
           path);
}

/* What is below a link belongs to somebody else, and old files there are no litter of ours. */
SfStatus file_open_temporary(FileStore *store, const Touched *touched, SfError *err)
{
    SF_TRY(file_make_directories(store, store->temporary, touched, err));
    int fd = open(store->temporary, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
    int failed = fd < 0 ? errno : 0;
    if (failed == ELOOP || failed == ENOTDIR)
        return sf_fail(err, SF_CONFIG, "'%s' is a link, or not a directory; remove it", store->temporary);
    if (failed)
        return file_fail(err, "open directory", store->temporary, failed);
    tidy(fd);
    if (access(store->temporary, W_OK | X_OK) != 0)
        return file_fail(err, "write to directory", store->root, errno);
    return SF_OK;
}
