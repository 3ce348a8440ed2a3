/* Log lines on standard error, rate-limited by their text. Knows nothing of pipelines but their names. */
#include "log.h"

#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include <json-c/json.h>

#define HOLD_BACK_US (10 * G_USEC_PER_SEC)
#define REMEMBERED 256

typedef struct Seen {
    gint64 written_us;
    guint held_back;
} Seen;

static struct {
    GMutex lock;
    LogFormat format;
    LogLevel least;
    GHashTable *seen; /* pipeline, step and text → Seen, of warnings and errors */
    char *progress;
} out = {.least = LEVEL_INFO};

static const char *level_name(LogLevel level)
{
    static const char *const names[] = {"", "DEBUG", "INFO", "WARN", "ERROR"};
    return names[level];
}

void log_setup(LogFormat format, LogLevel least)
{
    g_mutex_lock(&out.lock);
    out.format = format;
    out.least = least;
    g_mutex_unlock(&out.lock);
}

/* Whether the text may be written now; *before is how often it was not since the last time. Two steps with one trouble
 * are two lines. */
static bool may_write(const char *pipeline, const char *step, const char *text, guint *before)
{
    gint64 now = g_get_monotonic_time();
    g_autofree char *key = g_strjoin("/", pipeline ? pipeline : "", step ? step : "", text, NULL);
    if (!out.seen)
        out.seen = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    Seen *seen = g_hash_table_lookup(out.seen, key);
    if (!seen) {
        if (g_hash_table_size(out.seen) >= REMEMBERED)
            g_hash_table_remove_all(out.seen);
        seen = g_new0(Seen, 1);
        g_hash_table_insert(out.seen, g_steal_pointer(&key), seen);
    } else if (now - seen->written_us < HOLD_BACK_US) {
        seen->held_back++;
        return false;
    }
    *before = seen->held_back;
    *seen = (Seen){.written_us = now};
    return true;
}

static void write_plain(GString *line, LogLevel level, const char *text)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *stamp = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");
    g_string_append_printf(line, "[%s] %s - %s", stamp, level_name(level), text);
}

static void write_human(GString *line, LogLevel level, const char *pipeline, const char *step, const char *text)
{
    write_plain(line, level, text);
    if (pipeline)
        g_string_append_printf(line, " pipeline=%s", pipeline);
    if (step)
        g_string_append_printf(line, " step=%s", step);
}

static void write_json(GString *line, LogLevel level, const char *pipeline, const char *step, const char *text)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_utc();
    g_autofree char *stamp = g_date_time_format(now, "%Y-%m-%dT%H:%M:%S.%fZ");
    struct json_object *object = json_object_new_object();
    json_object_object_add(object, "time", json_object_new_string(stamp));
    json_object_object_add(object, "level", json_object_new_string(level_name(level)));
    json_object_object_add(object, "message", json_object_new_string(text));
    if (pipeline)
        json_object_object_add(object, "pipeline", json_object_new_string(pipeline));
    if (step)
        json_object_object_add(object, "step", json_object_new_string(step));
    g_string_append(line, json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
}

/* One write a line, so that lines of several processes on one terminal or file do not mix. */
static void put(const char *text)
{
    bool shown = out.progress && *out.progress;
    g_autofree char *all = g_strconcat(shown ? "\r\033[K" : "", text, shown ? out.progress : "", NULL);
    fwrite(all, 1, strlen(all), stderr);
    fflush(stderr);
}

void log_line(LogLevel level, const char *pipeline, const char *step, const char *format, ...)
{
    if (level < out.least)
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *raw = g_strdup_vprintf(format, args);
    va_end(args);
    g_autofree char *text = g_utf8_make_valid(raw, -1);
    g_strdelimit(text, "\r\n", ' ');
    g_autoptr(GString) line = g_string_new(NULL);
    guint held_back = 0;

    g_mutex_lock(&out.lock);
    if (level < LEVEL_WARNING || may_write(pipeline, step, text, &held_back)) {
        if (held_back > 0) {
            g_autofree char *full = g_strdup_printf("%s (%u more like this were not written)", text, held_back);
            g_free(g_steal_pointer(&text));
            text = g_steal_pointer(&full);
        }
        if (out.format == LOG_PLAIN)
            write_plain(line, level, text);
        else
            (out.format == LOG_JSON ? write_json : write_human)(line, level, pipeline, step, text);
        g_string_append_c(line, '\n');
        put(line->str);
    }
    g_mutex_unlock(&out.lock);
}

/* What of it fits the terminal: a line that wraps could not be taken away again. */
static char *fitting(const char *text)
{
    struct winsize size = {0};
    bool known = ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 && size.ws_col > 0;
    if (!known || g_utf8_strlen(text, -1) < size.ws_col)
        return g_strdup(text);
    return g_utf8_substring(text, 0, size.ws_col - 1);
}

void log_progress(const char *whole)
{
    g_autofree char *text = fitting(whole);
    g_mutex_lock(&out.lock);
    if (g_strcmp0(out.progress, text) != 0) {
        bool before = out.progress && *out.progress;
        if (before || *text) {
            fprintf(stderr, "\r\033[K%s", text);
            fflush(stderr);
        }
        g_free(out.progress);
        out.progress = g_steal_pointer(&text);
    }
    g_mutex_unlock(&out.lock);
}
