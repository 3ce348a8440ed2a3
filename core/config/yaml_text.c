/* Places in the text of a YAML file, and hints for syntax errors that people make most. */
#include "yaml_text.h"

#include <string.h>

void text_mark(const char *text, gsize size, gsize offset, size_t *line, size_t *column)
{
    *line = *column = 0;
    gsize start = size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0; /* a BOM is no character */
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

bool text_is_utf8(const char *text, gsize size, int *line, int *column, char **problem)
{
    if (starts_with(text, size, "\xFF\xFE", 2) || starts_with(text, size, "\xFE\xFF", 2)) {
        *problem = g_strdup("the file is UTF-16; save it as UTF-8");
        return false;
    }
    const char *bad = NULL;
    if (g_utf8_validate_len(text, size, &bad) || *bad == '\0')
        return true; /* libyaml complains about NUL */
    size_t bad_line, bad_column;
    text_mark(text, size, (gsize) (bad - text), &bad_line, &bad_column);
    *line = (int) bad_line + 1;
    *column = (int) bad_column + 1;
    *problem = g_strdup_printf("byte 0x%02X is no valid UTF-8; save the file as UTF-8", (guchar) *bad);
    return false;
}

/* The byte at that place, 0 past the end. */
static char byte_at(const char *text, gsize size, size_t line, size_t column)
{
    const char *end = text + size;
    for (; line > 0; line--) {
        const char *next = memchr(text, '\n', (size_t) (end - text));
        if (!next)
            return 0;
        text = next + 1;
    }
    for (; column > 0 && text < end; column--)
        text = g_utf8_next_char(text);
    return text < end ? *text : 0;
}

const char *text_hint(const char *text, gsize size, size_t line, size_t column, const char *problem)
{
    char at = byte_at(text, size, line, column);
    if (at == '\t')
        return "; indent with blanks, not with tabs";
    if (strstr(problem, "cannot start any token"))
        return "; put the value in quotes";
    if (strstr(problem, "mapping values are not allowed"))
        return "; put a value that holds ': ' in quotes, or correct the indentation";
    if (strstr(problem, "expected key") || strstr(problem, "expected ':'") || strstr(problem, "block end"))
        return "; check the indentation of this line and the one before";
    return "";
}
