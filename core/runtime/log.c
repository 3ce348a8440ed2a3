/* Log lines: their forms, and how often one may come. Knows nothing of pipelines but their names. */
#include "log.h"

#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <time.h>
#include <unistd.h>

#include "data/printable.h"
#include "log_out.h"

#define HOLD_BACK_US (10 * G_USEC_PER_SEC)
#define REMEMBERED 256

typedef struct Seen {
    gint64 written_us;
    guint held_back;
} Seen;

static struct {
    GMutex lock;
    LogFormat format;
    LogLevel least; /* atomic: lines that nobody wants take no lock */
    gint64 hold_back_us;
    GHashTable *seen; /* pipeline, step and text → Seen, of warnings and errors */
} out = {.least = LEVEL_INFO, .hold_back_us = HOLD_BACK_US};

static const char *level_name(LogLevel level)
{
    static const char *const names[] = {"", "DEBUG", "INFO", "WARN", "ERROR"};
    return names[level];
}

static LogLevel least_level(void)
{
    return __atomic_load_n(&out.least, __ATOMIC_RELAXED);
}

void log_setup(LogFormat format, LogLevel least)
{
    g_mutex_lock(&out.lock);
    out.format = format;
    __atomic_store_n(&out.least, least, __ATOMIC_RELAXED);
    g_mutex_unlock(&out.lock);
}

void log_hold_back(gint64 us)
{
    g_mutex_lock(&out.lock);
    out.hold_back_us = us;
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
    } else if (now - seen->written_us < out.hold_back_us) {
        seen->held_back++;
        return false;
    }
    *before = seen->held_back;
    *seen = (Seen){.written_us = now};
    return true;
}

static void append_level(GString *line, LogLevel level)
{
    const char *colour = level < LEVEL_WARNING || out.format != LOG_HUMAN || !log_colours() ? NULL
                         : level == LEVEL_WARNING                                           ? "\033[33m"
                                                                                            : "\033[31m";
    g_string_append_printf(line, "%s%s%s", colour ? colour : "", level_name(level), colour ? "\033[0m" : "");
}

static void write_plain(GString *line, LogLevel level, const char *text)
{
    g_autoptr(GDateTime) now = g_date_time_new_now_local();
    g_autofree char *stamp = g_date_time_format(now, "%Y-%m-%d %H:%M:%S");
    g_string_append_printf(line, "[%s] ", stamp);
    append_level(line, level);
    g_string_append_printf(line, " - %s", text);
}

static void write_human(GString *line, LogLevel level, const char *pipeline, const char *step, const char *text)
{
    write_plain(line, level, text);
    if (pipeline)
        g_string_append_printf(line, " pipeline=%s", pipeline);
    if (step)
        g_string_append_printf(line, " step=%s", step);
}

/* `more` are members behind those that every line has; it stays the caller's. */
static void write_json(GString *line, LogLevel level, const char *pipeline, const char *step, const char *text,
                       struct json_object *more)
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
    if (more) {
        json_object_object_foreach(more, key, value) json_object_object_add(object, key, json_object_get(value));
    }
    g_string_append(line, json_object_to_json_string_ext(object, JSON_C_TO_STRING_NOSLASHESCAPE));
    json_object_put(object);
}

/* A line as the log has it. */
static char *form(LogFormat format, LogLevel level, const char *pipeline, const char *step, const char *text,
                  struct json_object *more)
{
    GString *line = g_string_new(NULL);
    if (format == LOG_PLAIN)
        write_plain(line, level, text);
    else if (format == LOG_JSON)
        write_json(line, level, pipeline, step, text, more);
    else
        write_human(line, level, pipeline, step, text);
    g_string_append_c(line, '\n');
    return g_string_free(line, FALSE);
}

static char *lost(guint n)
{
    g_autofree char *text = g_strdup_printf("%u log lines were not written: who reads the log did not keep up", n);
    return form(out.format, LEVEL_WARNING, NULL, NULL, text, NULL);
}

static void log_text(LogLevel level, const char *pipeline, const char *step, const char *raw, struct json_object *more)
{
    g_autofree char *text = message_line(raw);
    guint held_back = 0;
    g_mutex_lock(&out.lock);
    bool write = level < LEVEL_WARNING || may_write(pipeline, step, text, &held_back);
    LogFormat format = out.format;
    g_mutex_unlock(&out.lock);
    if (!write)
        return;
    if (held_back > 0) {
        g_autofree char *full =
            g_strdup_printf("%s (%u more like this %s not written)", text, held_back, held_back == 1 ? "was" : "were");
        g_free(text);
        text = g_steal_pointer(&full);
    }
    log_out_line(form(format, level, pipeline, step, text, more), lost);
}

void log_line(LogLevel level, const char *pipeline, const char *step, const char *format, ...)
{
    if (level < least_level())
        return;
    va_list args;
    va_start(args, format);
    g_autofree char *raw = g_strdup_vprintf(format, args);
    va_end(args);
    log_text(level, pipeline, step, raw, NULL);
}

void log_record(LogLevel level, const char *pipeline, const char *text, struct json_object *members)
{
    if (level >= least_level())
        log_text(level, pipeline, NULL, text, members);
}

gboolean log_flush(gint64 ms)
{
    return log_out_flush(ms);
}

/* What would move a cursor, or have to be escaped in JSON, becomes a blank. */
static void blank_controls(char *at, const char *end, bool json)
{
    for (; at < end; at++) {
        if ((guchar) *at < ' ' || *at == 0x7F || (json && (*at == '"' || *at == '\\')))
            *at = ' ';
    }
}

void log_last_words(const char *text)
{
    struct pollfd log = {.fd = STDERR_FILENO, .events = POLLOUT};
    char stamp[32], line[1024];
    time_t now = time(NULL);
    struct tm parts;
    bool json = out.format == LOG_JSON;
    (void) (json ? gmtime_r(&now, &parts) : localtime_r(&now, &parts));
    strftime(stamp, sizeof stamp, json ? "%Y-%m-%dT%H:%M:%SZ" : "%Y-%m-%d %H:%M:%S", &parts);
    int n = snprintf(line, sizeof line,
                     json ? "{\"time\":\"%s\",\"level\":\"ERROR\",\"message\":\"%.800s\"}\n" : "[%s] ERROR - %.800s\n",
                     stamp, text);
    blank_controls(json ? strstr(line, "\"message\"") + 11 : line, line + n - (json ? 3 : 1), json);
    if (n > 0 && poll(&log, 1, 0) > 0 && (log.revents & POLLOUT) && write(STDERR_FILENO, line, (size_t) n) < 0)
        return;
}

guint log_columns(void)
{
    struct winsize size = {0};
    return ioctl(STDERR_FILENO, TIOCGWINSZ, &size) == 0 ? size.ws_col : 0;
}

bool log_colours(void)
{
    const char *no = g_getenv("NO_COLOR"), *term = g_getenv("TERM");
    return !(no && *no) && g_strcmp0(term, "dumb") != 0 && isatty(STDERR_FILENO);
}

/* What of it fits the terminal: a line that wraps could not be taken away again. */
static char *fitting(const char *text)
{
    guint columns = log_columns();
    if (columns == 0 || printable_width(text) < columns)
        return g_strdup(text);
    g_autofree char *plain = printable_plain(text);
    return printable_cut(plain, columns - 1, 0);
}

void log_progress(const char *whole)
{
    g_autofree char *text = fitting(whole);
    log_out_progress(text);
}
