/* The output topic: there, made, or waited for; and the largest record that it takes. */
#include <string.h>

#include "sink.h"

SfStatus topic_ensure(SfNode *node, SfError *err)
{
    Sink *sink = node->state;
    int32_t partitions = 0;
    SF_TRY(kafka_client_probe(sink->client, 1000, err));
    SfStatus status = kafka_topic_partitions(sink->client, sink->topic, ANSWER_MS, &partitions, err);
    if (status != SF_EMPTY)
        return status;
    if (!sink->create_topic)
        return sf_fail(err, SF_RETRY, "topic '%s' does not exist on '%s'; create it: sfrun topics create %s",
                       sink->topic, sink->link.brokers, sink->topic);
    g_autofree KafkaSetting *config = g_new0(KafkaSetting, sink->topic_config.size + 1);
    for (size_t i = 0; i < sink->topic_config.size; i++)
        config[i] = (KafkaSetting){sink->topic_config.pairs[i].key, sink->topic_config.pairs[i].value};
    KafkaTopic topic = {.name = sink->topic,
                        .partitions = sink->partitions > 0 ? sink->partitions : -1,
                        .replication_factor = sink->replication_factor > 0 ? sink->replication_factor : -1,
                        .config = config,
                        .n_config = sink->topic_config.size};
    bool created = false;
    SF_TRY(kafka_topic_create(sink->client, &topic, ANSWER_MS, &created, err));
    if (created)
        sf_log(node, SF_LOG_INFO, "created topic %s", sink->topic);
    return SF_OK;
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

SfStatus topic_limit(Sink *sink, SfError *err)
{
    if (sink->limit > 0)
        return SF_OK;
    g_autofree char *value = NULL;
    SF_TRY(kafka_topic_config(sink->client, sink->topic, "max.message.bytes", ANSWER_MS, &value, err));
    int64_t limit = g_ascii_strtoll(value, NULL, 10);
    if (limit < 1000) /* librdkafka's least message.max.bytes */
        return sf_fail(err, SF_RETRY, "topic '%s' takes records of at most %s bytes; raise its max.message.bytes",
                       sink->topic, value);
    sink->limit = limit;
    return SF_OK;
}
