/* Where log lines go: a queue of bounded size, and a thread that writes it to standard error. Whoever logs never waits
 * for who reads: a reader that stands still costs lines, which are counted. Any thread. */
#ifndef CORE_LOG_OUT_H
#define CORE_LOG_OUT_H

#include <glib.h>

/* Takes the line (its line break is in it). Where the queue is full it is dropped; `lost` makes the line that says
 * later how many were. */
void log_out_line(char *line, char *(*lost)(guint n));

/* The text that stays below the lines on a terminal; "" takes it away. Only the newest is of interest. */
void log_out_progress(const char *text);

/* Waits until all is written, but no longer than that. Returns whether it is. */
gboolean log_out_flush(gint64 ms);

#endif
