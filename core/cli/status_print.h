/* The status documents of processes as an operator reads them. */
#ifndef CORE_CLI_STATUS_PRINT_H
#define CORE_CLI_STATUS_PRINT_H

#include <glib.h>
#include <json-c/json.h>

/* A text of a document's object, "" where there is none; a number, -1 where there is none; a list, or NULL. */
const char *status_text(struct json_object *object, const char *key);
gint64 status_int(struct json_object *object, const char *key);
struct json_object *status_list(struct json_object *object, const char *key);

/* On standard output, in the terminal's width: each pipeline with its troubles, steps and splits, and, where there are
 * several, one line of each at the end, where the eye is. Returns how many pipelines there were. */
guint status_print(const GPtrArray *processes);

#endif
