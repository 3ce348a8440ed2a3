/* What may stand in an option for a local file, and where a relative path leads. */
#include "local_path.h"

#include <errno.h>
#include <string.h>
#include <unistd.h>

/* Length of "<scheme>:" before "//" (RFC 3986, section 3.1), or 0. */
static size_t scheme_size(const char *path)
{
    size_t size = 0;
    if (!g_ascii_isalpha(*path))
        return 0;
    while (g_ascii_isalnum(path[size]) || (path[size] && strchr("+-.", path[size])))
        size++;
    return g_str_has_prefix(path + size, "://") ? size + 1 : 0;
}

SfStatus local_path_check(const char *option, const char *path, const char *instead, SfError *err)
{
    size_t scheme = scheme_size(path);
    if (!*path)
        return sf_fail(err, SF_CONFIG, "%s: is empty; write a path", option);
    if (scheme == 0)
        return SF_OK;
    if (g_ascii_strncasecmp(path, "file:///", strlen("file:///")) == 0)
        return sf_fail(err, SF_CONFIG, "%s: '%s' is a URL; write the path alone: %s", option, path,
                       path + strlen("file://"));
    return sf_fail(err, SF_CONFIG, "%s: '%s' is a URL, where a path of this machine's is taken%s", option, path,
                   instead);
}

SfStatus local_path_absolute(const char *option, const char *path, char **out, SfError *err)
{
    g_autofree char *directory = NULL;
    if (!g_path_is_absolute(path)) {
        char *found = getcwd(NULL, 0); /* malloc(3)'s, as GLib's memory is */
        if (!found)
            return sf_fail(err, SF_CONFIG,
                           "%s: '%s' is relative, but the working directory cannot be told (%s); start in a directory "
                           "that is there, or write a path that begins with '/'",
                           option, path, g_strerror(errno));
        directory = found;
    }
    *out = g_canonicalize_filename(path, directory);
    return SF_OK;
}
