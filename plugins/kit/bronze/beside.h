/* Keys and headers of rows, which lie in objects beside the values' as Kafka Connect's S3 sink puts them there
 * (store.kafka.keys, store.kafka.headers): sales+0+0000000000.keys.json and .headers.json beside
 * sales+0+0000000000.json, a line of JSON for each row, in the same order.
 *
 *   a key       "text"; null; {"key_base64":"…"} where it is not UTF-8
 *   headers     {"headers":[{"key":"name","value":"text"},…]}, null where there is no list; a value may be null, and is
 *               "value_base64" where it is not UTF-8
 *
 * Kafka Connect has neither null nor base64; keys may be any JSON there, of which the text is the key. */
#ifndef KIT_BRONZE_BESIDE_H
#define KIT_BRONZE_BESIDE_H

#include <glib.h>
#include <sf/sf.h>

typedef enum Beside { BESIDE_KEYS, BESIDE_HEADERS, BESIDE_KINDS } Beside;

extern const char *const beside_words[]; /* "keys", "headers" */

/* ---- writing: appends a line, without its end ---- */

/* `key`: of bytes or text; NULL: null. */
void beside_write_key(const SfColumn *key, int64_t row, GString *out);

/* The column headers of raw rows. */
typedef struct HeaderColumns {
    SfColumn list;
    SfColumn key;
    SfColumn value;
} HeaderColumns;

SfStatus header_columns_init(HeaderColumns *columns, const SfBatch *batch, int64_t column, SfError *err);
/* NULL: null. */
void beside_write_headers(const HeaderColumns *columns, int64_t row, GString *out);

/* ---- reading; false: the line is not what it should be ---- */

/* Into `room`, which has as many bytes as the line. *key NULL: it is null. */
bool beside_read_key(const char *line, size_t size, char *room, const char **key, size_t *key_size);

/* Appends a row to a builder's column of headers. */
bool beside_read_headers(const char *line, size_t size, SfColumnBuilder *column);

#endif
