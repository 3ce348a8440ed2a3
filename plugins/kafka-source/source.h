/* What the files of this room share: the state of one consumer, and of each partition that it reads.
 *
 * One consumer a task, in a group. Partitions' messages arrive in a queue of our own (`data`), apart from the
 * group's events, so that `serve` can follow rebalances while the pipeline takes no rows. Rebalances are only
 * recorded by librdkafka's callback and carried out by the next poll or serve, which may fail and be repeated. */
#ifndef KAFKA_SOURCE_H
#define KAFKA_SOURCE_H

#include "kafka.h"
#include "raw_rows.h"

typedef enum Start { START_EARLIEST, START_LATEST, START_TIMESTAMP, START_COMMITTED } Start;
typedef enum OnLost { ON_LOST_STOP, ON_LOST_CONTINUE } OnLost;
typedef enum MissingTopic { MISSING_TOPIC_WAIT, MISSING_TOPIC_STOP } MissingTopic;

typedef struct Partition {
    const SfSplit *split;
    char *topic;
    int32_t partition;
    int64_t next;                  /* where the next batch's range begins */
    int64_t expected;              /* lowest offset that may still come from the consumer */
    int64_t stop;                  /* bounded runs: done here */
    int64_t ended;                 /* the consumer has reached the end at this offset; -1: not since */
    int64_t published;             /* last group offset */
    rd_kafka_topic_t *handle;      /* as messages carry it */
    rd_kafka_message_t **messages; /* drained, not handed out: [first, size) */
    size_t first;
    size_t size;
    size_t capacity;
    RawSource *raw;
} Partition;

typedef struct Rebalance {
    bool assign;
    bool lost;
    rd_kafka_topic_partition_list_t *list;
} Rebalance;

typedef struct Source {
    /* options */
    KafkaOptions link;
    SfList topics;
    const char *topic_pattern;
    const char *group;
    int32_t start;
    const char *start_timestamp;
    int64_t epoch;
    int32_t on_lost;
    int32_t missing_topic;
    int64_t prefetch;
    int64_t batch_rows;
    int64_t batch_bytes;
    /* run */
    int64_t start_ms;
    char *group_id;
    KafkaClient *client;
    rd_kafka_queue_t *data;
    rd_kafka_message_t **drained; /* batch_rows of them */
    GPtrArray *partitions;        /* Partition * */
    guint turn;                   /* whose rows come next */
    GQueue rebalances;            /* Rebalance *, oldest first */
    int wake;                     /* eventfd: something came, or interrupt */
    gint interrupted;
    bool assigned; /* at least once */
    bool closing;
    bool publish_now; /* group offsets are to be there before we go on */
    gint *retained;   /* batches that are still alive; they keep the client's handle from being destroyed */
    SfBuilder *headers;
    bool ask_headers; /* of every record: see batch.c */
    SfStatus trouble; /* what the consumer reported beside messages; SF_OK: nothing */
    SfError trouble_error;
    bool missing; /* a subscribed topic does not exist; the text is in trouble_error */
} Source;

/* consumer.c */
SfStatus consumer_open(SfNode *node, SfError *err);
SfStatus consumer_poll(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err);
SfStatus consumer_serve(SfNode *node, SfError *err);
void consumer_close(SfNode *node);
rd_kafka_conf_t *consumer_conf(const SfNode *node, SfError *err);

/* assignment.c */
void assignment_event(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *opaque);
SfStatus assignment_serve(SfNode *node, SfError *err);
void assignment_clear(Source *source);
Partition *assignment_find(const Source *source, const char *topic, int32_t partition);

/* bounds.c: what the broker has of the partitions of an assignment */
typedef struct Bounds {
    rd_kafka_topic_partition_list_t *low;
    rd_kafka_topic_partition_list_t *high;
    rd_kafka_topic_partition_list_t *start;
} Bounds;
SfStatus bounds_resolve(SfNode *node, const rd_kafka_topic_partition_list_t *list, Bounds *out, SfError *err);
void bounds_done(Bounds *bounds);
/* Whether reading can go on at `position`; *from: the offset to read from. */
SfStatus bounds_check(SfNode *node, const Bounds *bounds, int i, int64_t position, int64_t *from, SfError *err);

/* Says so when the positions look like those of another topic of that name. */
void bounds_warn(SfNode *node, const SfAssignment *assignments, size_t n);

/* batch.c */
SfStatus batch_build(SfNode *node, Partition *partition, SfBatch *out, SfError *err);
SfStatus batch_headers_init(Source *source, SfError *err);

/* publish.c */
void publish_positions(SfNode *node, const SfPosition *positions, size_t n, bool last);
void publish_started(SfNode *node, const rd_kafka_topic_partition_list_t *starts);

/* Every wait for a broker's answer within a hook; librdkafka calls cannot be interrupted. */
#define ANSWER_MS 5000

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bounds, bounds_done)

#endif
