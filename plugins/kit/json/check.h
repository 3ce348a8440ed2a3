/* Is this a JSON text? The whole of RFC 8259: one value of any kind, nothing but white space around it, UTF-8 without a
 * byte order mark, numbers of any size, unpaired \u surrogates as the grammar has them, nesting up to 1024. */
#ifndef KIT_JSON_CHECK_H
#define KIT_JSON_CHECK_H

#include <stdbool.h>
#include <stddef.h>

typedef struct JsonFault {
    size_t offset;      /* of the first byte that is wrong; size where the text ends too early */
    const char *reason; /* "control character in a string": static text for "<reason> at byte <offset>" */
} JsonFault;

/* Reads data[0, size) and nothing around it; no allocation, any thread. Where not NULL: *breaks (set if valid) tells of
 * line breaks between the tokens, which there are never inside a string; *fault (set if not) where and why. */
bool json_valid(const char *data, size_t size, bool *breaks, JsonFault *fault);

#endif
