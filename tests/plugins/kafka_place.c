/* See kafka_place.h. */
#include "kafka_place.h"

#define PATIENCE_S 120

Harness *place_sink(const MockKafka *cluster, const char *more)
{
    g_autofree char *options =
        g_strdup_printf("{brokers: '%s', topic: out%s%s}", cluster->brokers, *more ? ", " : "", more);
    return harness_new("kafka-sink", options);
}

SfStatus commit_insisting(Harness *h)
{
    gint64 deadline = g_get_monotonic_time() + PATIENCE_S * G_USEC_PER_SEC;
    SfStatus status;
    while ((status = harness_try_commit(h, SF_COMMIT_END)) == SF_RETRY)
        g_assert_cmpint(g_get_monotonic_time(), <, deadline);
    return status;
}

char *group_of(const Harness *h, const char *input)
{
    return g_strdup_printf("%s.%s.%s", h->node->pipeline, h->node->step, input);
}

MockKafka *mock_with(const char *topic, int partitions)
{
    MockKafka *mock = mock_kafka_new();
    mock_kafka_topic(mock, topic, partitions);
    return mock;
}

void assert_topic(MockKafka *cluster, const char *topic, int n, const char *expected)
{
    g_autofree char *found = mock_kafka_read(cluster, topic, n);
    g_assert_cmpstr(found, ==, expected);
}

Apart apart_new(void)
{
    Apart apart = {.mock = mock_kafka_of(2)};
    mock_kafka_topic(apart.mock, "out", 1);
    mock_kafka_topic(apart.mock, "events", 1);
    rd_kafka_mock_partition_set_leader(apart.mock->cluster, "out", 0, 1);
    apart.h = place_sink(apart.mock, "");
    harness_open(apart.h);
    apart.group = group_of(apart.h, "events");
    apart.id = g_strdup_printf("%s.%s.events/0", apart.h->node->pipeline, apart.h->node->step);
    rd_kafka_mock_coordinator_set(apart.mock->cluster, "group", apart.group, 1);
    rd_kafka_mock_coordinator_set(apart.mock->cluster, "transaction", apart.id, 2);
    g_assert_cmpint(harness_recover(apart.h, 0, "events/0"), ==, SF_POSITION_NONE);
    return apart;
}

void apart_done(Apart *apart)
{
    harness_free(apart->h);
    mock_kafka_free(apart->mock);
    g_free(apart->group);
    g_free(apart->id);
}

void apart_write(Apart *apart, gint64 offset, const char *value)
{
    harness_write(apart->h, 0, harness_raw(apart->h, "events/0", offset, &value, 1));
}

/* The mock holds back all answers that it owes. */
void apart_freeze(Apart *apart)
{
    rd_kafka_mock_broker_set_rtt(apart->mock->cluster, 2, 120000);
}

void apart_assert_named(const Apart *apart, const char *rest)
{
    g_autofree char *expected = g_strdup_printf("^transaction '%s' %s$", apart->id, rest);
    g_assert_cmpstr(sf_status_name(apart->h->status), ==, "retry");
    if (!g_regex_match_simple(expected, apart->h->err.message, 0, 0))
        g_error("%s\nexpected: %s", apart->h->err.message, expected);
}

void apart_assert_frozen(const Apart *apart, const char *what)
{
    g_autofree char *rest = g_strconcat(what, ITS_COORDINATOR,
                                        "has not answered for [0-9]+ s; restart that broker, or wait "
                                        "until another one takes its place",
                                        NULL);
    apart_assert_named(apart, rest);
}
