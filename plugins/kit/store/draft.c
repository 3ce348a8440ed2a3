/* Drafts of the local store: bodies that go to their temporary file as they come. A lock tells the living from what a
 * dead process left behind, whatever their age. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#define DRAFTS_MAX 128 /* open files of one store: half of what a process may have by default, and some more */
#define SUFFIX ".draft"
#define UNIT ((size_t) 64 << 10) /* worth a system call, and still in a cache */

typedef struct FileDraft {
    StoreDraft base;
    FileStore *store;
    char *path;
    int fd;
    off_t size; /* taken so far */
    bool named; /* the object is there */
} FileDraft;

/* Ours alone, and not tidied away between its creation and the lock. */
static bool keep_alive(int fd)
{
    struct stat info;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &info) == 0 && info.st_nlink == 1;
}

static size_t draft_write(StoreDraft *base, const char *data, size_t size)
{
    FileDraft *draft = (FileDraft *) base;
    size_t taken = 0;
    while (taken < size) {
        ssize_t written = pwrite(draft->fd, data + taken, size - taken, draft->size);
        if (written < 0 && errno == EINTR)
            continue;
        if (written <= 0)
            break;
        taken += (size_t) written;
        draft->size += written;
    }
    return taken;
}

static void draft_free(StoreDraft *base)
{
    FileDraft *draft = (FileDraft *) base;
    if (!draft->named)
        unlink(draft->path);
    close(draft->fd);
    draft->store->drafts--;
    g_free(draft->path);
    g_free(draft);
}

size_t file_draft_unit(const Store *store)
{
    (void) store;
    return UNIT;
}

StoreDraft *file_draft(Store *base, const char *key)
{
    (void) key;
    FileStore *store = (FileStore *) base;
    if (store->drafts >= DRAFTS_MAX)
        return NULL;
    g_autofree char *path = NULL;
    int fd = file_create_temporary(store, SUFFIX, &path);
    if (fd < 0)
        return NULL;
    if (!keep_alive(fd)) {
        unlink(path);
        close(fd);
        return NULL;
    }
    FileDraft *draft = g_new0(FileDraft, 1);
    draft->base = (StoreDraft){.write = draft_write, .free = draft_free};
    draft->store = store;
    draft->path = g_steal_pointer(&path);
    draft->fd = fd;
    store->drafts++;
    return &draft->base;
}

SfStatus file_draft_end(StoreDraft *base, GBytes *rest, SfError *err)
{
    FileDraft *draft = (FileDraft *) base;
    gsize size, done = 0;
    const char *data = g_bytes_get_data(rest, &size);
    while (done < size && !draft->named) {
        ssize_t written = pwrite(draft->fd, data + done, size - done, draft->size + (off_t) done);
        if (written < 0 && errno == EINTR)
            continue;
        if (written < 0)
            return file_fail(err, "write", draft->path, errno);
        done += (gsize) written;
    }
    if (!draft->named)
        sync_file_range(draft->fd, 0, 0, SYNC_FILE_RANGE_WRITE);
    return SF_OK;
}

const char *file_draft_path(const StoreDraft *base)
{
    const FileDraft *draft = (const FileDraft *) base;
    return draft->named ? NULL : draft->path;
}

/* Over a network the answer to a link(2) may be lost and the call repeated: two names say that it was ours. */
static bool has_two_names(int fd)
{
    struct stat info;
    return fstat(fd, &info) == 0 && info.st_nlink == 2;
}

int file_draft_name(StoreDraft *base, const char *path, bool only_new)
{
    FileDraft *draft = (FileDraft *) base;
    if (draft->named)
        return 0;
    int failed = only_new ? file_name_new(draft->path, path) : rename(draft->path, path) == 0 ? 0 : errno;
    if (failed == EEXIST && has_two_names(draft->fd))
        failed = 0;
    if (failed)
        return failed;
    draft->named = true;
    unlink(draft->path); /* gone already where rename(2) took it */
    return 0;
}

bool file_draft_tidy(int directory, const char *name)
{
    if (!g_str_has_suffix(name, SUFFIX))
        return false;
    int fd = openat(directory, name, O_WRONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlinkat(directory, name, 0);
    if (fd >= 0)
        close(fd);
    return true;
}
