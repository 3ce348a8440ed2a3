/* What client.c and admin.c know of a client. */
#ifndef KIT_KAFKA_CLIENT_H
#define KIT_KAFKA_CLIENT_H

#include "kafka.h"

struct KafkaClient {
    rd_kafka_t *rk;
    rd_kafka_conf_t *spare; /* what the handle was made of, where it may be made anew; else NULL */
    void *user;
    bool polled; /* its events wait until kafka_serve() */
    char *brokers;
    bool down;
    rd_kafka_resp_err_t code; /* of the last connection problem */
    char problem[640];        /* its sentence, or empty */
    gint references;          /* the owner, and the thread that destroys the handle */
    GMutex lock;              /* for the following, which librdkafka's threads read */
    GCond gone_cond;
    SfNode *node;
    bool gone;
    char given_up[256]; /* why a transaction was, or empty */
};

/* client.c: another handle in place of one whose caches are stale; false when it has no spare, or none can be made. */
bool kafka_client_renew(KafkaClient *client);
/* Takes in the waiting events of a client that nobody else polls. */
void kafka_serve(KafkaClient *client);

/* admin.c: an admin request's options; its answer, or why there is none. */
rd_kafka_AdminOptions_t *kafka_admin_options(KafkaClient *client, rd_kafka_admin_op_t op, int timeout_ms);
SfStatus kafka_await(KafkaClient *client, rd_kafka_queue_t *queue, int timeout_ms, const char *what,
                     rd_kafka_event_t **out, SfError *err);

#endif
