/* The store: what survives, and transactions that a crash has cut short. */
#include "batches.h"
#include "broker.h"

#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static Broker *open_at(const char *place)
{
    g_autofree char *problem = NULL;
    Broker *broker = store_open(place, &problem);
    g_assert_cmpstr(problem, ==, NULL);
    return broker;
}

static Broker *reopen(Broker *broker, const char *place)
{
    store_close(broker);
    return open_at(place);
}

static Producer *start(Broker *broker, const char *id)
{
    Producer *producer = NULL;
    g_assert_cmpint(producers_start(broker, id, 60000, -1, -1, &producer), ==, CODE_OK);
    return producer;
}

static void write_in(Broker *broker, Producer *producer, const char *topic, gint32 number)
{
    gint64 base = -1;
    Partition *partition = store_partition(broker, topic, number);
    producers_join(producer, partition);
    g_assert_cmpint(batch_append(partition->log,
                                 (Made){producer->number, producer->epoch, .transactional = true, .records = 1}, &base),
                    ==, CODE_OK);
}

static void promise(Producer *producer, gint64 offset)
{
    g_ptr_array_add(producer->pending, pending_new("group", "t", 0, offset, "note"));
}

static gint64 position(const Broker *broker)
{
    const Position *found = offsets_find(broker, "group", "t", 0);
    return found ? found->offset : -1;
}

static void test_all_that_was_told_is_kept(void)
{
    g_autofree char *place = batch_place();
    Broker *broker = open_at(place);
    GHashTable *config = g_hash_table_new_full(g_str_hash, g_str_equal, g_free, g_free);
    g_hash_table_insert(config, g_strdup("max.message.bytes"), g_strdup("5000"));
    g_assert_cmpint(store_create(broker, "t", 3, config), ==, CODE_OK);
    g_hash_table_unref(config);
    g_assert_cmpint(store_create(broker, "t", 3, NULL), ==, CODE_TOPIC_EXISTS);
    g_assert_cmpint(store_create(broker, "gone", 1, NULL), ==, CODE_OK);
    g_assert_cmpint(store_extend(broker, store_topic(broker, "t"), 5), ==, CODE_OK);
    store_delete(broker, "gone");
    Producer *producer = start(broker, "id");
    write_in(broker, producer, "t", 4);
    promise(producer, 41);
    g_assert_cmpint(producers_end(broker, producer, true), ==, CODE_OK);
    gint64 number = producer->number;
    for (int i = 0; i < 2; i++) { /* the second time from a journal that was written anew */
        broker = reopen(broker, place);
        g_assert_cmpstr(store_setting(store_topic(broker, "t"), "max.message.bytes"), ==, "5000");
        g_assert_cmpuint(store_topic(broker, "t")->partitions->len, ==, 5);
        g_assert_null(store_topic(broker, "gone"));
        g_assert_cmpint(position(broker), ==, 41);
        g_assert_cmpint(log_stable(store_partition(broker, "t", 4)->log), ==, 2);
    }
    producer = start(broker, "id");
    g_assert_cmpint(producer->number, ==, number);
    g_assert_cmpint(producer->epoch, ==, 1);
    store_close(broker);
    batch_remove_place(place);
}

static void test_a_topic_that_is_made_anew_is_empty(void)
{
    g_autofree char *place = batch_place();
    Broker *broker = open_at(place);
    store_create(broker, "t", 1, NULL);
    Producer *producer = start(broker, "id");
    write_in(broker, producer, "t", 0);
    promise(producer, 41);
    producers_end(broker, producer, true);
    store_delete(broker, "t");
    store_create(broker, "t", 1, NULL);
    broker = reopen(broker, place);
    g_assert_cmpint(store_partition(broker, "t", 0)->log->end, ==, 0);
    g_assert_cmpint(position(broker), ==, -1);
    store_close(broker);
    batch_remove_place(place);
}

/* The decision is in the journal, the marks are not. */
static void test_a_decided_end_is_made_true(void)
{
    g_autofree char *place = batch_place();
    Broker *broker = open_at(place);
    store_create(broker, "t", 2, NULL);
    Producer *producer = start(broker, "id");
    write_in(broker, producer, "t", 0);
    write_in(broker, producer, "t", 1);
    promise(producer, 41);
    g_assert_true(store_note_end(broker, producer, true));
    g_assert_cmpint(log_mark(store_partition(broker, "t", 0)->log, producer->number, 0, true, 5), ==, CODE_OK);
    broker = reopen(broker, place);
    for (gint32 i = 0; i < 2; i++) {
        const Log *log = store_partition(broker, "t", i)->log;
        g_assert_cmpint(log->end, ==, 2);
        g_assert_cmpint(log_stable(log), ==, 2);
        g_assert_cmpuint(log->aborted->len, ==, 0);
    }
    g_assert_cmpint(position(broker), ==, 41);
    store_close(broker);
    batch_remove_place(place);
}

static void test_an_open_end_is_an_abort(void)
{
    g_autofree char *place = batch_place();
    Broker *broker = open_at(place);
    store_create(broker, "t", 1, NULL);
    Producer *producer = start(broker, "id");
    write_in(broker, producer, "t", 0);
    promise(producer, 41);
    broker = reopen(broker, place);
    const Log *log = store_partition(broker, "t", 0)->log;
    g_assert_cmpint(log_stable(log), ==, 2);
    g_assert_cmpuint(log->aborted->len, ==, 1);
    g_assert_cmpint(position(broker), ==, -1);
    store_close(broker);
    batch_remove_place(place);
}

static void test_the_journals_torn_end_is_left_out(void)
{
    g_autofree char *place = batch_place(), *path = g_build_filename(place, "journal", NULL);
    Broker *broker = open_at(place);
    store_create(broker, "kept", 1, NULL);
    struct stat about;
    g_assert_cmpint(stat(path, &about), ==, 0);
    off_t whole = about.st_size;
    store_create(broker, "torn", 1, NULL);
    store_close(broker);
    g_assert_cmpint(truncate(path, whole + 9), ==, 0);
    broker = open_at(place);
    g_assert_nonnull(store_topic(broker, "kept"));
    g_assert_null(store_topic(broker, "torn"));
    store_close(broker);
    batch_remove_place(place);
}

static void test_one_broker_a_directory_of_its_own(void)
{
    g_autofree char *place = batch_place(), *problem = NULL, *other = NULL;
    Broker *broker = open_at(place);
    g_assert_null(store_open(place, &problem));
    g_assert_nonnull(strstr(problem, "another broker serves"));
    store_close(broker);
    g_assert_cmpint(chmod(place, 0777), ==, 0);
    g_assert_null(store_open(place, &other));
    g_assert_nonnull(strstr(other, "others may write"));
    batch_remove_place(place);
}

static void test_a_producer_fences_its_predecessor(void)
{
    g_autofree char *problem = NULL;
    Broker *broker = store_open(NULL, &problem);
    Producer *found = NULL;
    store_create(broker, "t", 1, NULL);
    Producer *producer = start(broker, "id");
    gint64 number = producer->number;
    write_in(broker, producer, "t", 0);
    start(broker, "id");
    g_assert_cmpint(producers_find(broker, "id", number, 0, &found), ==, CODE_INVALID_PRODUCER_EPOCH);
    g_assert_cmpint(producers_find(broker, "id", number, 1, &found), ==, CODE_OK);
    g_assert_cmpint(producers_find(broker, "other", number, 1, &found), ==, CODE_INVALID_PRODUCER_MAPPING);
    g_assert_cmpuint(store_partition(broker, "t", 0)->log->aborted->len, ==, 1);
    g_assert_cmpint(producers_start(broker, "id", 1000, number, 0, &found), ==, CODE_PRODUCER_FENCED);
    found = start(broker, "id");
    found->epoch = G_MAXINT16 - 1;
    found = start(broker, "id"); /* epochs are used up */
    g_assert_cmpint(found->number, >, number);
    g_assert_cmpint(found->epoch, ==, 0);
    store_close(broker);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/broker/store/kept", test_all_that_was_told_is_kept);
    g_test_add_func("/broker/store/anew", test_a_topic_that_is_made_anew_is_empty);
    g_test_add_func("/broker/store/decided", test_a_decided_end_is_made_true);
    g_test_add_func("/broker/store/open", test_an_open_end_is_an_abort);
    g_test_add_func("/broker/store/torn", test_the_journals_torn_end_is_left_out);
    g_test_add_func("/broker/store/directory", test_one_broker_a_directory_of_its_own);
    g_test_add_func("/broker/store/fences", test_a_producer_fences_its_predecessor);
    return g_test_run();
}
