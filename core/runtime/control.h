/* What can be asked of a running process, and by whom: one table, whoever brings the requests. Each is a JSON object
 * with its name in `request` and its arguments beside it: {"request": "pause", "pipeline": "sales", "by": "ann"}. So
 * is each answer, with `error` where the request was refused, and `known` false where the pipeline is not here. */
#ifndef CORE_CONTROL_H
#define CORE_CONTROL_H

#include <json-c/json.h>

#include "runner.h"

/* What who asks may do; OPERATE includes READ. */
typedef enum ControlRole { CONTROL_READ = 1, CONTROL_OPERATE } ControlRole;

typedef struct ControlArgument {
    const char *name; /* NULL ends the list */
    enum json_type type;
    bool required;
    const char *doc;
} ControlArgument;

typedef struct ControlRequest {
    const char *name;
    ControlRole role;
    const char *doc;
    const ControlArgument *arguments;
    /* Adds to the answer; the arguments have been checked. Must not wait. */
    SfStatus (*handle)(const GPtrArray *runners, struct json_object *arguments, struct json_object *answer,
                       SfError *err);
} ControlRequest;

const ControlRequest *control_requests(size_t *n);

/* The answer to a text; an empty one asks for the status. Hostile texts are refused: larger than CONTROL_MOST, no JSON
 * object, unknown requests and arguments. The thread that owns the list of runners. */
struct json_object *control_answer(const GPtrArray *runners, ControlRole role, const char *text, size_t size);

enum { CONTROL_MOST = 16384 };

#endif
