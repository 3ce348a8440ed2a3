/* Control characters of foreign text are shown, not obeyed; see printable.h. */
#include "printable.h"

#include <string.h>

/* ECMA-48: C0 and DEL, and C1, which UTF-8 writes in two bytes. */
static gboolean is_control(gunichar c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}

char *printable(const char *text, const char *keep)
{
    g_autofree char *valid = g_utf8_make_valid(text, -1);
    GString *out = g_string_sized_new(strlen(valid));
    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (is_control(c) && !(c < 0x80 && strchr(keep, (int) c)))
            g_string_append_printf(out, "\\x%02x", c);
        else
            g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}
