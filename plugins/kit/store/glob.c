/* See glob.h. */
#include "glob.h"

#include <fnmatch.h>
#include <string.h>

#define MAGIC "*?["

bool glob_is_pattern(const char *text)
{
    return strpbrk(text, MAGIC) != NULL;
}

char *glob_prefix(const char *pattern)
{
    return g_strndup(pattern, strcspn(pattern, MAGIC "\\"));
}

static char *segment_of(const char *text)
{
    return g_strndup(text, strcspn(text, "/"));
}

static const char *behind_segment(const char *text)
{
    const char *slash = strchr(text, '/');
    return slash ? slash + 1 : NULL;
}

bool glob_matches(const char *pattern, const char *key)
{
    if (!pattern || !key)
        return pattern == key;
    g_autofree char *wanted = segment_of(pattern), *there = segment_of(key);
    const char *more = behind_segment(pattern);
    if (!g_str_equal(wanted, "**"))
        return fnmatch(wanted, there, 0) == 0 && glob_matches(more, behind_segment(key));
    if (!more)
        return true;
    for (const char *rest = key; rest; rest = behind_segment(rest)) {
        if (glob_matches(more, rest))
            return true;
    }
    return false;
}
