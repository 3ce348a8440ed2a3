/* One partition: a file of record batches (KIP-98, magic 2) as producers sent them, and an index of them in memory.
 * What a crash has left half written at the end is cut off when the file is opened. One thread. */
#ifndef BROKER_LOG_H
#define BROKER_LOG_H

#include "wire.h"

/* Kafka's error codes that this broker gives (kafka.apache.org/protocol, "Error Codes"). */
typedef enum Code {
    CODE_OK = 0,
    CODE_OFFSET_OUT_OF_RANGE = 1,
    CODE_CORRUPT_MESSAGE = 2,
    CODE_UNKNOWN_TOPIC = 3,
    CODE_MESSAGE_TOO_LARGE = 10,
    CODE_INVALID_TOPIC = 17,
    CODE_ILLEGAL_GENERATION = 22,
    CODE_INCONSISTENT_PROTOCOL = 23,
    CODE_INVALID_GROUP = 24,
    CODE_UNKNOWN_MEMBER = 25,
    CODE_INVALID_SESSION_TIMEOUT = 26,
    CODE_REBALANCE_IN_PROGRESS = 27,
    CODE_UNSUPPORTED_VERSION = 35,
    CODE_TOPIC_EXISTS = 36,
    CODE_INVALID_PARTITIONS = 37,
    CODE_INVALID_REPLICATION = 38,
    CODE_INVALID_CONFIG = 40,
    CODE_INVALID_REQUEST = 42,
    CODE_OUT_OF_ORDER_SEQUENCE = 45,
    CODE_INVALID_PRODUCER_EPOCH = 47,
    CODE_INVALID_TXN_STATE = 48,
    CODE_INVALID_PRODUCER_MAPPING = 49,
    CODE_STORAGE = 56,
    CODE_GROUP_NOT_EMPTY = 68,
    CODE_GROUP_NOT_FOUND = 69,
    CODE_FENCED_INSTANCE = 82,
    CODE_UNSTABLE_OFFSET = 88,
    CODE_PRODUCER_FENCED = 90,
} Code;

typedef struct Batch {
    gint64 base; /* offset of the first record; `last` of the last */
    gint64 last;
    gint64 at; /* in the file */
    guint32 size;
    gint64 max_ms;
    gint64 newest_ms; /* of the records from the log's first offset up to here: rises from batch to batch */
    gint64 producer;  /* -1: none */
    gint16 epoch;
    gint32 first_sequence;
    bool transactional;
    bool control;
} Batch;

typedef struct Aborted {
    gint64 producer;
    gint64 first;
    gint64 last; /* offset of the marker */
} Aborted;

typedef struct Log {
    int fd;
    gint64 size;
    gint64 start;        /* first offset; batches before it wait for log_replace() */
    gint64 end;          /* next offset */
    GArray *batches;     /* Batch */
    GArray *aborted;     /* Aborted */
    GHashTable *open;    /* producer id → first offset of its transaction (both gint64 *) */
    GHashTable *written; /* producer id → what it wrote last */
} Log;

/* Takes the descriptor over. NULL: errno says why. */
Log *log_open(int fd);
void log_free(Log *log);

/* One batch from a producer, checked; *base is its offset. A batch that is there already is CODE_OK with the offset
 * that it got. `limit` is the topic's max.message.bytes. */
Code log_append(Log *log, const guint8 *data, gsize size, gint64 limit, gint64 *base);
/* The end of a producer's transaction here; nothing where none is open. */
Code log_mark(Log *log, gint64 producer, gint16 epoch, bool commit, gint64 now_ms);
bool log_is_open(const Log *log, gint64 producer);

/* Readers of committed records see what is before. */
gint64 log_stable(const Log *log);
/* Appends batches from the one with `offset` on, up to `before` and about `most` bytes, at least one where `force`. */
void log_read(const Log *log, gint64 offset, gint64 before, gint64 most, bool force, GByteArray *out);
/* The batch that has the offset, or the first behind it. */
guint log_find(const Log *log, gint64 offset);
/* The first batch with a record that young: its offset and time; false: there is none. */
bool log_find_time(const Log *log, gint64 time_ms, gint64 *offset, gint64 *found_ms);

/* log_retain.c: batches whose youngest record is older than keep_ms, and the oldest where the others alone have
 * keep_bytes, are no longer there; -1: no such limit. The last batch stays, as Kafka's active segment does, and what is
 * within open transactions. */
void log_retain(Log *log, gint64 keep_ms, gint64 keep_bytes, gint64 now_ms);
/* Bytes of the file that nobody can read any more. */
gint64 log_dead(const Log *log);
/* Copies what is left to the empty file `fd`; false: errno says why. Then, when that has its name, it takes the old
 * one's place. */
bool log_copy(const Log *log, int fd);
void log_replace(Log *log, int fd);

#endif
