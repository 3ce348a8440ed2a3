/* kafka-source in trouble, and in company: what brokers refuse, members that come, topics that go, times to begin at.
 * On librdkafka's mock cluster, and on the broker of `sfrun broker` where offsets of times are needed. */
#include "embedded_kafka.h"
#include "harness.h"

#include <dlfcn.h>
#include <string.h>
#include <time.h>

#define EXPORTED __attribute__((visibility("default")))
#define COOPERATIVE_WORKS 0x020300ff /* as plugins/kafka-source/settings.c has it */
#define FETCH 1
#define JOIN_GROUP 11

static gint64 skipped_us; /* of time that has not passed */

EXPORTED gint64 g_get_monotonic_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + skipped_us;
}

/* Partitions whose ends were asked for, joined by ' '. */
static GString *asked;

EXPORTED rd_kafka_resp_err_t rd_kafka_query_watermark_offsets(rd_kafka_t *rk, const char *topic, int32_t partition,
                                                              int64_t *low, int64_t *high, int timeout_ms)
{
    rd_kafka_resp_err_t (*real)(rd_kafka_t *, const char *, int32_t, int64_t *, int64_t *, int) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_query_watermark_offsets");
    if (asked)
        g_string_append_printf(asked, "%s%d", asked->len ? " " : "", partition);
    return real(rk, topic, partition, low, high, timeout_ms);
}

static Harness *source_new(const char *brokers, const char *more)
{
    g_autofree char *options =
        g_strdup_printf("{brokers: '%s', kafka: {session.timeout.ms: 6000, heartbeat.interval.ms: 200, "
                        "topic.metadata.refresh.interval.ms: 200}, %s}",
                        brokers, more);
    return harness_new("kafka-source", options);
}

static MockKafka *mock_of(int partitions, int records)
{
    MockKafka *mock = mock_kafka_new();
    mock_kafka_topic(mock, "t", partitions);
    for (int i = 0; i < partitions; i++)
        mock_kafka_fill(mock, "t", i, "value ", records);
    return mock;
}

static void poll_until(Harness *h, SfStatus status)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (h->status != status && g_get_monotonic_time() < deadline)
        harness_poll(h, 100);
    g_assert_cmpstr(sf_status_name(h->status), ==, sf_status_name(status));
}

static gint64 rows_of(const GPtrArray *batches)
{
    gint64 rows = 0;
    for (guint i = 0; i < batches->len && batches->pdata[i]; i++)
        rows += sf_rows(batches->pdata[i]);
    return rows;
}

/* ---- what the broker refuses ---- */

static void assert_refused_by_group(rd_kafka_resp_err_t code, SfStatus status, const char *part)
{
    g_autoptr(MockKafka) mock = mock_of(1, 0);
    for (int i = 0; i < 20; i++)
        rd_kafka_mock_push_request_errors(mock->cluster, JOIN_GROUP, 1, code);
    g_autoptr(Harness) h = source_new(mock->brokers, "topics: [t]");
    poll_until(h, status);
    if (!strstr(h->err.message, part))
        g_error("%s\nexpected: %s", h->err.message, part);
}

static void test_what_a_group_refuses_is_told(void)
{
    assert_refused_by_group(RD_KAFKA_RESP_ERR_GROUP_AUTHORIZATION_FAILED, SF_RETRY, "uthorization failed");
    assert_refused_by_group(RD_KAFKA_RESP_ERR_INVALID_SESSION_TIMEOUT, SF_CONFIG,
                            "the broker does not allow this session.timeout.ms");
}

/* A trouble is told once, and reading goes on where it was. */
static void test_a_partition_that_is_refused_is_named_and_read_on(void)
{
    g_autoptr(MockKafka) mock = mock_of(1, 0);
    for (int i = 0; i < 3; i++)
        rd_kafka_mock_push_request_errors(mock->cluster, FETCH, 1, RD_KAFKA_RESP_ERR_TOPIC_AUTHORIZATION_FAILED);
    g_autoptr(Harness) h = source_new(mock->brokers, "topics: [t]");
    poll_until(h, SF_RETRY);
    g_assert_true(g_str_has_prefix(h->err.message, "'t/0' cannot be read at offset 0: "));
    g_assert_nonnull(strstr(h->err.message, "uthorization failed"));
    mock_kafka_fill(mock, "t", 0, "value ", 3);
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 3);
    g_assert_cmpint(rows_of(batches), ==, 3);
}

/* The next attempt finds out which way it is out of range. */
static void test_an_offset_out_of_range_ends_the_attempt(void)
{
    g_autoptr(MockKafka) mock = mock_of(1, 3);
    g_autoptr(Harness) h = source_new(mock->brokers, "topics: [t]");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 3);
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (h->status != SF_FENCED && g_get_monotonic_time() < deadline) {
        rd_kafka_mock_push_request_errors(mock->cluster, FETCH, 1, RD_KAFKA_RESP_ERR_OFFSET_OUT_OF_RANGE);
        harness_poll(h, 1000);
    }
    g_assert_cmpint(h->status, ==, SF_FENCED);
    g_assert_true(g_str_has_prefix(h->err.message, "'t/0' cannot be read at offset 3: "));
}

/* It is read, and is gone: said, while what was read of it stays. */
static void test_a_topic_that_goes_is_a_warning(void)
{
    g_autoptr(MockKafka) mock = mock_of(1, 3);
    g_autoptr(Harness) h = source_new(mock->brokers, "topics: [t]");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 3);
    rd_kafka_mock_topic_set_error(mock->cluster, "t", RD_KAFKA_RESP_ERR_UNKNOWN_TOPIC_OR_PART);
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (!strstr(harness_logs(h), "warning: topic 't' does not exist on ") && g_get_monotonic_time() < deadline) {
        g_assert_cmpint(h->status == SF_OK || h->status == SF_EMPTY, ==, true);
        harness_poll(h, 10);
    }
    g_assert_nonnull(strstr(harness_logs(h), "warning: topic 't' does not exist on "));
}

/* ---- company ---- */

/* Both are polled until each has got so many partitions. */
static void poll_until_shared(Harness *a, Harness *b, guint of_a, guint of_b)
{
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    for (;;) {
        g_auto(GStrv) left = g_strsplit(harness_assigned(a), " ", -1), right = g_strsplit(harness_assigned(b), " ", -1);
        if (g_strv_length(left) == of_a && g_strv_length(right) == of_b && strstr(harness_logs(b), "assigned "))
            return;
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        harness_poll(a, 50);
        harness_poll(b, 50);
    }
}

static void test_partitions_are_shared_out(void)
{
    g_autoptr(MockKafka) mock = mock_of(12, 1);
    g_autoptr(Harness) a = source_new(mock->brokers, "topics: [t], group: g");
    g_autoptr(GPtrArray) batches = harness_poll_rows(a, 12);
    g_assert_nonnull(strstr(harness_logs(a), "info: assigned t/0 at 0, t/1 at 0, "));
    g_assert_nonnull(strstr(harness_logs(a), "t/7 at 0, … 12 in all"));
    g_assert_null(strstr(harness_logs(a), "t/8 at 0"));
    harness_publish(a, false);
    g_autoptr(Harness) b = source_new(mock->brokers, "topics: [t], group: g");
    poll_until_shared(a, b, 6, 6);
    /* An eager assignor takes all and gives each its part anew. */
    g_assert_nonnull(strstr(harness_logs(a), rd_kafka_version() < COOPERATIVE_WORKS ? "info: gave 12 partitions back"
                                                                                    : "info: gave 6 partitions back"));
    g_assert_null(strstr(harness_logs(b), "in all"));
}

static void test_a_member_too_many_is_told_so(void)
{
    g_autoptr(MockKafka) mock = mock_of(1, 1);
    g_autoptr(Harness) a = source_new(mock->brokers, "topics: [t], group: g");
    g_autoptr(GPtrArray) batches = harness_poll_rows(a, 1);
    g_autoptr(Harness) b = source_new(mock->brokers, "topics: [t], group: g");
    const char *none = "info: assigned no partition (the group has more members than partitions)";
    gint64 deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    while (!strstr(harness_logs(a), none) && !strstr(harness_logs(b), none)) {
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
        harness_poll(a, 50);
        harness_poll(b, 50);
    }
}

/* The coordinator's answer, which it owes for as long as somebody is not served: NULL: none comes. */
static struct rd_kafka_group_info *described;

EXPORTED rd_kafka_resp_err_t rd_kafka_list_groups(rd_kafka_t *rk, const char *group,
                                                  const struct rd_kafka_group_list **out, int timeout_ms)
{
    static struct rd_kafka_group_list list;
    (void) rk, (void) timeout_ms;
    g_assert_true(!described || strcmp(group, "g") == 0);
    list = (struct rd_kafka_group_list){.groups = described, .group_cnt = 1};
    *out = &list;
    return described ? RD_KAFKA_RESP_ERR_NO_ERROR : RD_KAFKA_RESP_ERR__TIMED_OUT;
}

EXPORTED void rd_kafka_group_list_destroy(const struct rd_kafka_group_list *list)
{
    (void) list;
}

/* Polls for so many seconds, and what it has logged of its waiting meanwhile. */
static char *waits(Harness *h, int seconds)
{
    harness_forget(h);
    skipped_us += seconds * G_USEC_PER_SEC;
    harness_poll(h, 10);
    const char *line = strstr(harness_logs(h), "waiting for partitions of group 'g'");
    return line ? g_strndup(line, strcspn(line, ":")) : g_strdup("");
}

static void assert_waits(Harness *h, int seconds, const char *expected)
{
    g_autofree char *line = waits(h, seconds);
    g_assert_cmpstr(line, ==, expected);
}

static void test_a_member_that_waits_says_for_whom(void)
{
    struct rd_kafka_group_member_info members[7] = {{.member_id = (char *) ""}}; /* itself, which has not joined yet */
    struct rd_kafka_group_info group = {.state = (char *) "PreparingRebalance", .members = members, .member_cnt = 2};
    for (int i = 1; i < 7; i++)
        members[i] = (struct rd_kafka_group_member_info){
            .member_id = (char *) "other", .client_id = (char *) "app", .client_host = (char *) "/10.0.0.1"};
    g_autoptr(MockKafka) mock = mock_of(1, 0);
    for (int i = 0; i < 2000; i++)
        rd_kafka_mock_push_request_errors(mock->cluster, JOIN_GROUP, 1, RD_KAFKA_RESP_ERR_COORDINATOR_LOAD_IN_PROGRESS);
    g_autoptr(Harness) h = source_new(mock->brokers, "topics: [t], group: g");
    assert_waits(h, 0, "");
    assert_waits(h, 3, "waiting for partitions of group 'g'");
    described = &group;
    assert_waits(h, 29, ""); /* every half a minute */
    assert_waits(h, 2, "waiting for partitions of group 'g' (PreparingRebalance); other members");
    g_assert_nonnull(strstr(harness_logs(h), "; other members: app at /10.0.0.1: it shares them out"));
    group.member_cnt = 3;
    assert_waits(h, 31, "waiting for partitions of group 'g' (PreparingRebalance); other members");
    g_assert_nonnull(strstr(harness_logs(h), "members: app at /10.0.0.1, app at /10.0.0.1: it shares them out"));
    group.member_cnt = 7;
    assert_waits(h, 31, "waiting for partitions of group 'g' (PreparingRebalance); other members");
    g_assert_nonnull(strstr(harness_logs(h), "app at /10.0.0.1, … 6 in all: it shares"));
    group.member_cnt = 1;
    assert_waits(h, 31, "waiting for partitions of group 'g' (PreparingRebalance)");
    described = NULL;
    skipped_us = 0;
}

/* ---- where it begins and ends ---- */

static void assert_begins(EmbeddedKafka *kafka, const char *time, gint64 offset)
{
    g_autofree char *options =
        g_strdup_printf("topics: [t], start: timestamp, start_timestamp: '%s', group: 'g%s'", time, time);
    g_autoptr(Harness) h = source_new(kafka->address, options);
    h->bounded = true;
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, G_MAXINT64);
    g_assert_cmpint(rows_of(batches), ==, 4 - offset);
    if (offset < 4)
        g_assert_cmpint(((const SfBatch *) batches->pdata[0])->start, ==, offset);
}

static void test_it_begins_at_a_time(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    embedded_kafka_topic(kafka, "t", 1, NULL);
    for (int i = 0; i < 4; i++)
        mock_kafka_produce(&kafka->clients, "t", 0, NULL, "v", INT64_C(1705314600000) + i, NULL);
    assert_begins(kafka, "0", 0);
    assert_begins(kafka, "1705314600001", 1);
    assert_begins(kafka, "2024-01-15T10:30:00.002Z", 2);
    assert_begins(kafka, "2024-01-15T11:30:00.003+01:00", 3);
    assert_begins(kafka, "2024-01-15T10:30:00", 0);
    assert_begins(kafka, "2024-01-15T10:30:01", 4);
}

static void test_a_time_that_is_not_one_is_refused(void)
{
    static const char *const times[] = {"-1", "soon", "", "1705314600001x"};
    for (gsize i = 0; i < G_N_ELEMENTS(times); i++) {
        g_autofree char *options = g_strdup_printf("topics: [t], start: timestamp, start_timestamp: '%s'", times[i]);
        g_autofree char *expected = g_strdup_printf(
            "'start_timestamp: %s' is not a valid time; write 2024-01-15T10:30:00Z or milliseconds", times[i]);
        g_autoptr(Harness) h = source_new("127.0.0.1:1", options);
        g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
        g_assert_cmpstr(h->err.message, ==, expected);
    }
}

static void test_a_bounded_run_ends_where_the_topic_ended_when_it_began(void)
{
    g_autoptr(MockKafka) mock = mock_of(1, 10);
    g_autoptr(Harness) h = source_new(mock->brokers, "topics: [t], batch_rows: 5");
    h->bounded = true;
    g_autoptr(GPtrArray) first = harness_poll_rows(h, 5);
    mock_kafka_fill(mock, "t", 0, "later ", 5);
    g_autoptr(GPtrArray) rest = harness_poll_rows(h, G_MAXINT64);
    g_assert_cmpint(rows_of(first) + rows_of(rest), ==, 10);
    g_assert_cmpint(h->status, ==, SF_END);
    g_assert_cmpint(harness_polled(h, "t/0"), ==, 10);
}

/* A topic that was deleted and created anew has grown past what the sinks have of it: its records are younger than
 * their commit. */
static void assert_recreated(const char *more, gint64 committed_ms, bool stops)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    embedded_kafka_topic(kafka, "t", 1, NULL);
    for (int i = 0; i < 8; i++)
        mock_kafka_produce(&kafka->clients, "t", 0, NULL, "v", INT64_C(1705314600000) + i * 1000, NULL);
    g_autofree char *options = g_strdup_printf("topics: [t], group: g%s", more);
    g_autoptr(Harness) h = source_new(kafka->address, options);
    harness_answer(h, "t/0", 5);
    harness_keep(h, "t/0", committed_ms, NULL);
    if (stops) {
        poll_until(h, SF_CONFIG);
        g_assert_cmpstr(
            h->err.message, ==,
            "topic 't' was deleted and created anew, and has grown since: the sinks have partition 0 up to 5 "
            "since 2024-01-15T10:30:03Z, but offset 4 is younger, and group 'g' has no offset any more; set "
            "'epoch: 2' to read it from its start as a new topic, or 'on_recreated: continue' to leave out "
            "what is before the sinks' positions");
        return;
    }
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 3);
    g_assert_cmpint(((const SfBatch *) batches->pdata[0])->start, ==, 5);
    g_assert_nonnull(
        strstr(harness_logs(h), "warning: the sinks have rows of 't/0', but group 'g' has no offset there"));
}

static void test_records_that_are_younger_than_their_commit_are_anothers(void)
{
    assert_recreated("", INT64_C(1705314603000), true);
    assert_recreated("", INT64_C(1705314604000), false); /* the fifth is as old as the commit */
    assert_recreated("", -1, false);
    assert_recreated(", on_recreated: continue", INT64_C(1705314603000), false);
}

/* ---- rows ---- */

static void test_headers_may_be_null_and_are_texts(void)
{
    g_autoptr(MockKafka) mock = mock_of(1, 0);
    rd_kafka_headers_t *headers = rd_kafka_headers_new(2);
    rd_kafka_header_add(headers, "none", -1, NULL, 0);
    rd_kafka_header_add(headers, "caf\xe9", -1, "v", -1);
    g_assert_cmpint(rd_kafka_producev(mock->rk, RD_KAFKA_V_TOPIC("t"), RD_KAFKA_V_PARTITION(0),
                                      RD_KAFKA_V_VALUE((void *) "v", 1), RD_KAFKA_V_HEADERS(headers), RD_KAFKA_V_END),
                    ==, RD_KAFKA_RESP_ERR_NO_ERROR);
    mock_kafka_flush(mock);
    g_autoptr(Harness) h = source_new(mock->brokers, "topics: [t]");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 1);
    g_assert_nonnull(strstr(harness_text(h, batches->pdata[0]),
                            "\"headers\":[{\"key\":\"none\",\"value\":null},{\"key\":\"caf�\",\"value\":\"v\"}]"));
}

/* What was fetched and not handed out goes with the source. */
static void test_it_closes_with_rows_left(void)
{
    g_autoptr(MockKafka) mock = mock_of(2, 50);
    g_autoptr(Harness) h = source_new(mock->brokers, "topics: [t], batch_rows: 30, batch_bytes: 1KiB");
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 1);
    g_assert_cmpint(rows_of(batches), <, 100);
    harness_close(h);
}

/* Older clients' threads sleep on a full queue: a question about a partition that has more wakes them. */
static void test_an_old_client_is_woken_for_what_is_behind(void)
{
    g_autofree char *large = g_strnfill(20000, 'x');
    g_autoptr(MockKafka) mock = mock_of(2, 0);
    for (int i = 0; i < 100; i++)
        mock_kafka_send(mock, "t", 1, NULL, large, 0, NULL);
    mock_kafka_flush(mock);
    g_autoptr(Harness) h = source_new(mock->brokers, "topics: [t], prefetch: 1MiB, batch_rows: 5");
    asked = g_string_new(NULL);
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, 100);
    if (rd_kafka_version() < 0x020200ff)
        g_assert_true(asked->len > 0 && strspn(asked->str, "1 ") == asked->len); /* t/0 has nothing */
    else
        g_assert_cmpstr(asked->str, ==, "");
    g_string_free(g_steal_pointer(&asked), TRUE);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-source-trouble/group", test_what_a_group_refuses_is_told);
    g_test_add_func("/kafka-source-trouble/partition", test_a_partition_that_is_refused_is_named_and_read_on);
    g_test_add_func("/kafka-source-trouble/out-of-range", test_an_offset_out_of_range_ends_the_attempt);
    g_test_add_func("/kafka-source-trouble/topic-goes", test_a_topic_that_goes_is_a_warning);
    g_test_add_func("/kafka-source-trouble/shared-out", test_partitions_are_shared_out);
    g_test_add_func("/kafka-source-trouble/too-many", test_a_member_too_many_is_told_so);
    g_test_add_func("/kafka-source-trouble/waiting", test_a_member_that_waits_says_for_whom);
    g_test_add_func("/kafka-source-trouble/times", test_it_begins_at_a_time);
    g_test_add_func("/kafka-source-trouble/not-a-time", test_a_time_that_is_not_one_is_refused);
    g_test_add_func("/kafka-source-trouble/bounded", test_a_bounded_run_ends_where_the_topic_ended_when_it_began);
    g_test_add_func("/kafka-source-trouble/recreated", test_records_that_are_younger_than_their_commit_are_anothers);
    g_test_add_func("/kafka-source-trouble/headers", test_headers_may_be_null_and_are_texts);
    g_test_add_func("/kafka-source-trouble/rows-left", test_it_closes_with_rows_left);
    g_test_add_func("/kafka-source-trouble/woken", test_an_old_client_is_woken_for_what_is_behind);
    return g_test_run();
}
