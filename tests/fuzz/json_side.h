/* One build of json-decode behind a table of functions, so that two of them can stand side by side in one process. */
#ifndef TEST_JSON_SIDE_H
#define TEST_JSON_SIDE_H

#include <glib.h>
#include <sf/sf.h>

#include "json/check.h"

typedef struct JsonTarget JsonTarget;

typedef struct JsonSide {
    /* A decoder of a schema of its own, for as long as the process lasts: pairs of a column's name and its type; `all`:
     * with texts taken for numbers, and rounding. */
    JsonTarget *(*new_target)(const char *const (*columns)[2], gsize n, bool all);
    SfStatus (*decode)(JsonTarget *target, const char *text, gsize size, SfError *err);
    char *(*take_row)(JsonTarget *target); /* the builder's row as JSON, or "" */
    bool (*valid)(const char *data, size_t size, bool *breaks, JsonFault *fault);
} JsonSide;

extern const JsonSide json_fast;

/* Exported by the module fuzz-json-plain. */
#define JSON_PLAIN_SYMBOL "json_plain"
extern __attribute__((visibility("default"))) const JsonSide json_plain;

#endif
