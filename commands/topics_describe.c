/* Topics as kafka-topics prints them, and as JSON. */
#include "topics_describe.h"

#include <stdio.h>
#include <string.h>

#include "json/write.h"

static gint topics_by_name(gconstpointer a, gconstpointer b)
{
    const rd_kafka_metadata_topic_t *left = *(const rd_kafka_metadata_topic_t *const *) a;
    const rd_kafka_metadata_topic_t *right = *(const rd_kafka_metadata_topic_t *const *) b;
    return strcmp(left->topic, right->topic);
}

static bool internal(const rd_kafka_metadata_topic_t *topic)
{
    return g_str_has_prefix(topic->topic, "__");
}

/* Pointers into the metadata, sorted. */
static GPtrArray *sorted(const struct rd_kafka_metadata *metadata)
{
    GPtrArray *topics = g_ptr_array_new();
    for (int i = 0; i < metadata->topic_cnt; i++)
        g_ptr_array_add(topics, (gpointer) &metadata->topics[i]);
    g_ptr_array_sort(topics, topics_by_name);
    return topics;
}

static const struct rd_kafka_metadata *ask(const CliPage *page, KafkaClient *client)
{
    const struct rd_kafka_metadata *metadata = NULL;
    SfError err;
    rd_kafka_resp_err_t code = rd_kafka_metadata(kafka_client_handle(client), 1, NULL, &metadata, COMMAND_MS);
    if (code)
        command_failed(page, kafka_fail(client, code, &err, "asking for the topics"), &err);
    return code ? NULL : metadata;
}

static int replicas(const rd_kafka_metadata_topic_t *topic)
{
    return topic->partition_cnt > 0 ? topic->partitions[0].replica_cnt : 0;
}

static void append_name(GString *out, const rd_kafka_metadata_topic_t *topic)
{
    g_string_append(out, "{\"topic\":");
    json_write_text(out, topic->topic, strlen(topic->topic));
}

int topics_list(const CliPage *page, const TopicsOptions *options, KafkaClient *client)
{
    const struct rd_kafka_metadata *metadata = ask(page, client);
    if (!metadata)
        return EXIT_FAILED;
    g_autoptr(GPtrArray) topics = sorted(metadata);
    g_autoptr(GString) json = g_string_new("[");
    for (guint i = 0; i < topics->len; i++) {
        const rd_kafka_metadata_topic_t *topic = topics->pdata[i];
        if (!options->json)
            printf("%s\n", topic->topic);
        if (i > 0)
            g_string_append_c(json, ',');
        append_name(json, topic);
        g_string_append_printf(json, ",\"partitions\":%d,\"replication_factor\":%d,\"internal\":%s}",
                               topic->partition_cnt, replicas(topic), internal(topic) ? "true" : "false");
    }
    if (options->json)
        printf("%s]\n", json->str);
    rd_kafka_metadata_destroy(metadata);
    return EXIT_OK;
}

static gint topics_by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

GPtrArray *topics_config(KafkaClient *client, const char *topic, SfError *err)
{
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    g_autoptr(rd_kafka_queue_t) queue = rd_kafka_queue_new(kafka_client_handle(client));
    rd_kafka_DescribeConfigs(kafka_client_handle(client), &resource, 1, NULL, queue);
    rd_kafka_ConfigResource_destroy(resource);
    g_autoptr(rd_kafka_event_t) event = rd_kafka_queue_poll(queue, COMMAND_MS);
    rd_kafka_resp_err_t code = event ? rd_kafka_event_error(event) : RD_KAFKA_RESP_ERR__TIMED_OUT;
    size_t n = 0, n_entries = 0;
    const rd_kafka_ConfigResource_t **answers =
        code ? NULL : rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &n);
    if (!code && n == 1)
        code = rd_kafka_ConfigResource_error(answers[0]);
    if (code || n != 1) {
        kafka_fail(client, code ? code : RD_KAFKA_RESP_ERR__BAD_MSG, err, "asking for the configuration of topic '%s'",
                   topic);
        return NULL;
    }
    GPtrArray *found = g_ptr_array_new_with_free_func(g_free);
    const rd_kafka_ConfigEntry_t **entries = rd_kafka_ConfigResource_configs(answers[0], &n_entries);
    for (size_t i = 0; i < n_entries; i++) {
        const char *value = rd_kafka_ConfigEntry_value(entries[i]);
        if (!rd_kafka_ConfigEntry_is_default(entries[i]))
            g_ptr_array_add(found, g_strdup_printf("%s=%s", rd_kafka_ConfigEntry_name(entries[i]), value ? value : ""));
    }
    g_ptr_array_sort(found, topics_by_text);
    return found;
}

static void append_ids(GString *out, const int32_t *ids, int n)
{
    for (int i = 0; i < n; i++)
        g_string_append_printf(out, "%s%d", i ? "," : "", ids[i]);
}

static void append_plain(GString *out, const rd_kafka_metadata_topic_t *topic, const GPtrArray *config)
{
    g_string_append_printf(out, "Topic: %s PartitionCount: %d ReplicationFactor: %d Configs: ", topic->topic,
                           topic->partition_cnt, replicas(topic));
    for (guint i = 0; i < config->len; i++)
        g_string_append_printf(out, "%s%s", i ? "," : "", (const char *) config->pdata[i]);
    g_string_append_c(out, '\n');
    for (int i = 0; i < topic->partition_cnt; i++) {
        const rd_kafka_metadata_partition_t *partition = &topic->partitions[i];
        g_autofree char *leader =
            partition->leader < 0 ? g_strdup("none") : g_strdup_printf("%d", (int) partition->leader);
        g_string_append_printf(out, "\tTopic: %s Partition: %d Leader: %s Replicas: ", topic->topic, partition->id,
                               leader);
        append_ids(out, partition->replicas, partition->replica_cnt);
        g_string_append(out, " Isr: ");
        append_ids(out, partition->isrs, partition->isr_cnt);
        g_string_append_c(out, '\n');
    }
}

static void append_json(GString *out, const rd_kafka_metadata_topic_t *topic, const GPtrArray *config)
{
    append_name(out, topic);
    g_string_append_printf(out, ",\"partition_count\":%d,\"replication_factor\":%d,\"config\":{", topic->partition_cnt,
                           replicas(topic));
    for (guint i = 0; i < config->len; i++) {
        const char *text = config->pdata[i], *equals = strchr(text, '=');
        g_string_append(out, i ? "," : "");
        json_write_text(out, text, (gsize) (equals - text));
        g_string_append_c(out, ':');
        json_write_text(out, equals + 1, strlen(equals + 1));
    }
    g_string_append(out, "},\"partitions\":[");
    for (int i = 0; i < topic->partition_cnt; i++) {
        const rd_kafka_metadata_partition_t *partition = &topic->partitions[i];
        g_string_append_printf(out, "%s{\"partition\":%d,\"leader\":%d,\"replicas\":[", i ? "," : "", partition->id,
                               partition->leader);
        append_ids(out, partition->replicas, partition->replica_cnt);
        g_string_append(out, "],\"isr\":[");
        append_ids(out, partition->isrs, partition->isr_cnt);
        g_string_append(out, "]}");
    }
    g_string_append(out, "]}");
}

static GPtrArray *config_of(KafkaClient *client, const char *topic)
{
    SfError err;
    GPtrArray *config = topics_config(client, topic, &err);
    if (!config) /* a permission of its own; the rest is shown */
        fprintf(stderr, "sfrun topics describe: %s\n", err.message);
    return config ? config : g_ptr_array_new();
}

static const rd_kafka_metadata_topic_t *topics_find(const GPtrArray *topics, const char *name)
{
    for (guint i = 0; i < topics->len; i++) {
        const rd_kafka_metadata_topic_t *topic = topics->pdata[i];
        if (strcmp(topic->topic, name) == 0)
            return topic;
    }
    return NULL;
}

/* Topics of these names, or all but Kafka's own; false after a complaint about one that is not there. */
static bool topics_choose(const CliPage *page, const GPtrArray *topics, char **names, GPtrArray *out)
{
    bool complete = true;
    for (guint i = 0; i < topics->len && !names[0]; i++) {
        if (!internal(topics->pdata[i]))
            g_ptr_array_add(out, topics->pdata[i]);
    }
    for (char **name = names; *name; name++) {
        const rd_kafka_metadata_topic_t *topic = topics_find(topics, *name);
        if (topic) {
            g_ptr_array_add(out, (gpointer) topic);
            continue;
        }
        fprintf(stderr, "sfrun %s: topic '%s' does not exist; `sfrun topics list` shows those that do\n", page->name,
                *name);
        complete = false;
    }
    return complete;
}

int topics_describe(const CliPage *page, const TopicsOptions *options, KafkaClient *client, char **names)
{
    const struct rd_kafka_metadata *metadata = ask(page, client);
    if (!metadata)
        return EXIT_FAILED;
    g_autoptr(GPtrArray) topics = sorted(metadata);
    g_autoptr(GPtrArray) chosen = g_ptr_array_new();
    g_autoptr(GString) out = g_string_new(options->json ? "[" : "");
    bool complete = topics_choose(page, topics, names, chosen);
    for (guint i = 0; i < chosen->len; i++) {
        const rd_kafka_metadata_topic_t *topic = chosen->pdata[i];
        g_autoptr(GPtrArray) config = config_of(client, topic->topic);
        if (options->json && i > 0)
            g_string_append_c(out, ',');
        (options->json ? append_json : append_plain)(out, topic, config);
    }
    printf("%s%s", out->str, options->json ? "]\n" : ""); /* an empty list where nothing is there */
    rd_kafka_metadata_destroy(metadata);
    return complete ? EXIT_OK : EXIT_FAILED;
}
