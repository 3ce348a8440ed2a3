/* What a runner tells the operator: the status document and the last record. Any thread. */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include <json-c/json.h>

#include "runner.h"

/* What `sfrun status` shows. */
struct json_object *report_status(Runner *runner);

/* One record of the whole run: a line for people, an object for programs (pipeline, state, exit code, rows of every
 * step). error: NULL, or what ended it. */
void report_end(Runner *runner, ExitCode code, const char *error);

/* The most memory that the process has had so far. */
gint64 report_peak_bytes(void);

#endif
