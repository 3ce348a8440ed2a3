/* json-decode with one column, which most of its tests need. */
#ifndef TEST_DECODE_ONE_H
#define TEST_DECODE_ONE_H

#include "harness.h"

/* What becomes of {"x": value} in a column x of that type (YAML): the column's text, or the reject's cause. */
char *decode_one(const char *type, const char *value);
void assert_decode(const char *type, const char *value, const char *expected);

/* What becomes of an event: the row, or the reject's cause. `options`: YAML of the step. */
void assert_event(const char *options, const char *event, const char *expected);

/* What binding with these options says, always SF_CONFIG. */
void assert_config(const char *options, const char *message);

#endif
