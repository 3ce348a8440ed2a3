/* Ids of topics (KIP-516): another one where a topic was deleted and created anew. librdkafka tells them from 2.3 on,
 * and we are built with 2.0 as well, so these functions are there or not when the program is loaded. */
#include "client.h"
#include "describe_topics.h"

#pragma weak rd_kafka_TopicCollection_of_topic_names
#pragma weak rd_kafka_TopicCollection_destroy
#pragma weak rd_kafka_DescribeTopics
#pragma weak rd_kafka_event_DescribeTopics_result
#pragma weak rd_kafka_DescribeTopics_result_topics
#pragma weak rd_kafka_TopicDescription_name
#pragma weak rd_kafka_TopicDescription_topic_id
#pragma weak rd_kafka_TopicDescription_error
#pragma weak rd_kafka_Uuid_base64str

bool kafka_topic_ids_ask(KafkaClient *client, const char *const *topics, size_t n, int timeout_ms,
                         rd_kafka_queue_t *answers)
{
    if (!rd_kafka_DescribeTopics || !rd_kafka_TopicDescription_topic_id || n == 0)
        return false;
    g_autoptr(rd_kafka_AdminOptions_t) options = kafka_admin_options(client, RD_KAFKA_ADMIN_OP_ANY, timeout_ms);
    rd_kafka_TopicCollection_t *names = rd_kafka_TopicCollection_of_topic_names((const char **) topics, n);
    rd_kafka_DescribeTopics(client->rk, names, options, answers);
    rd_kafka_TopicCollection_destroy(names);
    return true;
}

GHashTable *kafka_topic_ids_take(rd_kafka_event_t *answer)
{
    GHashTable *ids = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    const rd_kafka_DescribeTopics_result_t *result =
        rd_kafka_event_error(answer) ? NULL : rd_kafka_event_DescribeTopics_result(answer);
    size_t n = 0;
    const rd_kafka_TopicDescription_t **topics = result ? rd_kafka_DescribeTopics_result_topics(result, &n) : NULL;
    for (size_t i = 0; i < n; i++) {
        const rd_kafka_Uuid_t *id = rd_kafka_TopicDescription_topic_id(topics[i]);
        const char *text = id ? rd_kafka_Uuid_base64str(id) : NULL;
        /* an older broker's zeros */
        if (text && g_strcmp0(text, "AAAAAAAAAAAAAAAAAAAAAA") != 0 &&
            !rd_kafka_error_code(rd_kafka_TopicDescription_error(topics[i])))
            g_hash_table_insert(ids, g_strdup(rd_kafka_TopicDescription_name(topics[i])), g_strdup(text));
    }
    return ids;
}
