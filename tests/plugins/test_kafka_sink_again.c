/* kafka-sink's transactions where something comes between: age, interrupts, other owners, producers that cannot start.
 * On the broker of `sfrun broker`, whose transactions are real, and on librdkafka's mock cluster. */
#include "embedded_kafka.h"
#include "kafka_place.h"

#include <dlfcn.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#define EXPORTED __attribute__((visibility("default")))
#define PRODUCE 0

static gint64 skipped_us; /* of time that has not passed */

EXPORTED gint64 g_get_monotonic_time(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (gint64) now.tv_sec * G_USEC_PER_SEC + now.tv_nsec / 1000 + skipped_us;
}

/* So many producers cannot start from now on. */
static int failing;

EXPORTED rd_kafka_t *rd_kafka_new(rd_kafka_type_t type, rd_kafka_conf_t *conf, char *reason, size_t size)
{
    rd_kafka_t *(*real)(rd_kafka_type_t, rd_kafka_conf_t *, char *, size_t) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_new");
    if (failing == 0 || type != RD_KAFKA_PRODUCER)
        return real(type, conf, reason, size);
    failing--;
    g_snprintf(reason, size, "Failed to create thread");
    errno = EAGAIN;
    return NULL;
}

/* So many commits get no answer, though they are carried out. */
static int unanswered;
/* So many are carried out, and librdkafka, which gave the transaction up meanwhile, wants it to be aborted. */
static int given_up;

EXPORTED rd_kafka_error_t *rd_kafka_commit_transaction(rd_kafka_t *rk, int timeout_ms)
{
    rd_kafka_error_t *(*real)(rd_kafka_t *, int) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_commit_transaction");
    if (given_up > 0)
        g_assert_null(real(rk, timeout_ms));
    else if (unanswered == 0)
        return real(rk, timeout_ms);
    else
        unanswered--;
    return rd_kafka_error_new(RD_KAFKA_RESP_ERR__TIMED_OUT, "no answer");
}

EXPORTED int rd_kafka_error_txn_requires_abort(const rd_kafka_error_t *error)
{
    int (*real)(const rd_kafka_error_t *) = NULL;
    *(void **) &real = dlsym(RTLD_NEXT, "rd_kafka_error_txn_requires_abort");
    if (given_up == 0)
        return real(error);
    given_up--;
    return 1;
}

static EmbeddedKafka *embedded_of_out(void)
{
    EmbeddedKafka *kafka = embedded_kafka_new();
    embedded_kafka_topic(kafka, "out", 1, NULL);
    embedded_kafka_topic(kafka, "events", 2, NULL);
    return kafka;
}

static void write_value(Harness *h, const char *split, gint64 offset, const char *value)
{
    harness_write(h, 0, harness_raw(h, split, offset, &value, 1));
}

/* The broker would end it, by an abort. */
static void test_a_tick_ends_an_old_transaction(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_of_out();
    g_autoptr(Harness) h = place_sink(&kafka->clients, "");
    write_value(h, "events/0", 0, "a");
    skipped_us += 19 * G_USEC_PER_SEC;
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, SF_POSITION_NONE);
    skipped_us += 2 * G_USEC_PER_SEC;
    harness_tick(h);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 1);
    skipped_us = 0;
}

static void test_rows_and_their_end_are_one_act(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_of_out();
    g_autoptr(Harness) h = place_sink(&kafka->clients, "");
    write_value(h, "events/0", 0, "a");
    write_value(h, "events/1", 0, "b");
    harness_commit(h, SF_COMMIT_END);
    write_value(h, "events/0", 1, "lost");
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 1);
    g_assert_cmpint(harness_recover(h, 0, "events/1"), ==, 1);
    write_value(h, "events/0", 1, "c");
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *group = group_of(h, "events");
    g_assert_cmpint(mock_kafka_group(&kafka->clients, group, "events", 0), ==, 2);
    g_assert_cmpint(mock_kafka_group(&kafka->clients, group, "events", 1), ==, 1);
    assert_topic(&kafka->clients, "out", 3, "0 null=a\n0 null=b\n0 null=c");
}

/* Readers of committed records get no further than the first transaction that is open. */
static void test_what_is_given_up_holds_no_reader_back(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_of_out();
    g_autoptr(Harness) h = place_sink(&kafka->clients, "");
    write_value(h, "events/0", 0, "given up");
    h->settle_answer = SF_RETRY; /* the broker has taken the row, and nothing was committed */
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    h->settle_answer = SF_OK;
    harness_reopen(h);
    write_value(h, "events/1", 0, "b");
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    assert_topic(&kafka->clients, "out", 1, "0 null=b");
}

/* A process that was killed, or is frozen, has left its transaction open. */
static void test_what_a_former_owner_has_begun_is_ended(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_of_out();
    g_autoptr(Harness) former = place_sink(&kafka->clients, "");
    g_autoptr(Harness) h = place_sink(&kafka->clients, "");
    write_value(former, "events/0", 0, "former");
    unanswered = 1; /* its offsets are there, and hold the position back */
    g_assert_cmpint(harness_try_commit(former, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, SF_POSITION_NONE);
    write_value(h, "events/0", 0, "now");
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpstr(sf_status_name(commit_insisting(former)), ==, "fenced");
    assert_topic(&kafka->clients, "out", 1, "0 null=now");
}

/* The range without rows is not part of the commit that is still asked for. */
static void test_what_comes_while_a_commit_is_asked_for_waits_for_it(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_of_out();
    g_autoptr(Harness) h = place_sink(&kafka->clients, "");
    write_value(h, "events/0", 0, "a");
    unanswered = 1;
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, SF_POSITION_NONE);
    harness_write(h, 0, harness_with_range(h, harness_raw(h, "events/0", 1, NULL, 0), 1, 9));
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 1);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 9);
    g_autofree char *group = group_of(h, "events"), *seen = group_of(h, "events.seen");
    g_assert_cmpint(mock_kafka_group(&kafka->clients, group, "events", 0), ==, 1);
    g_assert_cmpint(mock_kafka_group(&kafka->clients, seen, "events", 0), ==, 9);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 9);
}

/* The group's offset tells that it is ours, and not another process's. */
static void test_a_commit_that_was_given_up_may_have_come_about(void)
{
    g_autoptr(EmbeddedKafka) kafka = embedded_of_out();
    g_autoptr(Harness) h = place_sink(&kafka->clients, "");
    write_value(h, "events/0", 0, "a");
    given_up = 1;
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_cmpint(given_up, ==, 0);
    g_assert_cmpstr(sf_status_name(commit_insisting(h)), ==, "ok");
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 1);
    write_value(h, "events/0", 1, "b");
    harness_commit(h, SF_COMMIT_END);
    assert_topic(&kafka->clients, "out", 2, "0 null=a\n0 null=b");
}

/* Rows are kept for the producer that could not start; when their split comes back they come again by themselves. */
static void test_rows_of_a_producer_that_cannot_start_are_forgotten_with_their_split(void)
{
    static const char *const values[] = {"a", "b"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 2));
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    failing = 1;
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_nonnull(strstr(h->err.message, "no further Kafka client can be started"));
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, SF_POSITION_NONE);
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 2));
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    assert_topic(mock, "out", 2, "0 null=a\n0 null=b");
    assert_topic(mock, "out", 2, "0 null=a\n0 null=b"); /* and no others behind them */
    g_assert_cmpint(harness_committed(h, 0, "events/0"), ==, 2);
}

/* Or they go with the next producer, where the split stays. */
static void test_a_producer_that_cannot_start_is_tried_again(void)
{
    static const char *const values[] = {"a", "b"};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_write(h, 0, harness_raw(h, "events/0", 0, values, 2));
    rd_kafka_mock_push_request_errors(mock->cluster, PRODUCE, 1, RD_KAFKA_RESP_ERR_INVALID_RECORD);
    failing = 2;
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    g_assert_cmpint(failing, ==, 0);
    g_assert_cmpstr(harness_rejects(h), ==, "");
    assert_topic(mock, "out", 2, "0 null=a\n0 null=b");
}

static void test_a_wait_is_interrupted(void)
{
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    g_autoptr(Harness) h = place_sink(mock, "delivery: at-least-once");
    write_value(h, "gen/0", 0, "a");
    g_assert_cmpint(commit_insisting(h), ==, SF_OK);
    rd_kafka_mock_broker_set_rtt(mock->cluster, 1, 60000);
    write_value(h, "gen/0", 1, "b");
    harness_interrupt_after(h, 300);
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_cmpstr(h->err.message, ==, "interrupted");
    rd_kafka_mock_broker_set_rtt(mock->cluster, 1, 0);
}

static void test_splits_of_one_topic_share_a_group_and_keep_their_ends(void)
{
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "events", 3);
    g_autoptr(Harness) h = place_sink(mock, "delivery: at-least-once");
    write_value(h, "events/0", 0, "a");
    write_value(h, "events/1", 4, "b");
    g_assert_cmpint(harness_recover(h, 0, "events/2"), ==, SF_POSITION_NONE);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 1);
    g_assert_cmpint(harness_recover(h, 0, "events/1"), ==, 5);
    g_assert_cmpint(harness_recover(h, 0, "events/2"), ==, SF_POSITION_NONE);
}

/* What the group has at the split's place belongs to it where its note is the split's name. */
static void test_an_offset_is_the_splits_by_its_note(void)
{
    static const char *const notes[] = {"events/9", "events/0@2", "events/", ""};
    g_autoptr(MockKafka) mock = mock_with("out", 1);
    mock_kafka_topic(mock, "events", 1);
    g_autoptr(Harness) h = place_sink(mock, "");
    harness_open(h);
    g_autofree char *group = group_of(h, "events");
    for (gsize i = 0; i < G_N_ELEMENTS(notes); i++) {
        mock_kafka_group_set(mock, group, "events", 0, 7, notes[i]);
        g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, SF_POSITION_NONE);
    }
    mock_kafka_group_set(mock, group, "events", 0, 0, "events/0");
    g_assert_cmpint(harness_recover(h, 0, "events/0"), ==, 0);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/kafka-sink-again/old", test_a_tick_ends_an_old_transaction);
    g_test_add_func("/kafka-sink-again/one-act", test_rows_and_their_end_are_one_act);
    g_test_add_func("/kafka-sink-again/given-up", test_what_is_given_up_holds_no_reader_back);
    g_test_add_func("/kafka-sink-again/former-owner", test_what_a_former_owner_has_begun_is_ended);
    g_test_add_func("/kafka-sink-again/asked-for", test_what_comes_while_a_commit_is_asked_for_waits_for_it);
    g_test_add_func("/kafka-sink-again/given-up-commit", test_a_commit_that_was_given_up_may_have_come_about);
    g_test_add_func("/kafka-sink-again/cannot-start",
                    test_rows_of_a_producer_that_cannot_start_are_forgotten_with_their_split);
    g_test_add_func("/kafka-sink-again/started-again", test_a_producer_that_cannot_start_is_tried_again);
    g_test_add_func("/kafka-sink-again/interrupted", test_a_wait_is_interrupted);
    g_test_add_func("/kafka-sink-again/one-group", test_splits_of_one_topic_share_a_group_and_keep_their_ends);
    g_test_add_func("/kafka-sink-again/notes", test_an_offset_is_the_splits_by_its_note);
    return g_test_run();
}
