/* Types as text, as a pipeline has them: "decimal(12,2) not null from a.b". */
#ifndef JSON_DECODE_TYPE_TEXT_H
#define JSON_DECODE_TYPE_TEXT_H

#include "field.h"

/* Reads "decimal(12,2) not null from a.b" into field (which has its name already). SF_CONFIG, without a place. */
SfStatus field_parse(Field *field, const char *text, SfError *err);

/* One more path, as json_path_read() takes it. SF_CONFIG, without a place. */
SfStatus field_parse_path(Field *field, const char *text, SfError *err);

/* One entry of `format`: a unit (ms), iso, base64 or a pattern. SF_CONFIG, without a place. */
SfStatus field_add_format(Field *field, const char *text, SfError *err);

#endif
