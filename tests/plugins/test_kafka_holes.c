/* kafka-source against a consumer that leaves records out, and against a broker that has holes. librdkafka's two ways
 * to get messages are wrapped here: the plugin's calls find these functions first. */
#include "harness.h"
#include "mock_kafka.h"

#include <dlfcn.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

/* Offsets of what is left out; the consumer's list forgets each when it has been left out `times` times. */
static bool drops_errors;   /* a rebalance does, which pauses the partition */
static gint dropped;        /* of those that say that an offset is out of range */
static GHashTable *lost;    /* by the consumer: it has lost its place */
static GHashTable *missing; /* by the broker: compacted */
static gint asked;          /* records that the second client has got */

static gboolean leave_out(const rd_kafka_message_t *message)
{
    gpointer key = GINT_TO_POINTER((gint) message->offset + 1);
    gint times = GPOINTER_TO_INT(g_hash_table_lookup(lost, key));
    dropped += drops_errors && message->err == RD_KAFKA_RESP_ERR__AUTO_OFFSET_RESET;
    if (message->err)
        return drops_errors;
    if (times > 0)
        g_hash_table_insert(lost, key, GINT_TO_POINTER(times - 1));
    return times > 0 || g_hash_table_contains(missing, key);
}

EXPORTED ssize_t rd_kafka_consume_batch_queue(rd_kafka_queue_t *queue, int timeout_ms, rd_kafka_message_t **messages,
                                              size_t size)
{
    ssize_t (*real)(rd_kafka_queue_t *, int, rd_kafka_message_t **, size_t) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_consume_batch_queue");
    ssize_t n = real(queue, timeout_ms, messages, size);
    ssize_t kept = 0;
    for (ssize_t i = 0; i < n; i++) {
        if (leave_out(messages[i]))
            rd_kafka_message_destroy(messages[i]);
        else
            messages[kept++] = messages[i];
    }
    return n < 0 ? n : kept;
}

EXPORTED rd_kafka_message_t *rd_kafka_consumer_poll(rd_kafka_t *rk, int timeout_ms)
{
    rd_kafka_message_t *(*real)(rd_kafka_t *, int) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_consumer_poll");
    rd_kafka_message_t *message = real(rk, timeout_ms);
    while (message && !message->err && g_hash_table_contains(missing, GINT_TO_POINTER((gint) message->offset + 1))) {
        rd_kafka_message_destroy(message);
        message = real(rk, timeout_ms);
    }
    if (message && !message->err)
        asked++;
    return message;
}

/* The consumer's handle: that of the first client which the plugin makes. */
static rd_kafka_t *consumer;

EXPORTED rd_kafka_t *rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *reason, size_t size)
{
    rd_kafka_t *(*real)(rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_new");
    rd_kafka_t *rk = real(type, conf, reason, size);
    if (type == RD_KAFKA_CONSUMER && !consumer)
        consumer = rk;
    return rk;
}

static void begin(void)
{
    consumer = NULL;
    drops_errors = false;
    dropped = 0;
    g_clear_pointer(&lost, g_hash_table_unref);
    g_clear_pointer(&missing, g_hash_table_unref);
    lost = g_hash_table_new(NULL, NULL);
    missing = g_hash_table_new(NULL, NULL);
    asked = 0;
}

static void lose(gint offset, gint times)
{
    g_hash_table_insert(lost, GINT_TO_POINTER(offset + 1), GINT_TO_POINTER(times));
}

static void compact_away(gint offset)
{
    g_hash_table_add(missing, GINT_TO_POINTER(offset + 1));
}

static Harness *reader_new(const MockKafka *mock, bool bounded, const char *more)
{
    g_autofree char *options =
        g_strdup_printf("{brokers: '%s', topics: [t], kafka: {session.timeout.ms: 6000, heartbeat.interval.ms: 500}%s}",
                        mock->brokers, more);
    Harness *h = harness_new("kafka-source", options);
    h->bounded = bounded;
    return h;
}

/* Reads the ten records "value 0" to "value 9" but those that are not there; ranges chain from 0 to 10. */
static void assert_all_but(Harness *h, const char *absent)
{
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, G_MAXINT64);
    g_autoptr(GString) found = g_string_new(NULL);
    gint64 next = 0;
    for (guint i = 0; i < batches->len && batches->pdata[i]; i++) {
        const SfBatch *batch = batches->pdata[i];
        SfColumn offsets;
        SfError err;
        g_assert_cmpint(batch->start, ==, next);
        next = batch->end;
        g_assert_cmpint(sf_column(batch, "offset", SF_INT64, &offsets, &err), ==, SF_OK);
        for (gint64 row = 0; row < sf_rows(batch); row++)
            g_string_append_printf(found, "%" G_GINT64_FORMAT, sf_i64(&offsets, row));
    }
    g_autoptr(GString) wanted = g_string_new("0123456789");
    for (const char *p = absent; *p; p++)
        g_string_replace(wanted, (char[]){*p, 0}, "", 0);
    g_assert_cmpstr(found->str, ==, wanted->str);
    g_assert_cmpint(next, ==, 10);
    g_assert_cmpint(h->status, ==, SF_END);
}

static MockKafka *ten_records(void)
{
    MockKafka *mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "value ", 10);
    begin();
    return mock;
}

static void test_a_record_that_the_consumer_leaves_out_is_read_again(void)
{
    g_autoptr(MockKafka) mock = ten_records();
    g_autoptr(Harness) h = reader_new(mock, true, "");
    lose(5, 1);
    assert_all_but(h, "");
    g_autofree char *line =
        g_strdup_printf("warning: 't/0': librdkafka %s has left out the record at offset 5; reading "
                        "it again",
                        rd_kafka_version_str());
    g_assert_nonnull(strstr(harness_logs(h), line));
}

/* The first ones after the assignment, and the last ones before an end: there is no later record that shows it. */
static void test_records_before_an_end_are_not_left_out_either(void)
{
    g_autoptr(MockKafka) mock = ten_records();
    g_autoptr(Harness) h = reader_new(mock, true, "");
    lose(0, 1);
    lose(8, 2);
    lose(9, 1);
    assert_all_but(h, "");
}

static void test_what_the_broker_does_not_have_is_a_hole(void)
{
    g_autoptr(MockKafka) mock = ten_records();
    g_autoptr(Harness) h = reader_new(mock, true, "");
    compact_away(0);
    compact_away(4);
    compact_away(9);
    assert_all_but(h, "049");
    g_assert_null(strstr(harness_logs(h), "left out"));
}

/* A partition that has shown a hole is not asked for at each of them, as long as the consumer knows its place. */
static void test_further_holes_are_not_asked_for(void)
{
    g_autoptr(MockKafka) mock = ten_records();
    g_autoptr(Harness) h = reader_new(mock, true, ", batch_rows: 1");
    for (gint i = 1; i < 9; i += 2)
        compact_away(i);
    assert_all_but(h, "1357");
    g_assert_cmpint(asked, ==, 1);
}

/* But what comes after an end is: the consumer may have gone too far there. */
static void test_a_hole_after_an_end_is_asked_for(void)
{
    g_autoptr(MockKafka) mock = ten_records();
    g_autoptr(Harness) h = reader_new(mock, false, "");
    compact_away(3);
    g_autoptr(GPtrArray) before = harness_poll_rows(h, 9);
    gint64 deadline = g_get_monotonic_time() + 30 * G_USEC_PER_SEC;
    for (int quiet = 0; quiet < 10 && g_get_monotonic_time() < deadline;) /* past the end's event */
        quiet = harness_poll(h, 100) ? 0 : quiet + 1;
    lose(10, 1);
    mock_kafka_fill(mock, "t", 0, "more ", 3);
    g_autoptr(GPtrArray) after = harness_poll_rows(h, 3);
    g_assert_nonnull(strstr(harness_text(h, after->pdata[0]), "\"more 0\""));
    g_assert_nonnull(strstr(harness_logs(h), "has left out the record at offset 10"));
}

static void test_a_consumer_that_goes_on_leaving_out_is_replaced(void)
{
    g_autoptr(MockKafka) mock = ten_records();
    g_autoptr(Harness) h = reader_new(mock, true, "");
    lose(5, 1000);
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (h->status != SF_FENCED && g_get_monotonic_time() < deadline)
        harness_poll(h, 500);
    g_assert_cmpint(h->status, ==, SF_FENCED);
    g_assert_nonnull(strstr(h->err.message, "leaves out the record at offset 5"));
}

/* ---- a partition that the client has stopped: at an offset that is out of range, where no seek helps ---- */

static Harness *reader_of(const MockKafka *mock, const char *strategy)
{
    g_autofree char *options = g_strdup_printf(
        "{brokers: '%s', topics: [t], group: g, kafka: {session.timeout.ms: 6000, heartbeat.interval.ms: "
        "500, partition.assignment.strategy: %s}}",
        mock->brokers, strategy);
    return harness_new("kafka-source", options);
}

/* All ten have been read, and the client begins far behind them. */
static Harness *out_of_range_new(const MockKafka *mock, const char *strategy)
{
    Harness *h = reader_of(mock, strategy);
    g_autoptr(GPtrArray) before = harness_poll_rows(h, 10);
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "t", 0)->offset = 1000;
    rd_kafka_error_destroy(rd_kafka_seek_partitions(consumer, list, 30000));
    rd_kafka_topic_partition_list_destroy(list);
    return h;
}

/* Whatever the status meanwhile: the same attempt reads on. */
static void assert_reads_on(Harness *h)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    gint64 rows = 0;
    while (rows < 3 && g_get_monotonic_time() < deadline) {
        const SfBatch *batch = harness_poll(h, 100);
        if (h->status != SF_OK && h->status != SF_EMPTY)
            g_error("%s: %s", sf_status_name(h->status), h->err.message);
        rows += batch ? sf_rows(batch) : 0;
    }
    g_assert_cmpint(rows, ==, 3);
    g_assert_cmpint(harness_polled(h, "t/0"), ==, 13);
}

static void assert_restarted(const char *strategy)
{
    g_autoptr(MockKafka) mock = ten_records();
    g_autoptr(Harness) h = out_of_range_new(mock, strategy);
    mock_kafka_fill(mock, "t", 0, "more ", 3);
    assert_reads_on(h);
}

static void test_a_partition_out_of_range_is_read_on(void)
{
    assert_restarted("roundrobin");
    assert_restarted("cooperative-sticky");
}

/* The error is lost where a rebalance pauses the partition before it is read. After a rebalance, and after an outage,
 * the client is put back where it was, which shows that it has stopped. */
static void test_one_whose_error_is_lost_is_read_on(void)
{
    g_autoptr(MockKafka) mock = ten_records();
    g_autoptr(Harness) h = out_of_range_new(mock, "roundrobin");
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    drops_errors = true;
    while (dropped == 0 && g_get_monotonic_time() < deadline)
        g_assert_null(harness_poll(h, 100));
    g_assert_cmpint(dropped, ==, 1);
    drops_errors = false;
    mock_kafka_fill(mock, "t", 0, "more ", 3);
    rd_kafka_mock_broker_set_down(mock->cluster, 1);
    while (h->status != SF_RETRY && g_get_monotonic_time() < deadline)
        g_assert_null(harness_poll(h, 100));
    g_assert_cmpint(h->status, ==, SF_RETRY);
    rd_kafka_mock_broker_set_up(mock->cluster, 1);
    g_autoptr(GPtrArray) more = harness_poll_rows(h, 3);
    g_assert_cmpint(harness_polled(h, "t/0"), ==, 13);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-holes/left-out-is-read-again", test_a_record_that_the_consumer_leaves_out_is_read_again);
    g_test_add_func("/kafka-holes/left-out-before-an-end", test_records_before_an_end_are_not_left_out_either);
    g_test_add_func("/kafka-holes/broker-proves", test_what_the_broker_does_not_have_is_a_hole);
    g_test_add_func("/kafka-holes/further-holes", test_further_holes_are_not_asked_for);
    g_test_add_func("/kafka-holes/after-an-end", test_a_hole_after_an_end_is_asked_for);
    g_test_add_func("/kafka-holes/out-of-range", test_a_partition_out_of_range_is_read_on);
    g_test_add_func("/kafka-holes/error-lost", test_one_whose_error_is_lost_is_read_on);
    g_test_add_func("/kafka-holes/replaced", test_a_consumer_that_goes_on_leaving_out_is_replaced);
    return g_test_run();
}
