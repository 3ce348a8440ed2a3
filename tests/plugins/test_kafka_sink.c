/* kafka-sink on librdkafka's mock cluster: records, keys, headers, rejects, positions of the mode without
 * transactions, what it says when something is wrong. The mock does not isolate transactions and drops their
 * offsets: exactly once is proven against a real broker (tests/e2e/test_producer.py). */
#include "kafka_place.h"

#include <string.h>

static void test_raw_rows_stay_as_they_are(void)
{
    static const char *const headers[] = {"trace", "abc", NULL};
    static const RawRow rows[] = {
        {.key = "k1", .value = "{\"a\": 1}", .offset = 10, .timestamp_us = 1705314600000000, .headers = headers},
        {.key = NULL, .value = "no key", .offset = 11},
        {.key = "k3", .value = NULL, .offset = 13},
    };
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw_rows(h, "events/0", rows, 3));
    harness_commit(h, SF_COMMIT_END);
    assert_topic(mock, "out", 3, "0 k1={\"a\": 1} trace=abc\n0 null=no key\n0 k3=null");
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 14);
    g_assert_nonnull(strstr(harness_logs(h), "info: Connected to Kafka broker: 127.0.0.1:"));
    g_assert_nonnull(strstr(harness_logs(h), "info: Producing to topic: out"));
}

static void test_typed_rows_become_json(void)
{
    static const char *const rows[] = {"[\"ORD-1\", 12.50, 3]", "[\"ORD-2\", null, 4]"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "key: order_id");
    harness_input_text(h, "sales", "order_id string not null, sales decimal(12,2), quantity int");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, 2));
    harness_commit(h, SF_COMMIT_END);
    assert_topic(mock, "out", 2,
                 "0 ORD-1={\"order_id\":\"ORD-1\",\"sales\":12.50,\"quantity\":3}\n"
                 "0 ORD-2={\"order_id\":\"ORD-2\",\"sales\":null,\"quantity\":4}");
}

static void test_integer_keys_are_texts(void)
{
    static const char *const rows[] = {"[7]", "[null]"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "key: id");
    harness_input_text(h, "rows", "id bigint");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, 2));
    harness_commit(h, SF_COMMIT_END);
    assert_topic(mock, "out", 2, "0 7={\"id\":7}\n0 null={\"id\":null}");
}

static void test_rejects_keep_their_value_and_say_why(void)
{
    static const char *const rows[] = {"[\"k\", \"{\\\"broken\", \"sales\", 2, 41, \"2024-01-15T10:30:00Z\", "
                                       "[{\"key\": \"trace\", \"value\": \"x\"}], "
                                       "\"sales\", \"value ends within a string\"]"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_input_text(
        h, "sales.errors",
        "key binary view, value binary view, topic string view not null, partition int not null, offset bigint "
        "not null, timestamp timestamp, headers list<struct<key string not null, value binary> not null>, "
        "_step string not null, _error string not null");
    harness_write(h, 0, harness_rows(h, 0, "sales/2", 41, rows, 1));
    harness_commit(h, SF_COMMIT_END);
    assert_topic(
        mock, "out", 1,
        "0 k={\"broken trace=x sf.error=value ends within a string sf.step=sales sf.topic=sales sf.partition=2 "
        "sf.offset=41 sf.timestamp=1705314600000");
}

static void test_rejects_of_typed_rows_are_json_with_headers(void)
{
    static const char *const rows[] = {"[\"ORD-1\", \"sales\", 2, 41, \"gold\", \"key is null\"]"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_input_text(
        h, "gold.errors",
        "order_id string, _topic string, _partition int, _offset bigint, _step string not null, _error string "
        "not null");
    harness_write(h, 0, harness_rows(h, 0, "sales/2", 41, rows, 1));
    harness_commit(h, SF_COMMIT_END);
    assert_topic(
        mock, "out", 1,
        "0 null={\"order_id\":\"ORD-1\",\"_topic\":\"sales\",\"_partition\":2,\"_offset\":41,\"_step\":\"gold\","
        "\"_error\":\"key is null\"} sf.error=key is null sf.step=gold sf.topic=sales sf.partition=2 sf.offset=41");
}

static void test_topic_column_names_the_topic(void)
{
    static const char *const rows[] = {"[\"other\", 1]", "[null, 2]"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "other", 1);
    g_autoptr(Harness) h = place_sink(mock, "topic_column: to");
    harness_input_text(h, "rows", "to string, n int");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, 2));
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *other = mock_kafka_read(mock, "other", 1);
    g_assert_cmpstr(other, ==, "0 null={\"to\":\"other\",\"n\":1}");
    assert_topic(mock, "out", 1, "0 null={\"to\":null,\"n\":2}");
}

/* Kafka's own murmur2 & 0x7fffffff % 4, reckoned apart: "a" → 0, "ORD-123456" → 3. */
static void test_keys_choose_the_partition_as_java_does(void)
{
    static const RawRow rows[] = {{.key = "ORD-123456", .value = "1", .offset = 0},
                                  {.key = "a", .value = "2", .offset = 1},
                                  {.key = "ORD-123456", .value = "3", .offset = 2}};
    g_autoptr(MockKafka) mock = mock_with("out", 4);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw_rows(h, "events/0", rows, 3));
    harness_commit(h, SF_COMMIT_END);
    assert_topic(mock, "out", 3, "0 a=2\n3 ORD-123456=1\n3 ORD-123456=3");
}

static void test_empty_range_moves_the_position(void)
{
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_with_range(h, harness_raw(h, "events/0", 0, NULL, 0), 0, 500));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 500);
}

static void test_at_least_once_finds_its_position(void)
{
    static const char *const values[] = {"a", "b", "c"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = place_sink(mock, "delivery: at-least-once");
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, SF_POSITION_NONE);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 3));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    harness_write(h, 0, harness_raw(h, "events/0", 3, values, 3));
    harness_reopen(h);
    gint64 found = harness_recover(h, 0, "events/0");
    g_assert_cmpint(found, ==, 3); /* what was not committed comes again */
    g_autofree char *group = group_of(h, "events");
    g_assert_cmpint(mock_kafka_group(mock, group, "events", 0), ==, 3); /* at the split's own topic, for lag tools */
}

static void test_position_of_what_is_no_topic(void)
{
    static const char *const values[] = {"a", "b", "c"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "delivery: at-least-once");
    harness_write(h, 0, harness_raw(h, "generator/0", 0, values, 3));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "generator/0"), ==, 3);
    g_assert_cmpint(harness_recover(h, 0, "generator/1"), ==, SF_POSITION_NONE);
}

/* librdkafka takes such an answer for one to a consumer, and reaches for its group. */
static void test_positions_are_read_while_the_coordinator_moves(void)
{
    static const char *const values[] = {"a", "b", "c"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "delivery: at-least-once");
    harness_write(h, 0, harness_raw(h, "generator/0", 0, values, 3));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    harness_reopen(h);
    rd_kafka_mock_push_request_errors(mock->cluster, 9 /* OffsetFetch */, 2, RD_KAFKA_RESP_ERR_NOT_COORDINATOR,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE);
    g_assert_cmpint(harness_recover(h, 0, "generator/0"), ==, 3);
}

static void test_epochs_do_not_share_positions(void)
{
    static const char *const values[] = {"a", "b", "c"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = place_sink(mock, "delivery: at-least-once");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 3));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/0@2"), ==, SF_POSITION_NONE);
}

static void test_row_too_large_is_a_reject(void)
{
    g_autofree char *large = g_strnfill(3000, 'x');
    const char *values[] = {"small", large, "small too"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "kafka: {message.max.bytes: 2000}");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 3));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpstr(harness_rejects(h), ==,
                    "events/0@1: the record is larger than this step's client may send (kafka: message.max.bytes, "
                    "queue.buffering.max.kbytes)");
    assert_topic(mock, "out", 2, "0 null=small\n0 null=small too");
    g_assert_cmpuint(h->settled, >=, 1);
}

static void test_row_that_the_broker_refuses_is_a_reject(void)
{
    static const char *const values[] = {"a"}, *const more[] = {"b"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    rd_kafka_mock_push_request_errors(mock->cluster, 0 /* Produce */, 1, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==, "events/0@0: broker: Invalid timestamp");
    harness_write(h, 0, harness_raw(h, "events/0", 1, more, 1));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 2);
    assert_topic(mock, "out", 1, "0 null=b");
}

static void test_rejects_are_settled_before_the_commit(void)
{
    static const char *const values[] = {"a"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    h->settle_answer = SF_RETRY;
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_END), ==, SF_RETRY);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, SF_POSITION_NONE);
    h->settle_answer = SF_OK;
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 1);
}

static void test_full_queue_takes_each_row_once(void)
{
    enum { ROWS = 3000 };
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (int i = 0; i < ROWS; i++)
        g_ptr_array_add(values, g_strdup_printf("%d", i));
    g_autoptr(Harness) h = place_sink(mock, "kafka: {queue.buffering.max.messages: 100}");
    const SfBatch *batch = harness_raw(h, "events/0", 0, (const char *const *) values->pdata, ROWS);
    gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (harness_try_write(h, 0, batch) == SF_RETRY)
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *text = mock_kafka_read(mock, "out", ROWS);
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, ROWS);
    g_assert_cmpstr(lines[ROWS - 1], ==, "0 null=2999");
}

static void test_errors_that_pass_are_retried(void)
{
    static const char *const values[] = {"a", "b"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    rd_kafka_mock_push_request_errors(mock->cluster, 26 /* EndTxn */, 2, RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE,
                                      RD_KAFKA_RESP_ERR_COORDINATOR_NOT_AVAILABLE);
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 1);
}

static void test_another_process_fences(void)
{
    static const char *const values[] = {"a"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    rd_kafka_mock_push_request_errors(mock->cluster, 26 /* EndTxn */, 1, RD_KAFKA_RESP_ERR_PRODUCER_FENCED);
    g_assert_cmpstr(sf_status_name(commit_insisting(h)), ==, sf_status_name(SF_FENCED));
}

static void test_broker_away_is_one_clear_line(void)
{
    g_autoptr(Harness) h = harness_new("kafka-sink", "{brokers: '127.0.0.1:1', topic: out}");
    SfStatus status = harness_try_open(h);
    g_assert_cmpint(status, ==, SF_RETRY);
    g_assert_cmpstr(h->err.message, ==, "cannot reach broker '127.0.0.1:1': connection refused");
}

static void assert_refused(const char *options, const char *schema, const char *message)
{
    g_autoptr(Harness) h = harness_new("kafka-sink", options);
    if (schema)
        harness_input_text(h, "rows", schema);
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==, message);
}

static void test_wrong_options(void)
{
    assert_refused("{topic: t, key: order_ids}", "order_id string",
                   "key: there is no column 'order_ids'; did you mean 'order_id'?");
    assert_refused("{topic: t, key: price}", "price double",
                   "key: column 'price' is not of type string, binary or integer");
    assert_refused("{topic: t, topic_column: nowhere}", NULL, "topic_column: there is no column 'nowhere'");
    assert_refused("{topic: t, kafka: {transactional.id: x}}", NULL,
                   "kafka: 'transactional.id' is set to 'kafka-sink' by the plugin itself; remove it");
    g_autofree char *none = harness_check("kafka-sink", "");
    g_assert_nonnull(strstr(none, "'topic'"));
}

/* A tick ends what the broker would soon lose patience with, and nothing else. */
static void test_a_tick_leaves_a_young_transaction_open(void)
{
    static const char *const values[] = {"a"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, SF_POSITION_NONE);
}

static void test_fault_points(void)
{
    static const char *const values[] = {"a"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 1));
    harness_commit(h, SF_COMMIT_END);
#ifdef SF_FAULTS
    g_assert_cmpstr(harness_faults(h), ==,
                    "kafka-sink-before-offsets kafka-sink-before-commit kafka-sink-after-commit");
#endif
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-sink/raw-rows-stay-as-they-are", test_raw_rows_stay_as_they_are);
    g_test_add_func("/kafka-sink/typed-rows-become-json", test_typed_rows_become_json);
    g_test_add_func("/kafka-sink/integer-keys-are-texts", test_integer_keys_are_texts);
    g_test_add_func("/kafka-sink/rejects-keep-their-value", test_rejects_keep_their_value_and_say_why);
    g_test_add_func("/kafka-sink/rejects-of-typed-rows", test_rejects_of_typed_rows_are_json_with_headers);
    g_test_add_func("/kafka-sink/topic-column", test_topic_column_names_the_topic);
    g_test_add_func("/kafka-sink/keys-choose-the-partition", test_keys_choose_the_partition_as_java_does);
    g_test_add_func("/kafka-sink/empty-range-moves-the-position", test_empty_range_moves_the_position);
    g_test_add_func("/kafka-sink/at-least-once-finds-its-position", test_at_least_once_finds_its_position);
    g_test_add_func("/kafka-sink/position-of-what-is-no-topic", test_position_of_what_is_no_topic);
    g_test_add_func("/kafka-sink/positions-while-the-coordinator-moves",
                    test_positions_are_read_while_the_coordinator_moves);
    g_test_add_func("/kafka-sink/epochs-do-not-share-positions", test_epochs_do_not_share_positions);
    g_test_add_func("/kafka-sink/row-too-large-is-a-reject", test_row_too_large_is_a_reject);
    g_test_add_func("/kafka-sink/row-that-the-broker-refuses", test_row_that_the_broker_refuses_is_a_reject);
    g_test_add_func("/kafka-sink/rejects-are-settled-before-the-commit", test_rejects_are_settled_before_the_commit);
    g_test_add_func("/kafka-sink/full-queue-takes-each-row-once", test_full_queue_takes_each_row_once);
    g_test_add_func("/kafka-sink/errors-that-pass-are-retried", test_errors_that_pass_are_retried);
    g_test_add_func("/kafka-sink/another-process-fences", test_another_process_fences);
    g_test_add_func("/kafka-sink/broker-away-is-one-clear-line", test_broker_away_is_one_clear_line);
    g_test_add_func("/kafka-sink/wrong-options", test_wrong_options);
    g_test_add_func("/kafka-sink/young-transaction", test_a_tick_leaves_a_young_transaction_open);
    g_test_add_func("/kafka-sink/fault-points", test_fault_points);
    return g_test_run();
}
