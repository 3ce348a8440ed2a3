/* kafka-source: descriptor, options, life. Reading is in consumer.c, groups in assignment.c. */
#include <errno.h>
#include <regex.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "source.h"

static const char *const start_words[] = {"earliest", "latest", "timestamp", "committed", NULL};
static const char *const on_lost_words[] = {"stop", "continue", NULL};
static const char *const missing_words[] = {"wait", "stop", NULL};

static const SfOption options[] = {
    KAFKA_OPTION_ROWS(Source, link),
    SF_OPTION_LIST(Source, topics, .doc = "Topics to read.", .example = "[sales_events]"),
    SF_OPTION_STRING(
        Source, topic_pattern,
        .doc = "Regular expression (POSIX extended) for the whole name of topics to read; new ones are found."),
    SF_OPTION_STRING(Source, group,
                     .doc =
                         "Consumer group, which shares the partitions out and shows the lag; default: pipeline.step."),
    SF_OPTION_ENUM(
        Source, start, .value = "earliest", .words = start_words,
        .doc =
            "Where to begin in a partition that no sink has a position of; latest: at its end when the pipeline starts "
            "for the first time, and at the beginning of partitions and topics that come later; committed: at the "
            "group's offset, else earliest."),
    SF_OPTION_STRING(Source, start_timestamp,
                     .doc = "For start: timestamp. RFC 3339 (UTC without a zone) or milliseconds since 1970."),
    SF_OPTION_INT(Source, epoch, .value = "1", .min = "1",
                  .doc =
                      "Raise it when a topic was deleted and created anew: its partitions are new splits (topic/0@2)."),
    SF_OPTION_ENUM(Source, on_lost, .value = "stop", .words = on_lost_words,
                   .doc = "When records were deleted by retention before they were read."),
    SF_OPTION_ENUM(Source, on_recreated, .value = "stop", .words = on_lost_words,
                   .doc =
                       "When a topic was deleted and created anew, and has grown past what the sinks have of the old "
                       "one; continue: what lies before is left out. See epoch."),
    SF_OPTION_ENUM(Source, missing_topic, .value = "wait", .words = missing_words,
                   .doc = "When none of the topics exists."),
    SF_OPTION_SIZE(
        Source, prefetch, .value = "8MiB", .min = "1MiB", .max = "2GiB",
        .doc = "Bytes of messages that are fetched ahead, by all tasks together (queued.max.messages.kbytes); a "
               "quarter of the pipeline's `memory` at most, and fewer where messages are small "
               "(queued.min.messages), for the client takes 400 bytes more for each."),
    SF_OPTION_INT(Source, batch_rows, .value = "1536", .min = "1", .max = "1000000", .doc = "Most rows of a batch."),
    SF_OPTION_SIZE(Source, batch_bytes, .value = "4MiB", .min = "1KiB", .max = "1GiB",
                   .doc = "A batch ends when its keys and values have reached this size."),
    SF_OPTION_END,
};

static SfStatus parse_start(Source *source, SfError *err)
{
    const char *text = source->start_timestamp;
    if (source->start != START_TIMESTAMP)
        return text ? sf_fail(err, SF_CONFIG, "'start_timestamp' needs 'start: timestamp'") : SF_OK;
    if (!text)
        return sf_fail(err, SF_CONFIG, "'start: timestamp' needs 'start_timestamp'");
    char *end = NULL;
    source->start_ms = g_ascii_strtoll(text, &end, 10);
    if (*text && !*end && source->start_ms >= 0)
        return SF_OK;
    g_autoptr(GTimeZone) utc = g_time_zone_new_utc();
    g_autoptr(GDateTime) time = g_date_time_new_from_iso8601(text, utc);
    if (!time)
        return sf_fail(err, SF_CONFIG,
                       "'start_timestamp: %s' is not a valid time; write 2024-01-15T10:30:00Z or milliseconds", text);
    source->start_ms = g_date_time_to_unix(time) * 1000 + g_date_time_get_microsecond(time) / 1000;
    return SF_OK;
}

/* librdkafka matches topics by regex(3), extended; consumer.c gives it the pattern in ^( and )$. */
static SfStatus check_pattern(const char *pattern, SfError *err)
{
    regex_t compiled;
    char reason[128];
    int code = regcomp(&compiled, pattern, REG_EXTENDED | REG_NOSUB);
    if (code != 0) {
        regerror(code, &compiled, reason, sizeof reason);
        return sf_fail(err, SF_CONFIG, "topic_pattern: '%s' is not a valid regular expression: %s", pattern, reason);
    }
    regfree(&compiled);
    return *pattern ? SF_OK : sf_fail(err, SF_CONFIG, "topic_pattern: is empty; '.*' matches all topics");
}

static SfStatus check_topic(const char *topic, SfError *err)
{
    if (*topic && strlen(topic) <= 249 && strspn(topic, G_CSET_A_2_Z G_CSET_a_2_z G_CSET_DIGITS "._-") == strlen(topic))
        return SF_OK;
    return sf_fail(
        err, SF_CONFIG,
        "topics: '%s' is not a valid topic name (letters, digits, '.', '_', '-'; at most 249); a regular expression "
        "goes into 'topic_pattern'",
        topic);
}

static SfStatus check_topics(const Source *source, SfError *err)
{
    SfError all = {""}, one;
    if (source->topics.size == 0 && !source->topic_pattern)
        return sf_fail(err, SF_CONFIG, "no topic; give 'topics' or 'topic_pattern'");
    for (size_t i = 0; i < source->topics.size; i++)
        if (check_topic(source->topics.items[i], &one) != SF_OK)
            sf_fail_also(&all, &one);
    if (source->topic_pattern && check_pattern(source->topic_pattern, &one) != SF_OK)
        sf_fail_also(&all, &one);
    return *all.message ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

static SfStatus bind_source(SfNode *node, struct ArrowSchema *out, SfError *err)
{
    Source *source = node->state;
    SfError all = {""}, one;
    if (check_topics(source, &one) != SF_OK)
        sf_fail_also(&all, &one);
    if (parse_start(source, &one) != SF_OK)
        sf_fail_also(&all, &one);
    g_autoptr(rd_kafka_conf_t) conf = settings_conf(node, INT64_MAX, &one);
    if (!conf)
        sf_fail_also(&all, &one);
    SF_TRY(sf_schema_raw(out, err));
    return *all.message ? sf_fail(err, SF_CONFIG, "%s", all.message) : SF_OK;
}

static SfStatus start(SfNode *node, SfError *err)
{
    Source *source = node->state;
    source->partitions = g_ptr_array_new();
    g_queue_init(&source->rebalances);
    source->drained = g_new(rd_kafka_message_t *, (gsize) source->batch_rows);
    source->retained = g_atomic_rc_box_new0(gint);
    source->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    if (source->wake < 0)
        return sf_fail(err, SF_RETRY, "no file descriptor left: %s", g_strerror(errno));
    SF_TRY(batch_headers_init(source, err));
    return consumer_open(node, err);
}

static void interrupt(SfNode *node)
{
    Source *source = node->state;
    g_atomic_int_set(&source->interrupted, 1);
    if (source->wake > 0 && eventfd_write(source->wake, 1) != 0)
        g_debug("wake-up: %s", g_strerror(errno)); /* full counter: it is awake already */
}

/* Open may be called again after it. */
static void close_source(SfNode *node)
{
    Source *source = node->state;
    consumer_close(node);
    g_clear_pointer(&source->partitions, g_ptr_array_unref);
    if (source->wake > 0)
        close(source->wake);
    source->wake = 0;
    if (source->retained)
        g_atomic_rc_box_release(source->retained);
    source->retained = NULL;
    g_clear_pointer(&source->headers, sf_builder_free);
    g_clear_pointer(&source->absent, g_hash_table_unref);
    g_clear_pointer(&source->ids, g_hash_table_unref);
    g_clear_pointer(&source->drained, g_free);
    g_clear_pointer(&source->group_id, g_free);
    source->closing = false;
}

static SfStatus open_source(SfNode *node, SfError *err)
{
    SfStatus status = start(node, err);
    if (status == SF_OK)
        sf_charge(node, settings_held(node, sf_memory(node)));
    else
        close_source(node);
    return status;
}

SF_SOURCE_PLUGIN = {
    SF_SOURCE_HEAD(
        Source, .name = "kafka-source", .version = SF_VERSION,
        .summary = "Reads topics of Apache Kafka in a consumer group",
        .doc =
            "Rows are raw records: key, value, topic, partition, offset, timestamp, headers. A split is a topic's "
            "partition, a position is an offset. Sinks keep the positions; the group's offsets are published after all "
            "of "
            "them have committed, for lag tools.\n\n"
            "Start the same pipeline in several processes: Kafka shares the partitions out. A process that was killed "
            "keeps its partitions until its session ends: `session.timeout.ms` is 10 s and `heartbeat.interval.ms` 3 s "
            "here, unless `kafka` says otherwise (the broker allows no less than its `group.min.session.timeout.ms`, 6 "
            "s "
            "by default). With `group.instance.id` (another one for each process; tasks add their number) a restarted "
            "process gets its partitions back at once; but then others do not get them before the session ends, also "
            "after a clean stop.\n\n"
            "A topic that was deleted and created anew stops the pipeline: `epoch` says that it is a new one. Its "
            "splits "
            "are then called topic/0@2, and sinks keep them apart from those of the old one.\n\n"
            "`kafka` takes any librdkafka property; what the source itself needs (`enable.auto.commit`, …) is refused.",
        .options = options),
    .bind = bind_source,
    .open = open_source,
    .poll = consumer_poll,
    .serve = consumer_serve,
    .committed = publish_positions,
    .interrupt = interrupt,
    .close = close_source,
    .audit = kafka_source_audit,
};
