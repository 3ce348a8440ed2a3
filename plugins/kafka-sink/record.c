/* A row as a record: key, value, headers, timestamp, topic. What of it comes from which column is decided once an
 * input. */
#include <string.h>

#include "sink.h"

/* What a record takes beside key, value and headers, with that of a request of it alone; and a header, at most. */
#define RECORD_OVERHEAD 128
#define HEADER_OVERHEAD 10

/* ---- once an input
 * ------------------------------------------------------------------------------------------------ */

static SfType type_of(const struct ArrowSchema *schema, int64_t column)
{
    SfField field;
    if (column < 0 || sf_schema_field(schema->children[column], &field, NULL) != SF_OK)
        return SF_TYPE_32_BITS;
    return field.type;
}

static int64_t find(const struct ArrowSchema *schema, const char *name, SfType type)
{
    int64_t column = sf_schema_find(schema, name);
    return type_of(schema, column) == type ? column : -1;
}

/* Of the raw row, or among the provenance columns that decoded rows carry. */
static int64_t find_place(const struct ArrowSchema *schema, const char *name, SfType type)
{
    g_autofree char *provenance = g_strconcat("_", name, NULL);
    int64_t column = find(schema, name, type);
    return column >= 0 ? column : find(schema, provenance, type);
}

static SfStatus missing_column(const struct ArrowSchema *schema, const char *option, const char *name,
                               const char *types, SfError *err)
{
    char suggestion[128];
    g_autofree const char **names = g_new(const char *, (gsize) schema->n_children);
    if (sf_schema_find(schema, name) >= 0)
        return sf_fail(err, SF_CONFIG, "%s: column '%s' is not of type %s", option, name, types);
    for (int64_t i = 0; i < schema->n_children; i++)
        names[i] = schema->children[i]->name;
    sf_suggest(name, names, (size_t) schema->n_children, suggestion, sizeof suggestion);
    return sf_fail(err, SF_CONFIG, "%s: there is no column '%s'%s", option, name, suggestion);
}

static SfStatus bind_key(const Sink *sink, const struct ArrowSchema *schema, Input *input, SfError *err)
{
    input->key = find(schema, sink->key ? sink->key : "key", SF_BINARY);
    if (!sink->key)
        return SF_OK;
    static const SfType types[] = {SF_UTF8, SF_INT64, SF_INT32};
    for (size_t i = 0; i < G_N_ELEMENTS(types) && input->key < 0; i++)
        input->key = find(schema, sink->key, types[i]);
    return input->key >= 0 ? SF_OK : missing_column(schema, "key", sink->key, "string, binary or integer", err);
}

static int64_t find_headers(const struct ArrowSchema *schema)
{
    int64_t column = find(schema, "headers", SF_LIST);
    const struct ArrowSchema *item = column >= 0 ? schema->children[column]->children[0] : NULL;
    bool pairs = item && item->n_children == 2 && type_of(item, 0) == SF_UTF8 && type_of(item, 1) == SF_BINARY;
    return pairs ? column : -1;
}

SfStatus record_bind(SfNode *node, size_t number, const struct ArrowSchema *schema, SfError *err)
{
    Sink *sink = node->state;
    Input input = {.name = node->inputs[number], .output = -1};
    SF_TRY(bind_key(sink, schema, &input, err));
    input.value = find(schema, "value", SF_BINARY);
    input.headers = find_headers(schema);
    input.timestamp = find_place(schema, "timestamp", SF_TIMESTAMP);
    input.topic = find_place(schema, "topic", SF_UTF8);
    input.partition = find_place(schema, "partition", SF_INT32);
    input.offset = find_place(schema, "offset", SF_INT64);
    input.step = find(schema, "_step", SF_UTF8);
    input.error = find(schema, "_error", SF_UTF8);
    input.rejects = input.step >= 0 && input.error >= 0;
    /* a column called value makes raw rows only together with what else they have */
    input.raw = input.value >= 0 && (input.rejects || (input.headers >= 0 && find(schema, "offset", SF_INT64) >= 0));
    if (sink->topic_column) {
        input.output = find(schema, sink->topic_column, SF_UTF8);
        if (input.output < 0)
            return missing_column(schema, "topic_column", sink->topic_column, "string", err);
    }
    if (!input.raw) {
        input.writer = json_writer_new(schema, err);
        if (!input.writer)
            return SF_CONFIG;
    }
    if (sink->inputs->len <= number)
        g_array_set_size(sink->inputs, (guint) number + 1);
    json_writer_free(g_array_index(sink->inputs, Input, number).writer);
    g_array_index(sink->inputs, Input, number) = input;
    return SF_OK;
}

/* ---- once a batch
 * ------------------------------------------------------------------------------------------------- */

static SfStatus view(const SfBatch *batch, int64_t column, SfColumn *out, SfError *err)
{
    return column >= 0 ? sf_column_at(batch, column, out, err) : SF_OK;
}

SfStatus rows_init(Rows *rows, const Input *input, const SfBatch *batch, SfError *err)
{
    *rows = (Rows){.input = input, .batch = batch};
    SF_TRY(view(batch, input->key, &rows->key, err));
    SF_TRY(view(batch, input->value, &rows->value, err));
    SF_TRY(view(batch, input->timestamp, &rows->timestamp, err));
    SF_TRY(view(batch, input->topic, &rows->topic, err));
    SF_TRY(view(batch, input->partition, &rows->partition, err));
    SF_TRY(view(batch, input->offset, &rows->offset, err));
    SF_TRY(view(batch, input->step, &rows->step, err));
    SF_TRY(view(batch, input->error, &rows->error, err));
    SF_TRY(view(batch, input->output, &rows->output, err));
    SF_TRY(view(batch, input->headers, &rows->headers, err));
    if (input->headers >= 0) {
        SF_TRY(sf_column_child(&rows->headers, 0, &rows->header_item, err));
        SF_TRY(sf_column_child(&rows->header_item, 0, &rows->header_name, err));
        SF_TRY(sf_column_child(&rows->header_item, 1, &rows->header_value, err));
    }
    return input->writer ? json_writer_batch(input->writer, batch, err) : SF_OK;
}

/* ---- once a row
 * --------------------------------------------------------------------------------------------------- */

typedef struct Record {
    SfBytes key; /* data NULL: null; likewise value */
    SfBytes value;
    int64_t timestamp_ms; /* 0: now */
    rd_kafka_headers_t *headers;
    char number[24]; /* where an integer key has its text */
} Record;

/* Null is data NULL, empty is not. */
static SfBytes bytes_or_null(const SfColumn *column, int64_t row)
{
    SfBytes bytes = {0};
    if (sf_is_null(column, row))
        return bytes;
    bytes = sf_bytes(column, row);
    if (!bytes.data)
        bytes.data = "";
    return bytes;
}

static SfBytes key_of(const Rows *rows, int64_t row, Record *record)
{
    SfBytes none = {0};
    if (rows->input->key < 0 || sf_is_null(&rows->key, row))
        return none;
    if (rows->key.type == SF_UTF8 || rows->key.type == SF_BINARY)
        return bytes_or_null(&rows->key, row);
    int64_t number = rows->key.type == SF_INT32 ? sf_i32(&rows->key, row) : sf_i64(&rows->key, row);
    int size = g_snprintf(record->number, sizeof record->number, "%" G_GINT64_FORMAT, number);
    return (SfBytes){.data = record->number, .size = size};
}

/* How many bytes of the text are at most `longest`, and no half character. */
static int64_t cut_text(SfBytes text, int64_t longest)
{
    int64_t size = MIN(text.size, MAX(longest, 0));
    while (size > 0 && size < text.size && ((unsigned char) text.data[size] & 0xc0) == 0x80)
        size--;
    return size;
}

static void add_text(rd_kafka_headers_t *headers, const char *name, const char *text)
{
    rd_kafka_header_add(headers, name, -1, text, -1);
}

static void add_number(rd_kafka_headers_t *headers, const char *name, int64_t number)
{
    char text[24];
    g_snprintf(text, sizeof text, "%" G_GINT64_FORMAT, number);
    add_text(headers, name, text);
}

static void add_bytes(rd_kafka_headers_t *headers, const char *name, const SfColumn *column, int64_t row)
{
    SfBytes bytes = bytes_or_null(column, row);
    rd_kafka_header_add(headers, name, -1, bytes.data, bytes.size);
}

/* Why the row was rejected, and where it came from; the cause at most that long. */
static void add_reject_headers(const Rows *rows, int64_t row, int64_t longest, rd_kafka_headers_t *headers)
{
    const Input *input = rows->input;
    const SfSplit *split = rows->batch->split;
    SfBytes error = bytes_or_null(&rows->error, row);
    rd_kafka_header_add(headers, "sf.error", -1, error.data, cut_text(error, longest));
    add_bytes(headers, "sf.step", &rows->step, row);
    if (input->topic >= 0 && !sf_is_null(&rows->topic, row))
        add_bytes(headers, "sf.topic", &rows->topic, row);
    else
        add_text(headers, "sf.topic", split->topic);
    bool placed = input->partition >= 0 && !sf_is_null(&rows->partition, row);
    add_number(headers, "sf.partition", placed ? sf_i32(&rows->partition, row) : split->partition);
    if (input->offset >= 0 && !sf_is_null(&rows->offset, row))
        add_number(headers, "sf.offset", sf_i64(&rows->offset, row));
    if (input->timestamp >= 0 && !sf_is_null(&rows->timestamp, row))
        add_number(headers, "sf.timestamp", sf_i64(&rows->timestamp, row) / 1000);
}

static void add_own_headers(const Rows *rows, int64_t row, rd_kafka_headers_t *headers)
{
    int64_t first;
    int64_t n = sf_list(&rows->headers, row, &first);
    for (int64_t i = first; i < first + n; i++) {
        SfBytes name = sf_bytes(&rows->header_name, i), value = bytes_or_null(&rows->header_value, i);
        rd_kafka_header_add(headers, name.data ? name.data : "", name.size, value.data, value.size);
    }
}

static rd_kafka_headers_t *headers_of(const Rows *rows, int64_t row)
{
    bool own = rows->input->headers >= 0 && !sf_is_null(&rows->headers, row);
    if (!own && !rows->input->rejects)
        return NULL;
    rd_kafka_headers_t *headers = rd_kafka_headers_new(8);
    if (own)
        add_own_headers(rows, row, headers);
    if (rows->input->rejects)
        add_reject_headers(rows, row, G_MAXINT64, headers);
    return headers;
}

SfBytes record_topic(const Rows *rows, int64_t row)
{
    SfBytes none = {0};
    return rows->input->output < 0 ? none : bytes_or_null(&rows->output, row);
}

bool record_has_time(const Input *input, const SfBatch *batch, int64_t row)
{
    SfColumn column;
    return input->raw && !input->rejects && input->timestamp >= 0 &&
           sf_column_at(batch, input->timestamp, &column, NULL) == SF_OK && !sf_is_null(&column, row);
}

/* A reject's own time may be long past, and the topic would forget it at once. 0: now. */
static int64_t timestamp_of(const Rows *rows, int64_t row)
{
    const Input *input = rows->input;
    bool own = input->raw && !input->rejects && input->timestamp >= 0 && !sf_is_null(&rows->timestamp, row);
    return own ? sf_i64(&rows->timestamp, row) / 1000 : 0;
}

static void record_make(Sink *sink, const Rows *rows, int64_t row, Record *record)
{
    const Input *input = rows->input;
    record->key = key_of(rows, row, record);
    record->headers = headers_of(rows, row);
    record->timestamp_ms = timestamp_of(rows, row);
    if (input->raw) {
        record->value = bytes_or_null(&rows->value, row);
    } else {
        g_string_truncate(sink->text, 0);
        json_writer_row(input->writer, row, sink->text);
        record->value = (SfBytes){.data = sink->text->str, .size = (int64_t) sink->text->len};
    }
}

static int64_t headers_size(const rd_kafka_headers_t *headers)
{
    const char *name;
    const void *value;
    size_t length;
    int64_t size = 0;
    for (size_t i = 0; headers && !rd_kafka_header_get_all(headers, i, &name, &value, &length); i++)
        size += (int64_t) (strlen(name) + length) + HEADER_OVERHEAD;
    return size;
}

/* A reject that its topic does not take whole: cause and place, the key if it is short, and as much of the value as
 * there is room for. */
static void record_cut(const Rows *rows, int64_t row, int64_t limit, Record *record)
{
    if (record->headers)
        rd_kafka_headers_destroy(record->headers);
    record->headers = rd_kafka_headers_new(8);
    add_reject_headers(rows, row, limit / 4, record->headers);
    add_number(record->headers, "sf.size", record->value.size);
    if (record->key.size > limit / 4)
        record->key.size = limit / 4;
    int64_t room = limit - RECORD_OVERHEAD - record->key.size - headers_size(record->headers);
    record->value.size = cut_text(record->value, room);
}

rd_kafka_resp_err_t record_produce(Lane *lane, const Rows *rows, int64_t row, rd_kafka_topic_t *topic, int64_t limit,
                                   void *opaque)
{
    Record record;
    record_make(lane->sink, rows, row, &record);
    if (limit > 0)
        record_cut(rows, row, limit, &record);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        kafka_client_handle(lane->client), RD_KAFKA_V_RKT(topic), RD_KAFKA_V_PARTITION(RD_KAFKA_PARTITION_UA),
        RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY), RD_KAFKA_V_KEY(record.key.data, (size_t) record.key.size),
        RD_KAFKA_V_VALUE((void *) record.value.data, (size_t) record.value.size),
        RD_KAFKA_V_TIMESTAMP(MAX(record.timestamp_ms, 0)), RD_KAFKA_V_HEADERS(record.headers),
        RD_KAFKA_V_OPAQUE(opaque), RD_KAFKA_V_END);
    if (code && record.headers)
        rd_kafka_headers_destroy(record.headers); /* else they are the producer's */
    return code;
}

char *record_fault(const Sink *sink, const Rows *rows, int64_t row, const TopicRules *rules, int64_t now_ms)
{
    Record record;
    SfBytes other = record_topic(rows, row);
    int64_t time = timestamp_of(rows, row);
    bool same = (size_t) other.size == strlen(sink->topic) && memcmp(other.data, sink->topic, (size_t) other.size) == 0;
    if (other.data && !same) /* the rules are those of the option's topic */
        return NULL;
    if (rules->keyed && !key_of(rows, row, &record).data)
        return g_strdup_printf("the record has no key, and topic '%s' is compacted (cleanup.policy)", sink->topic);
    if (time > 0 && ((rules->before_ms >= 0 && time < now_ms - rules->before_ms) ||
                     (rules->after_ms >= 0 && time > now_ms + rules->after_ms)))
        return g_strdup_printf("the record's time, %" G_GINT64_FORMAT
                               " ms, is outside of what topic '%s' takes (message.timestamp.before.max.ms and "
                               "message.timestamp.after.max.ms)",
                               time, sink->topic);
    return NULL;
}
