/* See embedded_kafka.h. */
#include "embedded_kafka.h"

#include <sys/eventfd.h>
#include <unistd.h>

#include "server.h"

#define WAIT_MS 30000

static gpointer embedded_main(gpointer data)
{
    EmbeddedKafka *kafka = data;
    server_run(kafka->server, kafka->stop);
    return NULL;
}

EmbeddedKafka *embedded_kafka_new(void)
{
    EmbeddedKafka *kafka = g_new0(EmbeddedKafka, 1);
    g_autofree char *problem = NULL;
    kafka->broker = store_open(NULL, &problem);
    g_assert_cmpstr(problem, ==, NULL);
    kafka->server = server_new(kafka->broker, 0);
    g_assert_nonnull(kafka->server);
    kafka->stop = eventfd(0, EFD_CLOEXEC);
    kafka->address = g_strdup_printf("%s:%d", kafka->broker->host, kafka->broker->port);
    kafka->clients = (MockKafka){.rk = mock_kafka_producer(kafka->address), .brokers = kafka->address};
    kafka->thread = g_thread_new("embedded-kafka", embedded_main, kafka);
    return kafka;
}

void embedded_kafka_free(EmbeddedKafka *kafka)
{
    rd_kafka_destroy(kafka->clients.rk);
    g_assert_cmpint(eventfd_write(kafka->stop, 1), ==, 0);
    g_thread_join(kafka->thread);
    server_free(kafka->server);
    store_close(kafka->broker);
    close(kafka->stop);
    g_free(kafka->address);
    g_free(kafka);
}

void embedded_kafka_topic(EmbeddedKafka *kafka, const char *topic, int partitions, const char *const *config)
{
    char reason[256];
    rd_kafka_NewTopic_t *wish = rd_kafka_NewTopic_new(topic, partitions, 1, reason, sizeof reason);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->clients.rk);
    for (gsize i = 0; config && config[i]; i += 2)
        rd_kafka_NewTopic_set_config(wish, config[i], config[i + 1]);
    rd_kafka_CreateTopics(kafka->clients.rk, &wish, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, WAIT_MS);
    g_assert_nonnull(event);
    size_t n = 0;
    const rd_kafka_topic_result_t **results =
        rd_kafka_CreateTopics_result_topics(rd_kafka_event_CreateTopics_result(event), &n);
    g_assert_cmpuint(n, ==, 1);
    g_assert_cmpint(rd_kafka_topic_result_error(results[0]), ==, RD_KAFKA_RESP_ERR_NO_ERROR);
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_NewTopic_destroy(wish);
}
