/* kafka-sink and a commit of which nobody has told how it ended, for its coordinator has frozen: nothing is lost or
 * doubled, and the group's offset decides whose it was. */
#include "kafka_place.h"

#include <dlfcn.h>
#include <string.h>

#define EXPORTED __attribute__((visibility("default")))

/* Its coordinator freezes as soon as a commit has been asked for. */
static Apart *freezing;
static gint64 commit_asked_us;

EXPORTED rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *rk, int timeout_ms)
{
    rd_kafka_error_t *(*real)(rd_kafka_t *, int) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_commit_transaction");
    if (freezing) {
        apart_freeze(freezing);
        commit_asked_us = commit_asked_us ? commit_asked_us : g_get_monotonic_time();
    }
    return real(rk, timeout_ms);
}

/* The commit has been asked for; then its coordinator froze for so long that another one took over. */
static Apart undecided_new(void)
{
    Apart apart = apart_new();
    apart_write(&apart, 0, "a");
    freezing = &apart;
    commit_asked_us = 0;
    while (commit_asked_us == 0 || g_get_monotonic_time() - commit_asked_us < 16 * G_USEC_PER_SEC) {
        harness_try_commit(apart.h, SF_COMMIT_CHECKPOINT);
        apart_assert_frozen(&apart, "does not end");
    }
    freezing = NULL;
    rd_kafka_mock_coordinator_set(apart.mock->cluster, "transaction", apart.id, 1);
    return apart;
}

/* The other one has found it decided, and finished it: the group's offset says so (the mock drops those of
 * transactions, so it is set here). What was written meanwhile comes behind it. */
static void test_a_commit_that_another_coordinator_finishes_is_ours(void)
{
    g_auto(Apart) apart = undecided_new();
    mock_kafka_group_set(apart.mock, apart.group, "events", 0, 1, "events/0");
    apart_write(&apart, 1, "b");
    g_assert_cmpint(harness_committed(apart.h, 0, "events/0"), ==, 1);
    g_assert_cmpint(commit_insisting(apart.h), ==, SF_OK);
    g_assert_cmpint(harness_committed(apart.h, 0, "events/0"), ==, 2);
    g_assert_nonnull(strstr(harness_logs(apart.h), "was committed, though its coordinator had not answered"));
    assert_topic(apart.mock, "out", 2, "0 null=a\n0 null=b");
}

/* Or has not, and aborted it: then it is made again (the mock shows the aborted record, too). */
static void test_a_commit_that_was_lost_is_made_again(void)
{
    g_auto(Apart) apart = undecided_new();
    g_assert_cmpint(commit_insisting(apart.h), ==, SF_OK);
    g_assert_cmpint(harness_committed(apart.h, 0, "events/0"), ==, 1);
    g_assert_null(strstr(harness_logs(apart.h), "was committed"));
    assert_topic(apart.mock, "out", 2, "0 null=a\n0 null=a");
}

/* And where the group stands elsewhere, somebody else has brought it there. */
static void test_after_an_undecided_commit_another_process_is_still_seen(void)
{
    g_auto(Apart) apart = undecided_new();
    mock_kafka_group_set(apart.mock, apart.group, "events", 0, 7, "events/0");
    g_assert_cmpint(commit_insisting(apart.h), ==, SF_FENCED);
    g_assert_nonnull(strstr(apart.h->err.message, "another process has taken 'events/0' over"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-sink-undecided/finished-by-another",
                    test_a_commit_that_another_coordinator_finishes_is_ours);
    g_test_add_func("/kafka-sink-undecided/lost", test_a_commit_that_was_lost_is_made_again);
    g_test_add_func("/kafka-sink-undecided/another-process",
                    test_after_an_undecided_commit_another_process_is_still_seen);
    return g_test_run();
}
