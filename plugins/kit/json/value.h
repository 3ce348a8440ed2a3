/* Values as JSON text, as write.h says. */
#ifndef KIT_JSON_VALUE_H
#define KIT_JSON_VALUE_H

#include <glib.h>
#include <sf/sf.h>

/* Single values, appended. Texts are UTF-8 and come with their quotes. */
void json_write_text(GString *out, const char *data, gsize size);
void json_write_base64(GString *out, const void *data, gsize size);
void json_write_int(GString *out, int64_t value);
void json_write_float(GString *out, double value);
void json_write_decimal(GString *out, SfDecimal value, int scale);
void json_write_date(GString *out, int32_t days);
void json_write_timestamp(GString *out, int64_t us);

#endif
