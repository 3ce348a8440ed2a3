/* Where in an event a field is read from: user.id, user[0].id, $['first name'].city, `a.b`[-1]. The notation is what
 * JSONPath (RFC 9535), Spark and Snowflake have in common; what gives several values is refused. */
#ifndef JSON_DECODE_PATH_H
#define JSON_DECODE_PATH_H

#include <glib.h>
#include <sf/sf.h>

typedef struct PathStep {
    char *key;     /* of an object; NULL: an element of a list */
    int64_t index; /* of the element: from 0 on, or from -1 back from the end */
} PathStep;

typedef struct Path {
    GArray *steps; /* of PathStep; none: the whole event, which is `$` */
    char *text;    /* for messages: user[0].id */
} Path;

/* Reads from *text up to white space, a comma or '>' outside quotes, and moves it there. SF_CONFIG, without a place. */
Path *path_read(const char **text, SfError *err);

void path_free(Path *path);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Path, path_free)

#endif
