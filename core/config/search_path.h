/* Where programs and modules are looked for: directories of the user's, then the one of the installation. */
#ifndef CORE_SEARCH_PATH_H
#define CORE_SEARCH_PATH_H

/* The directories of environment variable `path` (colon-separated; unset or empty: none), then the one that `directory`
 * names, or `built_in` where that is not set. Set but empty, there is no such directory: how a build tree keeps an
 * installed copy out of its tests. Free with g_strfreev. */
char **search_path(const char *path, const char *directory, const char *built_in);

/* Why a file that was found there is neither loaded nor run, or NULL: everybody can write to it or to its directory, so
 * that its code may be anybody's. Static text. */
const char *search_path_fault(const char *file);

#endif
