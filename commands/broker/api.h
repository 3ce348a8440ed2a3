/* Requests and their answers. Each handler reads one kind of request (its name says which) and writes the body of the
 * answer; fields and versions are those of kafka.apache.org/protocol. */
#ifndef BROKER_API_H
#define BROKER_API_H

#include "broker.h"
#include "conn.h"

typedef enum Outcome {
    ANSWERED,
    SILENT, /* nobody waits for an answer */
    PARKED, /* not yet: the same request comes again when something has changed, or at its deadline */
    HELD,   /* somebody else answers by reply_send() */
} Outcome;

typedef struct Request {
    Broker *broker;
    gint16 api;
    gint16 version;
    Reply reply;
    const char *client; /* client.id, or "" */
    gint64 deadline_us; /* of one that was parked; 0: it comes for the first time */
    In in;
    Out out;
} Request;

/* What a request asks of one partition, whose number comes next: reads it, and writes its answer. */
typedef void PartitionCall(Request *request, const char *topic, gpointer data);
/* A request's topics, each with its partitions: answers one after the other. */
void api_each_partition(Request *request, PartitionCall *call, gpointer data);

/* api_data.c */
Outcome api_produce(Request *request);
Outcome api_fetch(Request *request);
Outcome api_list_offsets(Request *request);
/* api_topics.c */
Outcome api_metadata(Request *request);
Outcome api_create_topics(Request *request);
Outcome api_delete_topics(Request *request);
Outcome api_create_partitions(Request *request);
Outcome api_describe_configs(Request *request);
/* api_producers.c */
Outcome api_init_producer(Request *request);
Outcome api_add_partitions(Request *request);
Outcome api_add_offsets(Request *request);
Outcome api_end(Request *request);
Outcome api_commit_in_transaction(Request *request);
/* api_offsets.c */
/* Offsets of a group, by themselves or in a transaction. */
typedef struct CommitRequest {
    Code code; /* of the request as a whole */
    const char *group;
    gint16 epochs_since; /* the version from which on partitions carry a leader's epoch */
    GPtrArray *out;      /* Pending *: what is to be noted; NULL only with another code than CODE_OK */
} CommitRequest;
void api_commit_partition(Request *request, const char *topic, gpointer data); /* CommitRequest */
Outcome api_find_coordinator(Request *request);
Outcome api_offset_commit(Request *request);
Outcome api_offset_fetch(Request *request);
/* api_groups.c */
Outcome api_join(Request *request);
Outcome api_sync(Request *request);
Outcome api_heartbeat(Request *request);
Outcome api_leave(Request *request);
Outcome api_describe_groups(Request *request);
Outcome api_list_groups(Request *request);
Outcome api_delete_groups(Request *request);

#endif
