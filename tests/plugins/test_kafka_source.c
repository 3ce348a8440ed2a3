/* kafka-source on librdkafka's mock cluster: rows, ranges, bounds, groups, and what it says when something is wrong. */
#include "harness.h"
#include "mock_kafka.h"

#include <string.h>

static Harness *source_new(const MockKafka *mock, const char *more)
{
    g_autofree char *options = g_strdup_printf(
        "{brokers: '%s', kafka: {session.timeout.ms: 6000, heartbeat.interval.ms: 500}, %s}", mock->brokers, more);
    return harness_new("kafka-source", options);
}

static Harness *bounded_new(const MockKafka *mock, const char *more)
{
    Harness *h = source_new(mock, more);
    h->bounded = true;
    return h;
}

static gint64 count_rows(const GPtrArray *batches)
{
    gint64 rows = 0;
    for (guint i = 0; i < batches->len && batches->pdata[i]; i++)
        rows += sf_rows(batches->pdata[i]);
    return rows;
}

static void test_rows_are_the_records(void)
{
    static const char *const headers[] = {"trace", "abc", "empty", "", NULL};
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "sales_events", 1);
    mock_kafka_produce(mock, "sales_events", 0, "k", "v", 1705314600000, NULL);
    mock_kafka_produce(mock, "sales_events", 0, "a key of more than twelve bytes", "{\"order_id\": \"ORD-123456\"}",
                       1705314600001, headers);
    mock_kafka_produce(mock, "sales_events", 0, NULL, NULL, 1705314600002, NULL);
    mock_kafka_produce(mock, "sales_events", 0, "", "", 1705314600003, NULL);
    g_autoptr(Harness) h = bounded_new(mock, "topics: [sales_events]");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 4);
    g_autoptr(GString) text = g_string_new(NULL);
    for (guint i = 0; i < batches->len && batches->pdata[i]; i++)
        g_string_append_printf(text, "%s\n", harness_text(h, batches->pdata[i]));
    g_assert_cmpstr(
        text->str, ==,
        "{\"key\":\"k\",\"value\":\"v\",\"topic\":\"sales_events\",\"partition\":0,\"offset\":0,\"timestamp\":"
        "\"2024-01-15T10:30:00Z\",\"headers\":null}\n"
        "{\"key\":\"a key of more than twelve bytes\",\"value\":\"{\\\"order_id\\\": \\\"ORD-123456\\\"}\",\"topic\":"
        "\"sales_events\",\"partition\":0,\"offset\":1,\"timestamp\":\"2024-01-15T10:30:00.001000Z\",\"headers\":[{"
        "\"key\":"
        "\"trace\",\"value\":\"abc\"},{\"key\":\"empty\",\"value\":\"\"}]}\n"
        "{\"key\":null,\"value\":null,\"topic\":\"sales_events\",\"partition\":0,\"offset\":2,\"timestamp\":"
        "\"2024-01-15T10:30:00.002000Z\",\"headers\":null}\n"
        "{\"key\":\"\",\"value\":\"\",\"topic\":\"sales_events\",\"partition\":0,\"offset\":3,\"timestamp\":"
        "\"2024-01-15T10:30:00.003000Z\",\"headers\":null}\n");
    g_assert_null(harness_poll(h, 10000));
    g_assert_cmpint(h->status, ==, SF_END);
    g_assert_cmpstr(harness_assigned(h), ==, "sales_events/0");
    g_assert_cmpint(harness_lag(h, "sales_events/0"), ==, 4);
}

/* Whether a record has headers is guessed from its bytes where that is sure; the guess must never lose any. */
static void test_headers_are_found_wherever_they_are(void)
{
    static const char *const headers[] = {"h", "", NULL};
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    for (int i = 0; i < 60; i++) {
        g_autofree char *key = g_strdup_printf("%d", i);
        mock_kafka_send(mock, "t", 0, i % 4 == 3 ? NULL : key, i % 7 == 6 ? NULL : key, 0, i % 5 == 2 ? headers : NULL);
    }
    mock_kafka_flush(mock);
    g_autoptr(Harness) h = bounded_new(mock, "topics: [t]");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 60);
    int row = 0;
    for (guint i = 0; i < batches->len && batches->pdata[i]; i++) {
        const SfBatch *batch = batches->pdata[i];
        SfColumn column;
        SfError err;
        g_assert_cmpint(sf_column(batch, "headers", SF_LIST, &column, &err), ==, SF_OK);
        for (gint64 k = 0; k < sf_rows(batch); k++, row++)
            g_assert_cmpint(sf_is_null(&column, k), ==, row % 5 != 2);
    }
    g_assert_cmpint(row, ==, 60);
}

static void test_bounded_run_ends_with_empty_partitions(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 4);
    mock_kafka_fill(mock, "t", 1, "value ", 10);
    mock_kafka_fill(mock, "t", 3, "value ", 5);
    g_autoptr(Harness) h = bounded_new(mock, "topics: [t]");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, G_MAXINT64);
    g_assert_cmpint(count_rows(batches), ==, 15);
    g_assert_cmpint(h->status, ==, SF_END);
    g_assert_cmpint(h->expected, ==, 15);
    g_assert_cmpint(harness_polled(h, "t/1"), ==, 10);
    g_assert_cmpint(harness_polled(h, "t/3"), ==, 5);
}

static void test_goes_on_where_the_sinks_are(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 2);
    mock_kafka_fill(mock, "t", 0, "value ", 10);
    mock_kafka_fill(mock, "t", 1, "value ", 10);
    g_autoptr(Harness) h = bounded_new(mock, "topics: [t]");
    harness_answer(h, "t/0", 7);
    harness_answer(h, "t/1", 10);
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, G_MAXINT64);
    g_assert_cmpint(count_rows(batches), ==, 3);
    const SfBatch *first = batches->pdata[0];
    g_assert_cmpint(first->start, ==, 7);
    g_assert_nonnull(strstr(harness_text(h, first), "\"value 7\""));
}

static void test_batches_are_cut_by_rows_and_bytes(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "123456789012345678901234567890 ", 100);
    g_autoptr(Harness) rows = bounded_new(mock, "topics: [t], group: a, batch_rows: 30");
    g_autoptr(GPtrArray) by_rows = harness_poll_rows(rows, G_MAXINT64);
    for (guint i = 0; i < by_rows->len && by_rows->pdata[i]; i++)
        g_assert_cmpint(sf_rows(by_rows->pdata[i]), <=, 30);
    g_assert_cmpint(count_rows(by_rows), ==, 100);
    g_autoptr(Harness) bytes = bounded_new(mock, "topics: [t], group: b, batch_bytes: 1KiB");
    g_autoptr(GPtrArray) by_bytes = harness_poll_rows(bytes, G_MAXINT64);
    for (guint i = 0; i < by_bytes->len && by_bytes->pdata[i]; i++)
        g_assert_cmpint(sf_rows(by_bytes->pdata[i]), <=, 32);
    g_assert_cmpint(count_rows(by_bytes), ==, 100);
}

static void test_batches_outlive_the_source(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "a value of more than twelve bytes ", 10);
    g_autoptr(Harness) h = bounded_new(mock, "topics: [t]");
    const SfBatch *batch = NULL;
    gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (!batch && g_get_monotonic_time() < deadline)
        batch = harness_poll(h, 1000);
    g_assert_nonnull(batch);
    struct ArrowArray value;
    SfError err;
    g_assert_cmpint(sf_batch_share(batch, SF_RAW_VALUE, &value, &err), ==, SF_OK);
    sf_array_done(&value);
    harness_close(h);
}

static void test_group_offsets_are_published(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "value ", 10);
    g_autoptr(Harness) h = bounded_new(mock, "topics: [t], group: lag");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, G_MAXINT64);
    harness_publish(h, true);
    g_assert_cmpint(mock_kafka_group(mock, "lag", "t", 0), ==, 10);
}

static void poll_until_group_is_at(Harness *h, MockKafka *mock, const char *group, gint64 offset)
{
    gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (mock_kafka_group(mock, group, "t", 0) != offset && g_get_monotonic_time() < deadline)
        harness_poll(h, 10);
    g_assert_cmpint(mock_kafka_group(mock, group, "t", 0), ==, offset);
}

/* Killed between a sink's commit and ours, and nothing has come since: the lag must not stay for ever. */
static void test_an_idle_partition_is_published_where_it_goes_on(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "value ", 10);
    g_autoptr(Harness) h = source_new(mock, "topics: [t], group: idle");
    harness_answer(h, "t/0", 10);
    poll_until_group_is_at(h, mock, "idle", 10);
}

static void test_what_the_coordinator_refuses_is_published_again(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "value ", 10);
    g_autoptr(Harness) h = source_new(mock, "topics: [t], group: refused");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 10);
    poll_until_group_is_at(h, mock, "refused", 0);
    rd_kafka_mock_push_request_errors(mock->cluster, 8 /* OffsetCommit */, 1,
                                      RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED);
    harness_publish(h, false);
    poll_until_group_is_at(h, mock, "refused", 10);
    g_assert_nonnull(strstr(harness_logs(h), "warning: publishing offsets of group 'refused': "));
}

static void test_start_latest_is_remembered_by_the_group(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "old ", 10);
    g_autoptr(Harness) h = source_new(mock, "topics: [t], group: late, start: latest");
    gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (!*harness_assigned(h) && g_get_monotonic_time() < deadline)
        harness_poll(h, 100);
    while (mock_kafka_group(mock, "late", "t", 0) < 0 && g_get_monotonic_time() < deadline)
        harness_poll(h, 10);
    harness_close(h);
    mock_kafka_fill(mock, "t", 0, "new ", 3); /* came while it was away, before any commit of a sink */
    g_autoptr(Harness) again = bounded_new(mock, "topics: [t], group: late, start: latest");
    g_autoptr(GPtrArray) batches = harness_poll_rows(again, 3);
    g_assert_nonnull(strstr(harness_text(again, batches->pdata[0]), "\"new 0\""));
}

static void test_topic_pattern_takes_whole_names(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "sales_eu", 1);
    mock_kafka_topic(mock, "sales_us", 1);
    mock_kafka_topic(mock, "old_sales_eu", 1);
    mock_kafka_fill(mock, "sales_eu", 0, "eu ", 2);
    mock_kafka_fill(mock, "sales_us", 0, "us ", 2);
    mock_kafka_fill(mock, "old_sales_eu", 0, "old ", 2);
    g_autoptr(Harness) h = bounded_new(mock, "topic_pattern: 'sales_.*'");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, G_MAXINT64);
    g_assert_cmpint(count_rows(batches), ==, 4);
    g_assert_cmpstr(harness_assigned(h), ==, "sales_eu/0 sales_us/0");
}

static void test_position_that_the_group_does_not_know_is_doubted(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "value ", 10);
    g_autoptr(Harness) h = bounded_new(mock, "topics: [t], group: doubt");
    harness_answer(h, "t/0", 10); /* as if the ten were others of an older topic */
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, G_MAXINT64);
    g_assert_nonnull(strstr(harness_logs(h),
                            "warning: the sinks have rows of 't/0', but group 'doubt' has no offset there: if "
                            "the topic was deleted and created anew, set 'epoch: 2'"));
}

static void poll_until_status(Harness *h, SfStatus status)
{
    gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    while (h->status != status && g_get_monotonic_time() < deadline)
        harness_poll(h, 500);
    g_assert_cmpstr(sf_status_name(h->status), ==, sf_status_name(status));
}

static void test_topic_created_anew_stops_with_a_choice(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "value ", 5);
    g_autoptr(Harness) h = source_new(mock, "topics: [t]");
    harness_answer(h, "t/0", 100);
    poll_until_status(h, SF_CONFIG);
    g_assert_cmpstr(
        h->err.message, ==,
        "topic 't', partition 0 ends at offset 5, but the sinks have it up to 100: it was deleted and created anew, "
        "or cut off; set 'epoch: 2' to read it from its start as a new topic");
    g_autoptr(Harness) anew = bounded_new(mock, "topics: [t], group: anew, epoch: 2");
    harness_answer(anew, "t/0", 100);
    g_autoptr(GPtrArray) batches = harness_poll_rows(anew, G_MAXINT64);
    g_assert_cmpint(count_rows(batches), ==, 5);
    g_assert_cmpstr(harness_assigned(anew), ==, "t/0@2");
}

/* The mock keeps 5 MiB of a partition. */
static void test_deleted_records_stop_with_a_choice(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    g_autofree char *large = g_strnfill(60000, 'x');
    for (int i = 0; i < 120; i++)
        mock_kafka_produce(mock, "t", 0, NULL, large, 0, NULL);
    g_autoptr(Harness) h = source_new(mock, "topics: [t]");
    harness_answer(h, "t/0", 1);
    poll_until_status(h, SF_CONFIG);
    g_assert_nonnull(strstr(h->err.message, "but the sinks need it from 1: "));
    g_assert_nonnull(strstr(h->err.message, "set 'on_lost: continue' to go on without them"));
    g_autoptr(Harness) on = bounded_new(mock, "topics: [t], group: on, on_lost: continue");
    harness_answer(on, "t/0", 1);
    g_autoptr(GPtrArray) batches = harness_poll_rows(on, G_MAXINT64);
    const SfBatch *first = batches->pdata[0];
    g_assert_cmpint(first->start, ==, 1); /* the range covers the hole */
    g_assert_cmpint(harness_polled(on, "t/0"), ==, 120);
    g_assert_nonnull(strstr(harness_logs(on), "were deleted before they were read"));
}

static void test_missing_topic_waits_or_stops(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    rd_kafka_mock_topic_set_error(mock->cluster, "nowhere", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    g_autoptr(Harness) wait = source_new(mock, "topics: [nowhere]");
    poll_until_status(wait, SF_RETRY);
    g_assert_true(g_str_has_prefix(wait->err.message, "topic 'nowhere' does not exist on '127.0.0.1:"));
    g_assert_true(g_str_has_suffix(wait->err.message, "; create it: sfrun topics create nowhere"));
    g_autoptr(Harness) stop = source_new(mock, "topics: [nowhere], missing_topic: stop");
    poll_until_status(stop, SF_CONFIG);
}

/* Others are read: it is said, and nothing stops. */
static void test_one_missing_topic_of_several_is_a_warning(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "there", 1);
    mock_kafka_fill(mock, "there", 0, "value ", 3);
    rd_kafka_mock_topic_set_error(mock->cluster, "nowhere", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    g_autoptr(Harness) h = source_new(mock, "topics: [nowhere, there], missing_topic: stop");
    gint64 rows = 0, deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while ((rows < 3 || !strstr(harness_logs(h), "topic 'nowhere'")) && g_get_monotonic_time() < deadline) {
        const SfBatch *batch = harness_poll(h, 100);
        rows += batch ? sf_rows(batch) : 0;
        g_assert_true(h->status == SF_OK || h->status == SF_EMPTY);
    }
    g_assert_cmpint(rows, ==, 3);
    g_assert_nonnull(strstr(harness_logs(h), "warning: topic 'nowhere' does not exist on '"));
}

static void test_broker_away_is_one_clear_line(void)
{
    g_autoptr(Harness) h = harness_new("kafka-source", "{brokers: '127.0.0.1:1', topics: [t]}");
    poll_until_status(h, SF_RETRY);
    g_assert_cmpstr(h->err.message, ==, "cannot reach broker '127.0.0.1:1': connection refused");
}

static void test_goes_on_when_the_broker_is_back(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "value ", 5);
    g_autoptr(Harness) h = source_new(mock, "topics: [t]");
    g_autoptr(GPtrArray) before = harness_poll_rows(h, 5);
    rd_kafka_mock_broker_set_down(mock->cluster, 1);
    poll_until_status(h, SF_RETRY);
    rd_kafka_mock_broker_set_up(mock->cluster, 1);
    mock_kafka_fill(mock, "t", 0, "more ", 5);
    g_autoptr(GPtrArray) after = harness_poll_rows(h, 5);
    g_assert_cmpint(harness_polled(h, "t/0"), ==, 10);
}

static void test_poll_is_interrupted(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    g_autoptr(Harness) h = source_new(mock, "topics: [t]");
    harness_open(h);
    harness_interrupt_after(h, 100);
    gint64 begun = g_get_monotonic_time();
    harness_poll(h, 20000);
    g_assert_cmpint(g_get_monotonic_time() - begun, <, 8 * G_USEC_PER_SEC);
}

static void serve_until(Harness *h, SfStatus status)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (harness_try_serve(h) != status && g_get_monotonic_time() < deadline)
        g_usleep(10000);
    g_assert_cmpstr(sf_status_name(h->status), ==, sf_status_name(status));
}

/* A source that is not polled, as in a pause, says what is wrong for as long as it is, and reads on afterwards. */
static void test_trouble_is_said_while_nothing_is_polled(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "value ", 10);
    g_autoptr(Harness) h = source_new(mock, "topics: [t]");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 10);
    g_assert_cmpint(harness_try_serve(h), ==, SF_OK);
    rd_kafka_mock_broker_set_down(mock->cluster, 1);
    serve_until(h, SF_RETRY);
    g_assert_true(g_str_has_prefix(h->err.message, "cannot reach broker '127.0.0.1:"));
    g_assert_cmpint(harness_try_serve(h), ==, SF_RETRY);
    g_assert_true(g_str_has_prefix(h->err.message, "cannot reach broker '127.0.0.1:"));
    rd_kafka_mock_broker_set_up(mock->cluster, 1);
    serve_until(h, SF_OK);
    mock_kafka_fill(mock, "t", 0, "more ", 3);
    g_autoptr(GPtrArray) more = harness_poll_rows(h, 3);
    g_assert_nonnull(strstr(harness_text(h, more->pdata[0]), "\"more 0\""));
}

static void test_a_missing_topic_is_said_while_nothing_is_polled(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    rd_kafka_mock_topic_set_error(mock->cluster, "nowhere", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    g_autoptr(Harness) h = source_new(mock, "topics: [nowhere], missing_topic: stop");
    serve_until(h, SF_RETRY);
    g_assert_true(g_str_has_prefix(h->err.message, "topic 'nowhere' does not exist on '127.0.0.1:"));
    poll_until_status(h, SF_CONFIG); /* what ends the run is left to the poll */
}

static void assert_refused(const char *options, const char *message)
{
    g_autoptr(Harness) h = harness_new("kafka-source", options);
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==, message);
}

static void test_wrong_options(void)
{
    assert_refused("{}", "no topic; give 'topics' or 'topic_pattern'");
    assert_refused("{topics: [t], kafka: {fetch.min.byte: 1}}",
                   "kafka: librdkafka has no property 'fetch.min.byte'; did you mean 'fetch.min.bytes'?");
    assert_refused("{topics: [t], kafka: {enable.auto.commit: true}}",
                   "kafka: 'enable.auto.commit' is set to 'false' by the plugin itself; remove it");
    assert_refused("{topics: [t], kafka: {bootstrap.servers: x}}",
                   "kafka: 'bootstrap.servers' is the option 'brokers'; write it there");
    assert_refused("{topics: ['sales.*']}", "topics: 'sales.*' is not a valid topic name (letters, digits, '.', '_', "
                                            "'-'; at most 249); a regular expression goes "
                                            "into 'topic_pattern'");
    assert_refused("{topics: [t], brokers: 'k1:9092, k 2:9092,,k3:0'}",
                   "brokers: 'k 2:9092' (number 2), 'k3:0' (number 4) are not valid addresses; write host:port, with a "
                   "port from 1 to 65535");
    assert_refused("{topics: [t], brokers: 'k1:x'}",
                   "brokers: 'k1:x' is not a valid address; write host:port, with a port from 1 to 65535");
    assert_refused("{topics: [t], brokers: ' ,'}", "brokers: ' ,' has no address; write host:port");
    assert_refused("{topics: [t], start: timestamp}", "'start: timestamp' needs 'start_timestamp'");
    assert_refused("{topics: [t], start: timestamp, start_timestamp: yesterday}",
                   "'start_timestamp: yesterday' is not a valid time; write 2024-01-15T10:30:00Z or milliseconds");
    assert_refused("{topics: [t], start: timestamp, start_timestamp: '-1'}",
                   "'start_timestamp: -1' is not a valid time; write 2024-01-15T10:30:00Z or milliseconds");
    g_autoptr(Harness) epoch = harness_new("kafka-source", "{topics: [t], start: timestamp, start_timestamp: '0'}");
    g_assert_cmpint(harness_try_bind(epoch), ==, SF_OK);
    assert_refused("{topics: [t], start_timestamp: 5}", "'start_timestamp' needs 'start: timestamp'");
    g_autoptr(Harness) pattern = harness_new("kafka-source", "{topic_pattern: 'sales_('}");
    g_assert_cmpint(harness_try_bind(pattern), ==, SF_CONFIG);
    g_assert_true(
        g_str_has_prefix(pattern->err.message, "topic_pattern: 'sales_(' is not a valid regular expression: "));
    g_autoptr(Harness) h =
        harness_new("kafka-source", "{topics: [t], kafka: {session.timeout.ms: soon, ssl.key.password: hush}}");
    g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
    g_assert_nonnull(strstr(h->err.message, "'session.timeout.ms: soon'"));
    g_assert_null(strstr(h->err.message, "hush"));
}

static void test_sizes_of_messages_are_the_users(void)
{
    const char *const sizes[] = {"message.max.bytes: 9000000", "receive.message.max.bytes: 1500000"};
    for (gsize i = 0; i < G_N_ELEMENTS(sizes); i++) {
        g_autofree char *options = g_strdup_printf("{brokers: '127.0.0.1:1', topics: [t], kafka: {%s}}", sizes[i]);
        g_autoptr(Harness) h = harness_new("kafka-source", options);
        harness_open(h);
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-source/sizes-of-messages-are-the-users", test_sizes_of_messages_are_the_users);
    g_test_add_func("/kafka-source/rows-are-the-records", test_rows_are_the_records);
    g_test_add_func("/kafka-source/headers-are-found", test_headers_are_found_wherever_they_are);
    g_test_add_func("/kafka-source/bounded-run-ends-with-empty-partitions",
                    test_bounded_run_ends_with_empty_partitions);
    g_test_add_func("/kafka-source/goes-on-where-the-sinks-are", test_goes_on_where_the_sinks_are);
    g_test_add_func("/kafka-source/batches-are-cut", test_batches_are_cut_by_rows_and_bytes);
    g_test_add_func("/kafka-source/batches-outlive-the-source", test_batches_outlive_the_source);
    g_test_add_func("/kafka-source/group-offsets-are-published", test_group_offsets_are_published);
    g_test_add_func("/kafka-source/idle-partition-is-published", test_an_idle_partition_is_published_where_it_goes_on);
    g_test_add_func("/kafka-source/refused-offset-is-published-again",
                    test_what_the_coordinator_refuses_is_published_again);
    g_test_add_func("/kafka-source/start-latest-is-remembered", test_start_latest_is_remembered_by_the_group);
    g_test_add_func("/kafka-source/topic-pattern-takes-whole-names", test_topic_pattern_takes_whole_names);
    g_test_add_func("/kafka-source/topic-created-anew-stops", test_topic_created_anew_stops_with_a_choice);
    g_test_add_func("/kafka-source/unknown-position-is-doubted", test_position_that_the_group_does_not_know_is_doubted);
    g_test_add_func("/kafka-source/deleted-records-stop", test_deleted_records_stop_with_a_choice);
    g_test_add_func("/kafka-source/missing-topic-waits-or-stops", test_missing_topic_waits_or_stops);
    g_test_add_func("/kafka-source/one-missing-topic", test_one_missing_topic_of_several_is_a_warning);
    g_test_add_func("/kafka-source/broker-away-is-one-clear-line", test_broker_away_is_one_clear_line);
    g_test_add_func("/kafka-source/goes-on-when-the-broker-is-back", test_goes_on_when_the_broker_is_back);
    g_test_add_func("/kafka-source/trouble-while-paused", test_trouble_is_said_while_nothing_is_polled);
    g_test_add_func("/kafka-source/missing-while-paused", test_a_missing_topic_is_said_while_nothing_is_polled);
    g_test_add_func("/kafka-source/poll-is-interrupted", test_poll_is_interrupted);
    g_test_add_func("/kafka-source/wrong-options", test_wrong_options);
    return g_test_run();
}
