/* kafka-sink in trouble, on librdkafka's mock cluster: rows and topics that the broker does not take, other processes,
 * coordinators that move, many splits. */
#include "kafka_place.h"

#include <dirent.h>
#include <string.h>

#define PRODUCE 0

/* ---- topics that rows name ---- */

static void test_a_name_that_is_none_rejects_its_row_alone(void)
{
    static const char *const rows[] = {"[\"other\", 1]",   "[\"a/b\", 2]", "[\"\", 3]",     "[\"..\", 4]",
                                       "[\"missing\", 5]", "[null, 6]",    "[\"other\", 7]"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "other", 1);
    g_autoptr(Harness) h = place_sink(mock, "topic_column: to, create_topic: false");
    harness_input_text(h, "rows", "to string, n int");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, G_N_ELEMENTS(rows)));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_autofree char *rule =
        g_strdup("is not a valid topic name (1 to 249 letters, digits, '.', '_' and '-'; not '.' or '..')");
    g_autofree char *expected =
        g_strdup_printf("events/0@1: to: 'a/b' %s\nevents/0@2: to: '' %s\nevents/0@3: to: '..' %s\n"
                        "events/0@4: to: topic 'missing' does not exist",
                        rule, rule, rule);
    g_assert_cmpstr(harness_rejects(h), ==, expected);
    assert_topic(mock, "other", 2, "0 null={\"to\":\"other\",\"n\":1}\n0 null={\"to\":\"other\",\"n\":7}");
    assert_topic(mock, "out", 1, "0 null={\"to\":null,\"n\":6}");
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 7);
}

static void test_a_name_that_is_too_long_is_shown_in_part(void)
{
    g_autofree char *longest = g_strnfill(249, 'x');
    g_autofree char *row = g_strdup_printf("[\"%sy\"]", longest);
    const char *rows[] = {row};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "topic_column: to, delivery: at-least-once");
    harness_input_text(h, "rows", "to string");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, 1));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_nonnull(strstr(harness_rejects(h), "xxx…' is not a valid topic name"));
    g_assert_cmpuint(strlen(harness_rejects(h)), <, 250);
}

/* ---- sizes ---- */

static const char *const REJECTS =
    "value binary view, topic string view not null, partition int not null, offset bigint not null, "
    "_step string not null, _error string not null";

static void test_a_lone_record_that_is_too_large_is_a_reject(void)
{
    static const char *const values[] = {"a"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==,
                    "events/0@0: the record is larger than what topic 'out' takes (max.message.bytes)");
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 1);
}

/* The broker speaks of the request: that its records are too large is not said. */
static void test_a_request_that_is_too_large_rejects_nobody(void)
{
    static const char *const values[] = {"a", "b"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 2));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==, "");
    assert_topic(mock, "out", 2, "0 null=a\n0 null=b");
}

/* Alone in its request, so the broker's word is about it and not about its neighbours. */
static void test_of_several_the_large_one_is_the_reject(void)
{
    g_autofree char *large = g_strnfill(3000, 'x');
    const char *values[] = {large, "small"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "kafka: {batch.size: 2000}");
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 2));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==,
                    "events/0@0: the record is larger than what topic 'out' takes (max.message.bytes)");
}

static void test_a_record_of_more_than_the_clients_default_goes(void)
{
    g_autofree char *large = g_strnfill(1010000, 'x');
    const char *values[] = {large};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==, "");
    g_autofree char *expected = g_strconcat("0 null=", large, NULL);
    assert_topic(mock, "out", 1, expected);
}

static void test_a_reject_that_is_too_large_is_cut(void)
{
    g_autofree char *large = g_strnfill(5000, 'x');
    g_autofree char *row = g_strdup_printf("[\"%s\", \"sales\", 2, 41, \"sales\", \"is no number\"]", large);
    const char *rows[] = {row};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_input_text(h, "sales.errors", REJECTS);
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    harness_write(h, 0, harness_rows(h, 0, "sales/2", 41, rows, 1));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==, "");
    g_autofree char *found = mock_kafka_read(mock, "out", 1);
    g_assert_cmpuint(strlen(found), <, 1000);
    g_assert_true(g_str_has_prefix(found, "0 null=xxxx"));
    g_assert_nonnull(strstr(found, " sf.error=is no number sf.step=sales sf.topic=sales sf.partition=2 sf.offset=41 "
                                   "sf.size=5000"));
}

/* ---- the clock ---- */

static void test_a_clock_that_is_off_is_not_the_rows_fault(void)
{
    static const char *const rows[] = {"[1]"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_input_text(h, "rows", "n int");
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, 1));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==, "");
    assert_topic(mock, "out", 1, "0 null={\"n\":1}");
}

/* ---- others ---- */

/* A record is refused, so its producer starts anew; meanwhile another process has taken the split over. */
static void assert_fenced_after(rd_kafka_resp_err_t refusal)
{
    static const char *const values[] = {"a", "b"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 2));
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, refusal);
    harness_open(h);
    g_autofree char *group = group_of(h, "events");
    mock_kafka_group_set(mock, group, "events", 0, 7, "events/0");
    g_assert_cmpstr(sf_status_name(commit_insisting(h)), ==, sf_status_name(SF_FENCED));
    g_assert_nonnull(strstr(h->err.message, "another process has taken 'events/0' over"));
    g_assert_nonnull(strstr(h->err.message, "stands at 7"));
}

static void test_after_a_producers_start_the_groups_offset_decides(void)
{
    assert_fenced_after(RD_KAFKA_RESP_ERR_MSG_SIZE_TOO_LARGE);
    assert_fenced_after(RD_KAFKA_RESP_ERR_INVALID_RECORD);
}

static void test_the_offset_of_another_epoch_fences_nobody(void)
{
    static const char *const values[] = {"a", "b"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_open(h);
    g_autofree char *group = group_of(h, "events");
    mock_kafka_group_set(mock, group, "events", 0, 7, "events/0");
    harness_write(h, 0, harness_raw(h, "events/0@2", 0, values, 2));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
}

static void test_a_coordinator_that_has_moved_is_looked_up_anew(void)
{
    static const char *const values[] = {"a", "b", "c"};
    g_autoptr(MockKafka) mock = mock_kafka_of(2);
    mock_kafka_topic(mock, "out", 1);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = place_sink(mock, "delivery: at-least-once");
    harness_open(h);
    g_autofree char *group = group_of(h, "events");
    rd_kafka_mock_coordinator_set(mock->cluster, "group", group, 1);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 3));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    for (int broker = 2; broker > 0; broker--) {
        rd_kafka_mock_coordinator_set(mock->cluster, "group", group, broker);
        g_assert_cmpint(harness_try_recover(h, 0, "events/0"), ==, SF_OK);
        g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 3);
    }
}

/* A producer starts once; a question that was not answered is asked again. */
static void test_a_start_that_is_cut_short_goes_on(void)
{
    static const char *const values[] = {"a"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, SF_POSITION_NONE);
    rd_kafka_mock_push_request_errors(mock->cluster, 9 /* OffsetFetch */, 1,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    const SfBatch *batch = harness_raw(h, "events/0", 0, values, 1);
    g_assert_cmpint(harness_try_write(h, 0, batch), ==, SF_RETRY);
    g_assert_cmpint(harness_try_write(h, 0, batch), ==, SF_OK);
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    assert_topic(mock, "out", 1, "0 null=a");
}

/* A record is refused, and the producer that is to make the transaction again cannot start at once: nothing of it is
 * there yet, so nothing is to be committed. */
static void test_another_start_that_is_cut_short_loses_nothing(void)
{
    static const char *const values[] = {"a", "b"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 2));
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    rd_kafka_mock_push_request_errors(mock->cluster, 9 /* OffsetFetch */, 1,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_nonnull(strstr(h->err.message, "uthorization failed"));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==, "");
    assert_topic(mock, "out", 2, "0 null=a\n0 null=b");
}

static void test_a_partition_without_a_leader_is_named(void)
{
    static const char *const values[] = {"a"};
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "out", 3);
    for (int partition = 0; partition < 3; partition++)
        rd_kafka_mock_partition_set_leader(mock->cluster, "out", partition, -1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_END), ==, SF_RETRY);
    g_assert_cmpstr(h->err.message, ==, "partition 0 of topic 'out' has no leader; 1 records wait for it or behind it");
    for (int partition = 0; partition < 3; partition++)
        rd_kafka_mock_partition_set_leader(mock->cluster, "out", partition, 1);
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
}

static void test_a_topic_that_is_forbidden_is_named(void)
{
    static const char *const values[] = {"a"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    for (int i = 0; i < 8; i++)
        rd_kafka_mock_push_request_errors(mock->cluster, 24 /* AddPartitionsToTxn */, 1,
                                          RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_END), ==, SF_RETRY);
    g_assert_nonnull(strstr(h->err.message, "\"out\""));
    g_assert_nonnull(strstr(h->err.message, "uthorization failed"));
    g_assert_cmpstr(harness_rejects(h), ==, "");
    rd_kafka_mock_clear_request_errors(mock->cluster, 24);
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    assert_topic(mock, "out", 1, "0 null=a");
}

/* ---- many ---- */

static int entries(const char *directory)
{
    DIR *dir = opendir(directory);
    int n = 0;
    while (dir && readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void test_splits_without_rows_need_no_producer(void)
{
    enum { SPLITS = 200 };
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "events", SPLITS);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_open(h);
    int threads = entries("/proc/self/task");
    for (int i = 0; i < SPLITS; i++) {
        g_autofree char *split = g_strdup_printf("events/%d", i);
        harness_write(h, 0, harness_with_range(h, harness_raw(h, split, 0, NULL, 0), 0, 500 + i));
    }
    g_assert_cmpint(entries("/proc/self/task"), <=, threads);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/7"), ==, 507);
    g_assert_cmpint(harness_recover(h, 0, "events/199"), ==, 699);
}

static void test_producers_are_few(void)
{
    enum { SPLITS = 40, ROUNDS = 2 };
    static const char *const values[] = {"a"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_open(h);
    int descriptors = entries("/proc/self/fd");
    for (int i = 0; i < SPLITS * ROUNDS; i++) {
        g_autofree char *split = g_strdup_printf("gen/%d", i % SPLITS);
        harness_write(h, 0, harness_raw(h, split, i / SPLITS, values, 1));
        g_assert_cmpint(entries("/proc/self/fd"), <, descriptors + 170); /* the mock's ends of connections, too */
    }
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *text = mock_kafka_read(mock, "out", SPLITS * ROUNDS);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, SPLITS * ROUNDS);
    g_assert_cmpint(harness_committed(h, 0, "gen/39"), ==, ROUNDS);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-sink/a-name-that-is-none", test_a_name_that_is_none_rejects_its_row_alone);
    g_test_add_func("/kafka-sink/a-name-that-is-too-long", test_a_name_that_is_too_long_is_shown_in_part);
    g_test_add_func("/kafka-sink/lone-record-too-large", test_a_lone_record_that_is_too_large_is_a_reject);
    g_test_add_func("/kafka-sink/request-too-large", test_a_request_that_is_too_large_rejects_nobody);
    g_test_add_func("/kafka-sink/large-one-of-several", test_of_several_the_large_one_is_the_reject);
    g_test_add_func("/kafka-sink/more-than-the-clients-default", test_a_record_of_more_than_the_clients_default_goes);
    g_test_add_func("/kafka-sink/large-reject-is-cut", test_a_reject_that_is_too_large_is_cut);
    g_test_add_func("/kafka-sink/clock-is-off", test_a_clock_that_is_off_is_not_the_rows_fault);
    g_test_add_func("/kafka-sink/groups-offset-decides", test_after_a_producers_start_the_groups_offset_decides);
    g_test_add_func("/kafka-sink/offset-of-another-epoch", test_the_offset_of_another_epoch_fences_nobody);
    g_test_add_func("/kafka-sink/coordinator-moved", test_a_coordinator_that_has_moved_is_looked_up_anew);
    g_test_add_func("/kafka-sink/start-cut-short", test_a_start_that_is_cut_short_goes_on);
    g_test_add_func("/kafka-sink/another-start-cut-short", test_another_start_that_is_cut_short_loses_nothing);
    g_test_add_func("/kafka-sink/no-leader", test_a_partition_without_a_leader_is_named);
    g_test_add_func("/kafka-sink/forbidden-topic", test_a_topic_that_is_forbidden_is_named);
    g_test_add_func("/kafka-sink/splits-without-rows", test_splits_without_rows_need_no_producer);
    g_test_add_func("/kafka-sink/producers-are-few", test_producers_are_few);
    return g_test_run();
}
