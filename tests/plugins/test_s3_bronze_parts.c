/* s3-bronze-sink on S3: objects that go up in parts while their rows come in. */
#include "bronze_fixture.h"

#include <string.h>

#include <gio/gio.h>

#include "fake_s3.h"
#include "killed.h"

#define DIRECTORY "/raw/sales/sales_events/year=2024/month=01/day=15/"
#define OBJECT DIRECTORY "sales_events+0+0000000000.json"
#define PADDING ((gsize) 64 << 10)
#define ROWS 110 /* a part and some */
#define BATCH 11
#define MIB (INT64_C(1) << 20)

static Harness *sink(FakeS3 *fake, const char *options)
{
    g_autofree char *yaml = g_strdup_printf("url: s3://raw/sales\nendpoint: %s\naccess_key_id: id\n"
                                            "secret_access_key: secret\nflush.size: 1000000000\n%s",
                                            fake_s3_url(fake), options);
    return harness_new("s3-bronze-sink", yaml);
}

/* Text that does not shrink much, another one in each row: what repeats is too far away for gzip. */
static char *value_of(int row)
{
    static char text[2 * PADDING];
    guint32 state = 1;
    for (gsize i = 0; !text[0] || (i > 0 && i < sizeof text); i++) {
        state = state * 1664525U + 1013904223U;
        text[i] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+-"[state >> 26];
    }
    return g_strdup_printf("{\"n\":%d,\"pad\":\"%.*s\"}", row, (int) PADDING, text + row * 587);
}

static void write_batches(Harness *h)
{
    for (int first = 0; first < ROWS; first += BATCH) {
        RawRow rows[BATCH];
        char *values[BATCH];
        for (int i = 0; i < BATCH; i++) {
            values[i] = value_of(first + i);
            rows[i] = (RawRow){.value = values[i], .offset = first + i, .timestamp_us = NOON_US + first + i};
        }
        harness_write(h, 0, harness_raw_rows(h, EVENTS, rows, BATCH));
        for (int i = 0; i < BATCH; i++)
            g_free(values[i]);
    }
}

static void wait_for_parts(FakeS3 *fake, guint n)
{
    gint64 deadline = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;
    while (fake_s3_parts(fake) < n && g_get_monotonic_time() < deadline)
        g_usleep(1000);
    g_assert_cmpuint(fake_s3_parts(fake), >=, n);
}

static void expect_object(FakeS3 *fake)
{
    g_autoptr(GBytes) object = fake_s3_get(fake, OBJECT);
    g_assert_nonnull(object);
    gsize size, at = 0;
    const char *data = g_bytes_get_data(object, &size);
    for (int row = 0; row < ROWS; row++) {
        g_autofree char *value = value_of(row);
        gsize length = strlen(value);
        g_assert_cmpuint(at + length + 1, <=, size);
        g_assert_true(memcmp(data + at, value, length) == 0 && data[at + length] == '\n');
        at += length + 1;
    }
    g_assert_cmpuint(at, ==, size);
    g_assert_cmpuint(fake_s3_count(fake), ==, 3); /* probe, entry, object */
}

static void parts_go_up_while_rows_come_in(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autoptr(Harness) h = sink(fake, "");
    write_batches(h);
    wait_for_parts(fake, 1);
    gint64 deadline = g_get_monotonic_time() + 120 * G_USEC_PER_SEC;
    do
        harness_tick(h); /* counts anew */
    while (h->charged > 6 * MIB && g_get_monotonic_time() < deadline);
    g_assert_cmpint(h->charged, <=, 6 * MIB);
    g_assert_cmpuint(fake_s3_count(fake), ==, 1); /* nobody sees anything yet */
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, ROWS);
    expect_object(fake);
    g_assert_cmpuint(fake_s3_uploads(fake), ==, 0);
    g_autoptr(GBytes) entry = fake_s3_get(fake, "/raw/sales/_sf/test/sales_events/0/00000000000000000000.json");
    g_autoptr(GBytes) object = fake_s3_get(fake, OBJECT);
    g_autofree char *text = g_strndup(g_bytes_get_data(entry, NULL), g_bytes_get_size(entry));
    g_autofree char *bytes = g_strdup_printf("\"bytes\":%zu,", g_bytes_get_size(object));
    g_assert_nonnull(strstr(text, bytes));
}

static void compressed_parts_go_up_as_well(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autoptr(Harness) h = sink(fake, "s3.compression.type: gzip");
    write_batches(h);
    wait_for_parts(fake, 1);
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, ROWS);
    g_autoptr(GBytes) object = fake_s3_get(fake, OBJECT ".gz");
    g_assert_nonnull(object);
    g_autoptr(GConverter) gunzip = G_CONVERTER(g_zlib_decompressor_new(G_ZLIB_COMPRESSOR_FORMAT_GZIP));
    g_autoptr(GInputStream) packed = g_memory_input_stream_new_from_bytes(object);
    g_autoptr(GInputStream) plain = g_converter_input_stream_new(packed, gunzip);
    g_autofree char *lines = g_malloc(ROWS * (PADDING + 64));
    gsize size;
    g_assert_true(g_input_stream_read_all(plain, lines, ROWS * (PADDING + 64), &size, NULL, NULL));
    g_autofree char *last = value_of(ROWS - 1);
    g_assert_cmpuint(size, >, ROWS * PADDING);
    g_assert_true(memcmp(lines + size - 1 - strlen(last), last, strlen(last)) == 0);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, ROWS); /* the sum of the whole is the entry's */
}

/* ---- killed ---- */

typedef struct Life {
    FakeS3 *fake;
    int n;
} Life;

static void live(gpointer data)
{
    const Life *life = data;
    Harness *h = sink(life->fake, "");
    harness_open(h);
    killed_arm(h, NULL, life->n);
    write_batches(h);
    harness_commit(h, SF_COMMIT_END);
}

static void after_any_kill_every_row_is_there_once(void)
{
#ifndef SF_FAULTS
    g_test_skip("built without -Dfaults=true");
    return;
#endif
    int points = 0;
    for (bool killed = true; killed; points++) {
        g_autoptr(FakeS3) fake = fake_s3_new();
        killed = killed_run(live, &(Life){fake, points});
        g_autoptr(Harness) h = sink(fake, "");
        gint64 position = harness_recover(h, 0, EVENTS);
        if (position < ROWS) {
            g_assert_cmpint(position, <=, 0);
            write_batches(h);
            harness_commit(h, SF_COMMIT_END);
        }
        expect_object(fake);
    }
    g_test_message("killed %d times", points - 1);
    g_assert_cmpint(points, >=, 10);
}

/* The one that stood still finds out that another has ended what it had begun. */
static void a_frozen_process_does_no_harm(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autoptr(Harness) frozen = sink(fake, "");
    write_batches(frozen);
    wait_for_parts(fake, 1);
    g_autoptr(Harness) next = sink(fake, "");
    g_assert_cmpint(harness_recover(next, 0, EVENTS), ==, SF_POSITION_NONE);
    g_assert_cmpuint(fake_s3_uploads(fake), ==, 1); /* young: it may be alive */
    write_batches(next);
    harness_commit(next, SF_COMMIT_END);
    expect_object(fake);
    harness_commit(frozen, SF_COMMIT_END); /* it had cut the same */
    g_assert_cmpint(harness_committed(frozen, 0, EVENTS), ==, ROWS);
    expect_object(fake);
    g_assert_cmpuint(fake_s3_uploads(fake), ==, 0);
}

/* ---- trouble ---- */

static void a_lost_upload_is_begun_anew(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autoptr(Harness) h = sink(fake, "");
    write_batches(h);
    wait_for_parts(fake, 1);
    fake_s3_drop_uploads(fake);
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_END), ==, SF_FENCED);
    g_assert_nonnull(strstr(h->err.message, "was ended by somebody else"));
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, 0); /* by the entry */
    write_batches(h);
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, ROWS);
    expect_object(fake);
}

static void a_foreign_object_stays(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autoptr(Harness) h = sink(fake, "");
    write_batches(h);
    fake_s3_set(fake, OBJECT, "theirs");
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_END), ==, SF_CONFIG);
    g_assert_nonnull(strstr(h->err.message, "somebody else wrote it, and it stays as it is"));
    g_autoptr(GBytes) there = fake_s3_get(fake, OBJECT);
    g_assert_cmpmem(g_bytes_get_data(there, NULL), g_bytes_get_size(there), "theirs", 6);
}

/* Each was met, and all is there once. */
static void trouble_loses_nothing(void)
{
    const FakeScript troubles[] = {
        {.method = "POST", .part = "?uploads", .fault = FAKE_DO_CUT},
        {.method = "POST",
         .part = "?uploads",
         .fault = FAKE_ANSWER,
         .status = 500,
         .code = "InternalError",
         .times = 5},
        {.method = "PUT", .part = "partNumber=1", .fault = FAKE_DO_CUT},
        {.method = "PUT", .part = "partNumber=1", .fault = FAKE_ANSWER, .status = 503, .code = "SlowDown", .times = 7},
        {.method = "PUT", .part = "partNumber=2", .fault = FAKE_CUT, .times = 5},
        {.method = "POST", .part = "uploadId=upload%2F3", .fault = FAKE_DO_CUT},
        {.method = "POST",
         .part = "uploadId=upload%2F3",
         .fault = FAKE_DO_ANSWER,
         .status = 500,
         .code = "InternalError"},
        {.method = "POST",
         .part = "uploadId=upload%2F3",
         .fault = FAKE_ANSWER,
         .status = 503,
         .code = "SlowDown",
         .times = 7},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(troubles); i++) {
        g_autoptr(FakeS3) fake = fake_s3_new();
        g_autoptr(Harness) h = sink(fake, "");
        harness_open(h); /* proves parts by two uploads */
        fake_s3_script(fake, troubles[i]);
        write_batches(h);
        int retries = 0;
        while (harness_try_commit(h, SF_COMMIT_END) != SF_OK) {
            g_assert_cmpint(h->status, ==, SF_RETRY);
            g_assert_cmpint(++retries, <, 10);
        }
        g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, ROWS);
        expect_object(fake);
    }
}

static void give_up_abandoned(bool minio)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    if (minio)
        fake_s3_list_uploads_as_minio(fake);
    g_autoptr(Harness) h = sink(fake, "");
    const char *const paths[] = {OBJECT, DIRECTORY "sales_events+1+0000000000.json", DIRECTORY "others.json",
                                 "/raw/sales/other/sales_events+0+0000000000.json",
                                 DIRECTORY "sales_events@2+0+0000000000.json"};
    harness_open(h);
    for (gsize i = 0; i < G_N_ELEMENTS(paths); i++)
        fake_s3_begin_upload(fake, paths[i], "2024-01-15T09:00:00.000Z");
    harness_recover(h, 0, EVENTS);
    g_assert_cmpuint(fake_s3_uploads(fake), ==, G_N_ELEMENTS(paths) - 1);
    write_batches(h);
    harness_commit(h, SF_COMMIT_END);
    expect_object(fake);
}

static void abandoned_uploads_of_ours_are_given_up(void)
{
    give_up_abandoned(false);
}

static void abandoned_uploads_are_found_on_minio(void)
{
    give_up_abandoned(true);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
#define ADD(name, function) g_test_add_func("/bronze/parts/" name, function)
    ADD("parts go up while rows come in", parts_go_up_while_rows_come_in);
    ADD("compressed parts go up as well", compressed_parts_go_up_as_well);
    ADD("after any kill every row is there once", after_any_kill_every_row_is_there_once);
    ADD("a frozen process does no harm", a_frozen_process_does_no_harm);
    ADD("a lost upload is begun anew", a_lost_upload_is_begun_anew);
    ADD("a foreign object stays", a_foreign_object_stays);
    ADD("trouble loses nothing", trouble_loses_nothing);
    ADD("abandoned uploads of ours are given up", abandoned_uploads_of_ours_are_given_up);
    ADD("abandoned uploads are found on MinIO", abandoned_uploads_are_found_on_minio);
    return g_test_run();
}
