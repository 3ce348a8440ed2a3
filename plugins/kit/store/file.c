/* Objects as files below a local directory, durable against power loss: a body is written to a temporary file in
 * <root>/.sf-tmp, synced, and given its name by rename(2), or by link(2) where it must be new. Listing is in
 * walk.c. */
#include "file.h"
#include "local_path.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#define KNOWN_MAX 10000

SfStatus file_fail(SfError *err, const char *action, const char *path, int error)
{
    bool wrong_path = error == ENAMETOOLONG || error == ENOTDIR || error == EISDIR || error == ELOOP || error == EINVAL;
    return sf_fail(err, wrong_path ? SF_CONFIG : SF_RETRY, "cannot %s '%s': %s", action, path, g_strerror(error));
}

char *file_path(const FileStore *store, const char *key)
{
    return g_build_filename(store->root, key, NULL);
}

static int write_fully(int fd, const char *data, gsize size)
{
    while (size > 0) {
        ssize_t written = write(fd, data, size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return errno;
        data += written;
        size -= (gsize) written;
    }
    return 0;
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

/* Writes the body to a new temporary file, which starts on its way to the disk. Messages name the directory: the file's
 * name is another one at each try, and says nothing to anybody. */
static SfStatus stage(FileStore *store, GBytes *body, const Touched *touched, char **out, SfError *err)
{
    gsize size;
    const char *data = g_bytes_get_data(body, &size);
    g_autofree char *path = NULL;
    int fd = file_create_temporary(store, "", &path);
    if (fd < 0 && errno == ENOENT) { /* somebody tidied up */
        SF_TRY(file_make_directories(store, store->temporary, touched, err));
        fd = file_create_temporary(store, "", &path);
    }
    if (fd < 0)
        return file_fail(err, "write to directory", store->temporary, errno);
    int failed = write_fully(fd, data, size);
    if (!failed)
        sync_file_range(fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    close(fd);
    if (failed) {
        unlink(path);
        return file_fail(err, "write to directory", store->temporary, failed);
    }
    *out = g_steal_pointer(&path);
    return SF_OK;
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

static int name_any(const char *from, const char *to)
{
    return rename(from, to) == 0 ? 0 : errno;
}

/* The directory has got a name, and those above it have to be durable too: a process that made them may have died
 * before it could see to that. */
static void touch(const FileStore *store, const char *path, const Touched *touched)
{
    g_autofree char *directory = g_path_get_dirname(path);
    while (!g_hash_table_contains(store->known, directory) && strlen(directory) > strlen(store->root)) {
        char *above = g_path_get_dirname(directory);
        g_hash_table_add(touched->paths, directory);
        directory = above;
    }
    g_hash_table_add(touched->paths, g_steal_pointer(&directory));
}

static int give_name(const StoreObject *object, const char *staged, const char *path)
{
    if (object->draft)
        return file_draft_name(object->draft, path, object->only_new);
    return object->only_new ? file_name_new(staged, path) : name_any(staged, path);
}

static SfStatus publish(FileStore *store, StoreObject *object, const char *staged, const Touched *touched, SfError *err)
{
    g_autofree char *path = file_path(store, object->key);
    int failed = give_name(object, staged, path);
    if (failed == ENOENT) {
        g_autofree char *directory = g_path_get_dirname(path);
        SF_TRY(file_make_directories(store, directory, touched, err));
        failed = give_name(object, staged, path);
    }
    if (failed && !(failed == EEXIST && object->only_new))
        return file_fail(err, "create", path, failed);
    object->created = !failed || (!object->draft && file_holds(path, object->body));
    touch(store, path, touched);
    return SF_OK;
}

static SfStatus sync_touched(const Touched *touched, SfError *err)
{
    guint n;
    g_autofree gpointer *paths = g_hash_table_get_keys_as_array(touched->paths, &n);
    return file_sync_all((const char *const *) paths, n, true, err);
}

static void remember(const FileStore *store, const Touched *touched)
{
    if (g_hash_table_size(store->known) > KNOWN_MAX)
        g_hash_table_remove_all(store->known);
    g_autoptr(GList) paths = g_hash_table_get_keys(touched->paths);
    g_hash_table_steal_all(touched->paths);
    for (const GList *at = paths; at; at = at->next)
        g_hash_table_add(store->known, at->data);
}

/* After a failed sync nobody knows which pages are lost, and a second one would find none of them. Bodies are staged
 * anew then; what went into a draft has to be read again by its writer. */
static SfStatus sync_bodies(const StoreObject *objects, size_t n, char *const *staged, SfError *err)
{
    g_autofree const char **paths = g_new(const char *, n);
    size_t m = 0;
    bool drafts = false;
    for (size_t i = 0; i < n; i++) {
        const char *path = objects[i].draft ? file_draft_path(objects[i].draft) : staged[i];
        drafts = drafts || objects[i].draft;
        if (path)
            paths[m++] = path;
    }
    SfStatus status = file_sync_all(paths, m, false, err);
    return status != SF_OK && drafts ? sf_fail_prefix(err, SF_FENCED, "what was written may be lost") : status;
}

/* First all bodies, so that the disk has them in work at once, then the syncs, then the names. */
static SfStatus put_staged(FileStore *store, StoreObject *objects, size_t n, char **staged, SfError *err)
{
    g_auto(Touched) touched = touched_new();
    for (size_t i = 0; i < n; i++)
        SF_TRY(objects[i].draft ? file_draft_end(objects[i].draft, objects[i].body, err)
                                : stage(store, objects[i].body, &touched, &staged[i], err));
    SF_TRY(sync_bodies(objects, n, staged, err));
    for (size_t i = 0; i < n; i++)
        SF_TRY(publish(store, &objects[i], staged[i], &touched, err));
    SF_TRY(sync_touched(&touched, err));
    remember(store, &touched);
    return SF_OK;
}

static SfStatus put_all(Store *base, StoreObject *objects, size_t n, SfError *err)
{
    FileStore *store = (FileStore *) base;
    g_autofree char **staged = g_new0(char *, n);
    SfStatus status = put_staged(store, objects, n, staged, err);
    for (size_t i = 0; i < n; i++) {
        objects[i].created &= status == SF_OK; /* else its name may not be durable */
        if (staged[i])
            unlink(staged[i]); /* gone already where rename(2) took it */
        g_free(staged[i]);
    }
    return status;
}

static SfStatus file_remove_all(Store *base, const char *const *keys, size_t n, SfError *err)
{
    g_auto(Touched) touched = touched_new();
    for (size_t i = 0; i < n; i++) {
        g_autofree char *path = file_path((FileStore *) base, keys[i]);
        if (unlink(path) == 0)
            g_hash_table_add(touched.paths, g_path_get_dirname(path));
        else if (errno != ENOENT && errno != ENOTDIR)
            return file_fail(err, "delete", path, errno);
    }
    return sync_touched(&touched, err);
}

/* Two files for one name: the second must not get it, or two processes would overwrite each other. */
static SfStatus prove_new(FileStore *store, SfError *err)
{
    char *paths[2] = {NULL, NULL};
    g_autofree char *name = g_strdup_printf("%s/%08x-probe", store->temporary, store->run);
    int failed = 0, taken = EEXIST;
    for (int i = 0; i < 2 && !failed; i++) {
        int fd = file_create_temporary(store, "", &paths[i]);
        failed = fd < 0 ? errno : 0;
        if (fd >= 0)
            close(fd);
    }
    if (!failed)
        failed = file_name_new(paths[0], name);
    if (!failed)
        taken = file_name_new(paths[1], name);
    unlink(name);
    for (int i = 0; i < 2; i++) {
        if (paths[i])
            unlink(paths[i]);
        g_free(paths[i]);
    }
    bool cannot = failed == EPERM || failed == EINVAL || failed == ENOTSUP || failed == ENOSYS || taken != EEXIST;
    if (cannot)
        return sf_fail(err, SF_CONFIG,
                       "the file system of '%s' cannot create a name only if it is new (neither link(2) nor "
                       "RENAME_NOREPLACE), without which nothing is exactly once; use another one",
                       store->root);
    return failed ? file_fail(err, "write to directory", store->temporary, failed) : SF_OK;
}

static SfStatus file_open(Store *base, SfError *err)
{
    FileStore *store = (FileStore *) base;
    g_auto(Touched) touched = touched_new();
    SF_TRY(file_open_temporary(store, &touched, err));
    file_warn_of_others(store);
    SF_TRY(sync_touched(&touched, err));
    return prove_new(store, err);
}

static void file_free(Store *base)
{
    FileStore *store = (FileStore *) base;
    g_free(store->root);
    g_free(store->temporary);
    g_hash_table_unref(store->known);
    g_free(store);
}

static const StoreBackend backend = {
    .open = file_open,
    .get = file_get,
    .stat_all = file_stat_all,
    .sum_all = file_sum_all,
    .draft_unit = file_draft_unit,
    .draft = file_draft,
    .put_all = put_all,
    .list = file_list,
    .remove_all = file_remove_all,
    .free = file_free,
};

/* Octal digits, or NULL for none; -1: as the umask says. */
static SfStatus read_mode(const char *text, int *mode, SfError *err)
{
    *mode = -1;
    if (!text || !*text)
        return SF_OK;
    bool octal = strlen(text) <= 4 && strspn(text, "01234567") == strlen(text);
    guint64 value = octal ? g_ascii_strtoull(text, NULL, 8) : 0;
    if (!octal || value > 0777 || (value & 0600) != 0600)
        return sf_fail(err, SF_CONFIG,
                       "mode '%s' is none of a file that its owner reads and writes; write octal digits, such as "
                       "'0640', in quotes",
                       text);
    *mode = (int) value;
    return SF_OK;
}

static SfStatus read_root(const char *path, char **root, SfError *err)
{
    SF_TRY(local_path_absolute("url", path, root, err));
    if (!g_str_equal(*root, "/"))
        return SF_OK;
    g_clear_pointer(root, g_free);
    return sf_fail(err, SF_CONFIG, "url names the root directory; give the objects a directory of their own");
}

SfStatus store_file_check(const StoreOptions *options, const char *path, SfError *err)
{
    int mode;
    g_autofree char *root = NULL;
    SF_TRY(read_mode(options->mode, &mode, err));
    return read_root(path, &root, err);
}

Store *store_file_new(const StoreOptions *options, const char *path, SfError *err)
{
    int mode;
    g_autofree char *root = NULL;
    if (read_mode(options->mode, &mode, err) != SF_OK || read_root(path, &root, err) != SF_OK)
        return NULL;
    FileStore *store = g_new0(FileStore, 1);
    store->base.backend = &backend;
    store->mode = mode;
    store->temporary = g_build_filename(root, STORE_FILE_TEMPORARY, NULL);
    store->root = g_steal_pointer(&root);
    store->run = g_random_int();
    store->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return &store->base;
}
