/* What the files of this room share: the state of one consumer, and of each partition that it reads.
 *
 * One consumer a task, in a group. Partitions' messages arrive in a queue of our own (`data`), apart from the
 * group's events, so that `serve` can follow rebalances while the pipeline takes no rows. Rebalances are only
 * recorded by librdkafka's callback and carried out by the next poll or serve, which may fail and be repeated. */
#ifndef KAFKA_SOURCE_H
#define KAFKA_SOURCE_H

#include "kafka/kafka.h"
#include "raw_rows.h"

typedef enum Start { START_EARLIEST, START_LATEST, START_TIMESTAMP, START_COMMITTED } Start;
typedef enum OnLost { ON_LOST_STOP, ON_LOST_CONTINUE } OnLost;
typedef enum OnRecreated { ON_RECREATED_STOP, ON_RECREATED_CONTINUE } OnRecreated;
typedef enum MissingTopic { MISSING_TOPIC_WAIT, MISSING_TOPIC_STOP } MissingTopic;

/* Whether the client has stopped reading the partition, or was given it anew, and no record has come since. */
typedef enum Again { AGAIN_NOT, AGAIN_STOPPED, AGAIN_GIVEN } Again;

typedef struct Partition {
    const SfSplit *split;
    char *topic;
    int32_t partition;
    int64_t next;     /* where the next batch's range begins */
    int64_t expected; /* lowest offset that may still come from the consumer */
    bool doubt;       /* whether the consumer still knows its place; see holes.c, as the next six */
    int64_t still_at; /* expected position since still_us, with more behind it; -1: none is */
    gint64 still_us;
    int stalls;          /* times that it was asked for anew */
    bool has_holes;      /* the broker has proved one */
    bool suspect;        /* what comes of it is dropped until the broker has been asked */
    bool ends_there;     /* its answer: there is no record from `expected` on */
    int64_t first_there; /* or the first one; -1: not answered */
    int lies;            /* how often in a row the consumer left out what is there */
    Again again;
    int64_t stop;                  /* bounded runs: done here */
    int64_t ended;                 /* the consumer has reached the end at this offset; -1: not since */
    int64_t reached;               /* what the group's offset is to be; -1: nothing yet */
    int64_t asked;                 /* what it was last asked to be */
    int64_t published;             /* what it is, as far as we know */
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
    int32_t on_recreated;
    int32_t missing_topic;
    int64_t prefetch;
    int64_t batch_rows;
    int64_t batch_bytes;
    /* run */
    int64_t start_ms;
    char *group_id;
    KafkaClient *client;
    KafkaClient *asker; /* for what the consumer leaves out; NULL: was not needed yet */
    bool suspects;      /* some partition is one */
    bool again;         /* some partition is to be read again */
    rd_kafka_queue_t *data;
    rd_kafka_message_t **drained; /* batch_rows of them */
    size_t taken_bytes;           /* of its messages since the client was last woken; see refill.c, as the next two */
    size_t refill_bytes;
    guint woken;
    GPtrArray *partitions; /* Partition * */
    guint turn;            /* whose rows come next */
    GQueue rebalances;     /* Rebalance *, oldest first */
    int wake;              /* eventfd: something came, or interrupt */
    gint interrupted;
    bool assigned; /* at least once */
    bool closing;
    bool publish_now;     /* group offsets are to be there before we go on */
    gint64 publish_again; /* monotonic time to ask for those that were refused; 0: none was */
    gint64 waiting_since; /* for partitions of the group; 0: it has given us some, or none on purpose */
    gint64 waiting_told;  /* monotonic time of the last line about it */
    gint64 probe_again;   /* likewise, when brokers that are away are asked again while nothing is polled */
    gint *retained;       /* batches that are still alive; they keep the client's handle from being destroyed */
    SfBuilder *headers;
    bool ask_headers; /* of every record: see batch.c */
    SfStatus trouble; /* what the consumer reported beside messages; SF_OK: nothing */
    SfError trouble_error;
    GHashTable *ids;              /* topic → id, of those that are read; NULL: not known */
    rd_kafka_queue_t *id_answers; /* NULL: not asked again yet */
    gint64 ids_asked;
    GHashTable *absent; /* names of topics that did not exist at first; NULL: none */
    bool missing;       /* a subscribed topic does not exist; the text is in trouble_error */
} Source;

/* What librdkafka holds for a message beside its bytes. */
#define MESSAGE_OVERHEAD 400

/* settings.c */
char *settings_group(const SfNode *node);
/* A number that the client has been given, the user's or ours. */
int64_t settings_number(const Source *source, const char *name);
/* memory: of the pipeline, see sf_memory. */
rd_kafka_conf_t *settings_conf(const SfNode *node, int64_t memory, SfError *err);
/* What the client's queue may hold of it. */
int64_t settings_held(const SfNode *node, int64_t memory);

/* consumer.c */
SfStatus consumer_open(SfNode *node, SfError *err);
SfStatus consumer_poll(SfNode *node, int64_t timeout_ms, SfBatch *out, SfError *err);
SfStatus consumer_serve(SfNode *node, SfError *err);
void consumer_close(SfNode *node);

/* partition.c */
/* from: the offset to read from; high: where the partition ends now. */
Partition *partition_new(const SfNode *node, const SfAssignment *assignment, int64_t from, int64_t high);
void partition_free(Partition *partition);
/* NULL: it is not ours. */
Partition *partition_find(const Source *source, const char *topic, int32_t number);

/* assignment.c */
void assignment_event(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *opaque);
SfStatus assignment_serve(SfNode *node, SfError *err);
/* "topic/partition", "topic/partition@epoch" */
char *assignment_split_name(const Source *source, const rd_kafka_topic_partition_t *partition);
/* Leaves the group; nothing is read any more. */
void assignment_leave(SfNode *node);

/* given.c: what the client reads from now on */
/* An eager list replaces, a cooperative one adds; likewise none, and one that is taken away. */
rd_kafka_resp_err_t given_add(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list);
rd_kafka_resp_err_t given_remove(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *list);
/* Messages of the partition go to our own queue, so that the group's queue holds events only. */
void given_forward(const Source *source, const Partition *partition);
/* The client does not read this partition of ours any more. */
void given_stopped(Source *source, const rd_kafka_topic_partition_t *where);
/* Has it read such partitions again. */
void given_serve(Source *source);

/* bounds.c: what the broker has of the partitions of an assignment */
typedef struct Bounds {
    rd_kafka_topic_partition_list_t *low;
    rd_kafka_topic_partition_list_t *high;
    rd_kafka_topic_partition_list_t *start;
    rd_kafka_topic_partition_list_t *group; /* its offsets; -1001: none */
    rd_kafka_topic_partition_list_t *begin; /* see begin.c; NULL: not decided now */
    GHashTable *ids;                        /* topic → id; NULL: not known */
    GHashTable *gone;                       /* topic → the id of its group offsets, which is another; NULL: none */
} Bounds;
/* Offsets of the list's partitions at a time, and the group's. */
SfStatus bounds_offsets_at(Source *source, const rd_kafka_topic_partition_list_t *list, int64_t time,
                           rd_kafka_topic_partition_list_t **out, SfError *err);
SfStatus bounds_group_offsets(Source *source, const rd_kafka_topic_partition_list_t *list,
                              rd_kafka_topic_partition_list_t **out, SfError *err);
/* All but `start` and `begin`, which begin_resolve fills in. */
SfStatus bounds_resolve(Source *source, const rd_kafka_topic_partition_list_t *list, Bounds *out, SfError *err);
void bounds_done(Bounds *bounds);
/* Whether reading can go on at the sinks' position; *from: the offset to read from. */
SfStatus bounds_check(SfNode *node, const Bounds *bounds, int i, const SfAssignment *assignment, int64_t *from,
                      SfError *err);

/* Whether the positions are those of another topic of that name: fails when that is sure, warns when it may be. */
SfStatus bounds_doubt(SfNode *node, const Bounds *bounds, const SfAssignment *assignments, SfError *err);

/* begin.c: where reading begins */
/* The topic ('^…': any that matches) does not exist. */
void begin_missing(Source *source, const char *topic);
/* Fills in bounds->start. */
SfStatus begin_resolve(SfNode *node, const rd_kafka_topic_partition_list_t *list, Bounds *bounds, SfError *err);
/* After sf_assign: lets the group keep what was decided; or decides, and asks, anew where sinks know more. */
SfStatus begin_settle(SfNode *node, Bounds *bounds, SfAssignment *assignments, size_t n, SfError *err);

/* ids.c: topics that were created anew */
/* Asks for the ids of the list's topics. */
void ids_resolve(Source *source, const rd_kafka_topic_partition_list_t *list, Bounds *bounds);
/* Drops offsets of the group that belong to a topic that is gone. */
void ids_forget(Bounds *bounds);
/* After sf_assign: whether the sinks' positions are of the same topics. */
SfStatus ids_check(SfNode *node, Bounds *bounds, const SfAssignment *assignments, SfError *err);
/* These topics are read now. */
void ids_adopt(Source *source, Bounds *bounds);
/* Whether they still are the same. */
SfStatus ids_serve(SfNode *node, SfError *err);
/* Likewise, and waits for the answer: something is odd about the topic. Its error is the reason, if there is one. */
SfStatus ids_confirm(SfNode *node, SfError *err);
/* Lets an offset of the group say of which topic it is. */
void ids_note(rd_kafka_topic_partition_t *offset, const Source *source);

/* holes.c: what the consumer leaves out */
/* The consumer may have lost its place in the partition, or in all of them. */
void holes_doubt(Partition *partition);
void holes_doubt_all(Source *source);
/* Puts the consumer where the next record is expected, wherever its place is in doubt. */
void holes_seek(Source *source);
/* Nothing has come for now: partitions that stand still although there is more are read anew. */
void holes_watch(SfNode *node);
/* Whether the broker has to be asked before something of the partition is taken that comes at this offset. */
bool holes_suspect(Source *source, Partition *partition, int64_t offset);
/* Asks it, and puts the consumer where its answer begins. */
SfStatus holes_serve(SfNode *node, SfError *err);

/* refill.c */
/* From here on a client whose queue is full looks at it as often as it is told to (fetch.queue.backoff.ms). */
#define FETCH_QUEUE_BACKOFF 0x020200ff
/* So much of what the client's queue may hold has left it: it is to fill it again. */
void refill_taken(Source *source, size_t bytes);

/* batch.c */
SfStatus batch_build(SfNode *node, Partition *partition, SfBatch *out, SfError *err);
SfStatus batch_headers_init(Source *source, SfError *err);

/* publish.c */
void publish_positions(SfNode *node, const SfPosition *positions, size_t n, bool last);
/* Offsets of all partitions of the topics, for whoever reads them; waits. */
SfStatus publish_begin(SfNode *node, rd_kafka_topic_partition_list_t *list, SfError *err);
/* Where the group is not where we start: a killed process may not have come to publish. */
void publish_started(SfNode *node, const rd_kafka_topic_partition_list_t *group);
/* Asks again for what the broker refused. */
void publish_rest(SfNode *node);
void publish_answered(rd_kafka_t *rk, rd_kafka_resp_err_t code, rd_kafka_topic_partition_list_t *list, void *opaque);

/* audit.c: the hook */
SfStatus kafka_source_audit(SfNode *node, SfAudit *audit, SfError *err);

/* waiting.c */
void waiting_tell(SfNode *node);

/* Every wait for a broker's answer within a hook; librdkafka calls cannot be interrupted. */
#define ANSWER_MS 5000
/* What librdkafka does not finish in this time at the end is left behind. */
#define CLOSE_MS 5000

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Bounds, bounds_done)

#endif
