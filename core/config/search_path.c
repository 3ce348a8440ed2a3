/* Directories by environment variables. */
#include "search_path.h"

#include <glib.h>
#include <string.h>

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
