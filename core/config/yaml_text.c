/* Places in the text of a YAML file, and hints for syntax errors that people make most. */
#include "yaml_text.h"

#include <string.h>

void text_mark(const char *text, gsize size, gsize offset, size_t *line, size_t *column)
{
    *line = *column = 0;
    gsize start = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* a BOM is not a character */
    for (gsize i = start; i < size && i < offset; i++) {
        bool crlf = text[i] == '\r' && i + 1 < size && text[i + 1] == '\n';
        if (text[i] == '\n' || (text[i] == '\r' && !crlf)) {
            ++*line;
            *column = 0;
        } else if (!crlf && ((unsigned char) text[i] & 0xC0) != 0x80) {
            ++*column;
        }
    }
}

static bool starts_with(const char *text, gsize size, const char *bytes, gsize n)
{
    return size >= n && memcmp(text, bytes, n) == 0;
}

/* By a byte order mark, or by where the zeros are in the first character, which is ASCII (YAML 1.2.2, section 5.2). */
static const char *foreign_encoding(const char *text, gsize size)
{
    static const struct {
        const char *bytes;
        gsize n;
        const char *name;
    } marks[] = {{"\xFF\xFE\0\0", 4, "UTF-32"},
                 {"\0\0\xFE\xFF", 4, "UTF-32"},
                 {"\xFF\xFE", 2, "UTF-16"},
                 {"\xFE\xFF", 2, "UTF-16"}};
    for (gsize i = 0; i < G_N_ELEMENTS(marks); i++)
        if (starts_with(text, size, marks[i].bytes, marks[i].n))
            return marks[i].name;
    if (size >= 4 &&
        (starts_with(text, size, "\0\0\0", 3) || (text[0] && starts_with(text + 1, size - 1, "\0\0\0", 3))))
        return "UTF-32";
    return size >= 4 && (!text[0] != !text[1]) && (!text[2] != !text[3]) ? "UTF-16" : NULL;
}

bool text_is_utf8(const char *text, gsize size, int *line, int *column, char **problem)
{
    const char *encoding = foreign_encoding(text, size);
    if (encoding) {
        *problem = g_strdup_printf("the file is %s; save it as UTF-8", encoding);
        return false;
    }
    const char *bad = NULL;
    if (g_utf8_validate_len(text, size, &bad) || *bad == '\0')
        return true; /* libyaml complains about NUL */
    size_t bad_line, bad_column;
    text_mark(text, size, (gsize) (bad - text), &bad_line, &bad_column);
    *line = (int) bad_line + 1;
    *column = (int) bad_column + 1;
    *problem = g_strdup_printf("byte 0x%02X is not valid UTF-8; save the file as UTF-8", (guchar) *bad);
    return false;
}

/* The place in the text; its end past that. */
static const char *place_of(const char *text, gsize size, size_t line, size_t column)
{
    const char *end = text + size;
    for (; line > 0; line--) {
        const char *next = memchr(text, '\n', (size_t) (end - text));
        if (!next)
            return end;
        text = next + 1;
    }
    for (; column > 0 && text < end; column--)
        text = g_utf8_next_char(text);
    return MIN(text, end);
}

/* ---- JSON's escapes ------------------------------------------------------------------------------------------- */

static bool read_unit(const char *text, const char *end, guint *out)
{
    *out = 0;
    if (end - text < 6 || text[0] != '\\' || text[1] != 'u')
        return false;
    for (int i = 2; i < 6; i++) {
        if (!g_ascii_isxdigit(text[i]))
            return false;
        *out = *out * 16 + (guint) g_ascii_xdigit_value(text[i]);
    }
    return true;
}

/* A pair at `text`, as RFC 8259, section 7, has it. */
static bool read_pair(const char *text, const char *end, guint *out)
{
    guint high = 0, low = 0;
    if (!read_unit(text, end, &high) || high < 0xD800 || high > 0xDBFF)
        return false;
    if (!read_unit(text + 6, end, &low) || low < 0xDC00 || low > 0xDFFF)
        return false;
    *out = 0x10000 + ((high - 0xD800) << 10) + (low - 0xDC00);
    return true;
}

GString *text_join_escapes(const char *text, gsize size, size_t line, size_t column, GArray *joined)
{
    guint character = 0;
    const char *end = text + size;
    const char *at = place_of(text, size, line, column);
    if (at - text < 2 || !read_pair(at - 2, end, &character)) /* libyaml's mark is behind "\u" */
        return NULL;
    g_autoptr(GString) out = g_string_new_len(text, at - 2 - text);
    JoinedEscape place = {.line = line, .column = column - 2};
    for (at -= 2; at < end && *at != '"' && *at != '\n';) {
        if (read_pair(at, end, &character)) {
            g_string_append_printf(out, "\\U%08X", character);
            at += 12;
            place.column += 10;
            g_array_append_val(joined, place);
            continue;
        }
        const char *next = *at == '\\' && at + 1 < end ? at + 1 : at;
        next = MIN(g_utf8_next_char(next), end);
        place.column += (size_t) g_utf8_strlen(at, next - at);
        g_string_append_len(out, at, next - at);
        at = next;
    }
    g_string_append_len(out, at, end - at);
    return g_steal_pointer(&out);
}

/* ---- hints ---------------------------------------------------------------------------------------------------- */

/* Whether an environment reference stands on the line, at the place or before it: its brace begins a map in a { }. */
static bool has_reference(const char *text, const char *at)
{
    for (const char *c = at + 1; c > text && c[-1] != '\n'; c--)
        if (c[-1] == '{' && c - 1 > text && c[-2] == '$')
            return true;
    return false;
}

/* Whether a bracket follows a word, as in tags[0]: it ends a plain text in a { }. */
static bool is_index(const char *text, const char *at)
{
    return *at == '[' && at > text && (g_ascii_isalnum(at[-1]) || strchr("_$`]\"'", at[-1]));
}

const char *text_hint(const char *text, gsize size, size_t line, size_t column, const char *problem)
{
    const char *place = place_of(text, size, line, column);
    if (strstr(problem, "did not find expected ',' or") && place < text + size && has_reference(text, place))
        return "; put ${…} in quotes inside of { } and [ ]: \"${NAME}\"";
    if (strstr(problem, "did not find expected ',' or") && place < text + size && is_index(text, place))
        return "; put a value with [ ] in quotes inside of { } and [ ]: \"tags[0]\"";
    if (place < text + size && *place == '\t')
        return "; indent with blanks, not with tabs";
    if (strstr(problem, "cannot start any token"))
        return "; put the value in quotes";
    if (strstr(problem, "mapping values are not allowed"))
        return "; put a value that holds ': ' in quotes, or correct the indentation";
    if (strstr(problem, "expected key") || strstr(problem, "expected ':'") || strstr(problem, "block end"))
        return "; check the indentation of this line and the one before";
    return "";
}
