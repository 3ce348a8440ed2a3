/* Finds files and tells them apart: a path alone would take a file that replaced another for the rest of that one. */
#include "files.h"

#include <inttypes.h>

#include <errno.h>
#include <glob.h>
#include <string.h>
#include <sys/stat.h>
#include "input.h"
#include "local_path.h"

enum { FIRST_BYTES = 1024 }; /* of the first line, that tell a file from others */

void found_free(Found *found)
{
    if (!found)
        return;
    g_free(found->path);
    g_free(found->name);
    g_free(found->absolute);
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

/* ---- why there is none ----------------------------------------------------------------------------------------- */

enum { LOOK_DEPTH = 16, LOOK_ENTRIES = 10000 };

/* The path of a file somewhere below a directory, from there; NULL when none was found soon. */
static char *file_below(const char *directory, guint depth, guint *looked)
{
    g_autoptr(GDir) dir = depth < LOOK_DEPTH ? g_dir_open(directory, 0, NULL) : NULL;
    for (const char *name; dir && (name = g_dir_read_name(dir)) && ++*looked < LOOK_ENTRIES;) {
        g_autofree char *path = g_build_filename(directory, name, NULL);
        if (is_hidden(name) || g_file_test(path, G_FILE_TEST_IS_SYMLINK))
            continue;
        if (g_file_test(path, G_FILE_TEST_IS_REGULAR))
            return g_strdup(name);
        g_autofree char *rest = g_file_test(path, G_FILE_TEST_IS_DIR) ? file_below(path, depth + 1, looked) : NULL;
        if (rest)
            return g_build_filename(name, rest, NULL);
    }
    return NULL;
}

/* What matches the file and those beside it: of out/sales/day=1/a.json, a wildcard for the day and one for a. */
static char *pattern_for(const char *directory, const char *file)
{
    g_auto(GStrv) parts = g_strsplit(file, "/", -1);
    guint n = g_strv_length(parts);
    g_autoptr(GString) out = g_string_new(directory);
    if (!g_str_has_suffix(directory, "/"))
        g_string_append_c(out, '/');
    for (guint i = 0; i + 1 < n; i++)
        g_string_append_printf(out, "%s/", i == 0 ? parts[i] : "*");
    const char *dot = strrchr(parts[n - 1], '.');
    g_string_append_printf(out, "*%s", dot && dot > parts[n - 1] ? dot : "");
    return g_string_free(g_steal_pointer(&out), FALSE);
}

static SfStatus explain_directory(const char *path, SfError *err)
{
    guint looked = 0;
    g_autofree char *file = file_below(path, 0, &looked);
    if (!file)
        return sf_fail(err, SF_EMPTY,
                       "there is no file in directory '%s' (names that begin with '.' or '_', or end in .tmp, are left "
                       "out)",
                       path);
    g_autofree char *pattern = pattern_for(path, file);
    return sf_fail(err, SF_CONFIG,
                   "path: directory '%s' has directories only, and files in those, such as '%s'; write a pattern such "
                   "as '%s'",
                   path, file, pattern);
}

/* The part of a pattern before its first segment with a wildcard. */
static char *fixed_part(const char *pattern)
{
    const char *wild = strpbrk(pattern, "*?[");
    const char *slash = g_strrstr_len(pattern, wild - pattern, "/");
    return !slash ? g_strdup(".") : slash == pattern ? g_strdup("/") : g_strndup(pattern, (gsize) (slash - pattern));
}

static SfStatus explain_pattern(const char *path, SfError *err)
{
    g_autofree char *fixed = fixed_part(path);
    glob_t found = {0};
    if (!g_file_test(fixed, G_FILE_TEST_IS_DIR))
        return sf_fail(err, SF_CONFIG, "path: there is no directory '%s', so no file matches '%s'", fixed, path);
    bool any = glob(path, 0, NULL, &found) == 0 && found.gl_pathc > 0;
    g_autofree char *directory = any ? g_strdup(found.gl_pathv[0]) : NULL;
    globfree(&found);
    if (!any)
        return sf_fail(err, SF_EMPTY, "no file matches '%s'", path);
    return sf_fail(err, SF_CONFIG, "path: '%s' matches no file, only others, such as directory '%s'; write '%s/*'",
                   path, directory, path);
}

SfStatus files_explain(const char *path, SfError *err)
{
    if (g_file_test(path, G_FILE_TEST_IS_DIR))
        return explain_directory(path, err);
    if (is_glob(path))
        return explain_pattern(path, err);
    return sf_fail(err, SF_CONFIG, "there is no file '%s'", path);
}

/* ---- which is which -------------------------------------------------------------------------------------------- */

/* The first line's bytes, as far as they count; 0 when it is not there in full. */
static SfStatus read_first(Input *input, bool whole, char *first, size_t *out, SfError *err)
{
    size_t size = 0;
    const char *end = NULL;
    while (size < FIRST_BYTES && !end) {
        size_t got = 0;
        SfStatus status = input_read(input, first + size, FIRST_BYTES - size, &got, err);
        if (status != SF_OK && status != SF_EMPTY)
            return status;
        if (status == SF_EMPTY)
            break;
        end = memchr(first + size, '\n', got);
        size += got;
    }
    if (end)
        size = (size_t) (end - first) + 1;
    *out = end || whole || size == FIRST_BYTES ? size : 0;
    return SF_OK;
}

SfStatus files_identify(const char *path, bool whole, Found **out, SfError *err)
{
    char first[FIRST_BYTES];
    struct stat info;
    size_t size = 0;
    g_autoptr(Input) input = NULL;
    g_autofree char *absolute = NULL;
    SF_TRY(input_open(path, whole, &input, err));
    SF_TRY(input_stat(input, &info, err));
    SfStatus status = read_first(input, whole, first, &size, err);
    if (status != SF_OK)
        return sf_fail_prefix(err, status, "%s", path);
    if (size == 0)
        return SF_EMPTY;
    SF_TRY(local_path_absolute("path", path, &absolute, err));
    g_autofree char *hash = g_compute_checksum_for_data(G_CHECKSUM_SHA256, (const guchar *) first, (gsize) size);
    g_autoptr(Found) found = g_new0(Found, 1);
    found->path = g_strdup(path);
    found->name = g_strdup_printf("%s#%.8s", path, hash);
    found->absolute = g_strdup_printf("%s#%.8s", absolute, hash);
    found->device = info.st_dev;
    found->inode = info.st_ino;
    found->size = info.st_size;
    *out = g_steal_pointer(&found);
    return SF_OK;
}

void found_name_generation(Found *found, int64_t generation)
{
    if (generation < 2)
        return;
    g_autofree char *first = g_steal_pointer(&found->name);
    found->name = g_strdup_printf("%s@%" PRId64, first, generation);
}

char *files_topic(const char *given, const char *path)
{
    if (given)
        return g_strdup(given);
    char *name = g_path_get_basename(path);
    char *packing = strrchr(name, '.');
    if (packing > name && (g_str_equal(packing, ".gz") || g_str_equal(packing, ".zst")))
        *packing = '\0';
    char *dot = strrchr(name, '.');
    if (dot && dot > name)
        *dot = '\0';
    return name;
}
