/* Where programs and modules are looked for: directories of the user's, then the one of the installation. */
#ifndef CORE_SEARCH_PATH_H
#define CORE_SEARCH_PATH_H

#include <glib.h>

/* The directories of environment variable `path` (colon-separated; unset or empty: none), then the one that `directory`
 * names, or `built_in` where that is not set. Set but empty, there is no such directory: how a build tree keeps an
 * installed copy out of its tests. Free with g_strfreev. */
char **search_path(const char *path, const char *directory, const char *built_in);

/* What the directories have: the name that `name_of` makes of a file, or NULL where it is not meant (free with g_free);
 * each once, in the order of their bytes. */
GPtrArray *search_path_list(char *const *directories, char *(*name_of)(const char *file, const char *path));

/* Why a file that was found there is neither loaded nor run, or NULL: everybody can write to it or to its directory, so
 * that its code may be anybody's. Static text. */
const char *search_path_fault(const char *file);

#endif
