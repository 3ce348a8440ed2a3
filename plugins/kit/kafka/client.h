/* What client.c and admin.c know of a client. */
#ifndef KIT_KAFKA_CLIENT_H
#define KIT_KAFKA_CLIENT_H

#include "kafka.h"

struct KafkaClient {
    rd_kafka_t *rk;
    void *user;
    char *brokers;
    bool down;
    rd_kafka_resp_err_t code; /* of the last connection problem */
    char problem[640];        /* its sentence, or empty */
    gint references;          /* the owner, and the thread that destroys the handle */
    GMutex lock;              /* for the following, which librdkafka's threads read */
    GCond gone_cond;
    SfNode *node;
    bool gone;
};

#endif
