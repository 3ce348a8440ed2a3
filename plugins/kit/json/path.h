/* Where in an event a value stands: user.id, user[0].id, $['first name'].city, `a.b`[-1]. The notation is what JSONPath
 * (RFC 9535), Spark and Snowflake have in common; what gives several values is refused. */
#ifndef KIT_JSON_PATH_H
#define KIT_JSON_PATH_H

#include <glib.h>
#include <stdbool.h>
#include <sf/sf.h>

typedef struct JsonPathStep {
    char *key;     /* of an object; NULL: an element of a list */
    int64_t index; /* of the element: from 0 on, or from -1 back from the end */
} JsonPathStep;

typedef struct JsonPath {
    GArray *steps; /* of JsonPathStep; none: the whole event, which is `$` */
    char *text;    /* for messages: user[0].id */
} JsonPath;

/* Reads from *text up to white space, a comma or '>' outside quotes, and moves it there. SF_CONFIG, without a place. */
JsonPath *json_path_read(const char **text, SfError *err);

void json_path_free(JsonPath *path);

/* The value that the path leads to in data[0, size), which json_valid() has accepted: its first character and its size.
 * false: there is none. Of a key that stands there twice the first counts. Allocates for keys with escapes only; any
 * thread. */
bool json_path_find(const JsonPath *path, const char *data, size_t size, const char **value, size_t *value_size);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonPath, json_path_free)

#endif
