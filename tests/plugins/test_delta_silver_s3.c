/* delta-silver-sink on a store that speaks S3 and fails on script: what is committed is committed once. */
#include "fake_s3.h"
#include "harness.h"

static Harness *sink_new(const FakeS3 *fake)
{
    g_autofree char *options =
        g_strdup_printf("url: s3://lake/t\nendpoint: %s\naccess_key_id: a\nsecret_access_key: b\n"
                        "region: us-east-1\ntimeout: 1s\ncheckpoint_interval: 2",
                        fake_s3_url(fake));
    Harness *h = harness_new("delta-silver-sink", options);
    harness_input_text(h, "rows", "id bigint");
    return h;
}

static void write_row(Harness *h, gint64 at)
{
    g_autofree char *row = g_strdup_printf("[%" G_GINT64_FORMAT "]", at);
    const char *json = row;
    harness_write(h, 0, harness_rows(h, 0, "rows/0", at, &json, 1));
}

/* As the host does: the same call until it is through; the clock goes on. Returns the number of calls. */
static int commit(Harness *h)
{
    SfStatus status = SF_RETRY;
    int calls = 0;
    while (status == SF_RETRY && calls < 50) {
        status = harness_try_commit(h, SF_COMMIT_CHECKPOINT);
        h->now_ms += 1000;
        calls++;
    }
    if (status != SF_OK)
        g_error("commit: %s: %s", sf_status_name(status), h->err.message);
    return calls;
}

static char *commit_text(FakeS3 *fake, gint64 version)
{
    g_autofree char *path = g_strdup_printf("/lake/t/_delta_log/%020" G_GINT64_FORMAT ".json", version);
    g_autoptr(GBytes) body = fake_s3_get(fake, path);
    return body ? g_strndup(g_bytes_get_data(body, NULL), g_bytes_get_size(body)) : NULL;
}

static void assert_versions(FakeS3 *fake, gint64 n)
{
    for (gint64 version = 0; version <= n; version++) {
        g_autofree char *text = commit_text(fake, version);
        if (version < n)
            g_assert_nonnull(text);
        else
            g_assert_null(text);
    }
}

static void one_commit_despite(FakeScript script)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autoptr(Harness) h = sink_new(fake);
    write_row(h, 0);
    commit(h);
    fake_s3_script(fake, script);
    write_row(h, 1);
    commit(h);
    assert_versions(fake, 2);
    g_assert_cmpint(harness_committed(h, 0, "rows/0"), ==, 2);
    g_autofree char *text = commit_text(fake, 1);
    g_assert_nonnull(strstr(text, "\"version\":2"));
    write_row(h, 2);
    commit(h);
    assert_versions(fake, 3);
}

#define COMMIT "_delta_log/00000000000000000001.json"

static void test_lost_answers(void)
{
    one_commit_despite((FakeScript){.method = "PUT", .part = COMMIT, .fault = FAKE_DO_CUT});
    one_commit_despite((FakeScript){.method = "PUT", .part = COMMIT, .fault = FAKE_DO_CUT, .times = 3});
    one_commit_despite(
        (FakeScript){.method = "PUT", .part = COMMIT, .fault = FAKE_DO_ANSWER, .status = 500, .code = "InternalError"});
    one_commit_despite((FakeScript){.method = "PUT", .part = COMMIT, .fault = FAKE_HANG});
}

static void test_refused_for_now(void)
{
    one_commit_despite((FakeScript){
        .method = "PUT", .part = COMMIT, .fault = FAKE_ANSWER, .status = 409, .code = "ConditionalRequestConflict"});
    one_commit_despite((FakeScript){
        .method = "PUT", .part = COMMIT, .fault = FAKE_ANSWER, .status = 503, .code = "SlowDown", .times = 5});
    one_commit_despite((FakeScript){
        .method = "PUT", .part = "part-", .fault = FAKE_ANSWER, .status = 503, .code = "SlowDown", .times = 5});
    one_commit_despite((FakeScript){
        .method = "PUT", .part = COMMIT, .fault = FAKE_ANSWER, .status = 403, .code = "AccessDenied", .times = 5});
    one_commit_despite((FakeScript){.method = "PUT", .part = "_delta_log", .fault = FAKE_CUT, .times = 4});
}

/* Another writer has taken the version while ours was on its way. */
static void test_lost_race(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autoptr(Harness) h = sink_new(fake);
    write_row(h, 0);
    commit(h);
    fake_s3_set(fake, "/lake/t/_delta_log/00000000000000000001.json", "{\"commitInfo\":{\"txnId\":\"other\"}}\n");
    write_row(h, 1);
    commit(h);
    assert_versions(fake, 3);
    g_autofree char *text = commit_text(fake, 2);
    g_assert_nonnull(strstr(text, "\"readVersion\":1"));
    /* A commit of another process with our name: it owns the position now. */
    fake_s3_set(fake, "/lake/t/_delta_log/00000000000000000003.json",
                "{\"txn\":{\"appId\":\"test/delta-silver-sink/rows/0\",\"version\":7}}\n");
    write_row(h, 2);
    guint before = fake_s3_count(fake);
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_FENCED);
    g_assert_cmpuint(fake_s3_count(fake), ==, before);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, "rows/0"), ==, 7);
}

/* The path of the file that a commit adds. */
static char *added_path(FakeS3 *fake, gint64 version)
{
    g_autofree char *text = commit_text(fake, version);
    const char *start = strstr(text, "\"path\":\"") + strlen("\"path\":\"");
    g_autofree char *path = g_strndup(start, strcspn(start, "\""));
    return g_strconcat("/lake/t/", path, NULL);
}

#define NEXT "_delta_log/00000000000000000002.json"

/* The answer to our commit is lost, and the log can only be read in part at first: the commit stays ours, and its
 * files stay. */
static void test_lost_answer_in_an_outage(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autoptr(Harness) h = sink_new(fake);
    write_row(h, 0);
    commit(h);
    fake_s3_script(fake, (FakeScript){.method = "PUT", .part = COMMIT, .fault = FAKE_DO_CUT, .times = -1});
    fake_s3_script(fake, (FakeScript){.method = "GET",
                                      .part = NEXT,
                                      .fault = FAKE_ANSWER,
                                      .status = 503,
                                      .code = "ServiceUnavailable",
                                      .times = 3});
    write_row(h, 1);
    g_assert_cmpint(commit(h), ==, 3);
    assert_versions(fake, 2);
    g_assert_cmpint(harness_committed(h, 0, "rows/0"), ==, 2);
    g_autofree char *path = added_path(fake, 1);
    g_autoptr(GBytes) file = fake_s3_get(fake, path);
    g_assert_nonnull(file);
    write_row(h, 2);
    commit(h);
    assert_versions(fake, 3);
}

/* Behind our commit, whose answer was lost, another writer has given the table what we lack: that is seen. */
static void test_changed_behind_a_lost_answer(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autoptr(Harness) h = sink_new(fake);
    write_row(h, 0);
    commit(h);
    fake_s3_script(fake, (FakeScript){.method = "PUT", .part = COMMIT, .fault = FAKE_DO_CUT, .times = -1});
    fake_s3_set(fake, "/lake/t/" NEXT,
                "{\"protocol\":{\"minReaderVersion\":3,\"minWriterVersion\":7,\"readerFeatures\":[],"
                "\"writerFeatures\":[\"icebergCompatV2\"]}}\n");
    write_row(h, 1);
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_RETRY);
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_CONFIG);
    g_assert_cmpstr(h->err.message, ==,
                    "s3://lake/t: the table needs the feature 'icebergCompatV2', which this sink lacks");
    g_assert_cmpint(harness_committed(h, 0, "rows/0"), ==, 2);
}

/* The table changes shape under a commit: it is made again to fit, or the new shape is refused. */
static void test_changed_schema(void)
{
    static const char *const shape =
        "{\"metaData\":{\"id\":\"x\",\"format\":{\"provider\":\"parquet\",\"options\":{}},\"schemaString\":\"{"
        "\\\"type\\\":\\\"struct\\\","
        "\\\"fields\\\":[{\\\"name\\\":\\\"id\\\",\\\"type\\\":\\\"%s\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}},"
        "{\\\"name\\\":\\\"more\\\",\\\"type\\\":\\\"string\\\",\\\"nullable\\\":true,\\\"metadata\\\":{}}]}\","
        "\"partitionColumns\":[],"
        "\"configuration\":{}}}\n";
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autoptr(Harness) h = sink_new(fake);
    write_row(h, 0);
    commit(h);
    g_autofree char *wider = g_strdup_printf(shape, "long");
    fake_s3_set(fake, "/lake/t/_delta_log/00000000000000000001.json", wider);
    write_row(h, 1);
    commit(h);
    assert_versions(fake, 3);
    g_autofree char *other = g_strdup_printf(shape, "string");
    fake_s3_set(fake, "/lake/t/_delta_log/00000000000000000003.json", other);
    write_row(h, 2);
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_CHECKPOINT), ==, SF_CONFIG);
    g_assert_cmpstr(
        h->err.message, ==,
        "s3://lake/t: column 'id' is string in the table, but bigint in the rows; cast it, or write to another table");
}

/* A checkpoint that cannot be written costs a warning, never the commit. */
static void test_checkpoint_refused(void)
{
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autoptr(Harness) h = sink_new(fake);
    fake_s3_script(fake, (FakeScript){.method = "PUT",
                                      .part = ".checkpoint.parquet",
                                      .fault = FAKE_ANSWER,
                                      .status = 403,
                                      .code = "AccessDenied",
                                      .times = -1});
    for (int i = 0; i < 4; i++) {
        write_row(h, i);
        commit(h);
    }
    assert_versions(fake, 4);
    g_assert_nonnull(strstr(harness_logs(h), "cannot write the checkpoint of version 2"));
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta-silver-sink/s3/a commit whose answer was lost is one commit", test_lost_answers);
    g_test_add_func("/delta-silver-sink/s3/a store that refuses for now is asked again", test_refused_for_now);
    g_test_add_func("/delta-silver-sink/s3/a lost race is run again, a lost position is not", test_lost_race);
    g_test_add_func("/delta-silver-sink/s3/a commit whose answer was lost stays ours in an outage",
                    test_lost_answer_in_an_outage);
    g_test_add_func("/delta-silver-sink/s3/a table that has changed behind a lost answer is looked at anew",
                    test_changed_behind_a_lost_answer);
    g_test_add_func("/delta-silver-sink/s3/a table that changes shape is looked at anew", test_changed_schema);
    g_test_add_func("/delta-silver-sink/s3/a checkpoint that fails does not fail the commit", test_checkpoint_refused);
    return g_test_run();
}
