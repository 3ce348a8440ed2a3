/* Log lines, human or JSON, on standard error: "[2024-01-15 10:30:01] INFO - message". Only the runtime and the command line log; the
 * same warning is written at most once in 10 s, with a count. Any thread. */
#ifndef CORE_LOG_H
#define CORE_LOG_H

#include <glib.h>
#include <sf/sf.h>

typedef enum LogFormat { LOG_HUMAN, LOG_JSON } LogFormat;
typedef enum LogLevel { LEVEL_DEBUG = 1, LEVEL_INFO, LEVEL_WARNING, LEVEL_ERROR } LogLevel;

void log_setup(LogFormat format, LogLevel least);
/* pipeline and step may be NULL. */
void log_line(LogLevel level, const char *pipeline, const char *step, const char *format, ...) SF_PRINTF(4, 5);

#endif
