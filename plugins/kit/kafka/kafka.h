/* Kafka clients by librdkafka: settings from options, one error text per cause, logs to the operator, bounded close,
 * and the requests that sources, sinks and commands share.
 *
 * Threads: a client is used by one thread at a time; its log lines come from librdkafka's threads and reach sf_log()
 * only. Statuses: SF_RETRY for everything that time or a person outside the pipeline may mend (broker away, login
 * refused, no leader), SF_CONFIG for settings that can never work, SF_FENCED for a producer that another process
 * took over. */
#ifndef KIT_KAFKA_H
#define KIT_KAFKA_H

#include <glib.h>
#include <librdkafka/rdkafka.h>
#include <sf/sf.h>

/* Options that every Kafka plugin has; the macro adds their rows to its table. */
typedef struct KafkaOptions {
    const char *brokers;
    const char *client_id;
    const char *sasl_password;
    SfMap kafka;
} KafkaOptions;

#define KAFKA_OPTION_ROWS(state, member)                                                                               \
    SF_OPTION_STRING(state, member.brokers, .name = "brokers", .value = "localhost:9092",                              \
                     .doc = "Bootstrap servers, host:port separated by commas."),                                      \
        SF_OPTION_STRING(state, member.client_id, .name = "client_id",                                                 \
                         .doc = "Name of the client in the broker's logs and quotas; default: streamforge-HOST-PID, "  \
                                "which tells the members of a group apart."),                                          \
        SF_OPTION_SECRET(state, member.sasl_password, .name = "sasl_password",                                         \
                         .doc = "Password of the SASL login, as sasl.password under kafka would be."),                 \
        SF_OPTION_MAP(state, member.kafka, .name = "kafka",                                                            \
                      .doc = "Any librdkafka property: TLS and SASL settings, buffers, timeouts.",                     \
                      .example = "{security.protocol: SASL_SSL, sasl.mechanism: PLAIN, sasl.username: app}")

typedef struct KafkaSetting {
    const char *name;
    const char *value; /* NULL: it is left as it is */
} KafkaSetting;

/* Whether the option `kafka` has the property. */
bool kafka_conf_given(const KafkaOptions *options, const char *name);

/* A configuration: `defaults` first, then the options, then `own`, which a plugin needs as they are: a user's other
 * value for one of them is SF_CONFIG. Both lists end with a NULL name and may be NULL. No I/O. NULL and err
 * (SF_CONFIG) names the property, with the nearest one where it is unknown. */
rd_kafka_conf_t *kafka_conf_new(const KafkaOptions *options, const KafkaSetting *defaults, const KafkaSetting *own,
                                SfError *err);

typedef struct KafkaClient KafkaClient;

/* Takes conf over, also on failure. node may be NULL (commands): then logs go nowhere. `user` is for
 * kafka_client_user() in callbacks, whose opaque is the client. SF_CONFIG for settings that do not go together,
 * SF_RETRY when the process is out of threads, descriptors or memory. */
SfStatus kafka_client_new(SfNode *node, rd_kafka_type_t type, rd_kafka_conf_t *conf, void *user, KafkaClient **out,
                          SfError *err);

/* A client for questions (offsets of groups, topics), which reads and writes nothing. It is a consumer, though no
 * member of the group: a producer that asks for a group's offsets while their coordinator moves makes librdkafka
 * crash, since it has no group to look the coordinator up for. Polled by the requests of this file. Its handle is
 * another one after a request that found a coordinator which had moved. */
SfStatus kafka_client_asking(const KafkaOptions *options, const char *group, KafkaClient **out, SfError *err);

/* Destroys within timeout_ms; a client that hangs (known in librdkafka 2.0) is left to a thread of its own, and a
 * log line says so. 0: does not wait for it, and does not say so. */
void kafka_client_free(KafkaClient *client, int timeout_ms);

rd_kafka_t *kafka_client_handle(const KafkaClient *client);
void *kafka_client_user(const KafkaClient *client);

/* All brokers were seen down, or none answered a probe, since the last kafka_client_up(). */
bool kafka_client_down(const KafkaClient *client);
/* A connection has failed since then; others may still be up: kafka_client_probe() tells. */
bool kafka_client_doubtful(const KafkaClient *client);
/* The broker has answered: forget the last problem. */
void kafka_client_up(KafkaClient *client);

/* Why the broker gave a transaction up, in librdkafka's words, which are told once; false: it has said nothing. */
bool kafka_client_given_up(KafkaClient *client, char *out, size_t size);

/* How long whoever is in the midst of something else waits for a sign of life. */
#define KAFKA_PROBE_MS 1000

/* Asks any broker for its metadata, at most timeout_ms; SF_RETRY with the best known cause when none answers. */
SfStatus kafka_client_probe(KafkaClient *client, int timeout_ms, SfError *err);

/* The status that a librdkafka error means for the host. */
SfStatus kafka_status(rd_kafka_resp_err_t code);

/* sf_fail() for a failed request: "<what>: <cause>", where the cause is the client's last connection problem if the
 * code says no more than that no answer came. client may be NULL. */
SfStatus kafka_fail(const KafkaClient *client, rd_kafka_resp_err_t code, SfError *err, const char *format, ...)
    SF_PRINTF(4, 5);

/* Likewise from a transaction's error, which is freed: SF_RETRY when the call may be repeated, SF_FENCED when another
 * process took over. The caller looks at txn_requires_abort before. */
SfStatus kafka_fail_error(const KafkaClient *client, rd_kafka_error_t *error, SfError *err, const char *format, ...)
    SF_PRINTF(4, 5);

/* librdkafka's reason, made readable: "cannot reach broker 'k1:9092': connection refused". Returns out. */
const char *kafka_explain(rd_kafka_resp_err_t code, const char *reason, char *out, size_t size);

/* Offsets of all partitions in the list at `time`: ms since 1970, or RD_KAFKA_OFFSET_BEGINNING or _END. The answer
 * is in `offset` of each; RD_KAFKA_OFFSET_END when no record is that young. One request per broker. */
SfStatus kafka_offsets_at(KafkaClient *client, rd_kafka_topic_partition_list_t *list, int64_t time, int timeout_ms,
                          SfError *err);
/* Likewise, each partition's at the time that its `offset` holds. */
SfStatus kafka_offsets_at_own(KafkaClient *client, rd_kafka_topic_partition_list_t *list, int timeout_ms, SfError *err);

/* A group's committed offsets of the partitions in the list; -1001 where there is none. The metadata of each is the
 * list's to free. SF_RETRY while a transaction is pending there: the partitions have
 * RD_KAFKA_RESP_ERR_UNSTABLE_OFFSET_COMMIT as their err. A client for questions looks the coordinator up anew when it
 * has moved. */
SfStatus kafka_group_offsets(KafkaClient *client, const char *group, rd_kafka_topic_partition_list_t *list,
                             int timeout_ms, SfError *err);

/* Likewise of many groups at once, where the answers do not wait for each other. One that has not been answered is to
 * be asked for by itself, which tells why. */
typedef struct KafkaGroupQuestion {
    const char *group;
    rd_kafka_topic_partition_list_t *list;
    bool answered; /* out */
} KafkaGroupQuestion;
void kafka_groups_offsets(KafkaClient *client, KafkaGroupQuestion *questions, size_t n, int timeout_ms);

/* Sets a group's offsets outside of transactions; the group must have no members. */
SfStatus kafka_group_set(KafkaClient *client, const char *group, rd_kafka_topic_partition_list_t *list, int timeout_ms,
                         SfError *err);

/* What a new topic is made of. */
typedef struct KafkaTopic {
    const char *name;
    int64_t partitions;         /* -1: the broker's default */
    int64_t replication_factor; /* likewise */
    const KafkaSetting *config;
    size_t n_config;
} KafkaTopic;

/* Value of one entry of a topic's configuration; the caller frees it. */
SfStatus kafka_topic_config(KafkaClient *client, const char *topic, const char *name, int timeout_ms, char **out,
                            SfError *err);

/* Whether the cluster answers admin requests about topics. librdkafka's mock cluster does not: it makes topics when
 * they are asked for, with partitions as it likes. */
bool kafka_has_controller(KafkaClient *client, int timeout_ms);

/* Creates, and waits for brokers to know of it; *created = false when it was there already. Without a controller the
 * topic is made by asking for it, unless the topic says how. */
SfStatus kafka_topic_create(KafkaClient *client, const KafkaTopic *topic, int timeout_ms, bool *created, SfError *err);

/* A controller answers before the brokers have learned of a change (KIP-500): waits until they show so many partitions
 * with leaders at least; 0: until the topic is gone. false: not within timeout_ms. */
bool kafka_topic_await(KafkaClient *client, const char *topic, int64_t partitions, int timeout_ms);

/* sf_fail() for one topic of an admin request's answer, in the broker's own words where it gave some. */
SfStatus kafka_fail_topic(const KafkaClient *client, const rd_kafka_topic_result_t *result, SfError *err,
                          const char *what);

/* Asks for the topics' ids (KIP-516); the answer is an event of the queue. false: librdkafka is older than 2.3. */
bool kafka_topic_ids_ask(KafkaClient *client, const char *const *topics, size_t n, int timeout_ms,
                         rd_kafka_queue_t *answers);
/* Name → id, of those topics that the answer has one of; the caller unrefs it. */
GHashTable *kafka_topic_ids_take(rd_kafka_event_t *answer);

/* Number of partitions; SF_EMPTY when there is no such topic. Never creates it on the way. */
SfStatus kafka_topic_partitions(KafkaClient *client, const char *topic, int timeout_ms, int32_t *out, SfError *err);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(rd_kafka_conf_t, rd_kafka_conf_destroy)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rd_kafka_topic_partition_list_t, rd_kafka_topic_partition_list_destroy)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rd_kafka_queue_t, rd_kafka_queue_destroy)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rd_kafka_event_t, rd_kafka_event_destroy)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rd_kafka_error_t, rd_kafka_error_destroy)
G_DEFINE_AUTOPTR_CLEANUP_FUNC(rd_kafka_AdminOptions_t, rd_kafka_AdminOptions_destroy)

#endif
