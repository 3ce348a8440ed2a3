/* One consumer: the poll loop, and what comes beside messages. */
#include <poll.h>
#include <string.h>
#include <sys/eventfd.h>

#include "source.h"

/* A member that gives partitions back is waited for by all others: for its session, as if it were dead, but a commit is
 * to have a chance. */
#define PATIENCE_MS 5000

#define PROBE_AGAIN_US (5 * G_USEC_PER_SEC)

static SfStatus subscribe(Source *source, SfError *err)
{
    g_autoptr(rd_kafka_topic_partition_list_t) list = rd_kafka_topic_partition_list_new((int) source->topics.size + 1);
    for (size_t i = 0; i < source->topics.size; i++)
        rd_kafka_topic_partition_list_add(list, source->topics.items[i], RD_KAFKA_PARTITION_UA);
    if (source->topic_pattern) {
        /* librdkafka takes what begins with '^' as an expression; ours is for the whole name */
        g_autofree char *pattern = g_strdup_printf("^(%s)$", source->topic_pattern);
        rd_kafka_topic_partition_list_add(list, pattern, RD_KAFKA_PARTITION_UA);
    }
    rd_kafka_resp_err_t code = rd_kafka_subscribe(kafka_client_handle(source->client), list);
    if (code == RD_KAFKA_RESP_ERR__INVALID_ARG && source->topic_pattern)
        return sf_fail(err, SF_CONFIG, "topic_pattern: '%s' is not a valid regular expression", source->topic_pattern);
    return code ? kafka_fail(source->client, code, err, "subscribing") : SF_OK;
}

SfStatus consumer_open(SfNode *node, SfError *err)
{
    Source *source = node->state;
    rd_kafka_conf_t *conf = settings_conf(node, sf_memory(node), err);
    if (!conf)
        return SF_CONFIG;
    source->group_id = settings_group(node);
    source->waiting_since = g_get_monotonic_time();
    rd_kafka_conf_set_rebalance_cb(conf, assignment_event);
    rd_kafka_conf_set_offset_commit_cb(conf, publish_answered);
    SF_TRY(kafka_client_new(node, RD_KAFKA_CONSUMER, conf, node, &source->client, err));
    rd_kafka_t *rk = kafka_client_handle(source->client);
    rd_kafka_poll_set_consumer(rk);
    sf_patience(node, MAX(settings_number(source, "session.timeout.ms"), PATIENCE_MS));
    source->refill_bytes = (size_t) settings_number(source, "queued.max.messages.kbytes") * 1024 / 2;
    source->data = rd_kafka_queue_new(rk);
    static const uint64_t one = 1;
    rd_kafka_queue_io_event_enable(source->data, source->wake, &one, sizeof one);
    g_autoptr(rd_kafka_queue_t) events = rd_kafka_queue_get_consumer(rk);
    rd_kafka_queue_io_event_enable(events, source->wake, &one, sizeof one);
    return subscribe(source, err);
}

static SfStatus trouble(Source *source, SfStatus status, const char *what)
{
    source->trouble = status;
    sf_fail(&source->trouble_error, status, "%s", what);
    return status;
}

/* Of the topics that are called by their names. */
static bool any_topic_exists(const Source *source)
{
    const struct rd_kafka_metadata *metadata = NULL;
    bool found = false;
    if (source->topics.size < 2 ||
        rd_kafka_metadata(kafka_client_handle(source->client), 1, NULL, &metadata, KAFKA_PROBE_MS))
        return false;
    for (int i = 0; i < metadata->topic_cnt && !found; i++) {
        for (size_t k = 0; k < source->topics.size && !found; k++)
            found = !metadata->topics[i].err && strcmp(metadata->topics[i].topic, source->topics.items[k]) == 0;
    }
    rd_kafka_metadata_destroy(metadata);
    return found;
}

static void take_missing(SfNode *node, const char *topic)
{
    Source *source = node->state;
    begin_missing(source, topic);
    g_autofree char *text =
        topic[0] == '^' ? g_strdup_printf("no topic on '%s' matches 'topic_pattern: %s'", source->link.brokers,
                                          source->topic_pattern)
                        : g_strdup_printf("topic '%s' does not exist on '%s'; create it: sfrun topics create %s", topic,
                                          source->link.brokers, topic);
    if (source->partitions->len > 0 || any_topic_exists(source)) {
        sf_log(node, SF_LOG_WARNING, "%s", text);
        return;
    }
    source->missing = true;
    trouble(source, source->missing_topic == MISSING_TOPIC_STOP ? SF_CONFIG : SF_RETRY, text);
}

/* A message of the group's queue is never a record: what cannot be read, and why. */
static void take_event(SfNode *node, const rd_kafka_message_t *message)
{
    Source *source = node->state;
    const char *reason = rd_kafka_message_errstr(message);
    char text[640];
    switch (message->err) {
    case RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART:
    case RD_KAFKA_RESP_ERR__UNKNOWN_TOPIC:
        take_missing(node, message->rkt          ? rd_kafka_topic_name(message->rkt)
                           : source->topics.size ? source->topics.items[0]
                                                 : "^");
        return;
    case RD_KAFKA_RESP_ERR__MAX_POLL_EXCEEDED:
        sf_log(node, SF_LOG_WARNING,
               "no rows were asked for within max.poll.interval.ms; the group gives the partitions to others");
        return;
    case RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT:
        trouble(source, SF_CONFIG,
                "the broker does not allow this session.timeout.ms; set it under 'kafka' within the broker's "
                "group.min.session.timeout.ms and group.max.session.timeout.ms");
        return;
    case RD_KAFKA_RESP_ERR__FATAL:
        rd_kafka_fatal_error(kafka_client_handle(source->client), text, sizeof text);
        trouble(source, SF_FENCED, text);
        return;
    default:
        kafka_explain(message->err, reason, text, sizeof text);
        trouble(source, kafka_status(message->err), text);
        return;
    }
}

/* The group's queue: callbacks run in here, rebalances that they have recorded are carried out. */
static SfStatus serve_group(SfNode *node, SfError *err)
{
    Source *source = node->state;
    rd_kafka_message_t *message;
    while ((message = rd_kafka_consumer_poll(kafka_client_handle(source->client), 0))) {
        if (message->err)
            take_event(node, message);
        rd_kafka_message_destroy(message);
    }
    return assignment_serve(node, err);
}

static SfStatus serve_all(SfNode *node, SfError *err)
{
    SF_TRY(serve_group(node, err));
    publish_rest(node);
    return ids_serve(node, err);
}

static void keep_message(Partition *partition, rd_kafka_message_t *message)
{
    if (partition->size == partition->capacity) {
        partition->capacity = MAX(partition->capacity * 2, 256);
        partition->messages = g_renew(rd_kafka_message_t *, partition->messages, partition->capacity);
    }
    partition->messages[partition->size++] = message;
    partition->expected = message->offset + 1;
    partition->doubt = false;
    partition->lies = 0;
}

static Partition *partition_of(Source *source, Partition *last, const rd_kafka_message_t *message)
{
    if (last && last->handle == message->rkt && last->partition == message->partition)
        return last;
    Partition *found =
        message->rkt ? partition_find(source, rd_kafka_topic_name(message->rkt), message->partition) : NULL;
    if (found)
        found->handle = message->rkt;
    return found;
}

/* An end is also where clients count wrong: what comes next is looked at. */
static void take_end(Source *source, Partition *partition, int64_t offset)
{
    if (!holes_suspect(source, partition, offset))
        partition->ended = MIN(offset, partition->stop);
    holes_doubt(partition);
}

/* What cannot be read of a partition, and why. */
static void take_partition_error(Source *source, Partition *partition, const rd_kafka_message_t *message)
{
    char cause[512], text[640];
    const char *topic = message->rkt ? rd_kafka_topic_name(message->rkt) : "";
    bool out_of_range = message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
    if (out_of_range && partition && holes_suspect(source, partition, message->offset))
        return; /* it was not to be there: its own mistake */
    if (partition)
        holes_doubt(partition);
    kafka_explain(message->err, rd_kafka_message_errstr(message), cause, sizeof cause);
    g_snprintf(text, sizeof text, "'%s/%d' cannot be read at offset %" G_GINT64_FORMAT ": %s", topic,
               message->partition, message->offset, cause);
    /* Out of range: the new attempt's assignment finds out which way, and says what to do. */
    trouble(source, out_of_range ? SF_FENCED : SF_RETRY, text);
}

static void take_partition_event(Source *source, Partition *partition, const rd_kafka_message_t *message)
{
    if (message->err != RD_KAFKA_RESP_ERR__PARTITION_EOF)
        take_partition_error(source, partition, message);
    else if (partition)
        take_end(source, partition, message->offset);
}

/* A record: kept, unless a bounded run ends before it, or the consumer repeats itself. */
static bool take_record(Source *source, Partition *partition, rd_kafka_message_t *message)
{
    if (!partition)
        return false; /* still came of a partition that is no longer ours */
    if (holes_suspect(source, partition, message->offset))
        return false;
    if (message->offset >= partition->stop) {
        partition->ended = partition->stop;
        return false;
    }
    if (message->offset < partition->expected) {
        char text[400];
        g_snprintf(text, sizeof text, "'%s/%d': offset %" G_GINT64_FORMAT " came after %" G_GINT64_FORMAT,
                   partition->topic, partition->partition, message->offset, partition->expected - 1);
        trouble(source, SF_FENCED, text);
        return false;
    }
    keep_message(partition, message);
    return true;
}

/* Takes what is there, without waiting, into the partitions' arrays. */
static bool drain(Source *source)
{
    ssize_t n = rd_kafka_consume_batch_queue(source->data, 0, source->drained, (size_t) source->batch_rows);
    Partition *partition = NULL;
    size_t bytes = 0;
    if (n > 0 && kafka_client_down(source->client))
        holes_doubt_all(source);
    for (ssize_t i = 0; i < n; i++) {
        rd_kafka_message_t *message = source->drained[i];
        partition = partition_of(source, partition, message);
        bytes += message->len + message->key_len;
        if (message->err)
            take_partition_event(source, partition, message);
        if (message->err || !take_record(source, partition, message))
            rd_kafka_message_destroy(message);
    }
    if (n > 0)
        kafka_client_up(source->client);
    refill_taken(source, bytes + (size_t) MAX(n, 0) * 2 * MESSAGE_OVERHEAD);
    return n > 0;
}

/* A batch without rows that moves the range over what no reader gets to see: transaction markers, compacted records. */
static bool skip_to_end(Partition *partition, SfBatch *out, SfStatus *status, SfError *err)
{
    if (partition->ended < 0 || partition->first < partition->size)
        return false;
    int64_t end = partition->ended;
    partition->ended = -1;
    if (end <= partition->next)
        return false;
    partition->expected = MAX(partition->expected, end);
    RawRows *rows = raw_rows_new(partition->raw, 0, NULL, NULL, err);
    *status = rows ? raw_rows_finish(rows, NULL, &out->rows, err) : SF_RETRY;
    out->split = partition->split;
    out->start = partition->next;
    out->end = end;
    out->bytes = 0;
    out->newest_us = INT64_MIN;
    if (*status == SF_OK)
        partition->next = end;
    return true;
}

static void report_lag(SfNode *node, const Partition *partition)
{
    const Source *source = node->state;
    int64_t low = -1, high = -1;
    rd_kafka_get_watermark_offsets(kafka_client_handle(source->client), partition->topic, partition->partition, &low,
                                   &high);
    if (high >= 0)
        sf_lag(node, partition->split, high);
}

/* The next batch of what was drained, from the partitions in turn. */
static SfStatus next_batch(SfNode *node, SfBatch *out, SfError *err)
{
    Source *source = node->state;
    for (guint i = 0; i < source->partitions->len; i++) {
        Partition *partition = source->partitions->pdata[(source->turn + i) % source->partitions->len];
        SfStatus status = SF_OK;
        if (partition->first < partition->size)
            status = batch_build(node, partition, out, err);
        else if (!skip_to_end(partition, out, &status, err))
            continue;
        source->turn += i + (partition->first == partition->size);
        report_lag(node, partition);
        return status;
    }
    return SF_EMPTY;
}

static bool all_done(const SfNode *node)
{
    Source *source = node->state;
    if (!node->bounded || !source->assigned || !g_queue_is_empty(&source->rebalances))
        return false;
    for (guint i = 0; i < source->partitions->len; i++) {
        const Partition *partition = source->partitions->pdata[i];
        if (partition->next < partition->stop)
            return false;
    }
    return true;
}

/* False when the deadline came, or interrupt. */
static bool wait_until(Source *source, gint64 deadline)
{
    gint64 left = (deadline - g_get_monotonic_time() + 999) / 1000;
    if (g_atomic_int_compare_and_exchange(&source->interrupted, 1, 0) || left <= 0)
        return false;
    struct pollfd fd = {.fd = source->wake, .events = POLLIN};
    eventfd_t count;
    if (poll(&fd, 1, (int) MIN(left, 1000)) > 0)
        eventfd_read(source->wake, &count);
    return true;
}

/* What the consumer reported, once the rows that came before it are handed out. A missing topic stays missing until
 * there is an assignment. */
static SfStatus report_trouble(SfNode *node, SfError *err)
{
    Source *source = node->state;
    SfStatus status = source->trouble;
    if (status == SF_OK)
        return SF_OK;
    if (status == SF_FENCED) /* the next attempt knows nothing of which topic was read */
        SF_TRY(ids_confirm(node, err));
    if (err)
        *err = source->trouble_error;
    if (!source->missing)
        source->trouble = SF_OK;
    holes_seek(source);
    return status;
}

/* The consumer has not been heard of for a while: where it goes on is for us to say. */
static SfStatus after_outage(Source *source, SfError *err)
{
    SF_TRY(kafka_client_probe(source->client, KAFKA_PROBE_MS, err));
    holes_doubt_all(source);
    holes_seek(source);
    return SF_OK;
}

/* librdkafka does not always say that the last broker went down too. */
static SfStatus look_after_brokers(Source *source, SfError *err)
{
    if (kafka_client_down(source->client))
        return after_outage(source, err);
    return kafka_client_doubtful(source->client) ? kafka_client_probe(source->client, KAFKA_PROBE_MS, err) : SF_OK;
}

/* What a poll would say, for a source that is not polled: it stays for the poll. Brokers that are away are asked
 * now and then only, for the answer is waited for. */
static SfStatus show_trouble(Source *source, SfError *err)
{
    gint64 now = g_get_monotonic_time();
    if (source->trouble != SF_OK) {
        *err = source->trouble_error;
        return SF_RETRY;
    }
    if (kafka_client_down(source->client) && now < source->probe_again)
        return kafka_fail(source->client, RD_KAFKA_RESP_ERR__ALL_BROKERS_DOWN, err, "no broker answers");
    source->probe_again = now + PROBE_AGAIN_US;
    return look_after_brokers(source, err);
}

SfStatus consumer_serve(SfNode *node, SfError *err)
{
    SF_TRY(serve_all(node, err));
    return show_trouble(node->state, err);
}

SfStatus consumer_poll(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err)
{
    Source *source = node->state;
    gint64 deadline = g_get_monotonic_time() + timeout_ms * 1000;
    for (;;) {
        SF_TRY(serve_all(node, err));
        SfStatus status = next_batch(node, out, err);
        if (status != SF_EMPTY)
            return status;
        SF_TRY(holes_serve(node, err));
        if (drain(source))
            continue;
        SF_TRY(report_trouble(node, err));
        if (all_done(node))
            return SF_END;
        if (wait_until(source, deadline))
            continue;
        SF_TRY(look_after_brokers(source, err));
        holes_watch(node);
        waiting_tell(node);
        return SF_EMPTY;
    }
}

void consumer_close(SfNode *node)
{
    Source *source = node->state;
    assignment_leave(node);
    g_clear_pointer(&source->data, rd_kafka_queue_destroy);
    g_clear_pointer(&source->id_answers, rd_kafka_queue_destroy);
    kafka_client_free(g_steal_pointer(&source->asker), CLOSE_MS);
    /* with batches still alive the handle goes when the last of them does */
    bool retained = source->retained && g_atomic_int_get(source->retained) > 0;
    kafka_client_free(g_steal_pointer(&source->client), retained ? 0 : CLOSE_MS);
}
