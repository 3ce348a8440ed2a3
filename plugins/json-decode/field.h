/* The schema that a pipeline declares: a tree of fields, each with its type and the path of keys that leads to it. */
#ifndef JSON_DECODE_FIELD_H
#define JSON_DECODE_FIELD_H

#include <glib.h>
#include <sf/sf.h>
#include "json/path.h"
#include "pattern.h"

typedef enum FieldKind {
    FIELD_STRING,
    FIELD_JSON, /* any value's own text, in a string column */
    FIELD_INT,
    FIELD_BIGINT,
    FIELD_DOUBLE,
    FIELD_DECIMAL,
    FIELD_BOOL,
    FIELD_BINARY, /* base64 */
    FIELD_DATE,
    FIELD_TIMESTAMP,
    FIELD_LIST,
    FIELD_STRUCT
} FieldKind;

typedef struct Field Field;

struct Field {
    char *name;
    FieldKind kind;
    bool nullable;
    int precision; /* decimal only, likewise scale */
    int scale;
    bool base64;      /* decimal only: texts are its unscaled bytes in base64 */
    TimeUnit unit;    /* date and timestamp: what numbers count */
    GPtrArray *forms; /* likewise: Pattern *, or NULL for ISO 8601, as texts are tried; NULL: ISO 8601 alone */
    Round round;      /* decimal and timestamp: digits that there is no room for */
    bool round_set;   /* by the field itself, likewise the next ones */
    bool from_text;   /* numbers, true and false in texts are taken, too */
    bool from_text_set;
    bool from_number;        /* boolean only: 0 and 1 are taken, too */
    char *type;              /* as messages name it: "decimal(12,2)" */
    GPtrArray *paths;        /* JsonPath *, from the enclosing object: the first not null counts; NULL: its name */
    const char **found;      /* of several paths, in the object under way: the value at each, or NULL; the decoder's */
    Field *key;              /* the same in a record's key, for tombstones; or NULL */
    char *fallback;          /* JSON text of `default`, or NULL */
    GPtrArray *children;     /* Field *, owned: a list's element, a struct's members; NULL for the others */
    const Field *parent;     /* of a child */
    SfColumnBuilder *column; /* where values go; set by the decoder */
    struct Level *level;     /* of a struct's members; the decoder's */
    int64_t element;         /* number of the list's element under way, for messages */
};

Field *field_new(const char *name);
void field_free(Field *field);
Field *field_add_child(Field *field, const char *name);

/* Each field's column, and those of what is inside. */
void field_set_column(Field *field, SfColumnBuilder *column);

/* The fields' output columns; `arena` (of g_free) owns what children point to. */
SfField field_describe(const Field *field, GPtrArray *arena);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Field, field_free)

#endif
