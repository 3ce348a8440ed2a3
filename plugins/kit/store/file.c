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
#include <time.h>
#include <unistd.h>

#define STALE_S 3600 /* a temporary file that nobody has finished for so long was left by a process that died */
#define KNOWN_MAX 10000

/* Directories that got a new name and are to be synced, each once. */
typedef struct Touched {
    GHashTable *paths;
} Touched;

static Touched touched_new(void)
{
    return (Touched){.paths = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL)};
}

static void touched_done(Touched *touched)
{
    g_clear_pointer(&touched->paths, g_hash_table_unref);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Touched, touched_done)

SfStatus file_fail(SfError *err, const char *action, const char *path, int error)
{
    bool wrong_path = error == ENAMETOOLONG || error == ENOTDIR || error == EISDIR || error == ELOOP || error == EINVAL;
    return sf_fail(err, wrong_path ? SF_CONFIG : SF_RETRY, "cannot %s '%s': %s", action, path, g_strerror(error));
}

static char *path_of(const FileStore *store, const char *key)
{
    return g_build_filename(store->root, key, NULL);
}

/* Creates the directory and those above it; the parent of every one that was made is touched. */
static SfStatus make_directories(const char *path, const Touched *touched, SfError *err)
{
    if (mkdir(path, 0777) == 0) {
        g_hash_table_add(touched->paths, g_path_get_dirname(path));
        return SF_OK;
    }
    if (errno == EEXIST)
        return g_file_test(path, G_FILE_TEST_IS_DIR) ? SF_OK : file_fail(err, "create directory", path, ENOTDIR);
    if (errno != ENOENT)
        return file_fail(err, "create directory", path, errno);
    g_autofree char *parent = g_path_get_dirname(path);
    SF_TRY(make_directories(parent, touched, err));
    return make_directories(path, touched, err);
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

/* Writes the body to a new temporary file, which starts on its way to the disk. Messages name the directory: the file's
 * name is another one at each try, and says nothing to anybody. */
static SfStatus stage(FileStore *store, GBytes *body, const Touched *touched, char **out, SfError *err)
{
    gsize size;
    const char *data = g_bytes_get_data(body, &size);
    g_autofree char *path = g_strdup_printf("%s/%08x-%" G_GUINT64_FORMAT, store->temporary, store->run, store->next++);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0 && errno == ENOENT) { /* somebody tidied up */
        SF_TRY(make_directories(store->temporary, touched, err));
        fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
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

/* 0, or errno; EEXIST when the name is taken. File systems without hard links may know RENAME_NOREPLACE. */
static int name_new(const char *from, const char *to)
{
    if (link(from, to) == 0)
        return 0;
    if (errno != EPERM && errno != ENOTSUP && errno != ENOSYS)
        return errno;
    return renameat2(AT_FDCWD, from, AT_FDCWD, to, RENAME_NOREPLACE) == 0 ? 0 : errno;
}

static int name_any(const char *from, const char *to)
{
    return rename(from, to) == 0 ? 0 : errno;
}

/* Whether what lies at path is just this body: our own, named by a call that failed later. */
static bool holds(const char *path, GBytes *body)
{
    g_autoptr(GMappedFile) file = g_mapped_file_new(path, FALSE, NULL);
    if (!file)
        return false;
    g_autoptr(GBytes) there = g_mapped_file_get_bytes(file);
    return g_bytes_equal(there, body);
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
        return file_draft_name(object->draft, path);
    return object->only_new ? name_new(staged, path) : name_any(staged, path);
}

static SfStatus publish(FileStore *store, StoreObject *object, const char *staged, const Touched *touched, SfError *err)
{
    g_autofree char *path = path_of(store, object->key);
    int failed = give_name(object, staged, path);
    if (failed == ENOENT) {
        g_autofree char *directory = g_path_get_dirname(path);
        SF_TRY(make_directories(directory, touched, err));
        failed = give_name(object, staged, path);
    }
    if (failed && !(failed == EEXIST && object->only_new))
        return file_fail(err, "create", path, failed);
    object->created = !failed || holds(path, object->body);
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

static SfStatus file_stat(Store *base, const char *key, int64_t *size, SfError *err)
{
    g_autofree char *path = path_of((FileStore *) base, key);
    struct stat info;
    if (stat(path, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR ? SF_EMPTY : file_fail(err, "look at", path, errno);
    if (!S_ISREG(info.st_mode))
        return SF_EMPTY;
    *size = info.st_size;
    return SF_OK;
}

static SfStatus read_fully(int fd, const char *path, int64_t size, GBytes **out, SfError *err)
{
    g_autofree char *data = g_try_malloc((gsize) size + 1);
    if (!data)
        return sf_fail(err, SF_FATAL, "no memory for the %" PRId64 " bytes of '%s'", size, path);
    int64_t filled = 0;
    while (filled < size) {
        ssize_t got = read(fd, data + filled, (size_t) (size - filled));
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return file_fail(err, "read", path, errno);
        if (got == 0)
            break;
        filled += got;
    }
    *out = g_bytes_new_take(g_steal_pointer(&data), (gsize) filled);
    return SF_OK;
}

static SfStatus file_stat_all(Store *base, const char *const *keys, int64_t *sizes, size_t n, SfError *err)
{
    for (size_t i = 0; i < n; i++) {
        sizes[i] = -1;
        SfStatus status = file_stat(base, keys[i], &sizes[i], err);
        if (status != SF_OK && status != SF_EMPTY)
            return status;
    }
    return SF_OK;
}

static SfStatus file_get(Store *base, const char *key, int64_t limit, GBytes **out, SfError *err)
{
    int64_t size = 0;
    SfStatus found = file_stat(base, key, &size, err);
    if (found != SF_OK)
        return found;
    g_autofree char *path = path_of((FileStore *) base, key);
    if (size > limit)
        return sf_fail(err, SF_FATAL, "'%s' has %" PRId64 " bytes, more than the %" PRId64 " that it may have", path,
                       size, limit);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0)
        return errno == ENOENT ? SF_EMPTY : file_fail(err, "open", path, errno);
    SfStatus status = read_fully(fd, path, size, out, err);
    close(fd);
    return status;
}

static SfStatus file_remove_all(Store *base, const char *const *keys, size_t n, SfError *err)
{
    g_auto(Touched) touched = touched_new();
    for (size_t i = 0; i < n; i++) {
        g_autofree char *path = path_of((FileStore *) base, keys[i]);
        if (unlink(path) == 0)
            g_hash_table_add(touched.paths, g_path_get_dirname(path));
        else if (errno != ENOENT && errno != ENOTDIR)
            return file_fail(err, "delete", path, errno);
    }
    return sync_touched(&touched, err);
}

/* Removes what dead processes left in the temporary directory. */
static void tidy(const FileStore *store)
{
    g_autoptr(GDir) dir = g_dir_open(store->temporary, 0, NULL);
    const char *name;
    while (dir && (name = g_dir_read_name(dir))) {
        g_autofree char *path = g_build_filename(store->temporary, name, NULL);
        struct stat info;
        if (file_draft_tidy(path))
            continue;
        if (lstat(path, &info) == 0 && S_ISREG(info.st_mode) && time(NULL) - info.st_mtime > STALE_S)
            unlink(path);
    }
}

static SfStatus file_open(Store *base, SfError *err)
{
    FileStore *store = (FileStore *) base;
    g_auto(Touched) touched = touched_new();
    SF_TRY(make_directories(store->temporary, &touched, err));
    SF_TRY(sync_touched(&touched, err));
    tidy(store);
    if (access(store->temporary, W_OK | X_OK) != 0)
        return file_fail(err, "write to directory", store->root, errno);
    return SF_OK;
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
    .draft = file_draft,
    .put_all = put_all,
    .list = file_list,
    .remove_all = file_remove_all,
    .free = file_free,
};

SfStatus store_file_check(const char *path, SfError *err)
{
    g_autofree char *root = NULL;
    SF_TRY(local_path_absolute("url", path, &root, err));
    if (g_str_equal(root, "/"))
        return sf_fail(err, SF_CONFIG, "url names the root directory; give the objects a directory of their own");
    return SF_OK;
}

Store *store_file_new(const char *path, SfError *err)
{
    g_autofree char *root = NULL;
    if (local_path_absolute("url", path, &root, err) != SF_OK)
        return NULL;
    FileStore *store = g_new0(FileStore, 1);
    store->base.backend = &backend;
    store->root = g_steal_pointer(&root);
    store->temporary = g_build_filename(store->root, STORE_FILE_TEMPORARY, NULL);
    store->run = g_random_int();
    store->known = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, NULL);
    return &store->base;
}
