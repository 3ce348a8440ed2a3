/* What stands in JSON strings → what they mean. */
#ifndef KIT_JSON_TEXT_H
#define KIT_JSON_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Replaces the escapes of a well-formed string's inside, text[0, size), into out, which has room for size bytes.
 * Returns the length, or -1 on a surrogate without its other half, which UTF-8 has no form for. */
long json_unescape(const char *text, size_t size, char *out);

/* Base64 (RFC 4648 section 4, padded) into out, which has room for size / 4 * 3 bytes. Returns the length, or -1. */
long json_read_base64(const char *text, size_t size, char *out);

#endif
