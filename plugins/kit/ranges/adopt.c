/* What `adopt` may mean; see adopt.h. */
#include "adopt.h"

const char *const start_words[] = {"known", "anew", NULL};

char **adopt_names(const SfNode *node, const char *adopt)
{
    char **names = g_new0(char *, 4);
    if (!adopt)
        return names;
    names[0] = g_strdup(adopt);
    names[1] = g_strconcat(adopt, "/", node->step, NULL);
    names[2] = g_strconcat(node->pipeline, "/", adopt, NULL);
    return names;
}
