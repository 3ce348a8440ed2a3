/* What the files of this room share.
 *
 * A lane is a producer and the chains whose rows it carries. Exactly once, each split has a lane of its own with a
 * transactional id of its own, <pipeline>.<step>.<split>: whoever recovers a split starts its producer anew, which
 * ends the transactions of the split's former owner and fences it, and nobody else. (One id for the whole step would
 * let two processes of a pipeline fence each other for ever.) At least once, one idempotent producer carries all.
 *
 * A transaction holds rows and the ends of their ranges, as offsets of a consumer group that is ours alone: the
 * group <pipeline>.<step>.<input>, at the topic and partition of the split where the cluster has them; otherwise (a
 * generator, files) the group <pipeline>.<step>.<input>.<split>, at partition 0 of the output topic. The split's
 * name is in the offset's metadata.
 *
 * A lane keeps the batches of its open transaction, so that a transaction that the broker aborts is made again, less
 * the rows that the broker will never take: those are rejects. */
#ifndef KAFKA_SINK_H
#define KAFKA_SINK_H

#include "json/write.h"
#include "kafka/kafka.h"

typedef enum Delivery { DELIVERY_EXACTLY_ONCE, DELIVERY_AT_LEAST_ONCE } Delivery;

/* Columns of an input that records are made of; -1: not there. */
typedef struct Input {
    const char *name;
    bool raw;     /* value is there: key, value and headers are taken as they are */
    bool rejects; /* _step and _error are there */
    int64_t key;
    int64_t value;
    int64_t headers;
    int64_t timestamp;
    int64_t topic; /* of the rejected record; likewise partition and offset */
    int64_t partition;
    int64_t offset;
    int64_t step;
    int64_t error;
    int64_t output;     /* topic_column */
    JsonWriter *writer; /* of rows that are not raw */
} Input;

typedef struct Chain {
    size_t input;
    const SfSplit *split;
    bool at_source; /* the offset is kept at the split's own topic and partition */
    char *group;
    int64_t written;
    int64_t committed;
} Chain;

/* A batch of the open transaction. */
typedef struct Kept {
    const SfBatch *batch;
    size_t input;
    int64_t produced; /* rows so far */
    uint8_t *refused; /* a bit a row that became a reject; NULL: none */
} Kept;

/* The last record of a partition that the broker has taken. */
typedef struct End {
    const rd_kafka_topic_t *topic; /* the lane's */
    int32_t partition;
    int64_t last;
} End;

typedef struct Lane {
    struct Sink *sink;
    SfNode *node;
    const SfSplit *split; /* of the first chain */
    char *id;             /* transactional.id; NULL: at least once */
    KafkaClient *client;
    rd_kafka_topic_t *topic;
    GHashTable *topics; /* name → rd_kafka_topic_t *, with topic_column */
    GPtrArray *chains;  /* Chain * */
    GArray *kept;       /* Kept */
    GArray *ends;       /* End; not waited for yet */
    gint64 begun_us;    /* of the open transaction; 0: none is open */
    bool ready;         /* transactions can begin */
    bool ending;        /* its commit has been asked for, the answer is outstanding */
    bool failed;        /* it cannot be committed: abort, and make it again */
    bool oversized;     /* because a record was too large for the topic */
    bool blunt;         /* the broker's word counts for every record of a request: nobody knows which it means */
    rd_kafka_resp_err_t refusal; /* what it said of a request with several; 0: nothing */
    char problem[512];
} Lane;

typedef struct Sink {
    /* options */
    KafkaOptions link;
    const char *topic;
    const char *topic_column;
    const char *key;
    int32_t delivery;
    bool create_topic;
    int64_t partitions;
    int64_t replication_factor;
    SfMap topic_config;
    /* run */
    GArray *inputs;      /* Input */
    KafkaClient *client; /* for questions about topics and groups */
    GPtrArray *lanes;    /* Lane * */
    GString *text;       /* of the row at hand */
    int64_t limit;       /* max.message.bytes of the topic once a record was refused for it; 0: not asked */
    gint interrupted;
} Sink;

/* Every wait for a broker within one call of a hook. */
#define ANSWER_MS 10000
/* librdkafka cannot be interrupted: waits are made of such pieces. */
#define SLICE_MS 250

/* chains.c: where the ends are kept, and read again */
char *chains_group(const SfNode *node, size_t input);
SfStatus chains_recover(SfNode *node, SfRecovery *recoveries, size_t n, SfError *err);
Chain *chain_find(const Lane *lane, size_t input, const SfSplit *split);
bool chain_moved(const Chain *chain);
/* The offsets of the lane's chains that have moved and belong to this group. */
rd_kafka_topic_partition_list_t *chains_offsets(const Lane *lane, const char *group);
SfStatus chains_settle(const Lane *lane, SfError *err);
void chains_committed(Lane *lane);
void chain_free(Chain *chain);

/* lane.c: one producer */
Lane *lane_of(const Sink *sink, const SfSplit *split);
Lane *lane_new(SfNode *node, const SfSplit *split);
SfStatus lane_open(Lane *lane, SfError *err);
SfStatus lane_commit(Lane *lane, SfError *err);
void lane_shut(Lane *lane);
void lane_free(Lane *lane);
rd_kafka_topic_t *lane_topic(Lane *lane, const char *name);
rd_kafka_conf_t *lane_conf(const SfNode *node, const char *id, SfError *err);
bool interrupted(Sink *sink);

/* transaction.c */
SfStatus transaction_init(Lane *lane, SfError *err);
SfStatus transaction_begin(Lane *lane, SfError *err);
SfStatus transaction_abort(Lane *lane, SfError *err);
SfStatus transaction_commit(Lane *lane, SfError *err);

/* delivery.c: rows on their way */
SfStatus delivery_write(Lane *lane, size_t input, const SfBatch *batch, SfError *err);
SfStatus delivery_flush(Lane *lane, SfError *err);
void delivery_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
void delivery_forget(Lane *lane);

/* visible.c: readers see what was committed */
void visible_note(Lane *lane, const rd_kafka_message_t *message);
void visible_wait(SfNode *node);

/* record.c: a row as a record */
SfStatus record_bind(SfNode *node, size_t input, const struct ArrowSchema *schema, SfError *err);
/* What rows of one batch are read from. */
typedef struct Rows {
    const Input *input;
    const SfBatch *batch;
    SfColumn key, value, headers, timestamp, topic, partition, offset, step, error, output;
    SfColumn header_item, header_name, header_value;
} Rows;
SfStatus rows_init(Rows *rows, const Input *input, const SfBatch *batch, SfError *err);
rd_kafka_resp_err_t record_produce(Lane *lane, const Rows *rows, int64_t row, void *opaque);
int64_t record_size(Lane *lane, const Rows *rows, int64_t row);

/* What the topic demands of a record, as far as the broker tells; -1: no bound. */
typedef struct TopicRules {
    bool keyed; /* it is compacted */
    int64_t before_ms;
    int64_t after_ms;
} TopicRules;
/* Why the topic refuses the record, or NULL; the caller frees it. */
char *record_fault(const Sink *sink, const Rows *rows, int64_t row, const TopicRules *rules, int64_t now_ms);

/* topic.c */
TopicRules topic_rules(Sink *sink);
SfStatus topic_ensure(SfNode *node, SfError *err);
SfStatus topic_limit(Sink *sink, SfError *err);

#endif
