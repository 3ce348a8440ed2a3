/* Reading objects of the local store. A link in an object's place was not made by us, and is not followed. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <libdeflate.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "file.h"

#define PIECE (64 << 10)

typedef int Descriptor;

static void descriptor_close(Descriptor *fd)
{
    if (*fd >= 0)
        close(*fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Descriptor, descriptor_close)

static SfStatus fail_read(SfError *err, const char *action, const char *path, int error)
{
    if (error == ELOOP)
        return sf_fail(err, SF_CONFIG, "cannot %s '%s': it is a symbolic link, and those are not followed", action,
                       path);
    return file_fail(err, action, path, error);
}

/* SF_EMPTY when there is no such file. */
static SfStatus open_object(const char *path, int *fd, int64_t *size, SfError *err)
{
    struct stat info;
    g_auto(Descriptor) opened = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW | O_NONBLOCK);
    if (opened < 0)
        return errno == ENOENT || errno == ENOTDIR ? SF_EMPTY : fail_read(err, "open", path, errno);
    if (fstat(opened, &info) != 0)
        return file_fail(err, "look at", path, errno);
    if (!S_ISREG(info.st_mode))
        return SF_EMPTY;
    *size = info.st_size;
    *fd = opened;
    opened = -1;
    return SF_OK;
}

static SfStatus file_stat(const FileStore *store, const char *key, int64_t *size, SfError *err)
{
    g_autofree char *path = file_path(store, key);
    struct stat info;
    if (lstat(path, &info) != 0)
        return errno == ENOENT || errno == ENOTDIR ? SF_EMPTY : file_fail(err, "look at", path, errno);
    if (S_ISLNK(info.st_mode))
        return fail_read(err, "look at", path, ELOOP);
    if (!S_ISREG(info.st_mode))
        return SF_EMPTY;
    *size = info.st_size;
    return SF_OK;
}

SfStatus file_stat_all(Store *base, const char *const *keys, int64_t *sizes, size_t n, SfError *err)
{
    for (size_t i = 0; i < n; i++) {
        sizes[i] = -1;
        SfStatus status = file_stat((FileStore *) base, keys[i], &sizes[i], err);
        if (status != SF_OK && status != SF_EMPTY)
            return status;
    }
    return SF_OK;
}

/* As much as there is; fewer bytes than asked only at the end. -1 and errno. */
static ssize_t read_fully(int fd, char *to, size_t size)
{
    size_t filled = 0;
    while (filled < size) {
        ssize_t got = read(fd, to + filled, size - filled);
        if (got < 0 && errno == EINTR)
            continue;
        if (got < 0)
            return -1;
        if (got == 0)
            break;
        filled += (size_t) got;
    }
    return (ssize_t) filled;
}

static SfStatus sum_one(const FileStore *store, const char *key, StoreSum *sum, SfError *err)
{
    g_autofree char *path = file_path(store, key);
    g_autofree char *piece = g_malloc(PIECE);
    g_auto(Descriptor) fd = -1;
    int64_t size;
    *sum = (StoreSum){.size = -1};
    SF_TRY(open_object(path, &fd, &size, err));
    *sum = (StoreSum){.size = 0};
    for (ssize_t got = PIECE; got == PIECE;) {
        got = read_fully(fd, piece, PIECE);
        if (got < 0)
            return file_fail(err, "read", path, errno);
        sum->size += got;
        sum->crc32 = libdeflate_crc32(sum->crc32, piece, (size_t) got);
    }
    return SF_OK;
}

SfStatus file_sum_all(Store *base, const char *const *keys, StoreSum *sums, size_t n, SfError *err)
{
    for (size_t i = 0; i < n; i++) {
        SfStatus status = sum_one((FileStore *) base, keys[i], &sums[i], err);
        if (status != SF_OK && status != SF_EMPTY)
            return status;
    }
    return SF_OK;
}

SfStatus file_get(Store *base, const char *key, int64_t limit, GBytes **out, SfError *err)
{
    g_autofree char *path = file_path((FileStore *) base, key);
    g_auto(Descriptor) fd = -1;
    int64_t size = 0;
    SfStatus found = open_object(path, &fd, &size, err);
    if (found != SF_OK)
        return found;
    if (size > limit)
        return sf_fail(err, SF_FATAL, "'%s' has %" PRId64 " bytes, more than the %" PRId64 " that it may have", path,
                       size, limit);
    g_autofree char *data = g_try_malloc((gsize) size + 1);
    if (!data)
        return sf_fail(err, SF_FATAL, "no memory for the %" PRId64 " bytes of '%s'", size, path);
    ssize_t got = read_fully(fd, data, (size_t) size);
    if (got < 0)
        return file_fail(err, "read", path, errno);
    *out = g_bytes_new_take(g_steal_pointer(&data), (gsize) got);
    return SF_OK;
}

SfStatus file_read(Store *base, const char *key, int64_t offset, int64_t size, GBytes **out, SfError *err)
{
    g_autofree char *path = file_path((FileStore *) base, key);
    g_auto(Descriptor) fd = -1;
    int64_t whole = 0;
    SfStatus found = open_object(path, &fd, &whole, err);
    if (found != SF_OK)
        return found;
    size = CLAMP(whole - offset, 0, size);
    g_autofree char *data = g_try_malloc((gsize) size + 1);
    if (!data)
        return sf_fail(err, SF_FATAL, "no memory for %" PRId64 " bytes of '%s'", size, path);
    if (lseek(fd, offset, SEEK_SET) < 0)
        return file_fail(err, "read", path, errno);
    ssize_t got = read_fully(fd, data, (size_t) size);
    if (got < 0)
        return file_fail(err, "read", path, errno);
    *out = g_bytes_new_take(g_steal_pointer(&data), (gsize) got);
    return SF_OK;
}

bool file_holds(const char *path, GBytes *body)
{
    g_autofree char *piece = g_malloc(PIECE);
    g_auto(Descriptor) fd = -1;
    gsize size;
    int64_t there = 0;
    const char *data = g_bytes_get_data(body, &size);
    if (open_object(path, &fd, &there, NULL) != SF_OK || there != (int64_t) size)
        return false;
    for (gsize at = 0; at < size;) {
        size_t count = MIN(size - at, PIECE);
        if (read_fully(fd, piece, count) != (ssize_t) count || memcmp(piece, data + at, count) != 0)
            return false;
        at += count;
    }
    return true;
}
