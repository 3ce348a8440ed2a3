/* Objects as files below a local directory: the store's options, its place, and its calls by those of its parts. */
#include "file.h"
#include "local_path.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

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
    SF_TRY(file_sync_touched(&touched, err));
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
    .read = file_read,
    .stat_all = file_stat_all,
    .sum_all = file_sum_all,
    .draft_unit = file_draft_unit,
    .draft = file_draft,
    .put_all = file_put_all,
    .list = file_list,
    .list_level = file_list_level,
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
                       "mode: '%s' does not let the owner read and write; write octal digits in quotes, such as "
                       "'0640'",
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
    return sf_fail(err, SF_CONFIG, "url: it is the root directory; give the objects a directory of their own");
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
