/* Finds files and tells them apart: a path alone would take a file that replaced another for the rest of that one. */
#include "files.h"

#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { FIRST_BYTES = 1024 }; /* of the first line, that tell a file from others */

typedef int Descriptor;

static void descriptor_close(Descriptor *fd)
{
    if (*fd >= 0)
        close(*fd);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Descriptor, descriptor_close)

void found_free(Found *found)
{
    if (!found)
        return;
    g_free(found->path);
    g_free(found->name);
    g_free(found);
}

static gint compare_paths(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static bool is_hidden(const char *name)
{
    return name[0] == '.' || name[0] == '_' || g_str_has_suffix(name, ".tmp");
}

static SfStatus list_directory(const char *path, GPtrArray *out, SfError *err)
{
    g_autoptr(GError) error = NULL;
    g_autoptr(GDir) dir = g_dir_open(path, 0, &error);
    if (!dir)
        return sf_fail(err, SF_RETRY, "cannot read directory '%s': %s", path, error->message);
    for (const char *name; (name = g_dir_read_name(dir));) {
        g_autofree char *file = g_build_filename(path, name, NULL);
        if (!is_hidden(name) && g_file_test(file, G_FILE_TEST_IS_REGULAR))
            g_ptr_array_add(out, g_steal_pointer(&file));
    }
    g_ptr_array_sort(out, compare_paths);
    return SF_OK;
}

static SfStatus list_glob(const char *pattern, GPtrArray *out, SfError *err)
{
    glob_t found = {0};
    int error = glob(pattern, 0, NULL, &found);
    for (size_t i = 0; error == 0 && i < found.gl_pathc; i++)
        if (g_file_test(found.gl_pathv[i], G_FILE_TEST_IS_REGULAR))
            g_ptr_array_add(out, g_strdup(found.gl_pathv[i]));
    globfree(&found);
    if (error != 0 && error != GLOB_NOMATCH)
        return sf_fail(err, SF_RETRY, "cannot look for files '%s': %s", pattern,
                       error == GLOB_NOSPACE ? "out of memory" : "a directory cannot be read");
    return SF_OK;
}

static bool is_glob(const char *path)
{
    return strpbrk(path, "*?[") && !g_file_test(path, G_FILE_TEST_EXISTS);
}

bool files_may_be_none(const char *path)
{
    return is_glob(path) || g_file_test(path, G_FILE_TEST_IS_DIR);
}

SfStatus files_find(const char *path, GPtrArray **out, SfError *err)
{
    g_autoptr(GPtrArray) files = g_ptr_array_new_with_free_func(g_free);
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        SF_TRY(list_directory(path, files, err));
    else if (is_glob(path))
        SF_TRY(list_glob(path, files, err));
    else if (g_file_test(path, G_FILE_TEST_EXISTS))
        g_ptr_array_add(files, g_strdup(path));
    *out = g_steal_pointer(&files);
    return SF_OK;
}

/* The first line's bytes, as far as they count; 0 when it is not there in full. */
static ssize_t read_first(int fd, bool whole, char *first)
{
    ssize_t size = pread(fd, first, FIRST_BYTES, 0);
    if (size <= 0)
        return size;
    const char *end = memchr(first, '\n', (size_t) size);
    if (end)
        return end - first + 1;
    return whole || size == FIRST_BYTES ? size : 0;
}

SfStatus files_identify(const char *path, bool whole, Found **out, SfError *err)
{
    char first[FIRST_BYTES];
    struct stat info;
    g_auto(Descriptor) fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0 && errno == ENOENT)
        return SF_EMPTY;
    if (fd < 0 || fstat(fd, &info) != 0)
        return sf_fail(err, SF_RETRY, "cannot read '%s': %s", path, g_strerror(errno));
    if (!S_ISREG(info.st_mode))
        return sf_fail(err, SF_CONFIG, "'%s' is no regular file; lines are read from files that can be read again",
                       path);
    ssize_t size = read_first(fd, whole, first);
    if (size < 0)
        return sf_fail(err, SF_RETRY, "cannot read '%s': %s", path, g_strerror(errno));
    if (size == 0)
        return SF_EMPTY;
    g_autofree char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *) first, (gsize) size);
    g_autoptr(Found) found = g_new0(Found, 1);
    found->path = g_strdup(path);
    found->name = g_strdup_printf("%s#%.8s", path, hash);
    found->device = info.st_dev;
    found->inode = info.st_ino;
    found->size = info.st_size;
    *out = g_steal_pointer(&found);
    return SF_OK;
}
