/* librdkafka's DescribeTopics, which is there from 2.3 on, for programs that are built with 2.0 as well: what is
 * declared here may be missing when a program is loaded (#pragma weak). */
#ifndef KIT_KAFKA_DESCRIBE_TOPICS_H
#define KIT_KAFKA_DESCRIBE_TOPICS_H

#include <librdkafka/rdkafka.h>

#if RD_KAFKA_VERSION < 0x020300ff
typedef struct rd_kafka_TopicCollection_s rd_kafka_TopicCollection_t;
typedef struct rd_kafka_TopicDescription_s rd_kafka_TopicDescription_t;
typedef struct rd_kafka_Uuid_s rd_kafka_Uuid_t;
typedef rd_kafka_event_t rd_kafka_DescribeTopics_result_t;
rd_kafka_TopicCollection_t *rd_kafka_TopicCollection_of_topic_names(const char **topics, size_t n);
void rd_kafka_TopicCollection_destroy(rd_kafka_TopicCollection_t *topics);
void rd_kafka_DescribeTopics(rd_kafka_t *rk, const rd_kafka_TopicCollection_t *topics,
                             const rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue);
const rd_kafka_DescribeTopics_result_t *rd_kafka_event_DescribeTopics_result(rd_kafka_event_t *event);
const rd_kafka_TopicDescription_t **
rd_kafka_DescribeTopics_result_topics(const rd_kafka_DescribeTopics_result_t *result, size_t *n);
const char *rd_kafka_TopicDescription_name(const rd_kafka_TopicDescription_t *topic);
const rd_kafka_Uuid_t *rd_kafka_TopicDescription_topic_id(const rd_kafka_TopicDescription_t *topic);
const rd_kafka_error_t *rd_kafka_TopicDescription_error(const rd_kafka_TopicDescription_t *topic);
const char *rd_kafka_Uuid_base64str(const rd_kafka_Uuid_t *id);
#endif

#endif
