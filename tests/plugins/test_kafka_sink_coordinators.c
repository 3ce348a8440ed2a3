/* kafka-sink and coordinators of its transactions that freeze, on librdkafka's mock cluster: which of them, since when,
 * and that nothing is lost. */
#include "kafka_place.h"

#include <dlfcn.h>

#define EXPORTED __attribute__((visibility("default")))
#define END_TXN 26

static int aborts;
static int abort_ms; /* how long all of them together may take */

EXPORTED rd_kafka_error_t *rd_kafka_abort_transaction(rd_kafka_t *rk, int timeout_ms)
{
    rd_kafka_error_t *(*real)(rd_kafka_t *, int) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_abort_transaction");
    aborts++;
    abort_ms += timeout_ms;
    return real(rk, timeout_ms);
}

static void test_a_coordinator_that_is_frozen_is_named(void)
{
    static const char *const values[] = {"a"};
    g_auto(Apart) apart = apart_new();
    apart_freeze(&apart);
    harness_try_write(apart.h, 0, harness_raw(apart.h, "events/0", 0, values, 1));
    apart_assert_frozen(&apart, "does not start");
}

/* Records wait for the coordinator first, and their leader is innocent. */
static void freeze_before_records_go(Apart *apart)
{
    apart_write(apart, 0, "a");
    g_assert_cmpint(commit_insisting(apart->h), ==, SF_OK);
    apart_freeze(apart);
    apart_write(apart, 1, "b");
    harness_try_commit(apart->h, SF_COMMIT_CHECKPOINT);
    apart_assert_frozen(apart, "takes no records");
}

static void test_a_coordinator_that_freezes_before_records_go_is_named(void)
{
    g_auto(Apart) apart = apart_new();
    freeze_before_records_go(&apart);
    g_assert_cmpint(harness_committed(apart.h, 0, "events/0"), ==, 1);
}

static void freeze_before_the_end(Apart *apart)
{
    apart_write(apart, 0, "a");
    assert_topic(apart->mock, "out", 1, "0 null=a"); /* the mock shows what is not committed: it has come */
    apart_freeze(apart);
    harness_try_commit(apart->h, SF_COMMIT_CHECKPOINT);
}

static void test_a_coordinator_that_freezes_before_the_end_is_named(void)
{
    g_auto(Apart) apart = apart_new();
    freeze_before_the_end(&apart);
    apart_assert_frozen(&apart, "does not end");
    g_assert_cmpint(harness_committed(apart.h, 0, "events/0"), ==, SF_POSITION_NONE);
}

/* Another one takes over. librdkafka stays with the one that it knows, so another producer has to ask. */
static void test_a_coordinator_that_was_replaced_is_left(void)
{
    g_auto(Apart) apart = apart_new();
    freeze_before_records_go(&apart);
    rd_kafka_mock_coordinator_set(apart.mock->cluster, "transaction", apart.id, 1);
    g_assert_cmpint(commit_insisting(apart.h), ==, SF_OK);
    g_assert_cmpint(harness_committed(apart.h, 0, "events/0"), ==, 2);
    assert_topic(apart.mock, "out", 2, "0 null=a\n0 null=b");
}

/* Each lane's transaction is aborted; the first that waits in vain tells the others not to. */
static void test_frozen_brokers_hold_no_stop_up(void)
{
    enum { LANES = 6 };
    static const char *const values[] = {"a"};
    Apart apart = apart_new();
    mock_kafka_topic(apart.mock, "more", LANES);
    for (gint64 offset = 0; offset < 2; offset++) {
        for (int i = 0; i < LANES; i++) {
            g_autofree char *split = g_strdup_printf("more/%d", i);
            harness_write(apart.h, 0, harness_raw(apart.h, split, offset, values, 1));
        }
        rd_kafka_mock_broker_set_rtt(apart.mock->cluster, 1, 120000);
        apart_freeze(&apart);
    }
    aborts = abort_ms = 0;
    apart_done(&apart);
    g_assert_cmpint(aborts, ==, LANES);
    g_assert_cmpint(abort_ms, <=, 2000);
}

/* As a coordinator does whose markers do not get to a partition without a leader. */
static void test_a_coordinator_that_does_not_finish_is_named(void)
{
    g_auto(Apart) apart = apart_new();
    for (int i = 0; i < 2000; i++)
        rd_kafka_mock_push_request_errors(apart.mock->cluster, END_TXN, 1, RD_KAFKA_RESP_ERR_CONCURRENT_TRANSACTIONS);
    apart_write(&apart, 0, "a");
    harness_try_commit(apart.h, SF_COMMIT_CHECKPOINT);
    apart_assert_named(&apart,
                       "does not end" ITS_COORDINATOR
                       "answers, but has not finished for [0-9]+ s; check that all brokers are up, for it waits "
                       "for those that lead the transaction's partitions");
    rd_kafka_mock_clear_request_errors(apart.mock->cluster, END_TXN);
    g_assert_cmpint(commit_insisting(apart.h), ==, SF_OK);
    assert_topic(apart.mock, "out", 1, "0 null=a");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-sink-coordinators/frozen", test_a_coordinator_that_is_frozen_is_named);
    g_test_add_func("/kafka-sink-coordinators/frozen-before-records",
                    test_a_coordinator_that_freezes_before_records_go_is_named);
    g_test_add_func("/kafka-sink-coordinators/frozen-before-the-end",
                    test_a_coordinator_that_freezes_before_the_end_is_named);
    g_test_add_func("/kafka-sink-coordinators/replaced", test_a_coordinator_that_was_replaced_is_left);
    g_test_add_func("/kafka-sink-coordinators/stop", test_frozen_brokers_hold_no_stop_up);
    g_test_add_func("/kafka-sink-coordinators/unfinished", test_a_coordinator_that_does_not_finish_is_named);
    return g_test_run();
}
