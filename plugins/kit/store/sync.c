/* Making many files or directories durable at once. A file system answers syncs that wait together with one write of
 * its journal and one flush of the disk; one after the other each waits for its own. */
#include "file.h"

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#define WORKERS 16

typedef struct Job {
    const char *const *paths;
    gint n;
    bool directories;
    gint next;   /* atomic */
    gint failed; /* atomic; number of the first path that was found to fail + 1, or 0 */
    int error;   /* of that one */
} Job;

/* 0, or errno. */
static int sync_path(const char *path, bool directory)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | (directory ? O_DIRECTORY : 0));
    if (fd < 0)
        return errno;
    int failed = fsync(fd) ? errno : 0;
    close(fd);
    /* Some network file systems cannot sync a directory; their servers make names durable by themselves. */
    return directory && (failed == EINVAL || failed == ENOTSUP) ? 0 : failed;
}

static gpointer work(gpointer data)
{
    Job *job = data;
    for (;;) {
        gint number = g_atomic_int_add(&job->next, 1);
        if (number >= job->n)
            return NULL;
        int error = sync_path(job->paths[number], job->directories);
        if (error && g_atomic_int_compare_and_exchange(&job->failed, 0, number + 1))
            job->error = error;
    }
}

SfStatus file_sync_all(const char *const *paths, size_t n, bool directories, SfError *err)
{
    g_return_val_if_fail(n <= G_MAXINT - WORKERS, SF_FATAL);
    Job job = {.paths = paths, .n = (gint) n, .directories = directories};
    GThread *workers[WORKERS] = {NULL};
    for (size_t i = 1; i < MIN(n, WORKERS); i++)
        workers[i] = g_thread_try_new("sf-sync", work, &job, NULL); /* fewer will do */
    work(&job);
    for (size_t i = 1; i < WORKERS; i++)
        if (workers[i])
            g_thread_join(workers[i]);
    if (job.failed == 0)
        return SF_OK;
    return file_fail(err, directories ? "sync directory" : "sync", paths[job.failed - 1], job.error);
}

SfStatus file_sync_touched(const Touched *touched, SfError *err)
{
    guint n;
    g_autofree gpointer *paths = g_hash_table_get_keys_as_array(touched->paths, &n);
    return file_sync_all((const char *const *) paths, n, true, err);
}
