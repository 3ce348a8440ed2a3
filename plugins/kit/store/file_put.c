/* Writing and deleting objects of the local store, durable against power loss: a body is written to a temporary file in
 * <root>/.sf-tmp, synced, and given its name by rename(2), or by link(2) where it must be new. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#define KNOWN_MAX 10000

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
    SF_TRY(file_sync_touched(&touched, err));
    remember(store, &touched);
    return SF_OK;
}

SfStatus file_put_all(Store *base, StoreObject *objects, size_t n, SfError *err)
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

SfStatus file_remove_all(Store *base, const char *const *keys, size_t n, SfError *err)
{
    g_auto(Touched) touched = touched_new();
    for (size_t i = 0; i < n; i++) {
        g_autofree char *path = file_path((FileStore *) base, keys[i]);
        if (unlink(path) == 0)
            g_hash_table_add(touched.paths, g_path_get_dirname(path));
        else if (errno != ENOENT && errno != ENOTDIR)
            return file_fail(err, "delete", path, errno);
    }
    return file_sync_touched(&touched, err);
}
