/* kafka-sink and brokers that stop or freeze, on librdkafka's mock cluster: which of them, since when, what waits for
 * it, and that nothing is lost. */
#include "harness.h"
#include "mock_kafka.h"

#include <dlfcn.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define PRODUCE 0
#define END_TXN 26

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

static Harness *sink_new(const MockKafka *mock, const char *more)
{
    g_autofree char *options =
        g_strdup_printf("{brokers: '%s', topic: out%s%s}", mock->brokers, *more ? ", " : "", more);
    return harness_new("kafka-sink", options);
}

/* As the host does: the same call again for as long as it says SF_RETRY. */
static SfStatus commit_insisting(Harness *h)
{
    gint64 deadline = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;
    SfStatus status;
    while ((status = harness_try_commit(h, SF_COMMIT_END)) == SF_RETRY)
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
    return status;
}

static void assert_topic(MockKafka *mock, const char *topic, int n, const char *expected)
{
    g_autofree char *found = mock_kafka_read(mock, topic, n);
    g_assert_cmpstr(found, ==, expected);
}

/* It keeps its connections and its place as leader, and answers nothing: a stopped process, a hanging disk. */
static void test_a_leader_that_is_frozen_is_named(void)
{
    static const char *const rows[] = {"[\"a\"]", "[\"b\"]", "[\"c\"]", "[\"d\"]", "[\"e\"]", "[\"f\"]"};
    enum { FROZEN_MS = 25000 };
    g_autoptr(MockKafka) mock = mock_kafka_of(3);
    mock_kafka_topic(mock, "out", 3);
    for (int partition = 0; partition < 3; partition++)
        rd_kafka_mock_partition_set_leader(mock->cluster, "out", partition, partition + 1);
    g_autoptr(Harness) h = sink_new(mock, "delivery: at-least-once, key: k");
    harness_input_text(h, "rows", "k string");
    harness_open(h);
    g_autofree char *group = g_strdup_printf("%s.%s.rows.events/0", h->node->pipeline, h->node->step);
    rd_kafka_mock_coordinator_set(mock->cluster, "group", group, 1);
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, G_N_ELEMENTS(rows)));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK); /* all three leaders are known and connected */
    rd_kafka_mock_broker_set_rtt(mock->cluster, 2, FROZEN_MS);
    harness_write(h, 0, harness_rows(h, 0, "events/0", G_N_ELEMENTS(rows), rows, G_N_ELEMENTS(rows)));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_true(g_str_has_prefix(h->err.message,
                                   "partition 1 of topic 'out' takes no records: its leader, broker 2 ('127.0.0.1:"));
    g_assert_true(
        g_regex_match_simple("'\\), has not answered for 1[0-9] s; [1-6] records wait for it$", h->err.message, 0, 0));
    rd_kafka_mock_broker_set_rtt(mock->cluster, 2, 0);
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 2 * G_N_ELEMENTS(rows));
}

static void assert_coordinator_named(Harness *h, const char *id, const char *rest)
{
    g_autofree char *expected = g_strdup_printf("^transaction '%s' %s$", id, rest);
    g_assert_cmpstr(sf_status_name(h->status), ==, "retry");
    if (!g_regex_match_simple(expected, h->err.message, 0, 0))
        g_error("%s\nexpected: %s", h->err.message, expected);
}

#define ITS_COORDINATOR ": its coordinator, broker 2 \\('127.0.0.1:[0-9]+'\\), "
#define FROZEN                                                                                                         \
    ITS_COORDINATOR "has not answered for [0-9]+ s; restart that broker, or wait until another one takes its place"

/* Broker 2 has the transactions, broker 1 all else. */
static Harness *apart_new(MockKafka *mock, char **id)
{
    mock_kafka_topic(mock, "out", 1);
    mock_kafka_topic(mock, "events", 1);
    rd_kafka_mock_partition_set_leader(mock->cluster, "out", 0, 1);
    Harness *h = sink_new(mock, "");
    harness_open(h);
    g_autofree char *group = g_strdup_printf("%s.%s.events", h->node->pipeline, h->node->step);
    *id = g_strdup_printf("%s.%s.events/0", h->node->pipeline, h->node->step);
    rd_kafka_mock_coordinator_set(mock->cluster, "group", group, 1);
    rd_kafka_mock_coordinator_set(mock->cluster, "transaction", *id, 2);
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, SF_POSITION_NONE);
    return h;
}

/* For longer than the test: the mock holds back all answers that it owes. */
static void freeze(MockKafka *mock, int broker)
{
    rd_kafka_mock_broker_set_rtt(mock->cluster, broker, 120000);
}

static void test_a_coordinator_that_is_frozen_is_named(void)
{
    static const char *const values[] = {"a"};
    g_autofree char *id = NULL;
    g_autoptr(MockKafka) mock = mock_kafka_of(2);
    g_autoptr(Harness) h = apart_new(mock, &id);
    freeze(mock, 2);
    harness_try_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    assert_coordinator_named(h, id, "does not start" FROZEN);
}

/* Records wait for the coordinator first, and their leader is innocent. */
static void test_a_coordinator_that_freezes_before_records_go_is_named(void)
{
    static const char *const values[] = {"a"}, *const more[] = {"b"};
    g_autofree char *id = NULL;
    g_autoptr(MockKafka) mock = mock_kafka_of(2);
    g_autoptr(Harness) h = apart_new(mock, &id);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    freeze(mock, 2);
    harness_write(h, 0, harness_raw(h, "events/0", 1, more, 1));
    harness_try_commit(h, SF_COMMIT_CHECKPOINT);
    assert_coordinator_named(h, id, "takes no records" FROZEN);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 1);
}

static void test_a_coordinator_that_freezes_before_the_end_is_named(void)
{
    static const char *const values[] = {"a"};
    g_autofree char *id = NULL;
    g_autoptr(MockKafka) mock = mock_kafka_of(2);
    g_autoptr(Harness) h = apart_new(mock, &id);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    assert_topic(mock, "out", 1, "0 null=a"); /* the mock shows what is not committed: it has come */
    freeze(mock, 2);
    harness_try_commit(h, SF_COMMIT_CHECKPOINT);
    assert_coordinator_named(h, id, "does not end" FROZEN);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, SF_POSITION_NONE);
}

/* Another one takes over. librdkafka stays with the one that it knows, so another producer has to ask. */
static void test_a_coordinator_that_was_replaced_is_left(void)
{
    static const char *const values[] = {"a"}, *const more[] = {"b"};
    g_autofree char *id = NULL;
    g_autoptr(MockKafka) mock = mock_kafka_of(2);
    g_autoptr(Harness) h = apart_new(mock, &id);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    freeze(mock, 2);
    harness_write(h, 0, harness_raw(h, "events/0", 1, more, 1));
    harness_try_commit(h, SF_COMMIT_CHECKPOINT);
    assert_coordinator_named(h, id, "takes no records" FROZEN);
    rd_kafka_mock_coordinator_set(mock->cluster, "transaction", id, 1);
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 2);
    assert_topic(mock, "out", 2, "0 null=a\n0 null=b");
}

/* As a coordinator does whose markers do not get to a partition without a leader. */
static void test_a_coordinator_that_does_not_finish_is_named(void)
{
    static const char *const values[] = {"a"};
    g_autofree char *id = NULL;
    g_autoptr(MockKafka) mock = mock_kafka_of(2);
    g_autoptr(Harness) h = apart_new(mock, &id);
    for (int i = 0; i < 2000; i++)
        rd_kafka_mock_push_request_errors(mock->cluster, END_TXN, 1, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    harness_try_commit(h, SF_COMMIT_CHECKPOINT);
    assert_coordinator_named(h, id,
                             "does not end" ITS_COORDINATOR
                             "answers, but has not finished for [0-9]+ s; check that all brokers are up, for it waits "
                             "for those that lead the transaction's partitions");
    rd_kafka_mock_clear_request_errors(mock->cluster, END_TXN);
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    assert_topic(mock, "out", 1, "0 null=a");
}

/* One broker of three is stopped: its partitions get other leaders, and what was on its way arrives, once. */
static void test_one_stopped_broker_of_three_loses_nothing(void)
{
    static const char *const rows[] = {"[\"a\"]", "[\"b\"]", "[\"c\"]", "[\"d\"]", "[\"e\"]", "[\"f\"]"};
    g_autoptr(MockKafka) mock = mock_kafka_of(3);
    mock_kafka_topic(mock, "out", 3);
    for (int partition = 0; partition < 3; partition++)
        rd_kafka_mock_partition_set_leader(mock->cluster, "out", partition, partition + 1);
    g_autoptr(Harness) h = sink_new(mock, "delivery: at-least-once, key: k");
    harness_input_text(h, "rows", "k string");
    harness_open(h);
    g_autofree char *group = g_strdup_printf("%s.%s.rows.events/0", h->node->pipeline, h->node->step);
    rd_kafka_mock_coordinator_set(mock->cluster, "group", group, 1);
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, G_N_ELEMENTS(rows)));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    rd_kafka_mock_broker_set_down(mock->cluster, 2);
    harness_write(h, 0, harness_rows(h, 0, "events/0", G_N_ELEMENTS(rows), rows, G_N_ELEMENTS(rows)));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_true(g_str_has_prefix(h->err.message, "cannot reach broker '127.0.0.1:"));
    rd_kafka_mock_partition_set_leader(mock->cluster, "out", 1, 3);
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 2 * G_N_ELEMENTS(rows));
    g_autofree char *found = mock_kafka_read(mock, "out", 2 * G_N_ELEMENTS(rows));
    g_auto(GStrv) lines = g_strsplit(found, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, 2 * G_N_ELEMENTS(rows));
}

/* The leader answers, and refuses for as long as the others are away: librdkafka tries again by itself and does not say
 * why. */
static void test_too_few_replicas_in_sync_are_named(void)
{
    static const char *const values[] = {"a"};
    g_autoptr(MockKafka) mock = mock_kafka_of(3);
    g_assert_cmpint(rd_kafka_mock_topic_create(mock->cluster, "out", 1, 3), ==, RD_KAFKA_RESP_ERR_NO_ERROR);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = sink_new(mock, "");
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
    g_test_add_func("/kafka-sink-brokers/frozen-coordinator", test_a_coordinator_that_is_frozen_is_named);
    g_test_add_func("/kafka-sink-brokers/frozen-before-records",
                    test_a_coordinator_that_freezes_before_records_go_is_named);
    g_test_add_func("/kafka-sink-brokers/frozen-before-the-end",
                    test_a_coordinator_that_freezes_before_the_end_is_named);
    g_test_add_func("/kafka-sink-brokers/replaced-coordinator", test_a_coordinator_that_was_replaced_is_left);
    g_test_add_func("/kafka-sink-brokers/unfinished-coordinator", test_a_coordinator_that_does_not_finish_is_named);
    g_test_add_func("/kafka-sink-brokers/one-of-three-stopped", test_one_stopped_broker_of_three_loses_nothing);
    g_test_add_func("/kafka-sink-brokers/too-few-in-sync", test_too_few_replicas_in_sync_are_named);
    return g_test_run();
}
