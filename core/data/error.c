/* Status names and error messages: formats, cuts at a character, keeps messages valid UTF-8. Logs nothing. */
#include <glib.h>
#include <stdio.h>
#include <string.h>
#include <sf/error.h>

/* Bytes that are no UTF-8 (a user's text, a value out of the data) must not break logs and JSON answers further on. */
static void replace_invalid(char *text)
{
    const char *end = text;
    while (!g_utf8_validate(end, -1, &end))
        text[end - text] = '?';
}

/* A message that filled the buffer may end within a character. */
static void cut_at_character(char *text, size_t length)
{
    size_t start = length;
    while (start > 0 && length - start < 4 && ((unsigned char) text[start - 1] & 0xC0) == 0x80)
        start--;
    if (start > 0 && g_utf8_get_char_validated(text + start - 1, (gssize) (length - start + 1)) == (gunichar) -2)
        text[start - 1] = '\0';
}

static void take_message(SfError *err, const char *prefix, const char *format, va_list args)
{
    SfError made; /* the arguments may point into err->message */
    int length = vsnprintf(made.message, sizeof made.message, format, args);
    if (length < 0)
        g_strlcpy(made.message, format, sizeof made.message);
    if (prefix) {
        g_strlcat(made.message, ": ", sizeof made.message);
        length = (int) g_strlcat(made.message, prefix, sizeof made.message);
    }
    if (length >= (int) sizeof made.message)
        cut_at_character(made.message, sizeof made.message - 1);
    replace_invalid(made.message);
    *err = made;
}

SfStatus sf_fail_v(SfError *err, SfStatus status, const char *format, va_list args)
{
    if (err)
        take_message(err, NULL, format, args);
    return status;
}

SfStatus sf_fail(SfError *err, SfStatus status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    sf_fail_v(err, status, format, args);
    va_end(args);
    return status;
}

SfStatus sf_fail_prefix(SfError *err, SfStatus status, const char *format, ...)
{
    if (!err)
        return status;
    va_list args;
    va_start(args, format);
    take_message(err, err->message, format, args);
    va_end(args);
    return status;
}

SfStatus sf_fail_also(SfError *all, const SfError *more)
{
    size_t used = all ? strlen(all->message) : 0, size = strlen(more->message);
    if (all && used + size + 1 < sizeof all->message) {
        if (used > 0)
            all->message[used++] = '\n';
        memcpy(all->message + used, more->message, size + 1);
    }
    return SF_CONFIG;
}

const char *sf_status_name(SfStatus status)
{
    static const char *const names[] = {"ok", "empty", "end", "retry", "reject", "fenced", "config", "fatal"};
    return (size_t) status < G_N_ELEMENTS(names) ? names[status] : "unknown";
}
