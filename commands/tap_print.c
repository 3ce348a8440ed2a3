/* A record as a line: the value as it is (on a terminal, without what speaks to it), or all of it as JSON. */
#include "tap_print.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "data/printable.h"
#include "json/write.h"

/* Bytes as a text; what is no UTF-8 as base64, in a member whose name says so. */
static void append_bytes(GString *out, const char *name, const void *data, size_t size)
{
    bool text = data && sf_is_utf8(data, (int64_t) size);
    g_string_append_printf(out, "\"%s%s\":", name, !data || text ? "" : "_base64");
    if (!data)
        g_string_append(out, "null");
    else if (text)
        json_write_text(out, data, size);
    else
        json_write_base64(out, data, size);
}

static void append_headers(GString *out, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t size;
    rd_kafka_message_headers(message, &headers);
    g_string_append(out, ",\"headers\":[");
    for (size_t i = 0; headers && !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++) {
        g_string_append(out, i ? ",{" : "{");
        append_bytes(out, "key", name, strlen(name));
        g_string_append_c(out, ',');
        append_bytes(out, "value", value, size);
        g_string_append_c(out, '}');
    }
    g_string_append_c(out, ']');
}

static void append_json(GString *out, const rd_kafka_message_t *message)
{
    rd_kafka_timestamp_type_t type;
    int64_t timestamp = rd_kafka_message_timestamp(message, &type);
    g_string_append(out, "{\"topic\":");
    json_write_text(out, rd_kafka_topic_name(message->rkt), strlen(rd_kafka_topic_name(message->rkt)));
    g_string_append_printf(out, ",\"partition\":%d,\"offset\":%" G_GINT64_FORMAT ",\"timestamp\":", message->partition,
                           message->offset);
    if (type == RD_KAFKA_TIMESTAMP_NOT_AVAILABLE)
        g_string_append(out, "null,");
    else
        g_string_append_printf(out, "%" G_GINT64_FORMAT ",", timestamp);
    append_bytes(out, "key", message->key, message->key_len);
    g_string_append_c(out, ',');
    append_bytes(out, "value", message->payload, message->len);
    append_headers(out, message);
    g_string_append_c(out, '}');
}

static void append_plain_headers(GString *out, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t size;
    rd_kafka_message_headers(message, &headers);
    for (size_t i = 0; headers && !rd_kafka_header_get_all(headers, i, &name, &value, &size); i++)
        g_string_append_printf(out, "%s%s:%.*s", i ? "," : "", name, (int) size, value ? (const char *) value : "null");
    g_string_append_c(out, '\t');
}

static void append_plain(const TapOptions *options, GString *out, const rd_kafka_message_t *message)
{
    if (options->place)
        g_string_append_printf(out, "%s/%d@%" G_GINT64_FORMAT "\t", rd_kafka_topic_name(message->rkt),
                               message->partition, message->offset);
    if (options->headers)
        append_plain_headers(out, message);
    if (options->key) {
        g_string_append_len(out, message->key ? message->key : "null", message->key ? (gssize) message->key_len : 4);
        g_string_append_c(out, '\t');
    }
    g_string_append_len(out, message->payload ? message->payload : "null",
                        message->payload ? (gssize) message->len : 4);
}

/* Control characters of records do not speak to a terminal: as they are written in JSON, or as \x1b. */
static GString *for_terminal(const GString *line, bool json)
{
    GString *out = g_string_sized_new(line->len);
    for (const char *at = line->str, *end = line->str + line->len; at < end;) {
        gunichar c = g_utf8_get_char_validated(at, end - at);
        bool whole = c != (gunichar) -1 && c != (gunichar) -2;
        if (!whole)
            c = (guchar) *at;
        if (!whole || (c < ' ' && c != '\t') || (c >= 0x7f && c <= 0x9f))
            g_string_append_printf(out, json ? "\\u%04x" : "\\x%02x", c);
        else
            g_string_append_unichar(out, c);
        at = whole ? g_utf8_next_char(at) : at + 1;
    }
    return out;
}

static void append_line(const TapOptions *options, GString *out, const rd_kafka_message_t *message)
{
    if (options->json)
        append_json(out, message);
    else
        append_plain(options, out, message);
}

bool tap_print(const TapOptions *options, const rd_kafka_message_t *message)
{
    g_autoptr(GString) out = g_string_new(NULL);
    append_line(options, out, message);
    if (options->terminal) {
        GString *shown = for_terminal(out, options->json);
        g_string_free(out, TRUE);
        out = shown;
    }
    g_string_append_c(out, '\n');
    if (!isatty(STDOUT_FILENO))
        return fwrite(out->str, 1, out->len, stdout) == out->len;
    g_autofree char *shown = printable_bytes(out->str, out->len, "\n\t", options->json ? "\\u00" : "\\x");
    return fputs(shown, stdout) >= 0;
}
