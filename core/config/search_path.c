/* Directories by environment variables. */
#include "search_path.h"

#include <string.h>
#include <sys/stat.h>

static void add_directories(GStrvBuilder *out, const char *text)
{
    g_auto(GStrv) parts = g_strsplit(text ? text : "", ":", -1);
    for (char **part = parts; *part; part++)
        if (**part)
            g_strv_builder_add(out, *part);
}

char **search_path(const char *path, const char *directory, const char *built_in)
{
    g_autoptr(GStrvBuilder) out = g_strv_builder_new();
    const char *own = g_getenv(directory);
    add_directories(out, g_getenv(path));
    add_directories(out, own ? own : built_in);
    return g_strv_builder_end(out);
}

static gint path_by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(char *const *) a, *(char *const *) b);
}

GPtrArray *search_path_list(char *const *directories, char *(*name_of)(const char *file, const char *path))
{
    g_autoptr(GHashTable) seen = g_hash_table_new(g_str_hash, g_str_equal);
    GPtrArray *names = g_ptr_array_new_with_free_func(g_free);
    for (; *directories; directories++) {
        g_autoptr(GDir) entries = g_dir_open(*directories, 0, NULL);
        for (const char *file; entries && (file = g_dir_read_name(entries));) {
            g_autofree char *path = g_build_filename(*directories, file, NULL);
            g_autofree char *name = name_of(file, path);
            if (!name || g_hash_table_contains(seen, name))
                continue;
            g_hash_table_add(seen, name);
            g_ptr_array_add(names, g_steal_pointer(&name));
        }
    }
    g_ptr_array_sort(names, path_by_text);
    return names;
}

static gboolean is_open_to_all(const char *path)
{
    struct stat info;
    return stat(path, &info) == 0 && (info.st_mode & S_IWOTH);
}

const char *search_path_fault(const char *file)
{
    g_autofree char *directory = g_path_get_dirname(file);
    if (is_open_to_all(directory))
        return "everybody can write to its directory; `chmod o-w` that";
    return is_open_to_all(file) ? "everybody can write to it; `chmod o-w` it" : NULL;
}
