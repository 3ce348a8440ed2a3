/* kafka-source's start: each step of it fails in turn, nothing is left of those before, and the next try reads. What
 * fails stands here in the place of the library's own, which the plugin's calls find first. */
#include "embedded_kafka.h"
#include "harness.h"

#include <dirent.h>
#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <sys/eventfd.h>

#define EXPORTED __attribute__((visibility("default")))

typedef enum Failing { NOTHING, EVENTFD, CLIENT, SUBSCRIBE } Failing;
static Failing failing;

EXPORTED int eventfd(unsigned int count, int flags)
{
    int (*real)(unsigned int, int) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "eventfd");
    if (failing != EVENTFD)
        return real(count, flags);
    errno = EMFILE;
    return -1;
}

EXPORTED rd_kafka_t *rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *reason, size_t size)
{
    rd_kafka_t *(*real)(rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_new");
    if (failing != CLIENT)
        return real(type, conf, reason, size);
    g_snprintf(reason, size, "Failed to create thread");
    errno = EAGAIN;
    return NULL;
}

EXPORTED rd_kafka_resp_err_t rd_kafka_subscribe(rd_kafka_t *rk, const rd_kafka_topic_partition_list_t *topics)
{
    rd_kafka_resp_err_t (*real)(rd_kafka_t *, const rd_kafka_topic_partition_list_t *) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_subscribe");
    return failing == SUBSCRIBE ? RD_KAFKA_RESP_ERR__FAIL : real(rk, topics);
}

static int entries(const char *directory)
{
    DIR *dir = opendir(directory);
    int n = 0;
    while (dir && readdir(dir))
        n++;
    closedir(dir);
    return n;
}

static void assert_undone(Failing step, const char *message)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_kafka_new();
    embedded_kafka_topic(kafka, "t", 1, NULL);
    mock_kafka_fill(&kafka->clients, "t", 0, "value ", 3);
    g_autofree char *options = g_strdup_printf("{brokers: '%s', topics: [t]}", kafka->address);
    g_autoptr(Harness) h = harness_new("kafka-source", options);
    h->bounded = true;
    int threads = 0, charged = (int) h->charged;
    failing = step;
    for (int i = 0; i < 5; i++) {
        g_assert_cmpint(harness_try_open(h), ==, SF_RETRY);
        g_assert_nonnull(strstr(h->err.message, message));
        threads = i == 0 ? entries("/proc/self/task") : threads;
        g_assert_cmpint((int) h->charged, ==, charged);
    }
    g_assert_cmpint(entries("/proc/self/task"), <=, threads + 2); /* a client has four; one may still be ending */
    failing = NOTHING;
    g_autoptr(GPtrArray) batches = harness_poll_rows(h, G_MAXINT64);
    g_assert_cmpint(harness_polled(h, "t/0"), ==, 3);
}

static void test_a_start_that_fails_leaves_nothing(void)
{
    assert_undone(EVENTFD, "no file descriptor left");
    assert_undone(CLIENT, "no further Kafka client can be started");
    assert_undone(SUBSCRIBE, "subscribing");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-open/fails-in-turn", test_a_start_that_fails_leaves_nothing);
    return g_test_run();
}
