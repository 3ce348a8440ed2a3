/* The `schema:` option. */
#ifndef JSON_DECODE_SCHEMA_H
#define JSON_DECODE_SCHEMA_H

#include "field.h"

/* What holds for all fields that say nothing else. */
typedef struct FieldRules {
    bool from_text;
    Round round;
} FieldRules;

/* The keys of a column's long form; NULL-terminated, those that say its type come first. */
extern const char *const field_keys[];

/* The `schema:` tree → Field *, at least one. Messages carry the place; with them come the fields that are right. */
SfStatus fields_read(const SfValue *schema, FieldRules rules, GPtrArray **out, SfError *err);

#endif
