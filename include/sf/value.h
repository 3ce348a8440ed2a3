/* A node of the pipeline's YAML, with its place, for options that are a tree of their own (json-decode's schema, the
 * gold sink's dimensions). Read only, valid until close, any thread. Environment references are already replaced. */
#ifndef SF_VALUE_H
#define SF_VALUE_H

#include <stdbool.h>
#include <sf/error.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef enum SfValueKind {
    SF_VALUE_NULL = 1, /* an empty value, ~ or null */
    SF_VALUE_SCALAR,
    SF_VALUE_LIST,
    SF_VALUE_MAP,
    SF_VALUE_32_BITS = INT32_MAX
} SfValueKind;

typedef struct SfValue SfValue;

SF_API SfValueKind sf_value_kind(const SfValue *value);

/* A scalar's text (NUL-terminated, no NUL inside); NULL for the other kinds. */
SF_API const char *sf_value_text(const SfValue *value);

/* Items of a list or pairs of a map; 0 for the other kinds. */
SF_API size_t sf_value_size(const SfValue *value);

/* Item of a list, or the value of a map's pair, in the order of the file; NULL past the end. */
SF_API const SfValue *sf_value_at(const SfValue *value, size_t index);

/* Key of a map's pair; NULL past the end. The key node carries the place for errors about the key. */
SF_API const SfValue *sf_value_key(const SfValue *map, size_t index);

/* Value of a map's key, or NULL. */
SF_API const SfValue *sf_value_get(const SfValue *map, const char *key);

/* "sales.yaml", 1-based line and column (characters). */
SF_API const char *sf_value_file(const SfValue *value);
SF_API int sf_value_line(const SfValue *value);
SF_API int sf_value_column(const SfValue *value);

/* sf_fail(err, SF_CONFIG, …) with "file:line:column: " before the message. */
SF_API SfStatus sf_value_fail(const SfValue *value, SfError *err, const char *format, ...) SF_PRINTF(3, 4);

/* Writes the nearest of n words into "; did you mean '…'?" form, or "" when none is near. Returns out. */
SF_API const char *sf_suggest(const char *word, const char *const *words, size_t n, char *out, size_t size);

#ifdef __cplusplus
}
#endif

#endif
