/* The progress line: as much of it as there is room for. */
#ifndef CORE_PROGRESS_H
#define CORE_PROGRESS_H

#include "runner.h"

/* Appends the pipeline's rows by step, rejects, rate and lag with all their digits: the log's last line. Any thread. */
void progress_full(Runner *runner, gint64 elapsed_us, GString *out);

/* The line of all runners for a terminal of so many columns (0: unknown): counts become short, then names, before it is
 * cut. */
char *progress_line(const GPtrArray *runners, gint64 elapsed_us, guint columns, bool colours);

/* Takes note of how many rows there are now, for the rates; now and then. Main thread. */
void progress_sample(Runner *runner);

#endif
