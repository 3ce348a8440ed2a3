/* The audit of a topic: positions by the groups' offsets, rejects by the headers that say which records they were.
 * Reads committed records only, beside any group. */
#include <string.h>

#include "sink.h"

#define SILENCE_US (30 * G_USEC_PER_SEC)
#define POLL_MS 200
#define STABLE_TRIES 100 /* until no transaction is about to move an offset */
#define STABLE_US (100 * 1000)

/* ---- positions -------------------------------------------------------------------------------------------------- */

static void take_offset(const rd_kafka_topic_partition_t *offset, GHashTable *ends)
{
    if (offset->offset < 0 || !offset->metadata || offset->metadata_size == 0)
        return;
    char *split = g_strndup(offset->metadata, offset->metadata_size);
    const gint64 *known = g_hash_table_lookup(ends, split);
    gint64 *end = g_new(gint64, 1);
    *end = MAX(known ? *known : -1, offset->offset);
    g_hash_table_replace(ends, split, end);
}

/* SF_EMPTY: a transaction is about to move some of them. */
static SfStatus take_offsets(KafkaClient *client, const char *group, const rd_kafka_group_result_t *result,
                             GHashTable *ends, SfError *err)
{
    bool pending = false;
    const rd_kafka_error_t *error = rd_kafka_group_result_error(result);
    if (error)
        return kafka_fail(client, rd_kafka_error_code(error), err, "reading the offsets of group '%s'", group);
    const rd_kafka_topic_partition_list_t *list = rd_kafka_group_result_partitions(result);
    for (int i = 0; list && i < list->cnt; i++) {
        pending = pending || list->elems[i].err == RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT;
        if (!list->elems[i].err)
            take_offset(&list->elems[i], ends);
    }
    return pending ? SF_EMPTY : SF_OK;
}

/* All offsets that a group has, by the splits that their metadata names. */
static SfStatus ask_group(KafkaClient *client, const char *group, GHashTable *ends, SfError *err)
{
    rd_kafka_t *rk = kafka_client_handle(client);
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(rk);
    g_autoptr(rd_kafka_AdminOptions_t) options =
        rd_kafka_AdminOptions_new(rk, RD_KAFKA_ADMIN_OP_LISTCONSUMERGROUPOFFSETS);
    rd_kafka_error_t *refused = rd_kafka_AdminOptions_set_require_stable_offsets(options, 1);
    if (refused)
        return kafka_fail_error(client, refused, err, "reading the offsets of group '%s'", group);
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
    return n == 1 ? take_offsets(client, group, groups[0], ends, err)
                  : sf_fail(err, SF_RETRY, "the broker's answer names %zu groups, not '%s'", n, group);
}

static SfStatus take_group(KafkaClient *client, const char *group, GHashTable *ends, SfError *err)
{
    SfStatus status = SF_EMPTY;
    for (int i = 0; status == SF_EMPTY && i < STABLE_TRIES; i++) {
        if (i > 0)
            g_usleep(STABLE_US);
        status = ask_group(client, group, ends, err);
    }
    return status == SF_EMPTY ? sf_fail(err, SF_RETRY, "a transaction of group '%s' does not end", group) : status;
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
    rd_kafka_topic_partition_list_t *begins;
    rd_kafka_topic_partition_list_t *ends; /* of partitions that are read; offset -1: was reached */
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

/* A record, or the end of its partition; what came after the ends were asked for is left out. */
static void take_rejected(Tail *tail, const rd_kafka_message_t *message)
{
    rd_kafka_topic_partition_t *end =
        message->rkt
            ? rd_kafka_topic_partition_list_find(tail->ends, rd_kafka_topic_name(message->rkt), message->partition)
            : NULL;
    if (!end || end->offset < 0)
        return;
    if (!message->err && message->offset < end->offset)
        audit_record(tail, message);
    if (message->offset + (message->err ? 0 : 1) < end->offset)
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
        if (message && (!message->err || message->err == RD_KAFKA_RESP_ERR__PARTITION_EOF)) {
            heard = now;
            take_rejected(tail, message);
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

/* Where the topic begins and ends by now: before positions are read, so that these cover all records up to there. */
static SfStatus find_ends(Tail *tail, KafkaClient *asker, SfError *err)
{
    const Sink *sink = tail->node->state;
    int32_t partitions = 0;
    SfStatus status = kafka_topic_partitions(asker, sink->topic, ANSWER_MS, &partitions, err);
    if (status != SF_OK || partitions == 0)
        return status == SF_EMPTY ? SF_OK : status;
    g_autoptr(rd_kafka_topic_partition_list_t) low = rd_kafka_topic_partition_list_new(partitions);
    rd_kafka_topic_partition_list_add_range(low, sink->topic, 0, partitions - 1);
    g_autoptr(rd_kafka_topic_partition_list_t) high = rd_kafka_topic_partition_list_copy(low);
    SF_TRY(kafka_offsets_at(asker, low, RD_KAFKA_OFFSET_BEGINNING, ANSWER_MS, err));
    SF_TRY(kafka_offsets_at(asker, high, RD_KAFKA_OFFSET_END, ANSWER_MS, err));
    for (int i = 0; i < high->cnt; i++) {
        const rd_kafka_topic_partition_t *end = &high->elems[i];
        int64_t begin = rd_kafka_topic_partition_list_find(low, sink->topic, end->partition)->offset;
        if (begin >= end->offset)
            continue;
        rd_kafka_topic_partition_list_add(tail->ends, sink->topic, end->partition)->offset = end->offset;
        rd_kafka_topic_partition_list_add(tail->begins, sink->topic, end->partition)->offset = begin;
    }
    return SF_OK;
}

static SfStatus read_records(Tail *tail, SfError *err)
{
    tail->open = tail->ends->cnt;
    if (tail->open == 0)
        return SF_OK;
    SF_TRY(open_reader(tail->node, &tail->client, err));
    rd_kafka_resp_err_t code = rd_kafka_assign(kafka_client_handle(tail->client), tail->begins);
    return code ? kafka_fail(tail->client, code, err, "reading the topic's records") : read_tail(tail, err);
}

static SfStatus audit_topic(Tail *tail, SfError *err)
{
    const Sink *sink = tail->node->state;
    SF_TRY(read_records(tail, err));
    if (tail->nameless > 0)
        sf_audit_note(tail->audit, sink->topic, "%" G_GINT64_FORMAT " of its records are not rejects of this pipeline",
                      tail->nameless);
    for (guint i = 0; i < sink->inputs->len; i++)
        if (g_array_index(sink->inputs, Input, i).rejects)
            sf_audit_rows(tail->audit, i, sink->topic, 0, NULL, 0); /* all of them were told */
    sf_audit_checked(tail->audit, "records", tail->rows, 0);
    return SF_OK;
}

static SfStatus audit_inputs(Tail *tail, KafkaClient *asker, SfError *err)
{
    const Sink *sink = tail->node->state;
    bool rejects = false;
    SF_TRY(find_ends(tail, asker, err));
    for (guint i = 0; i < sink->inputs->len; i++) {
        bool its = g_array_index(sink->inputs, Input, i).rejects;
        rejects = rejects || its;
        SF_TRY(tell_positions(tail->node, tail->audit, asker, i, err));
        if (!its)
            sf_audit_unknown(tail->audit, tail->node->inputs[i],
                             "records of the topic do not say which rows they are, where they are not rejects");
    }
    return rejects ? audit_topic(tail, err) : SF_OK;
}

SfStatus kafka_sink_audit(SfNode *node, SfAudit *audit, SfError *err)
{
    const Sink *sink = node->state;
    KafkaClient *asker = NULL;
    g_autofree char *group = chains_group(node, 0);
    g_autoptr(rd_kafka_topic_partition_list_t) begins = rd_kafka_topic_partition_list_new(8);
    g_autoptr(rd_kafka_topic_partition_list_t) ends = rd_kafka_topic_partition_list_new(8);
    Tail tail = {.node = node, .audit = audit, .begins = begins, .ends = ends};
    SF_TRY(kafka_client_asking(&sink->link, group, &asker, err));
    SfStatus status = audit_inputs(&tail, asker, err);
    kafka_client_free(tail.client, ANSWER_MS);
    kafka_client_free(asker, ANSWER_MS);
    return status;
}
