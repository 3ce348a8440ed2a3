/* Directories by environment variables. */
#include "search_path.h"

#include <glib.h>
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
