/* Requests about topics. */
#include <string.h>

#include "client.h"

static SfStatus new_topic(const KafkaTopic *topic, rd_kafka_NewTopic_t **out, SfError *err)
{
    char reason[256];
    rd_kafka_NewTopic_t *request = rd_kafka_NewTopic_new(topic->name, (int) topic->partitions,
                                                         (int) topic->replication_factor, reason, sizeof reason);
    if (!request)
        return sf_fail(err, SF_CONFIG, "topic '%s': %s", topic->name, reason);
    for (size_t i = 0; i < topic->n_config; i++)
        rd_kafka_NewTopic_set_config(request, topic->config[i].name, topic->config[i].value);
    *out = request;
    return SF_OK;
}

/* "Replication factor: 3 larger than available brokers: 1." */
SfStatus kafka_fail_topic(const KafkaClient *client, const rd_kafka_topic_result_t *result, SfError *err,
                          const char *what)
{
    rd_kafka_resp_err_t code = rd_kafka_topic_result_error(result);
    const char *text = rd_kafka_topic_result_error_string(result);
    if (!text || !text[0] || kafka_status(code) == SF_RETRY)
        return kafka_fail(client, code, err, "%s", what);
    char cause[512];
    return sf_fail(err, kafka_status(code), "%s: %s", what, kafka_explain(code, text, cause, sizeof cause));
}

bool kafka_has_controller(KafkaClient *client, int timeout_ms)
{
    const struct rd_kafka_metadata *metadata = NULL;
    int32_t id = rd_kafka_controllerid(client->rk, timeout_ms);
    bool found = false;
    if (id < 0 || rd_kafka_metadata(client->rk, 0, NULL, &metadata, timeout_ms) != RD_KAFKA_RESP_ERR_NO_ERROR)
        return id >= 0;
    for (int i = 0; i < metadata->broker_cnt; i++)
        found = found || metadata->brokers[i].id == id;
    rd_kafka_metadata_destroy(metadata);
    return found;
}

/* Asking for a topic by name makes it where the cluster does that. */
static SfStatus create_by_asking(KafkaClient *client, const KafkaTopic *topic, int timeout_ms, bool *created,
                                 SfError *err)
{
    if (topic->partitions > 0 || topic->replication_factor > 0 || topic->n_config > 0)
        return sf_fail(err, SF_CONFIG, "topic '%s' cannot be created as it should be: '%s' has no controller",
                       topic->name, client->brokers);
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_topic_t *handle = rd_kafka_topic_new(client->rk, topic->name, NULL);
    if (!handle)
        return kafka_fail(client, rd_kafka_last_error(), err, "creating topic '%s'", topic->name);
    rd_kafka_resp_err_t code = rd_kafka_metadata(client->rk, 0, handle, &metadata, timeout_ms);
    if (!code && metadata->topic_cnt == 1)
        code = metadata->topics[0].err;
    if (metadata)
        rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    if (code)
        return kafka_fail(client, code, err, "creating topic '%s'", topic->name);
    *created = true;
    return SF_OK;
}

static const struct rd_kafka_metadata_topic *find_topic(const struct rd_kafka_metadata *metadata, const char *name)
{
    for (int i = 0; i < metadata->topic_cnt; i++) {
        const struct rd_kafka_metadata_topic *topic = &metadata->topics[i];
        if (strcmp(topic->topic, name) == 0 && topic->err != RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART)
            return topic;
    }
    return NULL;
}

static int led_partitions(const struct rd_kafka_metadata *metadata, const char *name)
{
    const struct rd_kafka_metadata_topic *topic = find_topic(metadata, name);
    int led = 0;
    for (int i = 0; topic && i < topic->partition_cnt; i++)
        led += topic->partitions[i].leader >= 0;
    return led;
}

bool kafka_topic_await(KafkaClient *client, const char *topic, int64_t partitions, int timeout_ms)
{
    gint64 deadline = g_get_monotonic_time() + (gint64) timeout_ms * 1000;
    for (;;) {
        const struct rd_kafka_metadata *metadata = NULL;
        bool seen = false;
        if (rd_kafka_metadata(client->rk, 1, NULL, &metadata, timeout_ms) == RD_KAFKA_RESP_ERR_NO_ERROR) {
            seen = partitions > 0 ? led_partitions(metadata, topic) >= partitions : !find_topic(metadata, topic);
            rd_kafka_metadata_destroy(metadata);
        }
        kafka_serve(client);
        if (seen || g_get_monotonic_time() > deadline)
            return seen;
        g_usleep(20 * 1000);
    }
}

SfStatus kafka_topic_create(KafkaClient *client, const KafkaTopic *topic, int timeout_ms, bool *created, SfError *err)
{
    rd_kafka_NewTopic_t *request = NULL;
    if (!kafka_has_controller(client, timeout_ms))
        return create_by_asking(client, topic, timeout_ms, created, err);
    SF_TRY(new_topic(topic, &request, err));
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(client->rk);
    g_autoptr(rd_kafka_AdminOptions_t) options =
        kafka_admin_options(client, RD_KAFKA_ADMIN_OP_CREATETOPICS, timeout_ms);
    rd_kafka_CreateTopics(client->rk, &request, 1, options, queue);
    rd_kafka_NewTopic_destroy(request);

    g_autofree char *what = g_strdup_printf("creating topic '%s'", topic->name);
    g_autoptr(rd_kafka_event_t) event = NULL;
    SF_TRY(kafka_await(client, queue, timeout_ms, what, &event, err));
    size_t n = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    rd_kafka_resp_err_t code = n == 1 ? rd_kafka_topic_result_error(results[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
    if (code && code != RD_KAFKA_RESP_ERR_TOPIC_ALREADY_EXISTS)
        return n == 1 ? kafka_fail_topic(client, results[0], err, what) : kafka_fail(client, code, err, "%s", what);
    *created = code == RD_KAFKA_RESP_ERR_NO_ERROR;
    kafka_topic_await(client, topic->name, MAX(topic->partitions, 1), timeout_ms);
    return SF_OK;
}

SfStatus kafka_topic_config(KafkaClient *client, const char *topic, const char *name, int timeout_ms, char **out,
                            SfError *err)
{
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(client->rk);
    g_autoptr(rd_kafka_AdminOptions_t) options =
        kafka_admin_options(client, RD_KAFKA_ADMIN_OP_DESCRIBECONFIGS, timeout_ms);
    rd_kafka_DescribeConfigs(client->rk, &resource, 1, options, queue);
    rd_kafka_ConfigResource_destroy(resource);

    g_autofree char *what = g_strdup_printf("asking for the configuration of topic '%s'", topic);
    g_autoptr(rd_kafka_event_t) event = NULL;
    SF_TRY(kafka_await(client, queue, timeout_ms, what, &event, err));
    size_t n = 0, n_entries = 0;
    const rd_kafka_ConfigResource_t **resources =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &n);
    rd_kafka_resp_err_t code = n == 1 ? rd_kafka_ConfigResource_error(resources[0]) : RD_KAFKA_RESP_ERR__BAD_MSG;
    if (code)
        return kafka_fail(client, code, err, "%s", what);
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(resources[0], &n_entries);
    for (size_t i = 0; i < n_entries; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(entries[i]), name) == 0 && rd_kafka_ConfigEntry_value(entries[i])) {
            *out = g_strdup(rd_kafka_ConfigEntry_value(entries[i]));
            return SF_OK;
        }
    }
    return sf_fail(err, SF_RETRY, "%s: there is no '%s'", what, name);
}

SfStatus kafka_topic_partitions(KafkaClient *client, const char *topic, int timeout_ms, int32_t *out, SfError *err)
{
    const struct rd_kafka_metadata *metadata = NULL;
    /* All topics: asking for one by name would create it where the broker allows that. */
    rd_kafka_resp_err_t code = rd_kafka_metadata(client->rk, 1, NULL, &metadata, timeout_ms);
    kafka_serve(client);
    if (code)
        return kafka_fail(client, code, err, "asking for topic '%s'", topic);
    const struct rd_kafka_metadata_topic *found = find_topic(metadata, topic);
    if (found)
        *out = found->partition_cnt;
    rd_kafka_metadata_destroy(metadata);
    return found ? SF_OK : SF_EMPTY;
}
