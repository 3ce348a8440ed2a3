/* Names of files, which carry the range of their rows: sales_events+0+00000000000000000100-200.jsonl has the rows of
 * [100, 200) of split sales_events/0. */
#ifndef FILE_SINK_NAMES_H
#define FILE_SINK_NAMES_H

#include <glib.h>
#include <sf/sf.h>

/* A split's name as part of a file's name, reversibly: a last /number becomes +number, other slashes =, and all but
 * letters, digits and . _ - # becomes %XX. Very long ones end in a hash. */
char *name_key(const char *split);

/* "<key>+<start>-<end>.jsonl". */
char *name_file(const char *key, int64_t start, int64_t end);

/* Whether it is a file of that key, and of which range. */
bool name_parse(const char *file, const char *key, int64_t *start, int64_t *end);

/* The end of the last file of that key in a directory, or SF_POSITION_NONE. SF_FATAL when two of them overlap. */
SfStatus names_last_end(const char *directory, const char *key, int64_t *out, SfError *err);

#endif
