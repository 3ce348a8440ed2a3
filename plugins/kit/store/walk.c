/* Lists a local directory as an object store lists keys: all levels, bytewise order, from a key on, no more than
 * asked. */
#include "file.h"

#include <dirent.h>
#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#define DEPTH_MAX 64 /* levels; a symbolic link to a directory above would have no end */

typedef struct Walk {
    const char *root;
    const char *prefix;
    const char *after; /* "" for none */
    bool level;        /* directories are told, not entered */
    size_t max;
    GPtrArray *out;
    size_t found;
} Walk;

/* Whether the key itself is asked for. */
static bool walk_wants(const Walk *walk, const char *key)
{
    return g_str_has_prefix(key, walk->prefix) && strcmp(key, walk->after) > 0;
}

/* Whether keys below the directory ("a/b/") can begin with the prefix and sort behind `after`. */
static bool worth_visiting(const Walk *walk, const char *directory)
{
    size_t size = strlen(directory);
    if (walk->level)
        return walk_wants(walk, directory);
    if (strncmp(directory, walk->prefix, MIN(size, strlen(walk->prefix))) != 0)
        return false;
    return strncmp(directory, walk->after, size) >= 0;
}

static bool is_directory(const char *parent, const struct dirent *entry)
{
    if (entry->d_type != DT_UNKNOWN && entry->d_type != DT_LNK)
        return entry->d_type == DT_DIR;
    g_autofree char *path = g_build_filename(parent, entry->d_name, NULL);
    return g_file_test(path, G_FILE_TEST_IS_DIR);
}

/* Adds the directory's entry as a key, with '/' behind where it is a directory: that makes the order that of whole
 * keys. */
static void add_name(const Walk *walk, const char *parent, const char *above, const struct dirent *entry,
                     GPtrArray *keys)
{
    if (g_str_equal(entry->d_name, ".") || g_str_equal(entry->d_name, ".."))
        return;
    if (!*above && g_str_equal(entry->d_name, STORE_FILE_TEMPORARY))
        return;
    bool directory = is_directory(parent, entry);
    g_autofree char *key = g_strconcat(above, entry->d_name, directory ? "/" : "", NULL);
    if (directory ? worth_visiting(walk, key) : walk_wants(walk, key))
        g_ptr_array_add(keys, g_steal_pointer(&key));
}

static int by_bytes(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

static SfStatus read_names(const Walk *walk, const char *above, GPtrArray *keys, SfError *err)
{
    g_autofree char *path = g_build_filename(walk->root, above, NULL);
    DIR *dir = opendir(path);
    if (!dir)
        return errno == ENOENT || errno == ENOTDIR ? SF_OK : file_fail(err, "list", path, errno);
    const struct dirent *entry;
    while (errno = 0, (entry = readdir(dir)))
        add_name(walk, path, above, entry, keys);
    int failed = errno;
    closedir(dir);
    g_ptr_array_sort(keys, by_bytes);
    return failed ? file_fail(err, "list", path, failed) : SF_OK;
}

static void emit_directory(Walk *walk, const char *key)
{
    StoreEntry *entry = g_new0(StoreEntry, 1);
    entry->key = g_strdup(key);
    entry->size = -1;
    g_ptr_array_add(walk->out, entry);
    walk->found++;
}

static void emit(Walk *walk, const char *key)
{
    g_autofree char *path = g_build_filename(walk->root, key, NULL);
    struct stat info;
    if (lstat(path, &info) != 0 || !S_ISREG(info.st_mode))
        return; /* deleted in between, a link or a socket */
    StoreEntry *entry = g_new0(StoreEntry, 1);
    entry->key = g_strdup(key);
    entry->size = info.st_size;
    entry->modified_ms = (int64_t) info.st_mtim.tv_sec * 1000 + info.st_mtim.tv_nsec / 1000000;
    g_ptr_array_add(walk->out, entry);
    walk->found++;
}

static SfStatus visit(Walk *walk, const char *above, int depth, SfError *err)
{
    if (depth > DEPTH_MAX)
        return sf_fail(err, SF_CONFIG, "'%s/%s' is nested more than %d levels deep", walk->root, above, DEPTH_MAX);
    g_autoptr(GPtrArray) keys = g_ptr_array_new_with_free_func(g_free);
    SF_TRY(read_names(walk, above, keys, err));
    for (guint i = 0; i < keys->len && walk->found < walk->max; i++) {
        const char *key = keys->pdata[i];
        bool directory = g_str_has_suffix(key, "/");
        if (directory && walk->level)
            emit_directory(walk, key);
        else if (directory)
            SF_TRY(visit(walk, key, depth + 1, err));
        else
            emit(walk, key);
    }
    return SF_OK;
}

static SfStatus list_keys(Store *base, const char *prefix, const char *start_after, bool level, size_t max,
                          GPtrArray *out, SfError *err)
{
    const char *slash = strrchr(prefix, '/');
    g_autofree char *above = g_strndup(prefix, slash ? (gsize) (slash - prefix) + 1 : 0);
    Walk walk = {
        .root = ((FileStore *) base)->root,
        .prefix = prefix,
        .after = start_after ? start_after : "",
        .level = level,
        .max = max,
        .out = out,
    };
    return visit(&walk, above, 0, err);
}

SfStatus file_list(Store *base, const char *prefix, const char *start_after, size_t max, GPtrArray *out, SfError *err)
{
    return list_keys(base, prefix, start_after, false, max, out, err);
}

SfStatus file_list_level(Store *base, const char *prefix, const char *start_after, size_t max, GPtrArray *out,
                         SfError *err)
{
    return list_keys(base, prefix, start_after, true, max, out, err);
}
