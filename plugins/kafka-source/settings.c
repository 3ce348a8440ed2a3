/* The consumer's settings: ours, and how they give way to the user's. */
#include <string.h>

#include "source.h"

/* Cooperative assignors of older clients abort, loop or lose positions (librdkafka changes 4381, 4252, 4800, 4908). */
#define COOPERATIVE_WORKS 0x020300ff

/* Bytes of one answer to a fetch, which librdkafka unpacks and takes apart at once, whatever waits already: compressed
 * ones become several times as many. The broker gives one batch of records at least, however large. */
#define FETCH_BYTES (INT64_C(512) << 10) /* of all tasks together */
#define FETCH_LEAST (INT64_C(64) << 10)

/* What is fetched ahead takes one part in so many of the pipeline's memory at most, and half as much beside. */
#define PREFETCH_PART 4

/* A member that was killed keeps its partitions until its session ends, so sessions are short, and a heartbeat is due
 * three times in one. Either may be the user's. */
#define SESSION_MS 10000
#define HEARTBEAT_MS 3000

static const char *assignors(void)
{
    return rd_kafka_version() < COOPERATIVE_WORKS ? "roundrobin,range" : "cooperative-sticky";
}

char *settings_group(const SfNode *node)
{
    const Source *source = node->state;
    return source->group ? g_strdup(source->group) : g_strdup_printf("%s.%s", node->pipeline, node->step);
}

static const char *users_value(const Source *source, const char *name)
{
    for (size_t i = 0; i < source->link.kafka.size; i++) {
        if (strcmp(source->link.kafka.pairs[i].key, name) == 0)
            return source->link.kafka.pairs[i].value;
    }
    return NULL;
}

static int64_t users_number(const Source *source, const char *name, int64_t otherwise)
{
    const char *text = users_value(source, name);
    int64_t number = text ? g_ascii_strtoll(text, NULL, 10) : 0;
    return number > 0 ? number : otherwise;
}

int64_t settings_number(const Source *source, const char *name)
{
    char value[32];
    size_t size = sizeof value;
    rd_kafka_conf_res_t found =
        rd_kafka_conf_get(rd_kafka_conf(kafka_client_handle(source->client)), name, value, &size);
    return found == RD_KAFKA_CONF_OK ? g_ascii_strtoll(value, NULL, 10) : 0;
}

/* Static members are known by name; tasks of one process must not take each other for the same one. */
static SfStatus name_member(const SfNode *node, rd_kafka_conf_t *conf, SfError *err)
{
    char reason[256];
    const char *name = users_value(node->state, "group.instance.id");
    if (!name || !*name || node->task == 0)
        return SF_OK;
    g_autofree char *own = g_strdup_printf("%s-%u", name, node->task);
    if (rd_kafka_conf_set(conf, "group.instance.id", own, reason, sizeof reason) != RD_KAFKA_CONF_OK)
        return sf_fail(err, SF_CONFIG, "kafka: 'group.instance.id: %s': %s", own, reason);
    return SF_OK;
}

/* librdkafka refuses to start where it is less than the largest message, or hardly less than the largest answer. */
static int64_t fetch_bytes(const SfNode *node)
{
    const Source *source = node->state;
    int64_t ours = MAX(FETCH_BYTES / MAX(node->tasks, 1), FETCH_LEAST);
    int64_t least = users_number(source, "message.max.bytes", 0);
    int64_t most = users_number(source, "receive.message.max.bytes", INT32_MAX) - 512;
    return MAX(MIN(ours, most), least);
}

/* What waits in each task's client, so that all of them together hold `prefetch`: an answer comes on top of it. */
static int64_t prefetch_bytes(const SfNode *node, int64_t memory)
{
    const Source *source = node->state;
    int64_t answer = fetch_bytes(node);
    int64_t all = MIN(source->prefetch, memory / PREFETCH_PART);
    int64_t each = (all + answer) / MAX(node->tasks, 1) - answer;
    return MAX(each, FETCH_BYTES / 4);
}

/* Small messages take more beside their bytes than these are: so there are two limits, and the nearer one counts. */
static int64_t prefetch_messages(int64_t bytes)
{
    return CLAMP(bytes / 2 / MESSAGE_OVERHEAD, 1, 10000000);
}

int64_t settings_held(const SfNode *node, int64_t memory)
{
    int64_t bytes = prefetch_bytes(node, memory);
    return bytes + prefetch_messages(bytes) * MESSAGE_OVERHEAD;
}

rd_kafka_conf_t *settings_conf(const SfNode *node, int64_t memory, SfError *err)
{
    const Source *source = node->state;
    g_autofree char *group = settings_group(node);
    char prefetch[32], messages[32], fetch[32], session[32], heartbeat[32];
    int64_t bytes = prefetch_bytes(node, memory);
    int64_t session_ms = users_number(source, "session.timeout.ms", SESSION_MS);
    int64_t heartbeat_ms = users_number(source, "heartbeat.interval.ms", CLAMP(session_ms / 3, 1, HEARTBEAT_MS));
    g_snprintf(prefetch, sizeof prefetch, "%" G_GINT64_FORMAT, bytes / 1024);
    g_snprintf(messages, sizeof messages, "%" G_GINT64_FORMAT, prefetch_messages(bytes));
    g_snprintf(fetch, sizeof fetch, "%" G_GINT64_FORMAT, fetch_bytes(node));
    g_snprintf(session, sizeof session, "%" G_GINT64_FORMAT, CLAMP(heartbeat_ms * 3, SESSION_MS, G_MAXINT32 / 1000));
    g_snprintf(heartbeat, sizeof heartbeat, "%" G_GINT64_FORMAT, heartbeat_ms);
    const KafkaSetting defaults[] = {
        {"session.timeout.ms", session},
        {"heartbeat.interval.ms", heartbeat},
        {"partition.assignment.strategy", assignors()},
        {"queued.max.messages.kbytes", prefetch},
        {"queued.min.messages", messages},
        {"fetch.max.bytes", fetch},
        {"message.max.bytes", fetch}, /* of producers; a consumer refuses to fetch less at once */
        {"fetch.error.backoff.ms", "50"},
        {"socket.nagle.disable", "true"},
        {rd_kafka_version() >= FETCH_QUEUE_BACKOFF ? "fetch.queue.backoff.ms" : "fetch.error.backoff.ms", "50"},
        {"fetch.wait.max.ms", node->bounded ? "50" : "500"}, /* an end is seen only by a fetch that finds nothing */
        {"topic.metadata.refresh.interval.ms", "10000"},     /* also how soon a new topic is found */
        {"allow.auto.create.topics", "false"},               /* one that is missing is said */
        {NULL, NULL},
    };
    const KafkaSetting own[] = {
        {"group.id", group},
        {"enable.auto.commit", "false"},
        {"enable.auto.offset.store", "false"},
        {"auto.offset.reset", "error"},
        {"enable.partition.eof", "true"},
        {NULL, NULL},
    };
    g_autoptr(rd_kafka_conf_t) conf = kafka_conf_new(&source->link, defaults, own, err);
    if (!conf || name_member(node, conf, err) != SF_OK)
        return NULL;
    return g_steal_pointer(&conf);
}
