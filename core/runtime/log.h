/* Log lines, human or JSON, on standard error: "[2024-01-15 10:30:01] INFO - message pipeline=sales step=gold". Only
 * the runtime and the command line log. The same warning or error is written at most once in 10 s; the next one says
 * how many were held back. A progress line at the bottom of a terminal stays there. Any thread. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <glib.h>
#include <sf/sf.h>
#include "private.h"

/* Plain: for people, without the names of pipeline and step, where nobody has given them. */
typedef enum LogFormat { LOG_HUMAN, LOG_JSON, LOG_PLAIN } LogFormat;
typedef enum LogLevel { LEVEL_DEBUG = 1, LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR } LogLevel;

SF_PRIVATE void log_setup(LogFormat format, LogLevel least);

/* pipeline and step may be NULL. */
SF_PRIVATE void log_line(LogLevel level, const char *pipeline, const char *step, const char *format, ...)
    SF_PRINTF(4, 5);

/* The line that is kept below the log on a terminal, as much of it as fits; "" takes it away. */
void log_progress(const char *whole);

#endif
