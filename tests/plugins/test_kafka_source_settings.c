/* What kafka-source sets of its client: by options, memory, tasks, and what the user says under `kafka`. Nothing is
 * connected to: what it sets is noted on its way to librdkafka. */
#include "harness.h"

#include <dlfcn.h>
#include <librdkafka/rdkafka.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

static GHashTable *noted; /* property → its last value */

EXPORTED rd_kafka_conf_res_t rd_kafka_conf_set(rd_kafka_conf_t *conf, const char *name, const char *value, char *reason,
                                               size_t size)
{
    rd_kafka_conf_res_t (*real)(rd_kafka_conf_t *, const char *, const char *, char *, size_t) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_conf_set");
    if (noted)
        g_hash_table_insert(noted, g_strdup(name), g_strdup(value));
    return real(conf, name, value, reason, size);
}

typedef struct Given {
    const char *options;
    guint task;
    guint tasks; /* 0: one */
    gint64 memory;
    bool bounded;
} Given;

/* expected is name, value, …, NULL; a value NULL: it is not set. */
static void assert_set(Given given, const char *const *expected)
{
    g_autofree char *options =
        g_strdup_printf("{brokers: '127.0.0.1:1', topics: [t]%s%s}", *given.options ? ", " : "", given.options);
    g_autoptr(Harness) h = harness_new("kafka-source", options);
    g_assert_cmpint(harness_try_bind(h), ==, SF_OK);
    h->node->task = given.task;
    h->node->tasks = MAX(given.tasks, 1);
    h->bounded = h->node->bounded = given.bounded;
    h->memory = given.memory ? given.memory : INT64_MAX;
    noted = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    harness_open(h);
    for (gsize i = 0; expected[i]; i += 2) {
        const char *value = g_hash_table_lookup(noted, expected[i]);
        if (g_strcmp0(value, expected[i + 1]) != 0)
            g_error("{%s}: %s is %s, not %s", given.options, expected[i], value, expected[i + 1]);
    }
    g_clear_pointer(&noted, g_hash_table_unref);
}

#define SET(...) ((const char *const[]){__VA_ARGS__, NULL})

static void test_a_killed_members_session_is_short(void)
{
    assert_set((Given){""}, SET("session.timeout.ms", "10000", "heartbeat.interval.ms", "3000"));
    assert_set((Given){"kafka: {session.timeout.ms: 1500}"},
               SET("session.timeout.ms", "1500", "heartbeat.interval.ms", "500"));
    assert_set((Given){"kafka: {session.timeout.ms: 60000}"},
               SET("session.timeout.ms", "60000", "heartbeat.interval.ms", "3000"));
    assert_set((Given){"kafka: {heartbeat.interval.ms: 5000}"},
               SET("session.timeout.ms", "15000", "heartbeat.interval.ms", "5000"));
    assert_set((Given){"kafka: {heartbeat.interval.ms: 1000}"},
               SET("session.timeout.ms", "10000", "heartbeat.interval.ms", "1000"));
    assert_set((Given){"kafka: {session.timeout.ms: 2}"}, SET("heartbeat.interval.ms", "1"));
}

static void test_a_static_member_has_a_name_for_each_task(void)
{
    assert_set((Given){"kafka: {group.instance.id: me}"}, SET("group.instance.id", "me"));
    assert_set((Given){"kafka: {group.instance.id: me}", .task = 1, .tasks = 2}, SET("group.instance.id", "me-1"));
    assert_set((Given){"kafka: {group.instance.id: me}", .task = 11, .tasks = 12}, SET("group.instance.id", "me-11"));
    assert_set((Given){"", .task = 1, .tasks = 2}, SET("group.instance.id", NULL));
}

/* Half of the bytes, and half of these again by messages of 400 bytes beside them. */
static void test_what_is_fetched_ahead_is_bounded(void)
{
    assert_set((Given){"prefetch: 8MiB"}, SET("queued.max.messages.kbytes", "8192", "queued.min.messages", "10485"));
    assert_set((Given){"prefetch: 8MiB", .memory = 16 << 20}, /* a quarter of the pipeline's memory at most */
               SET("queued.max.messages.kbytes", "4096", "queued.min.messages", "5242"));
    assert_set((Given){"prefetch: 8MiB", .tasks = 4}, /* 8 MiB and an answer of 512 KiB, shared out */
               SET("queued.max.messages.kbytes", "1952", "queued.min.messages", "2498", "fetch.max.bytes", "131072"));
    assert_set((Given){"prefetch: 1MiB", .tasks = 16}, /* a task has 128 KiB at least */
               SET("queued.max.messages.kbytes", "128", "fetch.max.bytes", "65536"));
}

static void test_one_answer_is_as_large_as_the_user_allows(void)
{
    assert_set((Given){""}, SET("fetch.max.bytes", "524288", "message.max.bytes", "524288"));
    assert_set((Given){"kafka: {message.max.bytes: 9000000}"},
               SET("fetch.max.bytes", "9000000", "message.max.bytes", "9000000"));
    assert_set((Given){"kafka: {message.max.bytes: 2000, receive.message.max.bytes: 100000}"},
               SET("fetch.max.bytes", "99488", "message.max.bytes", "2000"));
}

static void test_an_end_is_seen_soon_where_it_is_the_end(void)
{
    assert_set((Given){""}, SET("fetch.wait.max.ms", "500", "enable.partition.eof", "true"));
    assert_set((Given){"", .bounded = true}, SET("fetch.wait.max.ms", "50"));
}

static void test_what_is_charged_is_what_the_queue_may_hold(void)
{
    g_autoptr(Harness) h = harness_new("kafka-source", "{brokers: '127.0.0.1:1', topics: [t], prefetch: 8MiB}");
    h->memory = INT64_MAX;
    harness_open(h);
    g_assert_cmpint(h->charged, ==, (8 << 20) + 10485 * 400);
    g_assert_cmpint(h->patience_ms, ==, 10000); /* a session, in which the others wait for this member */
    g_autoptr(Harness) quick =
        harness_new("kafka-source", "{brokers: '127.0.0.1:1', topics: [t], kafka: {session.timeout.ms: 1500}}");
    harness_open(quick);
    g_assert_cmpint(quick->patience_ms, ==, 5000);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_message("librdkafka %s", rd_kafka_version_str()); /* so that it is linked, and there to be asked */
    g_test_add_func("/kafka-source-settings/sessions", test_a_killed_members_session_is_short);
    g_test_add_func("/kafka-source-settings/static-members", test_a_static_member_has_a_name_for_each_task);
    g_test_add_func("/kafka-source-settings/prefetch", test_what_is_fetched_ahead_is_bounded);
    g_test_add_func("/kafka-source-settings/answers", test_one_answer_is_as_large_as_the_user_allows);
    g_test_add_func("/kafka-source-settings/ends", test_an_end_is_seen_soon_where_it_is_the_end);
    g_test_add_func("/kafka-source-settings/charged", test_what_is_charged_is_what_the_queue_may_hold);
    return g_test_run();
}
