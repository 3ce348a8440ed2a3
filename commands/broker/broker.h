/* The embedded broker: one process that speaks enough of Kafka's protocol for producers, consumers, groups,
 * transactions and topic administration of librdkafka and its relatives. One node, one replica, no encryption, its
 * owner's connections only. One thread: every request is atomic.
 *
 * Durable are the partitions' files (log.h) and a journal of all else: topics, producers, groups' offsets, and the
 * decision to end a transaction, which is written before its marks and made true at the next start where it was cut
 * short. A transaction without that decision is aborted then. Nothing is synced: it survives kill -9, not a power
 * failure. Members of groups are not kept; they join anew.
 *
 * Who may use whom: server.c → dispatch.c → api_*.c → api.c, groups.c → conn.c; api_*.c → store.c → replay.c →
 * producers.c → offsets.c, journal.c → topics.c → log.c → wire.c. */
#ifndef BROKER_BROKER_H
#define BROKER_BROKER_H

#include "log.h"

#define BROKER_NODE 1

typedef struct Partition {
    struct Topic *topic;
    gint32 number;
    Log *log;
} Partition;

typedef struct Topic {
    char *name;
    guint8 id[16];
    GPtrArray *partitions; /* Partition * */
    GHashTable *config;    /* name → value, what was set */
} Topic;

typedef struct Position {
    gint64 offset;
    char *metadata;
} Position;

/* An offset on its way into a group. */
typedef struct Pending {
    char *group;
    char *topic;
    gint32 partition;
    gint64 offset;
    char *metadata;
} Pending;

typedef struct Producer {
    char *id; /* transactional.id; NULL: idempotent only */
    gint64 number;
    gint16 epoch;
    gint32 timeout_ms;
    gint64 begun_us;       /* of the open transaction; 0: none */
    GPtrArray *partitions; /* Partition * of it */
    GPtrArray *pending;    /* Pending * of it */
} Producer;

typedef struct Broker {
    int directory; /* -1: files without a name */
    int journal;
    char *host;
    gint32 port;
    guint8 id[16];
    GHashTable *topics;    /* name → Topic * */
    GHashTable *producers; /* number → Producer * */
    GHashTable *by_id;     /* transactional.id → Producer * */
    GHashTable *positions; /* group → (GHashTable "topic\npartition" → Position *) */
    GHashTable *groups;    /* id → Group * (groups.c) */
    gint64 next_producer;
    guint64 next_member;
    gint64 retained_us; /* when retention was last applied */
    guint changes;      /* of what readers see: whoever waits looks again */
} Broker;

/* ---- store.c: topics and the journal ---- */

/* directory NULL: in files without a name, which go with the process. NULL and *problem, which the caller frees. */
Broker *store_open(const char *directory, char **problem);
void store_close(Broker *broker);
Topic *store_topic(const Broker *broker, const char *name);
Partition *store_partition(const Broker *broker, const char *topic, gint32 number);
bool store_is_name(const char *name);
Code store_create(Broker *broker, const char *name, gint32 partitions, GHashTable *config);
Code store_extend(Broker *broker, Topic *topic, gint32 partitions);
void store_delete(Broker *broker, const char *name);
/* Applies topics' retention, where it is time to; ms until the next time, or -1. */
gint64 store_retain(Broker *broker, gint64 now_us);
/* The topic's, or Kafka's default; NULL: there is no such setting. */
const char *store_setting(const Topic *topic, const char *name);
/* Names and defaults of what a topic can be told, NULL-terminated pairs. */
extern const char *const store_settings[];
/* Journal records; false: they could not be written. */
bool store_note_producer(Broker *broker, const Producer *producer);
bool store_note_offsets(Broker *broker, const GPtrArray *pending);
bool store_note_end(Broker *broker, const Producer *producer, bool commit);
bool store_note_done(Broker *broker, const Producer *producer);
bool store_note_group_gone(Broker *broker, const char *group);

/* ---- offsets.c: positions of groups ---- */

Pending *pending_new(const char *group, const char *topic, gint32 partition, gint64 offset, const char *metadata);
void pending_free(Pending *pending);
void offsets_apply(Broker *broker, const Pending *pending);
const Position *offsets_find(const Broker *broker, const char *group, const char *topic, gint32 partition);
/* A transaction is about to change it. */
bool offsets_are_pending(const Broker *broker, const char *group, const char *topic, gint32 partition);
void offsets_forget_topic(Broker *broker, const char *topic);

/* ---- producers.c: numbers, epochs, transactions ---- */

Producer *producer_new(Broker *broker, const char *id, gint64 number, gint16 epoch, gint32 timeout_ms);
void producer_free(Producer *producer);
/* A producer starts: another epoch, and what was open is aborted. `number` -1: it does not know any. */
Code producers_start(Broker *broker, const char *id, gint32 timeout_ms, gint64 number, gint16 epoch, Producer **out);
/* The producer of a request within a transaction, or why not. */
Code producers_find(const Broker *broker, const char *id, gint64 number, gint16 epoch, Producer **out);
Code producers_join(Producer *producer, Partition *partition);
Code producers_end(Broker *broker, Producer *producer, bool commit);
/* Ends what a crash has left: as was decided, else by an abort. */
void producers_finish(Broker *broker, GHashTable *decided);
/* Aborts what is open for longer than it may; ms until the next could be, or -1. */
gint64 producers_expire(Broker *broker, gint64 now_us);

#endif
