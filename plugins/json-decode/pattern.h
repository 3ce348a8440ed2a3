/* Date and time patterns in the letters that Spark and Java have: yyyy-MM-dd HH:mm:ss. */
#ifndef JSON_DECODE_PATTERN_H
#define JSON_DECODE_PATTERN_H

#include <glib.h>
#include <sf/error.h>
#include "datetime.h"

typedef struct Pattern Pattern;

/* SF_CONFIG, without a place, names the letter that is not known or what is missing. `clock`: for a timestamp, else a
 * date. */
Pattern *pattern_new(const char *text, bool clock, SfError *err);
void pattern_free(Pattern *pattern);

/* Digits finer than µs are dropped: whoever writes SSSSSSSSS knows what the column holds. */
TimeFit pattern_parse(const Pattern *pattern, const char *text, size_t size, TimeParts *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pattern, pattern_free)

#endif
