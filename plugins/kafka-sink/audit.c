/* The audit of a topic: positions by the groups' offsets, rejects by the headers that say which records they were.
 * Reads committed records only, beside any group. */
#include <string.h>

#include "sink.h"

#define SILENCE_US (30 * G_USEC_PER_SEC)
#define POLL_MS 200

/* ---- positions -------------------------------------------------------------------------------------------------- */

/* All offsets that a group has, by the splits that their metadata names. */
static SfStatus take_group(KafkaClient *client, const char *group, GHashTable *ends, SfError *err)
{
    rd_kafka_t *rk = kafka_client_handle(client);
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(rk);
    g_autoptr(rd_kafka_AdminOptions_t) options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_ListConsumerGroupOffsets_t *request = rd_kafka_ListConsumerGroupOffsets_new(group, NULL);
    rd_kafka_ListConsumerGroupOffsets(rk, &request, 1, options, queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(request);
    g_autoptr(rd_kafka_event_t) event = rd_kafka_queue_poll(queue, ANSWER_MS);
    rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    if (code)
        return kafka_fail(client, code, err, "reading the offsets of group '%s'", group);
    size_t n = 0;
    const rd_kafka_group_result_t **groups =
        rd_kafka_ListConsumerGroupOffsets_result_groups(rd_kafka_event_ListConsumerGroupOffsets_result(event), &n);
    const rd_kafka_topic_partition_list_t *list = n == 1 ? rd_kafka_group_result_partitions(groups[0]) : NULL;
    for (int i = 0; list && i < list->cnt; i++) {
        const rd_kafka_topic_partition_t *offset = &list->elems[i];
        if (offset->err || offset->offset < 0 || !offset->metadata || offset->metadata_size == 0)
            continue;
        char *split = g_strndup(offset->metadata, offset->metadata_size);
        const gint64 *known = g_hash_table_lookup(ends, split);
        gint64 *end = g_new(gint64, 1);
        *end = MAX(known ? *known : -1, offset->offset);
        g_hash_table_replace(ends, split, end);
    }
    return SF_OK;
}

static SfStatus tell_positions(SfNode *node, SfAudit *audit, KafkaClient *client, uint32_t input, SfError *err)
{
    g_autofree char *group = chains_group(node, input), *seen = chains_seen(group);
    g_autoptr(GHashTable) ends = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    SF_TRY(take_group(client, group, ends, err));
    SF_TRY(take_group(client, seen, ends, err));
    GHashTableIter iter;
    gpointer split, end;
    g_hash_table_iter_init(&iter, ends);
    while (g_hash_table_iter_next(&iter, &split, &end)) {
        SfAuditRange range = sf_audit_range_new(input, split, SF_POSITION_NONE, *(const gint64 *) end);
        range.place = group;
        sf_audit_range(audit, &range);
    }
    return SF_OK;
}

/* ---- records ---------------------------------------------------------------------------------------------------- */

typedef struct Tail {
    SfNode *node;
    SfAudit *audit;
    KafkaClient *client;
    rd_kafka_topic_partition_list_t *ends; /* of partitions that are read; offset -1: to its end */
    int open;
    int64_t rows;
    int64_t nameless;
} Tail;

static char *header_text(const rd_kafka_headers_t *headers, const char *name)
{
    const void *value = NULL;
    size_t size = 0;
    rd_kafka_resp_err_t code = headers ? rd_kafka_header_get_last(headers, name, &value, &size) : -1;
    return !code && value ? g_strndup(value, size) : NULL;
}

/* The input that brings the rejects of that step; -1: none does. */
static int input_of_step(const Tail *tail, const char *step)
{
    g_autofree char *name = g_strconcat(step, ".errors", NULL);
    for (size_t i = 0; i < tail->node->n_inputs; i++)
        if (strcmp(tail->node->inputs[i], name) == 0)
            return (int) i;
    return -1;
}

static void audit_record(Tail *tail, const rd_kafka_message_t *message)
{
    rd_kafka_headers_t *headers = NULL;
    if (rd_kafka_message_headers(message, &headers) != RD_KAFKA_RESP_ERR_NO_ERROR)
        headers = NULL;
    g_autofree char *step = header_text(headers, "sf.step"), *topic = header_text(headers, "sf.topic");
    g_autofree char *partition = header_text(headers, "sf.partition"), *offset = header_text(headers, "sf.offset");
    int input = step ? input_of_step(tail, step) : -1;
    tail->rows++;
    if (step && input < 0)
        return; /* of another step, which has the topic, too */
    if (input < 0 || !topic || !partition || !offset) {
        tail->nameless++;
        return;
    }
    int64_t position = g_ascii_strtoll(offset, NULL, 10);
    sf_audit_rows(tail->audit, (uint32_t) input, topic, (int32_t) g_ascii_strtoll(partition, NULL, 10), &position, 1);
}

static void end_partition(Tail *tail, const rd_kafka_message_t *message)
{
    rd_kafka_topic_partition_t *end =
        message->rkt
            ? rd_kafka_topic_partition_list_find(tail->ends, rd_kafka_topic_name(message->rkt), message->partition)
            : NULL;
    bool over = end && end->offset >= 0 && message->offset + (message->err ? 0 : 1) >= end->offset;
    if (!over)
        return;
    end->offset = -1;
    tail->open--;
}

static SfStatus read_tail(Tail *tail, SfError *err)
{
    gint64 heard = g_get_monotonic_time();
    while (tail->open > 0) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(kafka_client_handle(tail->client), POLL_MS);
        gint64 now = g_get_monotonic_time();
        bool end = message && message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF;
        if (message && (!message->err || end)) {
            heard = now;
            if (!end)
                audit_record(tail, message);
            end_partition(tail, message);
        }
        if (message)
            rd_kafka_message_destroy(message);
        if (now - heard > SILENCE_US)
            return kafka_fail(tail->client, RD_KAFKA_RESP_ERR__TIMED_OUT, err, "reading the topic's records");
    }
    return SF_OK;
}

static SfStatus open_reader(const SfNode *node, KafkaClient **out, SfError *err)
{
    const Sink *sink = node->state;
    g_autofree char *group = chains_group(node, 0);
    const KafkaSetting defaults[] = {{"socket.nagle.disable", "true"}, {NULL, NULL}};
    const KafkaSetting own[] = {{"group.id", group},
                                {"enable.auto.commit", "false"},
                                {"auto.offset.reset", "earliest"},
                                {"enable.partition.eof", "true"},
                                {"isolation.level", "read_committed"},
                                {"allow.auto.create.topics", "false"},
                                {NULL, NULL}};
    rd_kafka_conf_t *conf = kafka_conf_new(&sink->link, defaults, own, err);
    if (!conf)
        return SF_CONFIG;
    SF_TRY(kafka_client_new(NULL, RD_KAFKA_CONSUMER, conf, NULL, out, err)); /* what is for producers is passed over */
    rd_kafka_poll_set_consumer(kafka_client_handle(*out));
    return SF_OK;
}

/* All that is there by now. */
static SfStatus read_records(Tail *tail, int32_t partitions, KafkaClient *asker, SfError *err)
{
    const Sink *sink = tail->node->state;
    g_autoptr(rd_kafka_topic_partition_list_t) low = rd_kafka_topic_partition_list_new(partitions);
    rd_kafka_topic_partition_list_add_range(low, sink->topic, 0, partitions - 1);
    g_autoptr(rd_kafka_topic_partition_list_t) high = rd_kafka_topic_partition_list_copy(low);
    SF_TRY(kafka_offsets_at(asker, low, RD_KAFKA_OFFSET_BEGINNING, ANSWER_MS, err));
    SF_TRY(kafka_offsets_at(asker, high, RD_KAFKA_OFFSET_END, ANSWER_MS, err));
    SF_TRY(open_reader(tail->node, &tail->client, err));
    tail->ends = rd_kafka_topic_partition_list_new(partitions);
    for (int i = 0; i < high->cnt; i++) {
        const rd_kafka_topic_partition_t *end = &high->elems[i];
        const rd_kafka_topic_partition_t *begin = rd_kafka_topic_partition_list_find(low, sink->topic, end->partition);
        if (begin->offset < end->offset)
            rd_kafka_topic_partition_list_add(tail->ends, sink->topic, end->partition)->offset = end->offset;
        else
            rd_kafka_topic_partition_list_del(low, sink->topic, end->partition);
    }
    tail->open = tail->ends->cnt;
    rd_kafka_resp_err_t code =
        tail->open > 0 ? rd_kafka_assign(kafka_client_handle(tail->client), low) : RD_KAFKA_RESP_ERR_NO_ERROR;
    return code ? kafka_fail(tail->client, code, err, "reading topic '%s'", sink->topic) : read_tail(tail, err);
}

static SfStatus audit_topic(Tail *tail, KafkaClient *asker, SfError *err)
{
    const Sink *sink = tail->node->state;
    int32_t partitions = 0;
    SfStatus status = kafka_topic_partitions(asker, sink->topic, ANSWER_MS, &partitions, err);
    if (status == SF_OK && partitions > 0)
        status = read_records(tail, partitions, asker, err);
    if (status != SF_OK && status != SF_EMPTY)
        return status;
    if (tail->nameless > 0)
        sf_audit_note(tail->audit, sink->topic, "%" G_GINT64_FORMAT " of its records are not rejects of this pipeline",
                      tail->nameless);
    for (guint i = 0; i < sink->inputs->len; i++)
        if (g_array_index(sink->inputs, Input, i).rejects)
            sf_audit_rows(tail->audit, i, sink->topic, 0, NULL, 0); /* all of them were told */
    sf_audit_checked(tail->audit, "records", tail->rows, 0);
    return SF_OK;
}

SfStatus kafka_sink_audit(SfNode *node, SfAudit *audit, SfError *err)
{
    const Sink *sink = node->state;
    KafkaClient *asker = NULL;
    Tail tail = {.node = node, .audit = audit};
    g_autofree char *group = chains_group(node, 0);
    bool rejects = false;
    SF_TRY(kafka_client_asking(&sink->link, group, &asker, err));
    SfStatus status = SF_OK;
    for (guint i = 0; status == SF_OK && i < sink->inputs->len; i++) {
        bool its = g_array_index(sink->inputs, Input, i).rejects;
        rejects = rejects || its;
        status = tell_positions(node, audit, asker, i, err);
        if (!its)
            sf_audit_unknown(audit, node->inputs[i],
                             "records of the topic do not say which rows they are, where they are not rejects");
    }
    if (status == SF_OK && rejects)
        status = audit_topic(&tail, asker, err);
    if (tail.ends)
        rd_kafka_topic_partition_list_destroy(tail.ends);
    kafka_client_free(tail.client, ANSWER_MS);
    kafka_client_free(asker, ANSWER_MS);
    return status;
}
