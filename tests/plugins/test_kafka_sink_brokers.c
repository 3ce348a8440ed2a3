/* kafka-sink and brokers that stop or freeze, on librdkafka's mock cluster: which of them, since when, what waits for
 * it, and that nothing is lost. */
#include "kafka_place.h"

#include <dlfcn.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define PRODUCE 0

/* The mock's replicas are always in sync: those behind the first so many are not, where a test wants it; 0: all are. */
static int in_sync;

EXPORTED rd_kafka_resp_err_t rd_kafka_metadata(rd_kafka_t *rk, int all, rd_kafka_topic_t *topic,
                                               const struct rd_kafka_metadata **out, int timeout_ms)
{
    rd_kafka_resp_err_t (*real)(rd_kafka_t *, int, rd_kafka_topic_t *, const struct rd_kafka_metadata **, int) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_metadata");
    rd_kafka_resp_err_t code = real(rk, all, topic, out, timeout_ms);
    for (int i = 0; !code && in_sync > 0 && i < (*out)->topic_cnt; i++) {
        for (int k = 0; k < (*out)->topics[i].partition_cnt; k++)
            (*out)->topics[i].partitions[k].isr_cnt = MIN(in_sync, (*out)->topics[i].partitions[k].replica_cnt);
    }
    return code;
}

/* Three brokers, each the leader of a partition of "out", and a sink that has written to all of them: they are known
 * and connected. The group's offsets are broker 1's. */
typedef struct Three {
    MockKafka *mock;
    Harness *h;
} Three;

static const char *const six[] = {"[\"a\"]", "[\"b\"]", "[\"c\"]", "[\"d\"]", "[\"e\"]", "[\"f\"]"};

/* Six rows, whose keys lie in all three partitions. */
static void three_write(Three *three, gint64 start)
{
    harness_write(three->h, 0, harness_rows(three->h, 0, "events/0", start, six, G_N_ELEMENTS(six)));
}

static Three three_new(void)
{
    Three three = {.mock = mock_kafka_of(3)};
    mock_kafka_topic(three.mock, "out", 3);
    for (int partition = 0; partition < 3; partition++)
        rd_kafka_mock_partition_set_leader(three.mock->cluster, "out", partition, partition + 1);
    three.h = place_sink(three.mock, "delivery: at-least-once, key: k");
    harness_input_text(three.h, "rows", "k string");
    harness_open(three.h);
    g_autofree char *group = group_of(three.h, "rows.events/0");
    rd_kafka_mock_coordinator_set(three.mock->cluster, "group", group, 1);
    three_write(&three, 0);
    g_assert_cmpint(commit_insisting(three.h), ==, SF_OK);
    return three;
}

static void three_done(Three *three)
{
    harness_free(three->h);
    mock_kafka_free(three->mock);
}

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(Three, three_done)

/* What was written twice is there, twice. */
static void three_end(Three *three)
{
    g_assert_cmpint(commit_insisting(three->h), ==, SF_OK);
    g_assert_cmpint(harness_committed(three->h, 0, "events/0"), ==, 2 * G_N_ELEMENTS(six));
    g_autofree char *found = mock_kafka_read(three->mock, "out", 2 * G_N_ELEMENTS(six));
    g_auto(GStrv) lines = g_strsplit(found, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 2 * G_N_ELEMENTS(six));
}

/* It keeps its connections and its place as leader, and answers nothing: a stopped process, a hanging disk. */
static void test_a_leader_that_is_frozen_is_named(void)
{
    enum { FROZEN_MS = 25000 };
    g_auto(Three) three = three_new();
    rd_kafka_mock_broker_set_rtt(three.mock->cluster, 2, FROZEN_MS);
    three_write(&three, G_N_ELEMENTS(six));
    g_assert_cmpint(harness_try_commit(three.h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_true(g_str_has_prefix(three.h->err.message,
                                   "partition 1 of topic 'out' takes no records: its leader, broker 2 ('127.0.0.1:"));
    g_assert_true(g_regex_match_simple("'\\), has not answered for 1[0-9] s; [1-6] records wait for it$",
                                       three.h->err.message, 0, 0));
    rd_kafka_mock_broker_set_rtt(three.mock->cluster, 2, 0);
    three_end(&three);
}

/* Those that wait for the others are counted by their partitions. */
static void test_leaders_that_are_frozen_are_counted(void)
{
    g_auto(Three) three = three_new();
    rd_kafka_mock_broker_set_rtt(three.mock->cluster, 2, 25000);
    rd_kafka_mock_broker_set_rtt(three.mock->cluster, 3, 25000);
    three_write(&three, G_N_ELEMENTS(six));
    g_assert_cmpint(harness_try_commit(three.h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_true(g_str_has_suffix(three.h->err.message, " records wait for it, and others in 1 more partition"));
    rd_kafka_mock_broker_set_rtt(three.mock->cluster, 2, 0);
    rd_kafka_mock_broker_set_rtt(three.mock->cluster, 3, 0);
    three_end(&three);
}

/* One broker of three is stopped: its partitions get other leaders, and what was on its way arrives, once. */
static void test_one_stopped_broker_of_three_loses_nothing(void)
{
    g_auto(Three) three = three_new();
    rd_kafka_mock_broker_set_down(three.mock->cluster, 2);
    three_write(&three, G_N_ELEMENTS(six));
    g_assert_cmpint(harness_try_commit(three.h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_true(g_str_has_prefix(three.h->err.message, "cannot reach broker '127.0.0.1:"));
    rd_kafka_mock_partition_set_leader(three.mock->cluster, "out", 1, 3);
    three_end(&three);
}

/* The leader answers, and refuses for as long as the others are away: librdkafka tries again by itself and does not say
 * why. */
static void test_too_few_replicas_in_sync_are_named(void)
{
    static const char *const values[] = {"a"};
    g_autoptr(MockKafka) mock = mock_kafka_of(3);
    g_assert_cmpint(rd_kafka_mock_topic_create(mock->cluster, "out", 1, 3), ==, RD_KAFKA_RESP_ERR_NO_ERROR);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    for (int i = 0; i < 1000; i++)
        rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_NOT_ENOUGH_REPLICAS);
    in_sync = 1;
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    if (!g_regex_match_simple(
            "^partition 0 of topic 'out' has 1 of 3 replicas in sync, and needs more "
            "\\(min.insync.replicas\\); start brokers [123], [123]; [0-9]+ records wait for it or behind it$",
            h->err.message, 0, 0))
        g_error("%s", h->err.message);
    in_sync = 0;
    rd_kafka_mock_clear_request_errors(mock->cluster, PRODUCE);
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==, "");
    assert_topic(mock, "out", 1, "0 null=a");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-sink-brokers/frozen-leader", test_a_leader_that_is_frozen_is_named);
    g_test_add_func("/kafka-sink-brokers/frozen-leaders", test_leaders_that_are_frozen_are_counted);
    g_test_add_func("/kafka-sink-brokers/one-of-three-stopped", test_one_stopped_broker_of_three_loses_nothing);
    g_test_add_func("/kafka-sink-brokers/too-few-in-sync", test_too_few_replicas_in_sync_are_named);
    return g_test_run();
}
