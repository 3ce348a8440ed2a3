/* A partition: offsets, what is sent twice, transactions, and what a crash leaves. */
#include "batches.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

static Log *open_at(const char *place)
{
    g_autofree char *path = g_build_filename(place, "p.log", NULL);
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_cmpint(fd, >=, 0);
    return log_open(fd);
}

static Log *reopen(Log *log, const char *place)
{
    log_free(log);
    return open_at(place);
}

static const Made plain = {.producer = -1, .sequence = -1, .records = 3, .ms = 1000};

static void test_the_checksum_is_castagnolis(void)
{
    g_assert_cmphex(wire_crc32c((const guint8 *) "123456789", 9), ==, 0xe3069283); /* RFC 3720's check value */
}

static void test_offsets_go_on_over_reopening(void)
{
    g_autofree char *place = batch_place();
    gint64 base = -1;
    Log *log = open_at(place);
    g_assert_cmpint(batch_append(log, plain, &base), ==, CODE_OK);
    g_assert_cmpint(base, ==, 0);
    log = reopen(log, place);
    g_assert_cmpint(batch_append(log, plain, &base), ==, CODE_OK);
    g_assert_cmpint(base, ==, 3);
    g_assert_cmpint(log->end, ==, 6);
    log_free(log);
    batch_remove_place(place);
}

static void test_what_is_half_written_is_cut_off(void)
{
    g_autofree char *place = batch_place(), *path = g_build_filename(place, "p.log", NULL);
    gint64 base = -1;
    struct stat about;
    Log *log = open_at(place);
    batch_append(log, plain, &base);
    gint64 whole = log->size;
    batch_append(log, plain, &base);
    log_free(log);
    for (gint64 size = whole * 2 - 1; size > whole; size -= 7) {
        g_assert_cmpint(truncate(path, size), ==, 0);
        log = open_at(place);
        g_assert_cmpint(log->end, ==, 3);
        log_free(log);
        g_assert_cmpint(stat(path, &about), ==, 0);
        g_assert_cmpint(about.st_size, ==, whole);
        log = open_at(place);
        g_assert_cmpint(batch_append(log, plain, &base), ==, CODE_OK);
        log_free(log);
    }
    batch_remove_place(place);
}

static void test_bytes_that_are_no_batch_are_refused(void)
{
    g_autofree char *place = batch_place();
    gint64 base = -1;
    Log *log = open_at(place);
    g_autoptr(GByteArray) bytes = batch_made(plain);
    for (guint i = 8; i < bytes->len; i++) { /* the offset before is ours to write; so is the leader's epoch */
        if (i >= 12 && i < 16)
            continue;
        bytes->data[i] ^= 0x41;
        g_assert_cmpint(log_append(log, bytes->data, bytes->len, 1000000, &base), ==, CODE_CORRUPT_MESSAGE);
        bytes->data[i] ^= 0x41;
    }
    for (guint size = 0; size < bytes->len; size++)
        g_assert_cmpint(log_append(log, bytes->data, size, 1000000, &base), ==, CODE_CORRUPT_MESSAGE);
    g_assert_cmpint(log_append(log, bytes->data, bytes->len, bytes->len - 1, &base), ==, CODE_MESSAGE_TOO_LARGE);
    g_assert_cmpint(log->end, ==, 0);
    log_free(log);
    batch_remove_place(place);
}

static void test_what_is_sent_twice_is_there_once(void)
{
    g_autofree char *place = batch_place();
    gint64 base = -1;
    Log *log = open_at(place);
    for (gint32 i = 0; i < 4; i++)
        g_assert_cmpint(batch_append(log, (Made){.producer = 7, .sequence = i * 3, .records = 3}, &base), ==, CODE_OK);
    log = reopen(log, place);
    g_assert_cmpint(batch_append(log, (Made){.producer = 7, .sequence = 3, .records = 3}, &base), ==, CODE_OK);
    g_assert_cmpint(base, ==, 3);
    g_assert_cmpint(log->end, ==, 12);
    g_assert_cmpint(batch_append(log, (Made){.producer = 7, .sequence = 15, .records = 3}, &base), ==,
                    CODE_OUT_OF_ORDER_SEQUENCE);
    g_assert_cmpint(batch_append(log, (Made){.producer = 7, .epoch = 1, .records = 1}, &base), ==, CODE_OK);
    g_assert_cmpint(batch_append(log, (Made){.producer = 7, .epoch = 0, .sequence = 12, .records = 1}, &base), ==,
                    CODE_INVALID_PRODUCER_EPOCH);
    log_free(log);
    batch_remove_place(place);
}

static void test_transactions_end_with_marks(void)
{
    g_autofree char *place = batch_place();
    gint64 base = -1;
    Log *log = open_at(place);
    batch_append(log, (Made){.producer = 1, .transactional = true, .records = 2}, &base);
    batch_append(log, (Made){.producer = 2, .transactional = true, .records = 2}, &base);
    g_assert_cmpint(log_stable(log), ==, 0);
    g_assert_cmpint(log_mark(log, 1, 0, false, 5), ==, CODE_OK);
    g_assert_cmpint(log_stable(log), ==, 2);
    log = reopen(log, place);
    g_assert_cmpint(log_stable(log), ==, 2);
    g_assert_true(log_is_open(log, 2));
    g_assert_cmpint(log_mark(log, 2, 0, true, 5), ==, CODE_OK);
    g_assert_cmpint(log_mark(log, 2, 0, true, 5), ==, CODE_OK); /* nothing is open any more */
    g_assert_cmpint(log->end, ==, 6);
    log = reopen(log, place);
    g_assert_cmpint(log_stable(log), ==, 6);
    g_assert_cmpuint(log->aborted->len, ==, 1);
    const Aborted *aborted = &g_array_index(log->aborted, Aborted, 0);
    g_assert_cmpint(aborted->producer, ==, 1);
    g_assert_cmpint(aborted->first, ==, 0);
    g_assert_cmpint(aborted->last, ==, 4);
    log_free(log);
    batch_remove_place(place);
}

static void test_reading_ends_where_it_is_told(void)
{
    g_autofree char *place = batch_place();
    gint64 base = -1, offset = -1, ms = -1;
    Log *log = open_at(place);
    for (gint64 i = 0; i < 4; i++)
        batch_append(log, (Made){.producer = -1, .records = 3, .ms = 1000 * i}, &base);
    gint64 one = log->size / 4;
    g_autoptr(GByteArray) out = g_byte_array_new();
    log_read(log, 4, 100, 2 * one, false, out); /* from the batch that has offset 4 */
    g_assert_cmpuint(out->len, ==, 2 * one);
    g_assert_cmpuint(wire_get(out->data, 8), ==, 3);
    g_byte_array_set_size(out, 0);
    log_read(log, 0, 6, 100 * one, false, out);
    g_assert_cmpuint(out->len, ==, 2 * one);
    g_byte_array_set_size(out, 0);
    log_read(log, 0, 100, 1, false, out);
    g_assert_cmpuint(out->len, ==, 0);
    log_read(log, 0, 100, 1, true, out); /* a record that is larger than what was asked for still comes */
    g_assert_cmpuint(out->len, ==, one);
    g_assert_true(log_find_time(log, 1500, &offset, &ms));
    g_assert_cmpint(offset, ==, 6);
    g_assert_cmpint(ms, ==, 2000);
    g_assert_false(log_find_time(log, 3001, &offset, &ms));
    log_free(log);
    batch_remove_place(place);
}

static guint read_count(const Log *log, gint64 offset)
{
    g_autoptr(GByteArray) out = g_byte_array_new();
    log_read(log, offset, G_MAXINT64, G_MAXINT32, true, out);
    return out->len;
}

static void assert_first_that_young(const Log *log, gint64 time_ms, gint64 expected)
{
    gint64 offset = -1, ms = -1;
    g_assert_cmpint(log_find_time(log, time_ms, &offset, &ms), ==, expected >= 0);
    g_assert_cmpint(offset, ==, expected);
}

static void test_times_are_found_in_any_order_of_records(void)
{
    static const gint64 times[] = {500, 100, 900, 200, 900, 1000, 50};
    g_autofree char *place = batch_place();
    gint64 base = -1;
    Log *log = open_at(place);
    for (guint i = 0; i < G_N_ELEMENTS(times); i++)
        batch_append(log, (Made){.producer = -1, .records = 1, .ms = times[i]}, &base);
    for (gint64 time = 0; time < 1100; time += 25) {
        gint64 expected = -1;
        for (guint i = 0; i < G_N_ELEMENTS(times) && expected < 0; i++)
            expected = times[i] >= time ? (gint64) i : -1;
        assert_first_that_young(log, time, expected);
    }
    log_retain(log, 600, -1, 1120); /* older than 520: the first two, up to one that is younger */
    g_assert_cmpint(log->start, ==, 2);
    assert_first_that_young(log, 300, 2);
    assert_first_that_young(log, 950, 5);
    log_free(log);
    batch_remove_place(place);
}

static void test_what_is_outdated_goes(void)
{
    g_autofree char *place = batch_place(), *path = g_build_filename(place, "p.log", NULL),
                    *fresh = g_build_filename(place, "fresh", NULL);
    gint64 base = -1;
    Log *log = open_at(place);
    for (gint64 i = 0; i < 10; i++)
        batch_append(log, (Made){.producer = -1, .records = 3, .ms = 1000 * i}, &base);
    gint64 one = log->size / 10;
    log_retain(log, -1, -1, G_MAXINT64 / 2);
    g_assert_cmpint(log->start, ==, 0);
    log_retain(log, 5000, -1, 7500); /* older than 2500 */
    g_assert_cmpint(log->start, ==, 9);
    g_assert_cmpint(log_dead(log), ==, 3 * one);
    log_retain(log, -1, 4 * one + 1, 0); /* without the sixth there would be less */
    g_assert_cmpint(log->start, ==, 15);
    int fd = open(fresh, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    g_assert_true(log_copy(log, fd));
    g_assert_cmpint(rename(fresh, path), ==, 0);
    log_replace(log, fd);
    for (int i = 0; i < 2; i++) { /* the second time as it stands in the file */
        g_assert_cmpint(log->size, ==, 5 * one);
        g_assert_cmpint(log->start, ==, 15);
        g_assert_cmpint(log->end, ==, 30);
        g_assert_cmpuint(read_count(log, 15), ==, 5 * one);
        g_assert_cmpuint(read_count(log, 27), ==, one);
        log = reopen(log, place);
    }
    g_assert_cmpint(batch_append(log, plain, &base), ==, CODE_OK);
    g_assert_cmpint(base, ==, 30);
    log_retain(log, 0, 0, G_MAXINT64 / 2); /* the last one stays: it says where offsets go on */
    g_assert_cmpint(log->start, ==, 30);
    log_free(log);
    batch_remove_place(place);
}

static void test_open_transactions_are_not_outdated(void)
{
    g_autofree char *place = batch_place();
    gint64 base = -1;
    Log *log = open_at(place);
    batch_append(log, (Made){.producer = -1, .records = 1, .ms = 1}, &base);
    batch_append(log, (Made){.producer = 1, .transactional = true, .records = 2, .ms = 1}, &base);
    batch_append(log, (Made){.producer = -1, .records = 1, .ms = 1}, &base);
    log_retain(log, 0, 0, 1000000);
    g_assert_cmpint(log->start, ==, 1);
    log_mark(log, 1, 0, false, 5);
    g_assert_cmpuint(log->aborted->len, ==, 1);
    batch_append(log, plain, &base);
    log_retain(log, 0, 0, 1000000);
    g_assert_cmpint(log->start, ==, base);
    g_assert_cmpuint(log->aborted->len, ==, 0);
    log_free(log);
    batch_remove_place(place);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/broker/log/checksum", test_the_checksum_is_castagnolis);
    g_test_add_func("/broker/log/reopening", test_offsets_go_on_over_reopening);
    g_test_add_func("/broker/log/half-written", test_what_is_half_written_is_cut_off);
    g_test_add_func("/broker/log/no-batch", test_bytes_that_are_no_batch_are_refused);
    g_test_add_func("/broker/log/sent-twice", test_what_is_sent_twice_is_there_once);
    g_test_add_func("/broker/log/transactions", test_transactions_end_with_marks);
    g_test_add_func("/broker/log/reading", test_reading_ends_where_it_is_told);
    g_test_add_func("/broker/log/times", test_times_are_found_in_any_order_of_records);
    g_test_add_func("/broker/log/outdated", test_what_is_outdated_goes);
    g_test_add_func("/broker/log/open-transactions-stay", test_open_transactions_are_not_outdated);
    return g_test_run();
}
