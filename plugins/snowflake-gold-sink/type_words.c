/* Types as databases write them, taken apart. */
#include "type_words.h"

#include <glib.h>

TypeText type_text(const char *type)
{
    TypeText out = {.first = -1, .second = -1};
    gsize n = 0;
    const char *at = type;
    for (; *at && n + 1 < sizeof out.words; at++) {
        if (*at == '(') {
            char *end = NULL;
            out.first = (int) g_ascii_strtoll(at + 1, &end, 10);
            if (*end == ',')
                out.second = (int) g_ascii_strtoll(end + 1, &end, 10);
            while (*end && *end != ')')
                end++;
            at = *end ? end : end - 1;
        } else if (*at != ' ' || (n > 0 && out.words[n - 1] != ' ')) {
            out.words[n++] = g_ascii_tolower(*at);
        }
    }
    while (n > 0 && out.words[n - 1] == ' ')
        n--;
    out.words[n] = '\0';
    return out;
}
