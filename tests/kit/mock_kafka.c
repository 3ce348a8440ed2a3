/* See mock_kafka.h. */
#include "mock_kafka.h"

#include <string.h>

#define WAIT_MS 30000

static rd_kafka_t *client(rd_kafka_type_t type, const char *brokers, const char *const *settings)
{
    char reason[256];
    rd_kafka_conf_t *conf = rd_kafka_conf_new();
    if (brokers)
        g_assert_cmpint(rd_kafka_conf_set(conf, "bootstrap.servers", brokers, reason, sizeof reason), ==,
                        RD_KAFKA_CONF_OK);
    for (gsize i = 0; settings && settings[i]; i += 2)
        g_assert_cmpint(rd_kafka_conf_set(conf, settings[i], settings[i + 1], reason, sizeof reason), ==,
                        RD_KAFKA_CONF_OK);
    rd_kafka_t *rk = rd_kafka_new(type, conf, reason, sizeof reason);
    g_assert_nonnull(rk);
    return rk;
}

MockKafka *mock_kafka_new(void)
{
    return mock_kafka_of(1);
}

rd_kafka_t *mock_kafka_producer(const char *brokers)
{
    static const char *const quiet[] = {"log_level", "0", "linger.ms", "50", NULL};
    return client(RD_KAFKA_PRODUCER, brokers, quiet);
}

MockKafka *mock_kafka_of(int brokers)
{
    MockKafka *mock = g_new0(MockKafka, 1);
    rd_kafka_t *owner = mock_kafka_producer(NULL);
    mock->cluster = rd_kafka_mock_cluster_new(owner, brokers);
    g_assert_nonnull(mock->cluster);
    mock->brokers = rd_kafka_mock_cluster_bootstraps(mock->cluster);
    mock->rk = owner;
    g_assert_cmpint(rd_kafka_brokers_add(owner, mock->brokers), ==, brokers);
    return mock;
}

void mock_kafka_free(MockKafka *mock)
{
    rd_kafka_mock_cluster_destroy(mock->cluster);
    rd_kafka_destroy(mock->rk);
    g_free(mock);
}

void mock_kafka_topic(MockKafka *mock, const char *topic, int partitions)
{
    g_assert_cmpint(rd_kafka_mock_topic_create(mock->cluster, topic, partitions, 1), ==, RD_KAFKA_RESP_ERR_NO_ERROR);
}

void mock_kafka_send(MockKafka *mock, const char *topic, int partition, const char *key, const char *value,
                     gint64 timestamp_ms, const char *const *headers)
{
    rd_kafka_headers_t *list = headers ? rd_kafka_headers_new(4) : NULL;
    for (gsize i = 0; headers && headers[i]; i += 2)
        rd_kafka_header_add(list, headers[i], -1, headers[i + 1], -1);
    rd_kafka_resp_err_t code = rd_kafka_producev(
        mock->rk, RD_KAFKA_V_TOPIC(topic), RD_KAFKA_V_PARTITION(partition), RD_KAFKA_V_MSGFLAGS(RD_KAFKA_MSG_F_COPY),
        RD_KAFKA_V_KEY(key, key ? strlen(key) : 0), RD_KAFKA_V_VALUE((void *) value, value ? strlen(value) : 0),
        RD_KAFKA_V_TIMESTAMP(timestamp_ms), RD_KAFKA_V_HEADERS(list), RD_KAFKA_V_END);
    g_assert_cmpint(code, ==, RD_KAFKA_RESP_ERR_NO_ERROR);
}

void mock_kafka_flush(MockKafka *mock)
{
    g_assert_cmpint(rd_kafka_flush(mock->rk, WAIT_MS), ==, RD_KAFKA_RESP_ERR_NO_ERROR);
}

void mock_kafka_produce(MockKafka *mock, const char *topic, int partition, const char *key, const char *value,
                        gint64 timestamp_ms, const char *const *headers)
{
    mock_kafka_send(mock, topic, partition, key, value, timestamp_ms, headers);
    mock_kafka_flush(mock);
}

void mock_kafka_fill(MockKafka *mock, const char *topic, int partition, const char *prefix, int n)
{
    for (int i = 0; i < n; i++) {
        g_autofree char *value = g_strdup_printf("%s%d", prefix, i);
        mock_kafka_send(mock, topic, partition, NULL, value, 0, NULL);
    }
    mock_kafka_flush(mock);
}

typedef struct Line {
    int partition;
    gint64 offset;
    char *text;
} Line;

static char *line_text(const rd_kafka_message_t *message)
{
    GString *text = g_string_new(NULL);
    g_string_append_printf(text, "%d ", message->partition);
    g_string_append_len(text, message->key ? message->key : "null", message->key ? (gssize) message->key_len : 4);
    g_string_append_c(text, '=');
    g_string_append_len(text, message->payload ? message->payload : "null",
                        message->payload ? (gssize) message->len : 4);
    rd_kafka_headers_t *headers = NULL;
    const char *name;
    const void *value;
    size_t size;
    rd_kafka_message_headers(message, &headers);
    for (size_t i = 0;
         headers && rd_kafka_header_get_all(headers, i, &name, &value, &size) == RD_KAFKA_RESP_ERR_NO_ERROR; i++)
        g_string_append_printf(text, " %s=%.*s", name, (int) size, value ? (const char *) value : "");
    return g_string_free(text, FALSE);
}

static gint by_place(gconstpointer a, gconstpointer b)
{
    const Line *left = a, *right = b;
    if (left->partition != right->partition)
        return left->partition - right->partition;
    return left->offset < right->offset ? -1 : left->offset > right->offset;
}

char *mock_kafka_read(MockKafka *mock, const char *topic, int n)
{
    static const char *const settings[] = {
        "group.id", "mock-kafka-read", "enable.auto.commit", "false", "auto.offset.reset", "earliest", "log_level", "0",
        NULL};
    const struct rd_kafka_metadata *metadata = NULL;
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, mock->brokers, settings);
    rd_kafka_topic_t *handle = rd_kafka_topic_new(rk, topic, NULL);
    g_assert_cmpint(rd_kafka_metadata(rk, 0, handle, &metadata, WAIT_MS), ==, RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(8);
    for (int i = 0; i < metadata->topics[0].partition_cnt; i++)
        rd_kafka_topic_partition_list_add(list, topic, i)->offset = RD_KAFKA_OFFSET_BEGINNING;
    rd_kafka_assign(rk, list);
    GArray *lines = g_array_new(FALSE, FALSE, sizeof(Line));
    gint64 deadline = g_get_monotonic_time() + WAIT_MS * 1000;
    while ((int) lines->len < n && g_get_monotonic_time() < deadline) {
        rd_kafka_message_t *message = rd_kafka_consumer_poll(rk, 200);
        if (message && !message->err) {
            Line line = {message->partition, message->offset, line_text(message)};
            g_array_append_val(lines, line);
        }
        if (message)
            rd_kafka_message_destroy(message);
    }
    g_array_sort(lines, by_place);
    GString *text = g_string_new(NULL);
    for (guint i = 0; i < lines->len; i++) {
        Line *line = &g_array_index(lines, Line, i);
        g_string_append_printf(text, "%s%s", i ? "\n" : "", line->text);
        g_free(line->text);
    }
    g_array_unref(lines);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_metadata_destroy(metadata);
    rd_kafka_topic_destroy(handle);
    rd_kafka_consumer_close(rk);
    rd_kafka_destroy(rk);
    return g_string_free(text, FALSE);
}

gint64 mock_kafka_group(MockKafka *mock, const char *group, const char *topic, int partition)
{
    const char *settings[] = {"group.id", group, "log_level", "0", NULL};
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, mock->brokers, settings);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, topic, partition);
    g_assert_cmpint(rd_kafka_committed(rk, list, WAIT_MS), ==, RD_KAFKA_RESP_ERR_NO_ERROR);
    gint64 offset = list->elems[0].offset < 0 ? -1 : list->elems[0].offset;
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
    return offset;
}

void mock_kafka_group_set(MockKafka *mock, const char *group, const char *topic, int partition, gint64 offset,
                          const char *metadata)
{
    const char *settings[] = {"group.id", group, "log_level", "0", NULL};
    rd_kafka_t *rk = client(RD_KAFKA_CONSUMER, mock->brokers, settings);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_t *at = rd_kafka_topic_partition_list_add(list, topic, partition);
    at->offset = offset;
    at->metadata = strdup(metadata);
    at->metadata_size = strlen(metadata);
    g_assert_cmpint(rd_kafka_commit(rk, list, 0), ==, RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_topic_partition_list_destroy(list);
    rd_kafka_destroy(rk);
}
