/* The list of what is wrong with a file, in the order of the file. */
#include "diagnostics.h"
#include "suggest.h"
#include "value.h"
#include "data/printable.h"

#include <string.h>

enum { MOST_MESSAGES = 1000 };

static void diagnostic_free(gpointer data)
{
    Diagnostic *diagnostic = data;
    g_free(diagnostic->file);
    g_free(diagnostic->step);
    g_free(diagnostic->option);
    g_free(diagnostic->text);
    g_free(diagnostic);
}

Diagnostics *diagnostics_new(void)
{
    Diagnostics *diagnostics = g_new0(Diagnostics, 1);
    diagnostics->errors = g_ptr_array_new_with_free_func(diagnostic_free);
    diagnostics->warnings = g_ptr_array_new_with_free_func(diagnostic_free);
    return diagnostics;
}

void diagnostics_free(Diagnostics *diagnostics)
{
    if (!diagnostics)
        return;
    g_ptr_array_unref(diagnostics->errors);
    g_ptr_array_unref(diagnostics->warnings);
    g_free(diagnostics->step);
    g_free(diagnostics);
}

void diagnostics_step(Diagnostics *diagnostics, const char *step)
{
    g_autofree char *before = diagnostics->step; /* may be what `step` is */
    diagnostics->step = g_strdup(step);
}

/* How much of the text only says which option it is about. */
static gsize lead_of(const char *text, const char *option)
{
    bool wordy = option && g_str_has_prefix(text, "option '");
    const char *name = text + (wordy ? strlen("option '") : 0);
    if (!option || !g_str_has_prefix(name, option))
        return 0;
    const char *end = name + strlen(option);
    const char *colon = wordy ? "': " : ": ";
    return g_str_has_prefix(end, colon) ? (gsize) (end - text) + strlen(colon) : 0;
}

static Diagnostic *make(const Diagnostics *diagnostics, const SfValue *value, const char *option, const char *format,
                        va_list args) G_GNUC_PRINTF(4, 0);
static Diagnostic *make(const Diagnostics *diagnostics, const SfValue *value, const char *option, const char *format,
                        va_list args)
{
    g_autofree char *text = g_strdup_vprintf(format, args);
    Diagnostic *diagnostic = g_new0(Diagnostic, 1);
    diagnostic->file = value ? g_strdup(value->file) : NULL;
    diagnostic->line = value ? value->line : 0;
    diagnostic->column = value ? value->column : 0;
    diagnostic->step = g_strdup(diagnostics->step);
    diagnostic->option = g_strdup(option);
    diagnostic->text = message_line(text);
    diagnostic->lead = lead_of(diagnostic->text, option);
    return diagnostic;
}

/* A file that is nothing but mistakes tells no more by the rest of them. */
static bool has_room(Diagnostics *diagnostics)
{
    diagnostics->n_errors++;
    if (diagnostics->n_errors == MOST_MESSAGES + 1) {
        Diagnostic *last = g_new0(Diagnostic, 1);
        last->text = g_strdup_printf("more than %d errors; the others are not shown", MOST_MESSAGES);
        g_ptr_array_add(diagnostics->errors, last);
    }
    return diagnostics->n_errors <= MOST_MESSAGES;
}

void diagnostics_forget(Diagnostics *diagnostics, guint n_errors)
{
    diagnostics->n_errors = MIN(diagnostics->n_errors, n_errors);
    if (diagnostics->errors->len > diagnostics->n_errors)
        g_ptr_array_set_size(diagnostics->errors, (gint) diagnostics->n_errors);
}

void diagnostics_add(Diagnostics *diagnostics, const SfValue *value, const char *format, ...)
{
    va_list args;
    if (!has_room(diagnostics))
        return;
    va_start(args, format);
    g_ptr_array_add(diagnostics->errors, make(diagnostics, value, NULL, format, args));
    va_end(args);
}

void diagnostics_add_option(Diagnostics *diagnostics, const SfValue *value, const char *option, const char *format, ...)
{
    va_list args;
    if (!has_room(diagnostics))
        return;
    va_start(args, format);
    g_ptr_array_add(diagnostics->errors, make(diagnostics, value, option, format, args));
    va_end(args);
}

void diagnostics_warn(Diagnostics *diagnostics, const SfValue *value, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(diagnostics->warnings, make(diagnostics, value, NULL, format, args));
    va_end(args);
}

void diagnostics_warn_option(Diagnostics *diagnostics, const SfValue *value, const char *option, const char *format,
                             ...)
{
    va_list args;
    va_start(args, format);
    g_ptr_array_add(diagnostics->warnings, make(diagnostics, value, option, format, args));
    va_end(args);
}

bool diagnostics_any(const Diagnostics *diagnostics)
{
    return diagnostics->n_errors > 0;
}

char *diagnostic_message(const Diagnostic *diagnostic)
{
    return diagnostic->step ? g_strdup_printf("step '%s': %s", diagnostic->step, diagnostic->text)
                            : g_strdup(diagnostic->text);
}

char *diagnostic_line(const Diagnostic *diagnostic, const char *before)
{
    g_autofree char *message = diagnostic_message(diagnostic);
    g_autofree char *place =
        diagnostic->file ? g_strdup_printf("%s:%d:%d: ", diagnostic->file, diagnostic->line, diagnostic->column) : NULL;
    g_autofree char *line = g_strconcat(place ? place : "", before ? before : "", message, NULL);
    return message_line(line);
}

const char *diagnostic_cause(const Diagnostic *diagnostic)
{
    return diagnostic->text + diagnostic->lead;
}

char *diagnostics_text(const Diagnostics *diagnostics)
{
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < diagnostics->errors->len; i++) {
        g_autofree char *line = diagnostic_line(diagnostics->errors->pdata[i], NULL);
        g_string_append_printf(text, "%s%s", i > 0 ? "\n" : "", line);
    }
    return g_string_free(text, FALSE);
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
    const Diagnostic *one = *(Diagnostic *const *) a, *other = *(Diagnostic *const *) b;
    int files = g_strcmp0(one->file, other->file);
    if (files != 0)
        return files;
    if (one->line != other->line)
        return one->line < other->line ? -1 : 1;
    return one->column < other->column ? -1 : one->column > other->column;
}

void diagnostics_sort(Diagnostics *diagnostics)
{
    GPtrArray *errors = diagnostics->errors;
    gpointer last = diagnostics->n_errors > MOST_MESSAGES ? g_ptr_array_steal_index(errors, errors->len - 1) : NULL;
    g_ptr_array_sort(errors, by_place);
    if (last)
        g_ptr_array_add(errors, last);
    g_ptr_array_sort(diagnostics->warnings, by_place);
}
