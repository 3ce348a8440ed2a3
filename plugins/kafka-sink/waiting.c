/* Which partition takes no records, or which transaction gets no answers: since when, and which broker is to blame.
 * librdkafka alone knows which partition an unanswered record is in and who coordinates a transaction, and tells it in
 * its statistics (STATISTICS.md): they come every few seconds, and are read while a lane waits only. */
#include <json-c/json.h>
#include <string.h>

#include "sink.h"

/* Statistics of a wait that has only begun are of records that are on their way. */
#define PATIENCE_US (2 * G_USEC_PER_SEC)

/* After so long another coordinator has had the time to take over. */
#define SILENT_US (15 * G_USEC_PER_SEC)

void waiting_begin(Lane *lane)
{
    if (lane->waiting_us == 0)
        lane->waiting_us = g_get_monotonic_time();
}

void waiting_end(Lane *lane)
{
    lane->waiting_us = 0;
    lane->waits = (Waits){0};
    lane->coordinator = (Coordinator){0};
}

static int64_t member_number(struct json_object *object, const char *name)
{
    struct json_object *value = NULL;
    return json_object_object_get_ex(object, name, &value) ? json_object_get_int64(value) : 0;
}

/* The address of a broker, of statistics' "brokers", whose names are "address/id". */
static void find_address(struct json_object *statistics, Waits *waits)
{
    struct json_object *brokers = NULL, *address = NULL;
    if (!json_object_object_get_ex(statistics, "brokers", &brokers) || !json_object_is_type(brokers, json_type_object))
        return;
    json_object_object_foreach(brokers, name, broker)
    {
        (void) name;
        if (member_number(broker, "nodeid") == waits->leader && json_object_object_get_ex(broker, "nodename", &address))
            g_strlcpy(waits->address, json_object_get_string(address), sizeof waits->address);
    }
}

/* Of statistics' "brokers", where a transaction's coordinator has a name of its own, and a connection as well. */
static Coordinator look_at_coordinator(struct json_object *statistics)
{
    Coordinator coordinator = {0};
    struct json_object *brokers = NULL, *broker = NULL, *address = NULL, *state = NULL;
    if (!json_object_object_get_ex(statistics, "brokers", &brokers) ||
        !json_object_object_get_ex(brokers, "TxnCoordinator", &broker) ||
        !json_object_object_get_ex(broker, "nodename", &address) || !json_object_object_get_ex(broker, "state", &state))
        return coordinator;
    coordinator.broker = (int32_t) member_number(broker, "nodeid");
    g_strlcpy(coordinator.address, json_object_get_string(address), sizeof coordinator.address);
    int64_t idle_us = member_number(broker, "rxidle"); /* -1: nothing has come by this connection */
    bool owes = member_number(broker, "waitresp_cnt") > 0 || strcmp(json_object_get_string(state), "UP") != 0;
    coordinator.silent = coordinator.address[0] && owes && (idle_us < 0 || idle_us > PATIENCE_US);
    return coordinator;
}

/* Of records that were given to librdkafka and that no broker has answered for. */
static int64_t records_of(struct json_object *partition)
{
    return member_number(partition, "msgq_cnt") + member_number(partition, "xmit_msgq_cnt") +
           member_number(partition, "msgs_inflight");
}

static void look_at_topic(const char *topic, struct json_object *partitions, Waits *waits)
{
    json_object_object_foreach(partitions, number, partition)
    {
        int64_t records = strcmp(number, "-1") == 0 ? 0 : records_of(partition);
        waits->partitions += records > 0;
        if (records <= waits->records)
            continue;
        g_strlcpy(waits->topic, topic, sizeof waits->topic);
        waits->partition = (int32_t) member_number(partition, "partition");
        waits->leader = (int32_t) member_number(partition, "leader");
        waits->records = records;
    }
}

/* The partition in which most records wait. */
static Waits look(struct json_object *statistics)
{
    Waits waits = {.leader = -1};
    struct json_object *topics = NULL, *partitions = NULL;
    if (!json_object_object_get_ex(statistics, "topics", &topics) || !json_object_is_type(topics, json_type_object))
        return waits;
    json_object_object_foreach(topics, name, topic)
    {
        if (json_object_object_get_ex(topic, "partitions", &partitions) &&
            json_object_is_type(partitions, json_type_object))
            look_at_topic(name, partitions, &waits);
    }
    find_address(statistics, &waits);
    return waits;
}

int waiting_statistics(rd_kafka_t *rk, char *json, size_t size, void *opaque)
{
    Lane *lane = kafka_client_user(opaque);
    (void) rk;
    if (!lane || lane->waiting_us == 0 || g_get_monotonic_time() - lane->waiting_us < PATIENCE_US)
        return 0;
    struct json_tokener *reader = json_tokener_new();
    struct json_object *statistics = json_tokener_parse_ex(reader, json, (int) MIN(size, G_MAXINT32));
    if (statistics) {
        lane->waits = look(statistics);
        lane->coordinator = look_at_coordinator(statistics);
    }
    json_object_put(statistics);
    json_tokener_free(reader);
    return 0; /* the text is librdkafka's */
}

static gint64 waited_s(const Lane *lane)
{
    return (g_get_monotonic_time() - lane->waiting_us) / G_USEC_PER_SEC;
}

/* "partition 2 of topic 'copy' takes no records: broker 3 ('k3:9092'), its leader, has not answered for 12 s; …" */
static SfStatus fail_waits(const Lane *lane, SfError *err)
{
    const Waits *waits = &lane->waits;
    g_autofree char *others = waits->partitions > 1
                                  ? g_strdup_printf(", and others in %d more partition%s", waits->partitions - 1,
                                                    waits->partitions > 2 ? "s" : "")
                                  : NULL;
    return sf_fail(err, SF_RETRY,
                   "partition %d of topic '%s' takes no records: its leader, broker %d ('%s'), has not answered for "
                   "%" G_GINT64_FORMAT " s; %" G_GINT64_FORMAT " records wait for it%s",
                   waits->partition, waits->topic, waits->leader, waits->address, waited_s(lane), waits->records,
                   others ? others : "");
}

/* librdkafka keeps to the coordinator that it knows, also where another one has taken its place (seen with 2.0.2): only
 * another producer looks it up anew, and asks the group whether the transaction has ended meanwhile. */
static void move_on(Lane *lane)
{
    if (g_get_monotonic_time() - lane->waiting_us < SILENT_US)
        return;
    lane->failed = true;
    lane->undecided = lane->undecided || lane->ending;
    lane->ending = false;
}

static SfStatus fail_silent(Lane *lane, const char *what, SfError *err)
{
    move_on(lane);
    return sf_fail(err, SF_RETRY,
                   "transaction '%s' %s: its coordinator, broker %d ('%s'), has not answered for %" G_GINT64_FORMAT
                   " s; restart that broker, or wait until another one takes its place",
                   lane->id, what, lane->coordinator.broker, lane->coordinator.address, waited_s(lane));
}

bool waiting_fail_transaction(Lane *lane, const rd_kafka_error_t *error, const char *what, SfError *err)
{
    const Coordinator *coordinator = &lane->coordinator;
    if (rd_kafka_error_code(error) != RD_KAFKA_RESP_ERR__TIMED_OUT || !coordinator->address[0])
        return false;
    if (coordinator->silent)
        fail_silent(lane, what, err);
    else
        sf_fail(err, SF_RETRY,
                "transaction '%s' %s: its coordinator, broker %d ('%s'), answers, but has not finished for "
                "%" G_GINT64_FORMAT " s; check that all brokers are up, for it waits for those that lead the "
                "transaction's partitions",
                lane->id, what, coordinator->broker, coordinator->address, waited_s(lane));
    return true;
}

SfStatus waiting_fail(Lane *lane, SfError *err)
{
    bool sure;
    g_autofree char *blocked = topic_blocked(lane, &sure);
    bool leader = lane->waits.records > 0 && lane->waits.leader >= 0;
    if (lane->id && lane->coordinator.silent) /* nothing is sent before it has taken the partitions in */
        return fail_silent(lane, "takes no records", err);
    if (blocked && (sure || !leader))
        return sf_fail(err, SF_RETRY, "%s; %d records wait for it or behind it", blocked,
                       rd_kafka_outq_len(kafka_client_handle(lane->client)));
    if (leader)
        return fail_waits(lane, err);
    return kafka_fail(lane->client, RD_KAFKA_RESP_ERR__TIMED_OUT, err, "producing to topic '%s'", lane->sink->topic);
}
