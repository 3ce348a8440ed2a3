/* Rows → JSON objects, as file-sink and kafka-sink write them.
 *
 *   bool, int32, int64   true, 42
 *   float64              the shortest text that reads back the same: 0.1, 5.0, 1e+300; "NaN", "Infinity" and
 *                        "-Infinity" as texts, as Spark has them, since JSON has no such numbers
 *   decimal128           a number with all digits of its scale: 1250.50
 *   utf8                 a text, escaped only where RFC 8259 section 7 demands it
 *   binary               base64; but key and value of the raw row, and a header's value, are a text when they are
 *                        valid UTF-8, and else base64 in a member with another name, value_base64: nobody has to
 *                        guess
 *   date, timestamp      "2024-01-15", "2024-01-15T10:30:01.000000Z"; years outside 0000 … 9999 with sign (ISO 8601)
 *   list, struct         array, object
 *   null                 null: every column is always there */
#ifndef KIT_JSON_WRITE_H
#define KIT_JSON_WRITE_H

#include <glib.h>
#include <sf/sf.h>

#include "value.h"

typedef struct JsonWriter JsonWriter;

/* For rows of this struct schema (borrowed until free). NULL and err: SF_CONFIG on a type that we do not have. */
JsonWriter *json_writer_new(const struct ArrowSchema *schema, SfError *err);
void json_writer_free(JsonWriter *writer);

/* The batch that the next rows are of (borrowed). */
SfStatus json_writer_batch(JsonWriter *writer, const SfBatch *batch, SfError *err);

/* Appends {"a":1,"b":null}, without a line break: there is none inside either. */
void json_writer_row(const JsonWriter *writer, int64_t row, GString *out);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(JsonWriter, json_writer_free)

#endif
