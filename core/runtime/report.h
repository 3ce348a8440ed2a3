/* What a runner tells the operator: the status document and the last record. Any thread. */
#ifndef CORE_REPORT_H
#define CORE_REPORT_H

#include <json-c/json.h>

#include "runner.h"

/* What is wanted and what is: `state`, `state_since_ms`, `state_why`, `desired` {state, since_ms, by, why}. */
void report_states(Runner *runner, struct json_object *out);

/* What `sfrun status` shows of one pipeline, and of the process with all of its runners. */
struct json_object *report_status(Runner *runner);
struct json_object *report_process(const GPtrArray *runners);

/* The record of the run that has just ended: a line for people, an object for programs (pipeline, cause, ranges,
 * outcome, rows of every step). The runner's thread. */
void report_end(Runner *runner);

/* The most memory that the process has had so far. */
gint64 report_peak_bytes(void);

#endif
