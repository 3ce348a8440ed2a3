/* kafka-source's `start: latest`: decided once, and what comes later is new. */
#include "harness.h"
#include "mock_kafka.h"

#include <string.h>

static Harness *latest_new(const MockKafka *mock, bool bounded, const char *more)
{
    g_autofree char *options = g_strdup_printf(
        "{brokers: '%s', start: latest, group: late, kafka: {session.timeout.ms: 6000, heartbeat.interval.ms: 500, "
        "topic.metadata.refresh.interval.ms: 100}, %s}",
        mock->brokers, more);
    Harness *h = harness_new("kafka-source", options);
    h->bounded = bounded;
    return h;
}

static void poll_until_kept(Harness *h, MockKafka *mock, const char *topic, int partition, gint64 offset)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (mock_kafka_group(mock, "late", topic, partition) != offset && g_get_monotonic_time() < deadline)
        harness_poll(h, 10);
    g_assert_cmpint(mock_kafka_group(mock, "late", topic, partition), ==, offset);
}

static gint by_text(gconstpointer a, gconstpointer b)
{
    return strcmp(*(const char *const *) a, *(const char *const *) b);
}

/* The values of all rows until so many have come, or until the end. */
static char *read_values(Harness *h, gint64 rows)
{
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, rows);
    g_autoptr(GPtrArray) values = g_ptr_array_new_with_free_func(g_free);
    for (guint i = 0; i < batches->len && batches->pdata[i]; i++) {
        SfColumn column;
        SfError err;
        g_assert_cmpint(sf_column(batches->pdata[i], "value", SF_BINARY, &column, &err), ==, SF_OK);
        for (gint64 row = 0; row < sf_rows(batches->pdata[i]); row++) {
            SfBytes value = sf_bytes(&column, row);
            g_ptr_array_add(values, g_strndup((const char *) value.data, (gsize) value.size));
        }
    }
    g_ptr_array_sort(values, by_text);
    g_ptr_array_add(values, NULL);
    return g_strjoinv(" ", (char **) values->pdata);
}

static void test_topics_that_come_later_are_new(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "s-one", 2);
    mock_kafka_fill(mock, "s-one", 0, "old", 3);
    g_autoptr(Harness) h = latest_new(mock, false, "topic_pattern: 's-.*'");
    poll_until_kept(h, mock, "s-one", 0, 3);
    mock_kafka_topic(mock, "s-two", 1);
    mock_kafka_fill(mock, "s-two", 0, "two", 2); /* before it is found */
    g_autofree char *running = read_values(h, 2);
    g_assert_cmpstr(running, ==, "two0 two1");
    g_assert_nonnull(strstr(harness_logs(h), "'s-two/0' is new since the pipeline has begun"));
    harness_publish(h, true);
    harness_close(h);

    mock_kafka_topic(mock, "s-three", 1);
    mock_kafka_fill(mock, "s-three", 0, "three", 2);
    mock_kafka_fill(mock, "s-one", 1, "one", 1);
    g_autoptr(Harness) again = latest_new(mock, true, "topic_pattern: 's-.*'");
    g_autofree char *stopped = read_values(again, G_MAXINT64);
    g_assert_cmpstr(stopped, ==, "one0 three0 three1");
}

static void test_a_topic_that_its_first_producer_creates_is_new(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 2);
    rd_kafka_mock_topic_set_error(mock->cluster, "t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    g_autoptr(Harness) h = latest_new(mock, false, "topics: [t]");
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (h->status != SF_RETRY && g_get_monotonic_time() < deadline)
        harness_poll(h, 100);
    g_assert_cmpint(h->status, ==, SF_RETRY);
    rd_kafka_mock_topic_set_error(mock->cluster, "t", RD_KAFKA_RESP_ERR_NO_ERROR);
    mock_kafka_fill(mock, "t", 1, "first", 3);
    g_autofree char *values = read_values(h, 3);
    g_assert_cmpstr(values, ==, "first0 first1 first2");
}

/* A topic of the list that is missing does not make the others new. */
static void test_a_missing_topic_makes_no_other_one_new(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "there", 1);
    mock_kafka_topic(mock, "later", 1);
    mock_kafka_fill(mock, "there", 0, "old", 3);
    rd_kafka_mock_topic_set_error(mock->cluster, "later", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    g_autoptr(Harness) h = latest_new(mock, false, "topics: [there, later]");
    poll_until_kept(h, mock, "there", 0, 3);
    rd_kafka_mock_topic_set_error(mock->cluster, "later", RD_KAFKA_RESP_ERR_NO_ERROR);
    mock_kafka_fill(mock, "later", 0, "new", 2);
    g_autofree char *values = read_values(h, 2);
    g_assert_cmpstr(values, ==, "new0 new1");
}

/* The group's offsets expire; what the sinks have does not. */
static void test_what_sinks_know_counts_where_the_group_has_forgotten(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 2);
    mock_kafka_fill(mock, "t", 0, "known", 3);
    mock_kafka_fill(mock, "t", 1, "new", 2);
    g_autoptr(Harness) h = latest_new(mock, true, "topics: [t]");
    harness_answer(h, "t/0", 2);
    g_autofree char *values = read_values(h, G_MAXINT64);
    g_assert_cmpstr(values, ==, "known2 new0 new1");
}

/* One member decides for the partitions of all, so that those which others get are not taken for new ones. */
static void test_the_first_member_decides_for_all(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "a", 1);
    mock_kafka_topic(mock, "b", 1);
    mock_kafka_fill(mock, "a", 0, "old", 2);
    mock_kafka_fill(mock, "b", 0, "old", 4);
    g_autoptr(Harness) h = latest_new(mock, false, "topics: [a, b]");
    poll_until_kept(h, mock, "a", 0, 2);
    g_assert_cmpint(mock_kafka_group(mock, "late", "b", 0), ==, 4);
}

static void test_a_topic_created_anew_is_new(void)
{
    g_autoptr(MockKafka) mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", 1);
    mock_kafka_fill(mock, "t", 0, "anew", 2);
    g_autoptr(Harness) h = latest_new(mock, true, "topics: [t], epoch: 2");
    g_autofree char *values = read_values(h, G_MAXINT64);
    g_assert_cmpstr(values, ==, "anew0 anew1");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-begin/topics-that-come-later", test_topics_that_come_later_are_new);
    g_test_add_func("/kafka-begin/first-producer", test_a_topic_that_its_first_producer_creates_is_new);
    g_test_add_func("/kafka-begin/a-missing-topic", test_a_missing_topic_makes_no_other_one_new);
    g_test_add_func("/kafka-begin/sinks-know", test_what_sinks_know_counts_where_the_group_has_forgotten);
    g_test_add_func("/kafka-begin/decided-for-all", test_the_first_member_decides_for_all);
    g_test_add_func("/kafka-begin/created-anew", test_a_topic_created_anew_is_new);
    return g_test_run();
}
