/* Log lines, human or JSON, on standard error: "[2024-01-15 10:30:01] INFO - message pipeline=sales step=gold". Only
 * the runtime and the command line log. The same warning or error is written at most once in 10 s; the next one says
 * how many were held back. A progress line at the bottom of a terminal stays there. Any thread. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <glib.h>
#include <json-c/json.h>
#include <sf/sf.h>
#include "private.h"

/* Plain: for people, without the names of pipeline and step, where nobody has given them. */
typedef enum LogFormat { LOG_HUMAN, LOG_JSON, LOG_PLAIN } LogFormat;
typedef enum LogLevel { LEVEL_DEBUG = 1, LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR } LogLevel;

SF_PRIVATE void log_setup(LogFormat format, LogLevel least);

/* For how long the same warning is held back; for tests. */
void log_hold_back(gint64 us);

/* pipeline and step may be NULL. */
SF_PRIVATE void log_line(LogLevel level, const char *pipeline, const char *step, const char *format, ...)
    SF_PRINTF(4, 5);

/* A line that in JSON has these members too; they stay the caller's. */
void log_record(LogLevel level, const char *pipeline, const char *text, struct json_object *members);

/* Lines are written by a thread of the log's own, so that nobody waits for who reads them: a reader that stands still
 * costs lines, which are counted. Waits until all is written, but no longer than that; returns whether it is. */
SF_PRIVATE gboolean log_flush(gint64 ms);

/* An error before the process ends at once: takes no memory and no lock, and does not wait for who reads. */
void log_last_words(const char *text);

/* The terminal's width, or 0. */
guint log_columns(void);

/* Whether the log may be coloured: it is a terminal, and neither NO_COLOR (https://no-color.org) nor TERM=dumb says
 * otherwise. */
bool log_colours(void);

/* The line that is kept below the log on a terminal, as much of it as fits; "" takes it away. */
void log_progress(const char *whole);

#endif
