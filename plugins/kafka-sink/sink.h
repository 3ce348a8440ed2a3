/* What the files of this room share.
 *
 * A lane is what carries a split's rows: the split's chains, the batches of its open transaction, and a producer while
 * there is something to carry. Exactly once, each split has a transactional id of its own, <pipeline>.<step>.<split>:
 * whoever starts a producer of that id ends the transactions of its former owner and fences it, and nobody else. (One
 * id for the whole step would let two processes of a pipeline fence each other for ever.) At least once, one
 * idempotent producer carries all.
 *
 * Producers are dear (threads, descriptors), so at most LANES_OPEN of them are there at a time: a lane opens one with
 * its first row, and the one that was used least recently commits and closes. Positions are read without one.
 *
 * A transaction holds rows and the ends of their ranges, as offsets of a consumer group that is ours alone: the
 * group <pipeline>.<step>.<input>, at the topic and partition of the split where the cluster has them; otherwise (a
 * generator, files) the group <pipeline>.<step>.<input>.<split>, at partition 0 of the output topic. The split's
 * name is in the offset's metadata. Ranges without rows need no transaction: their ends are plain offsets of the group
 * with .seen behind its name. "Nothing is missing up to here" stays true whoever says it and however late, so a chain's
 * position is the higher of the two.
 *
 * A producer that was started looks where the group stands before it writes (chains_verify()): another offset than
 * ours is another owner's, and then we are the ones who are fenced, though it is we who started last. Where a
 * coordinator froze over a commit of ours, the offset tells how that ended: at the end of its ranges, all is there.
 *
 * A lane keeps the batches of its open transaction, so that a transaction that the broker aborts is made again, less
 * the rows that the broker will never take: those are rejects. A reject that the topic refuses for its size is cut.
 *
 * All of it runs in the sink's thread. Who may call whom: kafka_sink.c, recover.c → commit.c → delivery.c → producer.c
 * → refuse.c, waiting.c, transaction.c → chains.c, visible.c, record.c, topic.c → lane.c. */
#ifndef KAFKA_SINK_H
#define KAFKA_SINK_H

#include "json/write.h"
#include "kafka/kafka.h"
#include "ranges/ranges.h"

typedef enum Delivery { DELIVERY_EXACTLY_ONCE, DELIVERY_AT_LEAST_ONCE } Delivery;
typedef enum CreateTopic { CREATE_AUTO, CREATE_TRUE, CREATE_FALSE } CreateTopic;
typedef enum MissingTopic { MISSING_TOPIC_WAIT, MISSING_TOPIC_STOP } MissingTopic;

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
    Range range;
    bool at_source; /* the offset is kept at the split's own topic and partition */
    char *group;    /* its offset is `anchor` */
    int64_t anchor; /* end of the last range with rows, as far as we know; SF_POSITION_NONE: there is none */
} Chain;

/* A batch of the open transaction. The sets have a bit a row; NULL: empty. */
typedef struct Kept {
    const SfBatch *batch;
    size_t input;
    int64_t produced; /* rows so far */
    uint8_t *refused; /* became rejects */
    uint8_t *large;   /* were refused for their size, and not judged yet */
    uint8_t *cut;     /* are too large as they are */
} Kept;

/* The last record of a partition that the broker has taken. */
typedef struct End {
    const rd_kafka_topic_t *topic; /* the lane's */
    int32_t partition;
    int64_t last;
} End;

/* A topic that rows go to. */
typedef struct Output {
    bool there;
    gint64 missing_us; /* when it was seen not to be there; 0: never */
    bool asked;        /* for its limit */
    int64_t limit;     /* its max.message.bytes; 0: unknown */
} Output;

/* The broker that keeps a lane's transactions. */
typedef struct Coordinator {
    int32_t broker; /* its number; 0 with an empty address: not known */
    char address[256];
    bool silent; /* it owes an answer, and nothing comes */
} Coordinator;

/* The partition in which most records have no answer. */
typedef struct Waits {
    char topic[250]; /* as long as Kafka's names may be */
    int32_t partition;
    int64_t records;    /* 0: it is not known */
    int32_t partitions; /* in which records wait, this one among them */
    int32_t leader;     /* the broker's number; -1: none */
    char address[256];
} Waits;

typedef struct Lane {
    struct Sink *sink;
    SfNode *node;
    const SfSplit *split; /* of the first chain */
    char *id;             /* transactional.id; NULL: at least once */
    KafkaClient *client;  /* NULL: closed */
    rd_kafka_topic_t *topic;
    GHashTable *topics; /* name → rd_kafka_topic_t *, with topic_column */
    Ranges *chains;     /* Chain */
    GArray *kept;       /* Kept */
    GArray *ends;       /* End; not waited for yet */
    gint64 begun_us;    /* of the open transaction; 0: none is open */
    gint64 used_us;     /* when it was last written to */
    gint64 waiting_us;  /* since when its flush or its transaction gets no answers; 0: it does not wait */
    Waits waits;        /* what for, while it waits; likewise the next */
    Coordinator coordinator;
    int64_t batch_size; /* of its producer's requests; larger records travel alone */
    bool started;       /* its producer has fenced all others */
    bool ready;         /* transactions can begin */
    bool ending;        /* its commit has been asked for, the answer is outstanding */
    bool undecided;     /* likewise, and another producer is to find out how it has ended */
    bool ended;         /* it has found out: with a commit */
    bool failed;        /* it cannot be committed: to be made again, by another producer */
    bool sized;         /* because records were too large for their topics */
    bool oversized;     /* because a request of several records was too large for the topic */
    bool stale;         /* what its producer knows of topics is not so any more: another one is needed */
    bool single;        /* each record travels alone from now on: nobody knows what the topic takes */
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
    int32_t create_topic;
    int32_t missing_topic;
    int64_t partitions;
    int64_t replication_factor;
    SfMap topic_config;
    /* run */
    GArray *inputs;                          /* Input */
    KafkaClient *client;                     /* for questions about topics and groups */
    GPtrArray *lanes;                        /* Lane * */
    GHashTable *lane_by_split;               /* SfSplit * → Lane *, exactly once */
    GHashTable *outputs;                     /* name → Output * */
    rd_kafka_topic_partition_list_t *unseen; /* ends that closed lanes have left */
    GString *text;                           /* of the row at hand */
    int64_t limit;                           /* the least max.message.bytes of the outputs that are known; 0: none is */
    gint64 frozen_us;                        /* when a transaction was last not aborted in time; 0: never */
    gint interrupted;
} Sink;

/* Every wait for a broker within one call of a hook. */
#define ANSWER_MS 10000
/* librdkafka cannot be interrupted: waits are made of such pieces. */
#define SLICE_MS 250
/* How often librdkafka tells its statistics: once at least while a wait lasts. */
#define STATISTICS_MS "4000"
/* Producers at a time; each takes about 8 descriptors and 4 threads with one broker, 3 and 1 more for each other. */
#define LANES_OPEN 12

/* chains.c: ends of ranges as group offsets */
char *chains_group(const SfNode *node, size_t input);
/* Whether the offset is that of this split, not of an earlier epoch of its topic. */
bool chain_owns(const SfSplit *split, const rd_kafka_topic_partition_t *offset);
/* Where the chain's offset lies in its groups. */
const char *chain_topic(const Sink *sink, const Chain *chain, int32_t *partition);
/* The offsets of the lane's chains that have moved and belong to this group. */
rd_kafka_topic_partition_list_t *chains_offsets(const Lane *lane, const char *group);
/* SF_FENCED: the group stands where this lane has not brought it. Sets lane->ended. */
SfStatus chains_verify(Lane *lane, SfError *err);
/* rows: the transaction is over; otherwise the ranges had none. */
void chains_committed(Lane *lane, bool rows);
/* Commits the ends of ranges without rows, of all lanes that carry none. */
SfStatus chains_see(SfNode *node, SfError *err);
char *chains_seen(const char *group);

/* audit.c: the hook */
SfStatus kafka_sink_audit(SfNode *node, SfAudit *audit, SfError *err);

/* recover.c */
SfStatus chains_recover(SfNode *node, SfRecovery *recoveries, size_t n, SfError *err);

/* lane.c */
bool interrupted(Sink *sink);
Lane *lane_of(const Sink *sink, const SfSplit *split);
Lane *lane_new(SfNode *node, const SfSplit *split);
/* Whether it carries rows that are not committed. */
bool lane_busy(const Lane *lane);
/* Its rows are committed, or given up. */
void lane_forget(Lane *lane);

/* producer.c */
rd_kafka_conf_t *lane_conf(const SfNode *node, const char *id, int64_t batch_size, SfError *err);
/* Has its producer, which may write. There is room for one: lanes_make_room(). */
SfStatus lane_open(Lane *lane, SfError *err);
rd_kafka_topic_t *lane_topic(Lane *lane, const char *name);
void lane_shut(Lane *lane);
void lane_free(Lane *lane);

/* commit.c */
SfStatus lane_commit(Lane *lane, SfError *err);
/* For another producer: a lane may have to commit and close for it. */
SfStatus lanes_make_room(Sink *sink, SfError *err);

/* transaction.c */
SfStatus transaction_init(Lane *lane, SfError *err);
SfStatus transaction_begin(Lane *lane, SfError *err);
SfStatus transaction_commit(Lane *lane, SfError *err);

/* delivery.c: rows on their way */
SfStatus delivery_write(Lane *lane, size_t input, const SfBatch *batch, SfError *err);
SfStatus delivery_flush(Lane *lane, SfError *err);

/* waiting.c: records and transactions without an answer. Statistics come in rd_kafka_poll() and rd_kafka_flush(). */
void waiting_begin(Lane *lane);
void waiting_end(Lane *lane);
int waiting_statistics(rd_kafka_t *rk, char *json, size_t size, void *opaque);
/* SF_RETRY, and what is waited for. Where that is a coordinator, and for long: the transaction is to be made again. */
SfStatus waiting_fail(Lane *lane, SfError *err);
/* Likewise where a transaction has no answer in time, and its coordinator is known. what: "does not end". False: the
 * error is another. */
bool waiting_fail_transaction(Lane *lane, const rd_kafka_error_t *error, const char *what, SfError *err);

/* refuse.c: rows that the broker does not take */
bool row_refused(const Kept *kept, int64_t row);
bool refuse_is_cut(const Kept *kept, int64_t row);
void refuse(Lane *lane, Kept *kept, int64_t row, const char *cause);
/* What a row's report is known by: number of the kept batch, and of the row. */
void *report_pack(guint kept, int64_t row);
/* The broker has answered for a row. Runs inside rd_kafka_poll() and rd_kafka_flush() of the sink's thread. */
void delivery_report(rd_kafka_t *rk, const rd_kafka_message_t *message, void *opaque);
/* Rows that are too large for their topic: a reject is cut, once; anything else is refused. Asks for the limits. */
SfStatus refuse_large(Lane *lane, SfError *err);
/* Likewise one row, of which the client says so. */
void refuse_size(Lane *lane, Kept *kept, int64_t row, const char *cause);
/* Rows that break the topic's rules. Where none does, the broker has reasons of its own, and all rows of a request that
 * it refuses are rejects. */
SfStatus refuse_faulty(Lane *lane, SfError *err);

/* visible.c: readers see what was committed */
void visible_note(Lane *lane, const rd_kafka_message_t *message);
/* Of a lane whose topics go. */
void visible_keep(Lane *lane);
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
/* The value of topic_column; data NULL: null, or no such column. */
SfBytes record_topic(const Rows *rows, int64_t row);
/* `limit` > 0: what a reject is cut to. */
rd_kafka_resp_err_t record_produce(Lane *lane, const Rows *rows, int64_t row, rd_kafka_topic_t *topic, int64_t limit,
                                   void *opaque);
/* It brings a time of its own; others get the clock's. */
bool record_has_time(const Input *input, const SfBatch *batch, int64_t row);

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
/* At the start: the option's topic is there, was created, or is one that the first reject creates. */
SfStatus topic_open(SfNode *node, SfError *err);
/* Before something is written to it: it is there, was created, or the answer is SF_RETRY. */
SfStatus topic_ensure(SfNode *node, SfError *err);
/* Another topic that a row names. SF_REJECT: there is none, and err says why that is so. */
SfStatus topic_of_row(SfNode *node, SfBytes name, SfError *err);
/* Its max.message.bytes, asked for once; 0: the broker does not tell. */
int64_t topic_limit(Sink *sink, const char *name);
/* It is not there any more, the broker says. */
void topic_forget(Sink *sink, const char *name);
/* A sentence on the partition that takes no records; NULL: all seem to take them. The caller frees it. */
char *topic_blocked(const Lane *lane, bool *sure);

#endif
