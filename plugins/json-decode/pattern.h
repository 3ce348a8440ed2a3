/* Date and time patterns in the letters that Spark and Java have: yyyy-MM-dd HH:mm:ss[.SSS], EEE, dd MMM yyyy. Names
 * are English, in any case. */
#ifndef JSON_DECODE_PATTERN_H
#define JSON_DECODE_PATTERN_H

#include <glib.h>
#include <sf/error.h>
#include "datetime.h"

typedef struct Pattern Pattern;

/* SF_CONFIG, without a place, names the letter that is not known or what is missing. */
Pattern *pattern_new(const char *text, SfError *err);
void pattern_free(Pattern *pattern);

/* TIME_WRONG also where a text says two things of one day: another weekday or quarter than it has. */
TimeFit pattern_parse(const Pattern *pattern, const char *text, size_t size, TimeParts *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Pattern, pattern_free)

#endif
