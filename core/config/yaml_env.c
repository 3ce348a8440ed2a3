/* Environment references in scalars: ${NAME}, ${NAME:-default}, and $${ for a plain ${. Defaults may hold references.
 * */
#include "yaml_env.h"
#include "value.h"

#include <string.h>

#define MAX_NESTED 8
#define MAX_TEXT (1 << 20)  /* of one scalar: a chain of references must not grow without end */
#define MAX_TOTAL (4 << 20) /* of a document's: as large as a file may be */

typedef struct Replacing {
    const SfValue *value;
    Diagnostics *diagnostics;
    const char *start; /* of the scalar's text */
    bool failed;
} Replacing;

static void replace(Replacing *replacing, const char *text, const char *end, guint level, GString *out);

/* A plain scalar on one line stands in the file as it is in memory, so the exact column can be told. */
static void env_complain(Replacing *replacing, const char *at, const char *format, ...) G_GNUC_PRINTF(3, 4);
static void env_complain(Replacing *replacing, const char *at, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_autofree char *message = g_strdup_vprintf(format, args);
    va_end(args);
    SfValue place = *replacing->value;
    if (place.plain)
        place.column += (int) g_utf8_pointer_to_offset(replacing->start, at);
    diagnostics_add(replacing->diagnostics, &place, "%s", message);
    replacing->failed = true;
}

/* The brace that closes the reference whose name starts at `text`; NULL when there is none. */
static const char *closing_brace(const char *text, const char *end)
{
    guint open = 1;
    for (; text < end; text++) {
        if (text[0] == '$' && text + 1 < end && text[1] == '{')
            open++;
        else if (text[0] == '}' && --open == 0)
            return text;
    }
    return NULL;
}

static bool is_name(const char *text, const char *end)
{
    if (text == end || g_ascii_isdigit(*text))
        return false;
    for (; text < end; text++)
        if (!g_ascii_isalnum(*text) && *text != '_')
            return false;
    return true;
}

/* `text` is behind "${", `close` at its brace. */
static void replace_one(Replacing *replacing, const char *text, const char *close, guint level, GString *out)
{
    const char *colon = memchr(text, ':', (size_t) (close - text));
    const char *name_end = colon ? colon : close;
    g_autofree char *name = g_strndup(text, (gsize) (name_end - text));
    bool has_default = colon && colon + 1 < close && colon[1] == '-';
    if (!is_name(text, name_end) || (colon && !has_default)) {
        g_autofree char *shown = g_strndup(text, (gsize) (close - text));
        env_complain(
            replacing, text - 2,
            "'${%s}' is not an environment reference; write ${NAME} or ${NAME:-default}, or $${ for a plain ${", shown);
        return;
    }
    const char *value = g_getenv(name);
    if (has_default && (!value || !*value))
        replace(replacing, colon + 2, close, level + 1, out);
    else if (!value)
        env_complain(replacing, text - 2,
                     "environment variable '%s' is not set; set it, or give a default: ${%s:-default}", name, name);
    else if (!g_utf8_validate(value, -1, NULL))
        env_complain(replacing, text - 2, "environment variable '%s' is not valid UTF-8", name);
    else
        g_string_append(out, value);
}

static void replace(Replacing *replacing, const char *text, const char *end, guint level, GString *out)
{
    if (level > MAX_NESTED) {
        env_complain(replacing, text, "environment references are nested more than %d deep", MAX_NESTED);
        return;
    }
    while (text < end && out->len <= MAX_TEXT) {
        if (end - text >= 3 && memcmp(text, "$${", 3) == 0) {
            g_string_append(out, "${");
            text += 3;
        } else if (end - text >= 2 && memcmp(text, "${", 2) == 0) {
            const char *close = closing_brace(text + 2, end);
            if (!close) {
                env_complain(replacing, text, "'${' has no closing brace; write $${ for a plain ${");
                return;
            }
            replace_one(replacing, text + 2, close, level, out);
            text = close + 1;
        } else {
            g_string_append_c(out, *text++);
        }
    }
}

char *env_replace(const SfValue *value, const char *text, gsize *total, Diagnostics *diagnostics)
{
    if (*total > MAX_TOTAL) /* it has been said */
        return NULL;
    Replacing replacing = {.value = value, .diagnostics = diagnostics, .start = text};
    GString *out = g_string_new(NULL);
    replace(&replacing, text, text + strlen(text), 0, out);
    if (out->len > MAX_TEXT)
        env_complain(&replacing, text, "text is longer than %d bytes", MAX_TEXT);
    *total += out->len;
    if (*total > MAX_TOTAL)
        env_complain(&replacing, text, "with environment references replaced, the file has more than %d MiB",
                     MAX_TOTAL >> 20);
    char *result = g_string_free(out, FALSE);
    if (replacing.failed)
        g_clear_pointer(&result, g_free);
    return result;
}
