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

static guint character_width(gunichar c)
{
    return g_unichar_iszerowidth(c) ? 0 : g_unichar_iswide(c) ? 2 : 1;
}

guint printable_width(const char *text)
{
    g_autofree char *plain = printable_plain(text);
    guint width = 0;
    for (const char *at = plain; *at; at = g_utf8_next_char(at))
        width += character_width(g_utf8_get_char(at));
    return width;
}

/* Where the text is to go on so that no more than that many columns follow. */
static const char *tail_of(const char *text, guint columns)
{
    const char *at = text + strlen(text), *found = at;
    for (guint width = 0; at > text; found = at) {
        at = g_utf8_prev_char(at);
        width += character_width(g_utf8_get_char(at));
        if (width > columns)
            break;
    }
    return found;
}

char *printable_cut(const char *text, guint width, guint tail)
{
    if (printable_width(text) <= width)
        return g_strdup(text);
    if (width == 0)
        return g_strdup("");
    const char *rest = tail_of(text, MIN(tail, width - 1)), *at = text;
    guint room = width - 1 - printable_width(rest);
    for (guint used = 0; at < rest; at = g_utf8_next_char(at)) {
        used += character_width(g_utf8_get_char(at));
        if (used > room)
            break;
    }
    return g_strdup_printf("%.*s…%s", (int) (at - text), text, rest);
}

char *printable_count(gint64 n)
{
    g_autofree char *digits = g_strdup_printf("%" G_GUINT64_FORMAT, n < 0 ? -(guint64) n : (guint64) n);
    GString *out = g_string_new(n < 0 ? "-" : "");
    gsize length = strlen(digits);
    for (gsize i = 0; i < length; i++) {
        g_string_append_c(out, digits[i]);
        if (length - i > 1 && (length - i) % 3 == 1)
            g_string_append_c(out, ',');
    }
    return g_string_free(out, FALSE);
}

char *printable_brief_count(gint64 n)
{
    static const char units[] = " kMGTPE";
    double value = (double) n;
    guint unit = 0;
    for (; value >= 999.5 && units[unit + 1]; unit++)
        value /= 1000;
    if (unit == 0)
        return g_strdup_printf("%" G_GINT64_FORMAT, n);
    return g_strdup_printf(value < 9.95 ? "%.1f%c" : "%.0f%c", value, units[unit]);
}
