/* Foreign text on its way to people: control characters are shown, not obeyed, and passwords left out; see printable.h.
 */
#include "printable.h"

#include <stdbool.h>
#include <string.h>

/* ECMA-48: C0 and DEL, and C1, which UTF-8 writes in two bytes. */
static gboolean is_control(gunichar c)
{
    return c < 0x20 || (c >= 0x7F && c <= 0x9F);
}

char *printable_bytes(const char *bytes, gsize size, const char *keep, const char *escape)
{
    g_autofree char *valid = g_utf8_make_valid(bytes, (gssize) size);
    GString *out = g_string_sized_new(strlen(valid));
    for (const char *at = valid; *at; at = g_utf8_next_char(at)) {
        gunichar c = g_utf8_get_char(at);
        if (is_control(c) && !(c < 0x80 && strchr(keep, (int) c)))
            g_string_append_printf(out, "%s%02x", escape, c);
        else
            g_string_append_unichar(out, c);
    }
    return g_string_free(out, FALSE);
}

char *printable(const char *text, const char *keep)
{
    return printable_bytes(text, strlen(text), keep, "\\x");
}

static const char *last_of(const char *start, const char *end, char c)
{
    while (end > start && *end != c)
        end--;
    return *end == c ? end : NULL;
}

#define MOST_OF_A_URL 4096 /* hostile text must not cost quadratic time */

static const char *end_before(const char *start, const char *stops)
{
    gsize n = 0;
    while (n < MOST_OF_A_URL && start[n] && !strchr(stops, start[n]))
        n++;
    return start + n;
}

/* What is behind the user info of a URL's authority, which starts here; `start` itself where there is none (RFC 3986,
 * 3.2.1). A password that was not encoded may have '@' and '/' in it; a port never is one. */
static const char *behind_user_info(const char *start)
{
    const char *end = end_before(start, " '\"<>"), *slash = end_before(start, "/?# '\"<>");
    const char *at = last_of(start, slash > start ? slash - 1 : start, '@');
    if (at)
        return at + 1;
    const char *colon = memchr(start, ':', (size_t) (slash - start));
    bool port = !colon || colon + 1 + strspn(colon + 1, "0123456789") == slash;
    at = port || *start == '[' || end == start ? NULL : last_of(start, end - 1, '@');
    return at ? at + 1 : start;
}

char *message_line(const char *text)
{
    g_autofree char *flat = g_strdelimit(g_strdup(text), "\r\n\t", ' ');
    g_autofree char *line = printable(flat, "");
    GString *out = g_string_sized_new(strlen(line));
    const char *rest = line;
    for (const char *scheme; (scheme = strstr(rest, "://"));) {
        const char *start = scheme + strlen("://");
        g_string_append_len(out, rest, start - rest);
        rest = behind_user_info(start);
    }
    g_string_append(out, rest);
    return g_string_free(out, FALSE);
}

char *printable_plain(const char *text)
{
    GString *out = g_string_sized_new(strlen(text));
    while (*text) {
        bool colour = text[0] == '\033' && text[1] == '[';
        gsize size = colour ? 2 + strspn(text + 2, "0123456789;") : 0;
        if (colour && text[size] == 'm')
            text += size + 1;
        else
            g_string_append_c(out, *text++);
    }
    return g_string_free(out, FALSE);
}

guint printable_width(const char *text)
{
    g_autofree char *plain = printable_plain(text);
    return (guint) g_utf8_strlen(plain, -1);
}
