/* The audit of topics: where partitions begin and end, and in a deep one their records, read beside the group: by a
 * consumer that is given its partitions, joins nothing and commits nothing. */
#include <regex.h>
#include <string.h>

#include "source.h"

#define AUDIT_MEMORY (INT64_C(32) << 20)
#define SILENCE_US (30 * G_USEC_PER_SEC) /* without a record or an end: the broker is away */
#define POLL_MS 200

static bool is_subscribed(const Source *source, const regex_t *pattern, const char *topic)
{
    for (size_t i = 0; i < source->topics.size; i++)
        if (strcmp(source->topics.items[i], topic) == 0)
            return true;
    return pattern && regexec(pattern, topic, 0, NULL, 0) == 0;
}

static void add_partitions(const struct rd_kafka_metadata_topic *topic, rd_kafka_topic_partition_list_t *out)
{
    for (int i = 0; topic->err == RD_KAFKA_RESP_ERR_NO_ERROR && i < topic->partition_cnt; i++)
        rd_kafka_topic_partition_list_add(out, topic->topic, topic->partitions[i].id);
}

/* All partitions of the subscribed topics, as they are now. */
static SfStatus list_partitions(KafkaClient *client, const Source *source, rd_kafka_topic_partition_list_t *out,
                                SfError *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    g_autofree char *anchored = source->topic_pattern ? g_strdup_printf("^(%s)$", source->topic_pattern) : NULL;
    regex_t pattern;
    rd_kafka_resp_err_t code = rd_kafka_metadata(kafka_client_handle(client), 1, NULL, &metadata, ANSWER_MS);
    if (code)
        return kafka_fail(client, code, err, "asking for the topics' partitions");
    bool matches = anchored && regcomp(&pattern, anchored, REG_EXTENDED | REG_NOSUB) == 0;
    for (int i = 0; i < metadata->topic_cnt; i++)
        if (is_subscribed(source, matches ? &pattern : NULL, metadata->topics[i].topic))
            add_partitions(&metadata->topics[i], out);
    if (matches)
        regfree(&pattern);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_partition_list_sort(out, NULL, NULL);
    return SF_OK;
}

static void tell_ranges(const Source *source, SfAudit *audit, const rd_kafka_topic_partition_list_t *low,
                        const rd_kafka_topic_partition_list_t *high)
{
    for (int i = 0; i < low->cnt; i++) {
        const rd_kafka_topic_partition_t *partition = &low->elems[i];
        g_autofree char *name = assignment_split_name(source, partition);
        SfAuditRange range = sf_audit_range_new(0, name, partition->offset, high->elems[i].offset);
        range.topic = partition->topic;
        range.partition = partition->partition;
        sf_audit_range(audit, &range);
    }
}

/* ---- records ---------------------------------------------------------------------------------------------------- */

typedef struct Reading {
    SfSplit split;
    Partition *partition;
    int64_t to;
    bool done;
} Reading;

typedef struct Reader {
    SfNode *node;
    SfAudit *audit;
    KafkaClient *client;
    GArray *readings; /* of Reading */
    guint open;       /* of them */
} Reader;

static void reading_clear(gpointer data)
{
    Reading *reading = data;
    partition_free(reading->partition);
    g_free((char *) reading->split.name);
}

static void reader_done(Reader *reader)
{
    if (reader->readings)
        g_array_unref(reader->readings); /* messages before the handle that they are of */
    kafka_client_free(reader->client, CLOSE_MS);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Reader, reader_done)

static Reading *reading_of(const Reader *reader, const rd_kafka_message_t *message)
{
    for (guint i = 0; message->rkt && i < reader->readings->len; i++) {
        Reading *reading = &g_array_index(reader->readings, Reading, i);
        if (reading->partition->partition == message->partition &&
            strcmp(reading->partition->topic, rd_kafka_topic_name(message->rkt)) == 0)
            return reading;
    }
    return NULL;
}

static SfStatus give_batches(const Reader *reader, Reading *reading, SfError *err)
{
    Partition *partition = reading->partition;
    while (partition->first < partition->size) {
        SfBatch batch = {0};
        SF_TRY(batch_build(reader->node, partition, &batch, err));
        batch.split = &reading->split;
        SF_TRY(sf_audit_batch(reader->audit, &batch, err));
    }
    return SF_OK;
}

static SfStatus end_reading(Reader *reader, Reading *reading, SfError *err)
{
    if (reading->done)
        return SF_OK;
    reading->done = true;
    reader->open--;
    g_autoptr(rd_kafka_topic_partition_list_t) list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, reading->partition->topic, reading->partition->partition);
    rd_kafka_pause_partitions(kafka_client_handle(reader->client), list);
    return give_batches(reader, reading, err);
}

/* Takes the message over. */
static SfStatus keep_message(Reader *reader, Reading *reading, rd_kafka_message_t *message, SfError *err)
{
    const Source *source = reader->node->state;
    Partition *partition = reading->partition;
    if (reading->done || message->offset >= reading->to) {
        rd_kafka_message_destroy(message);
        return end_reading(reader, reading, err);
    }
    if (partition->size == partition->capacity) {
        partition->capacity = MAX(2 * partition->capacity, 64);
        partition->messages = g_renew(rd_kafka_message_t *, partition->messages, partition->capacity);
    }
    partition->messages[partition->size++] = message;
    if (message->offset == reading->to - 1)
        return end_reading(reader, reading, err);
    return (int64_t) (partition->size - partition->first) < source->batch_rows ? SF_OK
                                                                               : give_batches(reader, reading, err);
}

/* SF_EMPTY: nothing that is of use. Takes the message over. */
static SfStatus take_read(Reader *reader, rd_kafka_message_t *message, SfError *err)
{
    Reading *reading = reading_of(reader, message);
    rd_kafka_resp_err_t code = message->err;
    if (reading && !code)
        return keep_message(reader, reading, message, err);
    int64_t offset = message->offset;
    g_autofree char *text = code ? g_strdup(rd_kafka_message_errstr(message)) : NULL;
    rd_kafka_message_destroy(message);
    if (reading && code == RD_KAFKA_RESP_ERR__PARTITION_EOF)
        return offset >= reading->to ? end_reading(reader, reading, err) : SF_EMPTY;
    if (code == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET || code == RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE)
        return sf_fail(err, SF_FATAL, "records were deleted while they were read: %s", text);
    return SF_EMPTY; /* lost connections come back, or nothing comes any more */
}

static SfStatus read_readings(Reader *reader, SfError *err)
{
    gint64 heard = g_get_monotonic_time();
    while (reader->open > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka_client_handle(reader->client), POLL_MS);
        SfStatus status = message ? take_read(reader, message, err) : SF_EMPTY;
        if (status == SF_OK)
            heard = g_get_monotonic_time();
        else if (status != SF_EMPTY)
            return status;
        else if (g_get_monotonic_time() - heard > SILENCE_US)
            return kafka_fail(reader->client, RD_KAFKA_RESP_ERR__TIMED_OUT, err, "reading the topic's records");
    }
    return SF_OK;
}

static void add_reading(Reader *reader, const rd_kafka_topic_partition_t *low, int64_t high,
                        rd_kafka_topic_partition_list_t *assignment)
{
    const Source *source = reader->node->state;
    int64_t from, to;
    char *name = assignment_split_name(source, low);
    sf_audit_wanted(reader->audit, name, &from, &to);
    from = MAX(from, low->offset);
    to = MIN(to, high);
    if (from >= to) {
        g_free(name);
        return;
    }
    Partition *partition = g_new0(Partition, 1);
    *partition = (Partition){.topic = g_strdup(low->topic),
                             .partition = low->partition,
                             .next = from,
                             .raw = raw_source_new(low->topic, low->partition, source->batch_rows)};
    Reading reading = {.split = {.name = name, .topic = partition->topic, .partition = low->partition},
                       .partition = partition,
                       .to = to};
    g_array_append_val(reader->readings, reading);
    rd_kafka_topic_partition_list_add(assignment, low->topic, low->partition)->offset = from;
    reader->open++;
}

/* The splits' addresses are final only now. */
static void point_at_splits(const Reader *reader)
{
    for (guint i = 0; i < reader->readings->len; i++) {
        Reading *reading = &g_array_index(reader->readings, Reading, i);
        reading->partition->split = &reading->split;
    }
}

static SfStatus read_records(SfNode *node, SfAudit *audit, const rd_kafka_topic_partition_list_t *low,
                             const rd_kafka_topic_partition_list_t *high, SfError *err)
{
    Source *source = node->state;
    g_auto(Reader) reader = {.node = node, .audit = audit};
    g_autoptr(rd_kafka_topic_partition_list_t) assignment = rd_kafka_topic_partition_list_new(low->cnt);
    reader.readings = g_array_new(FALSE, FALSE, sizeof(Reading));
    g_array_set_clear_func(reader.readings, reading_clear);
    for (int i = 0; i < low->cnt; i++)
        add_reading(&reader, &low->elems[i], high->elems[i].offset, assignment);
    point_at_splits(&reader);
    rd_kafka_conf_t *conf = settings_conf(node, AUDIT_MEMORY, err);
    if (!conf)
        return SF_CONFIG;
    SF_TRY(kafka_client_new(node, RD_KAFKA_CONSUMER, conf, NULL, &reader.client, err));
    source->retained = g_atomic_rc_box_new0(gint);
    SF_TRY(batch_headers_init(source, err));
    rd_kafka_poll_set_consumer(kafka_client_handle(reader.client));
    rd_kafka_resp_err_t code = rd_kafka_assign(kafka_client_handle(reader.client), assignment);
    if (code)
        return kafka_fail(reader.client, code, err, "reading the topic's records");
    return read_readings(&reader, err);
}

SfStatus kafka_source_audit(SfNode *node, SfAudit *audit, SfError *err)
{
    Source *source = node->state;
    KafkaClient *client = NULL;
    g_autofree char *group = settings_group(node);
    g_autoptr(rd_kafka_topic_partition_list_t) low = rd_kafka_topic_partition_list_new(16);
    g_autoptr(rd_kafka_topic_partition_list_t) high = NULL;
    SF_TRY(kafka_client_asking(&source->link, group, &client, err));
    SfStatus status = list_partitions(client, source, low, err);
    high = rd_kafka_topic_partition_list_copy(low);
    if (status == SF_OK && low->cnt > 0)
        status = kafka_offsets_at(client, low, RD_KAFKA_OFFSET_BEGINNING, ANSWER_MS, err);
    if (status == SF_OK && low->cnt > 0)
        status = kafka_offsets_at(client, high, RD_KAFKA_OFFSET_END, ANSWER_MS, err);
    kafka_client_free(client, CLOSE_MS);
    SF_TRY(status);
    if (low->cnt == 0)
        sf_audit_unknown(audit, source->link.brokers, "none of the topics exists");
    tell_ranges(source, audit, low, high);
    return audit->depth == SF_AUDIT_DEEP ? read_records(node, audit, low, high, err) : SF_OK;
}
