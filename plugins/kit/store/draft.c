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

struct StoreDraft {
    FileStore *store;
    char *path;
    int fd;
    off_t size; /* taken so far */
    bool named; /* the object is there */
};

/* Ours alone, and not tidied away between its creation and the lock. */
static bool keep_alive(int fd)
{
    struct stat info;
    return flock(fd, LOCK_EX | LOCK_NB) == 0 && fstat(fd, &info) == 0 && info.st_nlink == 1;
}

StoreDraft *file_draft(Store *base)
{
    FileStore *store = (FileStore *) base;
    if (store->drafts >= DRAFTS_MAX)
        return NULL;
    g_autofree char *path =
        g_strdup_printf("%s/%08x-%" G_GUINT64_FORMAT SUFFIX, store->temporary, store->run, store->next++);
    int fd = open(path, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (fd < 0)
        return NULL;
    if (!keep_alive(fd)) {
        unlink(path);
        close(fd);
        return NULL;
    }
    StoreDraft *draft = g_new0(StoreDraft, 1);
    draft->store = store;
    draft->path = g_steal_pointer(&path);
    draft->fd = fd;
    store->drafts++;
    return draft;
}

size_t store_draft_write(StoreDraft *draft, const char *data, size_t size)
{
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

void store_draft_free(StoreDraft *draft)
{
    if (!draft)
        return;
    if (!draft->named)
        unlink(draft->path);
    close(draft->fd);
    draft->store->drafts--;
    g_free(draft->path);
    g_free(draft);
}

SfStatus file_draft_end(StoreDraft *draft, GBytes *rest, SfError *err)
{
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

const char *file_draft_path(const StoreDraft *draft)
{
    return draft->named ? NULL : draft->path;
}

int file_draft_name(StoreDraft *draft, const char *path)
{
    if (!draft->named && rename(draft->path, path) != 0)
        return errno;
    draft->named = true;
    return 0;
}

bool file_draft_tidy(const char *path)
{
    if (!g_str_has_suffix(path, SUFFIX))
        return false;
    int fd = open(path, O_WRONLY | O_CLOEXEC | O_NOFOLLOW);
    if (fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0)
        unlink(path);
    if (fd >= 0)
        close(fd);
    return true;
}
