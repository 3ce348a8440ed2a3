/* The output topics: there, made, or waited for; and the largest record that they take. */
#include <string.h>

#include "sink.h"

/* How long a topic that was seen not to be there is taken for missing without a question. */
#define MISSING_US (5 * G_USEC_PER_SEC)

/* A broker without such requests gives no answer at all. */
#define LIMIT_MS 3000

/* Names that rows bring are forgotten when they are so many: anybody can make them up. */
#define OUTPUTS_MAX 10000

#define NAME_MAX_SIZE 249 /* org.apache.kafka.common.internals.Topic */

static Output *output_of(Sink *sink, const char *name)
{
    Output *output = g_hash_table_lookup(sink->outputs, name);
    if (output)
        return output;
    if (g_hash_table_size(sink->outputs) >= OUTPUTS_MAX)
        g_hash_table_remove_all(sink->outputs);
    output = g_new0(Output, 1);
    g_hash_table_insert(sink->outputs, g_strdup(name), output);
    return output;
}

static SfStatus create(SfNode *node, const char *name, SfError *err)
{
    Sink *sink = node->state;
    g_autofree KafkaSetting *config = g_new0(KafkaSetting, sink->topic_config.size + 1);
    for (size_t i = 0; i < sink->topic_config.size; i++)
        config[i] = (KafkaSetting){sink->topic_config.pairs[i].key, sink->topic_config.pairs[i].value};
    KafkaTopic topic = {.name = name,
                        .partitions = sink->partitions > 0 ? sink->partitions : -1,
                        .replication_factor = sink->replication_factor > 0 ? sink->replication_factor : -1,
                        .config = config,
                        .n_config = sink->topic_config.size};
    bool created = false;
    SF_TRY(kafka_topic_create(sink->client, &topic, ANSWER_MS, &created, err));
    if (created)
        sf_log(node, SF_LOG_INFO, "created topic %s", name);
    return SF_OK;
}

/* A person has said that topics are to be created, or how. */
static bool is_to_create(const Sink *sink)
{
    bool told = sink->partitions > 0 || sink->replication_factor > 0 || sink->topic_config.size > 0;
    return sink->create_topic == CREATE_TRUE || (sink->create_topic == CREATE_AUTO && told);
}

/* Nothing but rejects comes in: a topic for what hardly ever comes is created when it does. */
static bool is_for_rejects(const Sink *sink)
{
    bool all = sink->create_topic == CREATE_AUTO;
    for (guint i = 0; i < sink->inputs->len; i++)
        all = all && g_array_index(sink->inputs, Input, i).rejects;
    return all;
}

static SfStatus fail_missing(const Sink *sink, SfStatus status, SfError *err)
{
    return sf_fail(err, status, "topic '%s' does not exist on '%s'; create it: sfrun topics create %s", sink->topic,
                   sink->link.brokers, sink->topic);
}

SfStatus topic_open(SfNode *node, SfError *err)
{
    Sink *sink = node->state;
    int32_t partitions = 0;
    SF_TRY(kafka_client_probe(sink->client, KAFKA_PROBE_MS, err));
    SfStatus status = kafka_topic_partitions(sink->client, sink->topic, ANSWER_MS, &partitions, err);
    output_of(sink, sink->topic)->there = status == SF_OK;
    if (status != SF_EMPTY)
        return status;
    if (is_to_create(sink))
        return topic_ensure(node, err);
    if (!is_for_rejects(sink))
        return fail_missing(sink, sink->missing_topic == MISSING_TOPIC_STOP ? SF_CONFIG : SF_RETRY, err);
    sf_log(node, SF_LOG_INFO, "topic %s does not exist; it is created when the first reject comes", sink->topic);
    return SF_OK;
}

SfStatus topic_ensure(SfNode *node, SfError *err)
{
    Sink *sink = node->state;
    int32_t partitions = 0;
    if (output_of(sink, sink->topic)->there)
        return SF_OK;
    SfStatus status = kafka_topic_partitions(sink->client, sink->topic, ANSWER_MS, &partitions, err);
    if (status == SF_EMPTY && !is_to_create(sink) && !is_for_rejects(sink))
        return fail_missing(sink, SF_RETRY, err);
    if (status == SF_EMPTY)
        status = create(node, sink->topic, err);
    output_of(sink, sink->topic)->there = status == SF_OK;
    return status;
}

static bool is_legal(SfBytes name)
{
    if (name.size < 1 || name.size > NAME_MAX_SIZE || (name.size == 1 && name.data[0] == '.') ||
        (name.size == 2 && memcmp(name.data, "..", 2) == 0))
        return false;
    for (int64_t i = 0; i < name.size; i++) {
        if (!g_ascii_isalnum(name.data[i]) && !strchr("._-", name.data[i] ? name.data[i] : '/'))
            return false;
    }
    return true;
}

static SfStatus find_or_create(SfNode *node, const char *name, Output *output, SfError *err)
{
    Sink *sink = node->state;
    int32_t partitions = 0;
    gint64 now = g_get_monotonic_time();
    bool asks = output->missing_us == 0 || now - output->missing_us > MISSING_US;
    SfStatus status = asks ? kafka_topic_partitions(sink->client, name, ANSWER_MS, &partitions, err) : SF_EMPTY;
    if (status == SF_EMPTY && is_to_create(sink))
        status = create(node, name, err);
    output->there = status == SF_OK;
    output->missing_us = status == SF_EMPTY && asks ? now : output->missing_us;
    if (status == SF_EMPTY)
        return sf_fail(err, SF_REJECT, "%s: topic '%s' does not exist", sink->topic_column, name);
    return status;
}

SfStatus topic_of_row(SfNode *node, SfBytes bytes, SfError *err)
{
    Sink *sink = node->state;
    char name[NAME_MAX_SIZE + 1];
    if (!is_legal(bytes)) {
        g_autofree char *valid = g_utf8_make_valid(bytes.data, (gssize) MIN(bytes.size, 100));
        return sf_fail(
            err, SF_REJECT,
            "%s: '%s%s' is not a valid topic name (1 to %d letters, digits, '.', '_' and '-'; not '.' or '..')",
            sink->topic_column, valid, bytes.size > 100 ? "…" : "", NAME_MAX_SIZE);
    }
    g_snprintf(name, sizeof name, "%.*s", (int) bytes.size, bytes.data);
    Output *output = output_of(sink, name);
    return output->there ? SF_OK : find_or_create(node, name, output, err);
}

void topic_forget(Sink *sink, const char *name)
{
    Output *output = g_hash_table_lookup(sink->outputs, name);
    if (output)
        *output = (Output){0};
}

static bool is_in_sync(const struct rd_kafka_metadata_partition *partition, int32_t broker)
{
    for (int i = 0; i < partition->isr_cnt; i++) {
        if (partition->isrs[i] == broker)
            return true;
    }
    return false;
}

/* Replicas that a partition of the topic has to have in sync; 0: the broker does not tell. */
static int64_t least_in_sync(Sink *sink, const char *topic)
{
    SfError err;
    g_autofree char *value = NULL;
    if (kafka_topic_config(sink->client, topic, "min.insync.replicas", LIMIT_MS, &value, &err) != SF_OK)
        return 0;
    return g_ascii_strtoll(value, NULL, 10);
}

/* "partition 1 of topic 'out' has 1 of 3 replicas in sync, and needs 2 (min.insync.replicas); start brokers 2, 3".
 * NULL: it has enough. */
static char *lacking_replicas(const char *topic, const struct rd_kafka_metadata_partition *partition, int64_t least)
{
    if (partition->isr_cnt >= partition->replica_cnt || (least > 0 && partition->isr_cnt >= least))
        return NULL;
    g_autoptr(GString) away = g_string_new(NULL);
    for (int i = 0; i < partition->replica_cnt; i++) {
        if (!is_in_sync(partition, partition->replicas[i]))
            g_string_append_printf(away, "%s%d", away->len ? ", " : "", partition->replicas[i]);
    }
    g_autofree char *needs = least > 0 ? g_strdup_printf("%" G_GINT64_FORMAT, least) : g_strdup("more");
    return g_strdup_printf("partition %d of topic '%s' has %d of %d replicas in sync, and needs %s "
                           "(min.insync.replicas); start broker%s %s",
                           partition->id, topic, partition->isr_cnt, partition->replica_cnt, needs,
                           strchr(away->str, ',') ? "s" : "", away->str);
}

/* sure: nothing that this client may not read was guessed. */
static char *blocked_partition(Sink *sink, const struct rd_kafka_metadata_topic *topic, bool *sure)
{
    int64_t least = -1;
    for (int i = 0; i < topic->partition_cnt; i++) {
        const struct rd_kafka_metadata_partition *partition = &topic->partitions[i];
        if (partition->leader < 0)
            return g_strdup_printf("partition %d of topic '%s' has no leader", partition->id, topic->topic);
        if (partition->isr_cnt < partition->replica_cnt && least < 0)
            least = least_in_sync(sink, topic->topic);
        char *lacking = lacking_replicas(topic->topic, partition, least);
        *sure = !lacking || least > 0;
        if (lacking)
            return lacking;
    }
    if (topic->err)
        return g_strdup_printf("topic '%s': %s", topic->topic, rd_kafka_err2str(topic->err));
    return NULL;
}

char *topic_blocked(const Lane *lane, bool *sure)
{
    const struct rd_kafka_metadata *metadata = NULL;
    char *blocked = NULL;
    *sure = true;
    if (rd_kafka_metadata(kafka_client_handle(lane->sink->client), 1, NULL, &metadata, KAFKA_PROBE_MS))
        return NULL;
    for (int i = 0; i < metadata->topic_cnt && !blocked; i++) {
        if (g_hash_table_contains(lane->topics, metadata->topics[i].topic))
            blocked = blocked_partition(lane->sink, &metadata->topics[i], sure);
    }
    rd_kafka_metadata_destroy(metadata);
    return blocked;
}

static int64_t number_of(Sink *sink, const char *name)
{
    SfError err;
    g_autofree char *value = NULL;
    if (kafka_topic_config(sink->client, sink->topic, name, ANSWER_MS, &value, &err) != SF_OK)
        return -1;
    return g_ascii_strtoll(value, NULL, 10);
}

/* Brokers before 3.6 have one bound for both directions. */
TopicRules topic_rules(Sink *sink)
{
    SfError err;
    TopicRules rules = {.before_ms = -1, .after_ms = -1};
    g_autofree char *policy = NULL;
    if (!kafka_has_controller(sink->client, ANSWER_MS) ||
        kafka_topic_config(sink->client, sink->topic, "cleanup.policy", ANSWER_MS, &policy, &err) != SF_OK)
        return rules;
    rules.keyed = strstr(policy, "compact") != NULL;
    rules.before_ms = number_of(sink, "message.timestamp.before.max.ms");
    rules.after_ms = number_of(sink, "message.timestamp.after.max.ms");
    if (rules.before_ms < 0 && rules.after_ms < 0)
        rules.before_ms = rules.after_ms = number_of(sink, "message.timestamp.difference.max.ms");
    return rules;
}

int64_t topic_limit(Sink *sink, const char *name)
{
    SfError err;
    Output *output = output_of(sink, name);
    g_autofree char *value = NULL;
    bool asks = !output->asked;
    output->asked = true;
    if (asks && kafka_topic_config(sink->client, name, "max.message.bytes", LIMIT_MS, &value, &err) == SF_OK)
        output->limit = MAX(g_ascii_strtoll(value, NULL, 10), 0);
    if (output->limit > 0)
        sink->limit = sink->limit > 0 ? MIN(sink->limit, output->limit) : output->limit;
    return output->limit;
}
