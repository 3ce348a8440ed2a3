/* kafka-sink and its topics: created or not, as large as their records may be, and what their rules refuse. On the
 * broker of `sfrun broker`; rules that it does not have are pretended on librdkafka's mock cluster. */
#include "embedded_kafka.h"
#include "kafka_place.h"

#include <dlfcn.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))
#define PRODUCE 0

/* ---- a configuration that the mock's topic pretends to have: name, value, …; NULL: none ---- */

typedef struct Entry {
    const char *name;
    const char *value;
} Entry;

static Entry entries[4];
static size_t n_entries;
static const char FAKE = 'f'; /* what a result points to */

static bool pretends(void)
{
    return n_entries > 0;
}

static void pretend(const char *const *config)
{
    for (n_entries = 0; config && config[2 * n_entries]; n_entries++)
        entries[n_entries] = (Entry){config[2 * n_entries], config[2 * n_entries + 1]};
}

EXPORTED int32_t rd_kafka_controllerid(rd_kafka_t *rk, int timeout_ms)
{
    int32_t (*real)(rd_kafka_t *, int) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_controllerid");
    return pretends() ? 1 : real(rk, timeout_ms);
}

/* The event is that of another question, which the mock answers. */
EXPORTED void rd_kafka_DescribeConfigs(rd_kafka_t *rk, rd_kafka_ConfigResource_t **resources, size_t n,
                                       const rd_kafka_AdminOptions_t *options, rd_kafka_queue_t *queue)
{
    void (*real)(rd_kafka_t *, rd_kafka_ConfigResource_t **, size_t, const rd_kafka_AdminOptions_t *,
                 rd_kafka_queue_t *) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_DescribeConfigs");
    if (!pretends()) {
        real(rk, resources, n, options, queue);
        return;
    }
    rd_kafka_topic_partition_list_t *list = rd_kafka_topic_partition_list_new(1);
    rd_kafka_topic_partition_list_add(list, "out", 0);
    rd_kafka_ListConsumerGroupOffsets_t *question = rd_kafka_ListConsumerGroupOffsets_new("another", list);
    rd_kafka_ListConsumerGroupOffsets(rk, &question, 1, NULL, queue);
    rd_kafka_ListConsumerGroupOffsets_destroy(question);
    rd_kafka_topic_partition_list_destroy(list);
}

EXPORTED const rd_kafka_DescribeConfigs_result_t *rd_kafka_event_DescribeConfigs_result(rd_kafka_event_t *event)
{
    const rd_kafka_DescribeConfigs_result_t *(*real)(rd_kafka_event_t *) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_event_DescribeConfigs_result");
    return pretends() ? (const rd_kafka_DescribeConfigs_result_t *) &FAKE : real(event);
}

EXPORTED const rd_kafka_ConfigResource_t **
rd_kafka_DescribeConfigs_result_resources(const rd_kafka_DescribeConfigs_result_t *result, size_t *n)
{
    static const rd_kafka_ConfigResource_t *one[1] = {(const rd_kafka_ConfigResource_t *) &FAKE};
    const rd_kafka_ConfigResource_t **(*real)(const rd_kafka_DescribeConfigs_result_t *, size_t *) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_DescribeConfigs_result_resources");
    *n = 1;
    return pretends() ? one : real(result, n);
}

EXPORTED rd_kafka_resp_err_t rd_kafka_ConfigResource_error(const rd_kafka_ConfigResource_t *resource)
{
    rd_kafka_resp_err_t (*real)(const rd_kafka_ConfigResource_t *) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_ConfigResource_error");
    return pretends() ? RD_KAFKA_RESP_ERR_NO_ERROR : real(resource);
}

EXPORTED const rd_kafka_ConfigEntry_t **rd_kafka_ConfigResource_configs(const rd_kafka_ConfigResource_t *resource,
                                                                        size_t *n)
{
    static const rd_kafka_ConfigEntry_t *list[G_N_ELEMENTS(entries)];
    const rd_kafka_ConfigEntry_t **(*real)(const rd_kafka_ConfigResource_t *, size_t *) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_ConfigResource_configs");
    if (!pretends())
        return real(resource, n);
    for (size_t i = 0; i < n_entries; i++)
        list[i] = (const rd_kafka_ConfigEntry_t *) &entries[i];
    *n = n_entries;
    return list;
}

EXPORTED const char *rd_kafka_ConfigEntry_name(const rd_kafka_ConfigEntry_t *entry)
{
    const char *(*real)(const rd_kafka_ConfigEntry_t *) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_ConfigEntry_name");
    return pretends() ? ((const Entry *) entry)->name : real(entry);
}

EXPORTED const char *rd_kafka_ConfigEntry_value(const rd_kafka_ConfigEntry_t *entry)
{
    const char *(*real)(const rd_kafka_ConfigEntry_t *) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_ConfigEntry_value");
    return pretends() ? ((const Entry *) entry)->value : real(entry);
}

/* ---- rules of the topic ---- */

/* The broker refuses a request, for one of its records: the sink finds out which. */
static MockKafka *refusing(const char *const *config, rd_kafka_resp_err_t code)
{
    MockKafka *mock = mock_with("out", 1);
    mock_kafka_topic(mock, "other", 1);
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, code);
    pretend(config);
    return mock;
}

static void test_in_a_compacted_topic_rows_need_a_key(void)
{
    static const char *const config[] = {"cleanup.policy", "compact,delete", NULL};
    static const char *const rows[] = {"[\"a\", 1]", "[null, 2]", "[\"\", 3]"};
    g_autoptr(MockKafka) mock = refusing(config, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    g_autoptr(Harness) h = place_sink(mock, "key: k");
    harness_input_text(h, "rows", "k string, n int");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, G_N_ELEMENTS(rows)));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==,
                    "events/0@1: the record has no key, and topic 'out' is compacted (cleanup.policy)");
    assert_topic(mock, "out", 2, "0 a={\"k\":\"a\",\"n\":1}\n0 ={\"k\":\"\",\"n\":3}");
    pretend(NULL);
}

#define NOW_MS INT64_C(1705314600000) /* the harness's */

/* At each of the times; the rejects' offsets, joined by ' '. */
static char *rejected_times(const char *const *config, const gint64 *times, gsize n)
{
    g_autoptr(MockKafka) mock = refusing(config, RD_KAFKA_RESP_ERR_INVALID_TIMESTAMP);
    g_autoptr(Harness) h = place_sink(mock, "");
    g_autofree RawRow *rows = g_new0(RawRow, n);
    for (gsize i = 0; i < n; i++)
        rows[i] = (RawRow){.key = "k", .value = "v", .offset = (gint64) i, .timestamp_us = times[i] * 1000};
    harness_write(h, 0, harness_raw_rows(h, "events/0", rows, n));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    pretend(NULL);
    g_autoptr(GString) offsets = g_string_new(NULL);
    g_auto(GStrv) lines = g_strsplit(harness_rejects(h), "\n", -1);
    for (char **line = lines; *line && **line; line++) {
        g_assert_nonnull(strstr(*line, " ms, is outside of what topic 'out' takes"));
        g_string_append_printf(offsets, "%s%.1s", offsets->len ? " " : "", *line + strlen("events/0@"));
    }
    return g_string_free(g_steal_pointer(&offsets), FALSE);
}

static void assert_rejected_times(const char *const *config, const char *expected)
{
    static const gint64 times[] = {NOW_MS - 10001, NOW_MS - 10000, NOW_MS,
                                   NOW_MS + 5000,  NOW_MS + 5001,  NOW_MS + 10001};
    g_autofree char *found = rejected_times(config, times, G_N_ELEMENTS(times));
    g_assert_cmpstr(found, ==, expected);
}

static void test_a_topic_takes_times_within_its_bounds(void)
{
    static const char *const both[] = {
        "cleanup.policy", "delete", "message.timestamp.before.max.ms", "10000", "message.timestamp.after.max.ms",
        "5000",           NULL};
    static const char *const before[] = {"cleanup.policy",
                                         "delete",
                                         "message.timestamp.before.max.ms",
                                         "10000",
                                         "message.timestamp.difference.max.ms",
                                         "1",
                                         NULL};
    static const char *const after[] = {"cleanup.policy",
                                        "delete",
                                        "message.timestamp.after.max.ms",
                                        "5000",
                                        "message.timestamp.difference.max.ms",
                                        "1",
                                        NULL};
    static const char *const older[] = {"cleanup.policy", "delete", "message.timestamp.difference.max.ms", "10000",
                                        NULL};
    assert_rejected_times(both, "0 4 5");
    assert_rejected_times(before, "0");
    assert_rejected_times(after, "4 5");
    assert_rejected_times(older, "0 5"); /* brokers before 3.6: one bound for both */
}

/* Every time but the present one is refused. */
static void test_a_bound_may_be_none_at_all(void)
{
    static const char *const config[] = {"cleanup.policy",
                                         "delete",
                                         "message.timestamp.before.max.ms",
                                         "0",
                                         "message.timestamp.after.max.ms",
                                         "0",
                                         NULL};
    assert_rejected_times(config, "0 1 3 4 5");
}

static void test_rows_of_other_topics_are_not_judged_by_these_rules(void)
{
    static const char *const config[] = {"cleanup.policy", "compact", NULL};
    static const char *const rows[] = {"[null, \"other\"]", "[null, \"out\"]", "[null, null]", "[null, \"ou\"]"};
    g_autoptr(MockKafka) mock = refusing(config, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    mock_kafka_topic(mock, "ou", 1);
    g_autoptr(Harness) h = place_sink(mock, "key: k, topic_column: to");
    harness_input_text(h, "rows", "k string, to string");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, G_N_ELEMENTS(rows)));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpuint(harness_n_rejects(h), ==, 2);
    g_assert_true(g_str_has_prefix(harness_rejects(h), "events/0@1: the record has no key"));
    g_assert_nonnull(strstr(harness_rejects(h), "events/0@2: the record has no key"));
    pretend(NULL);
}

/* The broker has reasons of its own: then its word counts for all that it has refused together. */
static void test_where_no_rule_is_broken_the_brokers_word_counts(void)
{
    static const char *const config[] = {"cleanup.policy", "delete", NULL};
    static const char *const values[] = {"a", "b"}, *const more[] = {"c", "d"};
    g_autoptr(MockKafka) mock = refusing(config, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 2));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpuint(harness_n_rejects(h), ==, 2);
    g_assert_true(g_str_has_prefix(harness_rejects(h), "events/0@0: broker: "));
    /* for this transaction only */
    harness_forget(h);
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    harness_write(h, 0, harness_raw(h, "events/0", 2, more, 2));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==, "");
    assert_topic(mock, "out", 2, "0 null=c\n0 null=d");
    pretend(NULL);
}

/* ---- topics that are not there ---- */

static char *config_of(EmbeddedKafka *kafka, const char *topic, const char *name)
{
    char *value = NULL;
    rd_kafka_ConfigResource_t *resource = rd_kafka_ConfigResource_new(RD_KAFKA_RESOURCE_TOPIC, topic);
    rd_kafka_queue_t *queue = rd_kafka_queue_new(kafka->clients.rk);
    rd_kafka_DescribeConfigs(kafka->clients.rk, &resource, 1, NULL, queue);
    rd_kafka_event_t *event = rd_kafka_queue_poll(queue, 30000);
    g_assert_nonnull(event);
    size_t n = 0;
    const rd_kafka_ConfigResource_t **found =
        rd_kafka_DescribeConfigs_result_resources(rd_kafka_event_DescribeConfigs_result(event), &n);
    const rd_kafka_ConfigEntry_t **list = rd_kafka_ConfigResource_configs(found[0], &n);
    for (size_t i = 0; i < n; i++) {
        if (strcmp(rd_kafka_ConfigEntry_name(list[i]), name) == 0)
            value = g_strdup(rd_kafka_ConfigEntry_value(list[i]));
    }
    rd_kafka_event_destroy(event);
    rd_kafka_queue_destroy(queue);
    rd_kafka_ConfigResource_destroy(resource);
    return value;
}

/* -1: there is no such topic. */
static int partitions_of(EmbeddedKafka *kafka, const char *topic)
{
    const struct rd_kafka_metadata *metadata = NULL;
    int n = -1;
    g_assert_cmpint(rd_kafka_metadata(kafka->clients.rk, 1, NULL, &metadata, 30000), ==, RD_KAFKA_RESP_ERR_NO_ERROR);
    for (int i = 0; i < metadata->topic_cnt; i++) {
        if (strcmp(metadata->topics[i].topic, topic) == 0)
            n = metadata->topics[i].partition_cnt;
    }
    rd_kafka_metadata_destroy(metadata);
    return n;
}

static void assert_created(const char *options, int partitions)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(Harness) h = place_sink(&kafka->clients, options);
    harness_open(h);
    g_assert_nonnull(strstr(harness_logs(h), "info: created topic out"));
    g_assert_cmpint(partitions_of(kafka, "out"), ==, partitions);
}

static void assert_missing(const char *options, SfStatus status)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(Harness) h = place_sink(&kafka->clients, options);
    g_assert_cmpstr(sf_status_name(harness_try_open(h)), ==, sf_status_name(status));
    g_autofree char *expected =
        g_strdup_printf("topic 'out' does not exist on '%s'; create it: sfrun topics create out", kafka->address);
    g_assert_cmpstr(h->err.message, ==, expected);
    g_assert_cmpint(partitions_of(kafka, "out"), ==, -1);
}

static void test_a_topic_is_created_where_a_person_says_so(void)
{
    assert_created("partitions: 3", 3);
    assert_created("partitions: 1", 1);
    assert_created("replication_factor: 1", 1);
    assert_created("topic_config: {retention.ms: 60000}", 1);
    assert_created("create_topic: true", 1);
    assert_missing("", SF_RETRY);
    assert_missing("create_topic: false, partitions: 3", SF_RETRY);
    assert_missing("missing_topic: stop", SF_CONFIG);
}

static void test_a_created_topic_has_its_configuration(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(Harness) h = place_sink(&kafka->clients, "topic_config: {retention.ms: 60000, max.message.bytes: 3000}");
    harness_open(h);
    g_autofree char *retention = config_of(kafka, "out", "retention.ms");
    g_autofree char *limit = config_of(kafka, "out", "max.message.bytes");
    g_assert_cmpstr(retention, ==, "60000");
    g_assert_cmpstr(limit, ==, "3000");
}

static const char *const REJECTS = "value binary view, _step string not null, _error string not null";

static void test_the_topic_of_rejects_comes_with_the_first_one(void)
{
    static const char *const rows[] = {"[\"v\", \"sales\", \"is not a number\"]"};
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    embedded_kafka_topic(kafka, "sales", 3, NULL);
    g_autoptr(Harness) h = place_sink(&kafka->clients, "");
    harness_input_text(h, "sales.errors", REJECTS);
    harness_open(h);
    g_assert_nonnull(strstr(harness_logs(h), "topic out does not exist; it is created when the first reject comes"));
    harness_write(h, 0, harness_with_range(h, harness_rows(h, 0, "sales/2", 0, rows, 0), 0, 10));
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(partitions_of(kafka, "out"), ==, -1); /* a position of that topic needs none */
    harness_write(h, 0, harness_rows(h, 0, "sales/2", 10, rows, 1));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpint(partitions_of(kafka, "out"), ==, 1);
    /* without columns that say where it came from, the split does */
    assert_topic(&kafka->clients, "out", 1,
                 "0 null=v sf.error=is not a number sf.step=sales sf.topic=sales sf.partition=2");
}

static void test_other_inputs_make_no_topic(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(Harness) h = place_sink(&kafka->clients, "");
    harness_input_text(h, "rows", "n int");
    harness_input_text(h, "sales.errors", REJECTS);
    g_assert_cmpint(harness_try_open(h), ==, SF_RETRY);
    g_assert_nonnull(strstr(h->err.message, "topic 'out' does not exist"));
}

static void test_topics_that_rows_name_are_created_with_the_others(void)
{
    static const char *const rows[] = {"[\"new\", 1]", "[\"newer\", 2]", "[\"new\", 3]"};
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    g_autoptr(Harness) h = place_sink(&kafka->clients, "topic_column: to, partitions: 2");
    harness_input_text(h, "rows", "to string, n int");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, G_N_ELEMENTS(rows)));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==, "");
    g_assert_cmpint(partitions_of(kafka, "new"), ==, 2);
    g_assert_cmpint(partitions_of(kafka, "newer"), ==, 2);
}

/* A name that was not there is not asked for again with each row, but is when it has come. */
static void test_a_missing_name_is_asked_for_again_after_a_while(void)
{
    static const char *const rows[] = {"[\"late\"]", "[\"late\"]"};
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    embedded_kafka_topic(kafka, "out", 1, NULL);
    g_autoptr(Harness) h = place_sink(&kafka->clients, "topic_column: to");
    harness_input_text(h, "rows", "to string");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, 2));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==,
                    "events/0@0: to: topic 'late' does not exist\nevents/0@1: to: topic 'late' does not exist");
    embedded_kafka_topic(kafka, "late", 1, NULL);
    harness_forget(h);
    gint64 offset = 2, deadline = g_get_monotonic_time() + 60 * G_USEC_PER_SEC;
    do {
        harness_forget(h);
        harness_write(h, 0, harness_rows(h, 0, "events/0", offset++, rows, 1));
    } while (harness_n_rejects(h) > 0 && g_get_monotonic_time() < deadline);
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    assert_topic(&kafka->clients, "late", 1, "0 null={\"to\":\"late\"}");
}

/* ---- sizes ---- */

static void test_a_topics_limit_is_the_brokers(void)
{
    static const char *const limited[] = {"max.message.bytes", "2000", NULL};
    g_autofree char *large = g_strnfill(2500, 'x');
    g_autofree char *to_out = g_strdup_printf("[null, \"%s\"]", large);
    g_autofree char *to_wide = g_strdup_printf("[\"wide\", \"%s\"]", large);
    const char *rows[] = {"[null, \"a\"]", to_out, to_wide, "[\"wide\", \"b\"]"};
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    embedded_kafka_topic(kafka, "out", 1, limited);
    embedded_kafka_topic(kafka, "wide", 1, NULL);
    g_autoptr(Harness) h = place_sink(&kafka->clients, "topic_column: to, kafka: {compression.type: none}");
    harness_input_text(h, "rows", "to string, v string");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, G_N_ELEMENTS(rows)));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==,
                    "events/0@1: the record is larger than max.message.bytes of topic 'out', 2000");
    assert_topic(&kafka->clients, "out", 1, "0 null={\"to\":null,\"v\":\"a\"}");
    g_autofree char *wide =
        g_strdup_printf("0 null={\"to\":\"wide\",\"v\":\"%s\"}\n0 null={\"to\":\"wide\",\"v\":\"b\"}", large);
    assert_topic(&kafka->clients, "wide", 2, wide);
}

/* Cause, key and value are cut so that all of it fits, and no character is cut in two. */
static void test_a_reject_fills_what_its_topic_takes(void)
{
    enum { LIMIT = 1200 };
    static const char *const limited[] = {"max.message.bytes", G_STRINGIFY(1200), NULL};
    g_autofree char *key = g_strnfill(700, 'k');
    g_autoptr(GString) accents =
        g_string_new("x"); /* two bytes each behind it: every cut at an even place would halve one */
    for (int i = 0; i < 700; i++)
        g_string_append(accents, "é");
    g_autofree char *row = g_strdup_printf("[\"%s\", \"%s\", \"s\", \"%s\"]", key, accents->str, accents->str);
    const char *rows[] = {row};
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    embedded_kafka_topic(kafka, "out", 1, limited);
    embedded_kafka_topic(kafka, "sales", 1, NULL);
    g_autoptr(Harness) h = place_sink(&kafka->clients, "kafka: {compression.type: none}");
    harness_input_text(h, "sales.errors",
                       "key binary view, value binary view, _step string not null, _error string not null");
    harness_write(h, 0, harness_rows(h, 0, "sales/0", 0, rows, 1));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpstr(harness_rejects(h), ==, "");
    g_autofree char *found = mock_kafka_read(&kafka->clients, "out", 1);
    g_assert_true(g_utf8_validate(found, -1, NULL));
    g_assert_cmpuint(strlen(found), <=, LIMIT);
    g_assert_cmpuint(strlen(found), >, LIMIT - 200);
    g_auto(GStrv) parts = g_strsplit_set(found, " =", 0);
    g_assert_cmpuint(strlen(parts[1]), ==, LIMIT / 4);
    g_assert_nonnull(strstr(found, " sf.size=1401"));
    const char *cause = strstr(found, " sf.error=") + strlen(" sf.error=");
    g_assert_cmpuint(strcspn(cause, " "), ==, LIMIT / 4 - 1); /* 300 would be the middle of a character */
}

/* ---- headers ---- */

static void test_headers_may_be_empty_or_null(void)
{
    static const char *const rows[] = {
        "[\"v\", [{\"key\": \"a\", \"value\": null}, {\"key\": \"\", \"value\": \"\"}], 0]", "[\"w\", null, 1]"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_input_text(h, "rows",
                       "value binary view, headers list<struct<key string, value binary view>>, offset bigint");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, G_N_ELEMENTS(rows)));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    assert_topic(mock, "out", 2, "0 null=v a= =\n0 null=w");
}

static void test_large_numbers_are_keys(void)
{
    static const char *const rows[] = {"[5000000000]", "[-1]"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "key: id");
    harness_input_text(h, "rows", "id bigint");
    harness_write(h, 0, harness_rows(h, 0, "events/0", 0, rows, 2));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    assert_topic(mock, "out", 2, "0 5000000000={\"id\":5000000000}\n0 -1={\"id\":-1}");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-sink-topics/compacted", test_in_a_compacted_topic_rows_need_a_key);
    g_test_add_func("/kafka-sink-topics/times", test_a_topic_takes_times_within_its_bounds);
    g_test_add_func("/kafka-sink-topics/no-bounds", test_a_bound_may_be_none_at_all);
    g_test_add_func("/kafka-sink-topics/other-topics", test_rows_of_other_topics_are_not_judged_by_these_rules);
    g_test_add_func("/kafka-sink-topics/brokers-word", test_where_no_rule_is_broken_the_brokers_word_counts);
    g_test_add_func("/kafka-sink-topics/created", test_a_topic_is_created_where_a_person_says_so);
    g_test_add_func("/kafka-sink-topics/configuration", test_a_created_topic_has_its_configuration);
    g_test_add_func("/kafka-sink-topics/rejects", test_the_topic_of_rejects_comes_with_the_first_one);
    g_test_add_func("/kafka-sink-topics/other-inputs", test_other_inputs_make_no_topic);
    g_test_add_func("/kafka-sink-topics/named-by-rows", test_topics_that_rows_name_are_created_with_the_others);
    g_test_add_func("/kafka-sink-topics/named-and-missing", test_a_missing_name_is_asked_for_again_after_a_while);
    g_test_add_func("/kafka-sink-topics/limits", test_a_topics_limit_is_the_brokers);
    g_test_add_func("/kafka-sink-topics/rejects-are-cut", test_a_reject_fills_what_its_topic_takes);
    g_test_add_func("/kafka-sink-topics/headers", test_headers_may_be_empty_or_null);
    g_test_add_func("/kafka-sink-topics/keys", test_large_numbers_are_keys);
    return g_test_run();
}
