/* The list of what is wrong with a file: "file:line:column: message" lines in the order of the file. */
#include "diagnostics.h"
#include "suggest.h"
#include "value.h"
#include "data/printable.h"

#include <string.h>

enum { MOST_MESSAGES = 1000 };

Diagnostics *diagnostics_new(void)
{
    Diagnostics *diagnostics = g_new0(Diagnostics, 1);
    diagnostics->messages = g_ptr_array_new_with_free_func(g_free);
    diagnostics->warnings = g_ptr_array_new_with_free_func(g_free);
    return diagnostics;
}

void diagnostics_free(Diagnostics *diagnostics)
{
    if (!diagnostics)
        return;
    g_ptr_array_unref(diagnostics->messages);
    g_ptr_array_unref(diagnostics->warnings);
    g_free(diagnostics->context);
    g_free(diagnostics);
}

void diagnostics_context(Diagnostics *diagnostics, const char *context)
{
    g_free(diagnostics->context);
    diagnostics->context = g_strdup(context);
}

static char *placed(const Diagnostics *diagnostics, const SfValue *value, const char *format, va_list args)
{
    g_autofree char *message = g_strdup_vprintf(format, args);
    const char *context = diagnostics->context ? diagnostics->context : "";
    const char *colon = diagnostics->context ? ": " : "";
    g_autofree char *place = value ? g_strdup_printf("%s:%d:%d: ", value->file, value->line, value->column) : NULL;
    g_autofree char *whole = g_strconcat(place ? place : "", context, colon, message, NULL);
    return message_line(whole);
}

/* A file that is nothing but mistakes tells no more by the rest of them. */
static bool has_room(Diagnostics *diagnostics)
{
    diagnostics->n_errors++;
    if (diagnostics->n_errors == MOST_MESSAGES + 1)
        g_ptr_array_add(diagnostics->messages,
                        g_strdup_printf("more than %d errors; the others are not shown", MOST_MESSAGES));
    return diagnostics->n_errors <= MOST_MESSAGES;
}

void diagnostics_forget(Diagnostics *diagnostics, guint n_errors)
{
    diagnostics->n_errors = MIN(diagnostics->n_errors, n_errors);
    if (diagnostics->messages->len > diagnostics->n_errors)
        g_ptr_array_set_size(diagnostics->messages, (gint) diagnostics->n_errors);
}

void diagnostics_add(Diagnostics *diagnostics, const SfValue *value, const char *format, ...)
{
    va_list args;
    if (!has_room(diagnostics))
        return;
    va_start(args, format);
    g_ptr_array_add(diagnostics->messages, placed(diagnostics, value, format, args));
    va_end(args);
}

void diagnostics_warn(Diagnostics *diagnostics, const SfValue *value, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(diagnostics->warnings, placed(diagnostics, value, format, args));
    va_end(args);
}

void diagnostics_add_text(Diagnostics *diagnostics, const char *message)
{
    if (has_room(diagnostics))
        g_ptr_array_add(diagnostics->messages, message_line(message));
}

bool diagnostics_any(const Diagnostics *diagnostics)
{
    return diagnostics->n_errors > 0;
}

/* Reads ":<number>" at `text`; NULL when there is none. */
static const char *skip_number(const char *text, int *out)
{
    if (text[0] != ':' || !g_ascii_isdigit(text[1]))
        return NULL;
    char *end = NULL;
    guint64 number = g_ascii_strtoull(text + 1, &end, 10);
    *out = number > G_MAXINT ? G_MAXINT : (int) number;
    return end;
}

const char *diagnostic_split(const char *message, char **file, int *line, int *column)
{
    *file = NULL;
    *line = *column = 0;
    for (const char *colon = strchr(message, ':'); colon; colon = strchr(colon + 1, ':')) {
        int first = 0;
        int second = 0;
        const char *middle = skip_number(colon, &first);
        const char *end = middle ? skip_number(middle, &second) : NULL;
        if (end && g_str_has_prefix(end, ": ")) {
            *file = g_strndup(message, (gsize) (colon - message));
            *line = first;
            *column = second;
            return end + 2;
        }
        if (colon[1] == ' ')
            break; /* the place comes before the first ": " */
    }
    return message;
}

/* g_ptr_array_sort() is stable, so messages of one place stay in the order in which they were found. */
static gint by_place(gconstpointer a, gconstpointer b)
{
    g_autofree char *file_a = NULL;
    g_autofree char *file_b = NULL;
    int line_a, column_a, line_b, column_b;
    diagnostic_split(*(char *const *) a, &file_a, &line_a, &column_a);
    diagnostic_split(*(char *const *) b, &file_b, &line_b, &column_b);
    int files = g_strcmp0(file_a, file_b);
    if (files != 0)
        return files;
    if (line_a != line_b)
        return line_a < line_b ? -1 : 1;
    return column_a < column_b ? -1 : column_a > column_b;
}

void diagnostics_sort(Diagnostics *diagnostics)
{
    GPtrArray *messages = diagnostics->messages;
    char *last = diagnostics->n_errors > MOST_MESSAGES ? g_ptr_array_steal_index(messages, messages->len - 1) : NULL;
    g_ptr_array_sort(messages, by_place);
    if (last)
        g_ptr_array_add(messages, last);
    g_ptr_array_sort(diagnostics->warnings, by_place);
}
