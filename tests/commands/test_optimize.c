/* `sfrun table optimize` of tables that delta-rs and Spark wrote: the same rows in fewer files, whatever is killed, and
 * whoever writes meanwhile. That others read what it wrote, judge.py sees to. */
#include <glib/gstdio.h>
#include <math.h>
#include <string.h>

#include "fixture.h"

static void rows_stay_in_fewer_files(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const char *const tables[] = {"rs/plain", "rs/types", "sp/types", "sp4/stream"};
    for (gsize i = 0; i < G_N_ELEMENTS(tables); i++) {
        g_autofree char *before = rows_of(f, tables[i]);
        g_autofree char *once = g_strdup_printf("table optimize %s", tables[i]);
        expect_part(f, once, 0, "Packed ", NULL);
        expect_part(f, once, 0, "Nothing to pack.\n", NULL);
        g_autofree char *after = rows_of(f, tables[i]);
        g_assert_cmpstr(before, ==, after);
    }
    expect_part(f, "table rs/types --count --json -w \"region IS NULL\"", 0, "\"files\":4,\"files_skipped\":3,", NULL);
    expect_part(f, "table rs/types --count --version 2 -w 'id >= 0'", 0, "1500\n", NULL);
    expect_part(f, "table rs/types --history --limit 1 --json", 0, "\"data_change\":false", "older commits");
    expect_part(f, "table vacuum rs/types --retention 0s --force", 0, "Deleted 12 files", NULL);
    expect_part(f, "table rs/types --count -w 'id >= 0'", 0, "1500\n", NULL);
}

/* Numbers behind `name` in lines of JSON; null: less than all, "NaN" more. */
static void assert_ascending(const char *lines, const char *name)
{
    g_auto(GStrv) rows = g_strsplit(lines, "\n", -1);
    g_autofree char *member = g_strdup_printf("\"%s\":", name);
    double last = -INFINITY;
    guint n = 0;
    for (char **row = rows; *row && **row; row++, n++) {
        const char *at = strstr(*row, member) + strlen(member);
        double value = g_str_has_prefix(at, "null") ? -INFINITY : *at == '"' ? INFINITY : g_ascii_strtod(at, NULL);
        g_assert_cmpfloat(last, <=, value);
        last = value;
    }
    g_assert_cmpuint(n, >, 100);
}

static void rows_are_sorted_by_columns(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *before = rows_of(f, "rs/plain");
    expect_part(f, "table optimize rs/plain --sort-by ok", 0, "Packed 12 files", NULL);
    g_autofree char *after = rows_of(f, "rs/plain");
    g_assert_cmpstr(before, ==, after);
    expect_part(f, "table optimize rs/types --sort-by v --sort-by=id", 0, "Packed 12 files", NULL);
    static const char *const regions[] = {"N", "O", "S"};
    for (gsize i = 0; i < G_N_ELEMENTS(regions); i++) {
        g_autofree char *words = g_strdup_printf("table rs/types -n 100000 --json -w \"region = '%s'\"", regions[i]);
        g_auto(Ran) ran = run_program(f->root, words);
        g_assert_cmpint(ran.status, ==, 0);
        if (*ran.out)
            assert_ascending(ran.out, "v");
    }
    expect_part(f, "table optimize sp/types --sort-by nothing", 1, "",
                "rows cannot be sorted by 'nothing': the table's files have no such column");
}

static void files_are_packed_up_to_the_target(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect_part(f, "table optimize rs/plain --target-size 60KiB --dry-run", 0,
                "Would pack 12 files (285.0 KiB) into 6\n", NULL);
    expect_part(f, "table optimize rs/plain --target-size 2KiB", 0, "Nothing to pack.\n", NULL);
    expect_part(f, "table optimize rs/plain --target-size 60KiB --json", 0,
                "\"version\":12,\"commits\":1,\"files_removed\":12,\"bytes_removed\":291806,\"files_added\":6", NULL);
    expect_part(f, "table rs/plain --count -w 'id >= 0'", 0, "6000\n", NULL);
}

static void deleted_rows_are_not_copied(Fixture *f, gconstpointer unused)
{
    (void) unused;
    /* a second file, with the rows of the first and without a vector */
    expect_part(
        f,
        "sh -c 'cd sp/dv && cp part-*.parquet more.parquet && size=$(stat -c %s more.parquet) && "
        "printf \"{\\\"add\\\":{\\\"path\\\":\\\"more.parquet\\\",\\\"partitionValues\\\":{},\\\"size\\\":$size,"
        "\\\"modificationTime\\\":1,\\\"dataChange\\\":true}}\\n\" > _delta_log/00000000000000000003.json'",
        0, "", NULL);
    expect_part(f, "table optimize sp/dv", 0, "Packed 2 files", NULL);
    expect_part(f, "table sp/dv --count", 0, "1900\n", NULL);
    expect_part(f, "table sp/dv --count -w 'id >= 0'", 0, "1900\n", NULL);
    expect_part(f, "table sp/dv --json", 0, "\"files\":1,", NULL);
}

#ifdef SF_FAULTS
/* Before its commit the table is as it was, after it packed; what is left over is vacuum's. */
static void killed_anywhere_nothing_is_lost(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const char *const points[] = {"optimize-data:1", "optimize-data:3", "optimize-commit:1",
                                         "optimize-committed:1"};
    g_autofree char *before = rows_of(f, "rs/types");
    for (gsize i = 0; i < G_N_ELEMENTS(points); i++) {
        g_autofree char *words =
            g_strdup_printf("sh -c 'SF_FAULT=%s $SF_TEST_SFRUN table optimize rs/types; exit $?'", points[i]);
        g_auto(Ran) ran = run_program(f->root, words);
        g_assert_cmpint(ran.status, ==, 128 + 9);
        g_autofree char *after = rows_of(f, "rs/types");
        g_assert_cmpstr(before, ==, after);
    }
    expect_part(f, "table optimize rs/types", 0, "Nothing to pack.\n", NULL);
    expect_part(f, "table vacuum rs/types --retention 0s --force", 0, "Deleted 20 files", NULL); /* 12, and 1 + 3 + 4 */
    g_autofree char *after = rows_of(f, "rs/types");
    g_assert_cmpstr(before, ==, after);
}
#endif

#ifdef HAS_S3
/* A listing from before later versions were there: the command reads version `newest`, and meets the others on its
 * way. The text is the script's until it has run. */
static char *list_up_to(FakeS3 *fake, const char *table, int newest)
{
    g_autoptr(GString) body = g_string_new("<?xml version=\"1.0\"?><ListBucketResult>");
    for (int version = 0; version <= newest; version++)
        g_string_append_printf(body, "<Contents><Key>%s/_delta_log/%020d.json</Key><Size>1</Size></Contents>", table,
                               version);
    g_string_append(body, "<IsTruncated>false</IsTruncated></ListBucketResult>");
    fake_s3_script(fake, (FakeScript){.part = "list-type", .fault = FAKE_BODY, .status = 200, .code = body->str});
    return g_string_free(g_steal_pointer(&body), FALSE);
}

static void other_writers_come_first(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_autofree char *path = first_path(f);
    g_autofree char *removal = g_strdup_printf("{\"remove\":{\"path\":\"%s\",\"dataChange\":true}}\n", path);
    const struct {
        const char *commit, *error;
    } rows[] = {
        {removal, "another writer has removed files that were read; nothing was changed, call again"},
        {"{\"protocol\":{\"minReaderVersion\":1,\"minWriterVersion\":2}}\n",
         "another writer has changed the table's schema"},
        {"{\"txn\":{\"appId\":\"them\",\"version\":7}}\n", NULL},
    };
    g_setenv("AWS_ENDPOINT_URL", fake_s3_url(fake), TRUE);
    upload(fake, f, "rs/types", "lake/types");
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        guint before = fake_s3_count(fake) + (i == 0); /* version 3 */
        fake_s3_set(fake, "/lake/types/_delta_log/00000000000000000003.json", rows[i].commit);
        g_autofree char *listing = list_up_to(fake, "types", 2);
        expect_part(f, "table optimize s3://lake/types", rows[i].error ? 1 : 0, rows[i].error ? "" : "version 4\n",
                    rows[i].error);
        if (rows[i].error) /* but for the probe of the store */
            g_assert_cmpuint(fake_s3_count(fake), ==, before + (i == 0));
    }
    expect_part(f, "table s3://lake/types --count -w 'id >= 0'", 0, "1500\n", NULL);
    expect_part(f, "table s3://lake/types", 0, "  them               7\n", NULL);
}
#define COPIES 130 /* in pairs: more than one commit takes */

/* Version 3 of rs/types: copies of its first file. */
static void put_copies(const Fixture *f)
{
    g_autofree char *path = first_path(f), *decoded = g_uri_unescape_string(path, NULL), *body = NULL;
    g_autofree char *from = g_build_filename(f->root, "rs/types", decoded, NULL);
    g_autofree char *log = g_build_filename(f->root, "rs/types/_delta_log/00000000000000000003.json", NULL);
    g_autoptr(GString) commit = g_string_new(NULL);
    gsize size;
    g_assert_true(g_file_get_contents(from, &body, &size, NULL));
    for (int i = 0; i < COPIES; i++) {
        g_autofree char *name = g_strdup_printf("copy-%d.parquet", i);
        g_autofree char *to = g_build_filename(f->root, "rs/types", name, NULL);
        g_assert_true(g_file_set_contents(to, body, (gssize) size, NULL));
        g_string_append_printf(commit,
                               "{\"add\":{\"path\":\"%s\",\"partitionValues\":{\"region\":\"new\"},\"size\":%zu,"
                               "\"modificationTime\":1,\"dataChange\":true}}\n",
                               name, (size_t) size);
    }
    g_assert_true(g_file_set_contents(log, commit->str, -1, NULL));
}

/* A file of a later commit that somebody removes before the first one does not come back. */
static void each_commit_looks_after_the_files_of_all(Fixture *f, gconstpointer unused)
{
    (void) unused;
    static const char removal[] = "{\"remove\":{\"path\":\"copy-129.parquet\",\"dataChange\":true}}\n";
    static const char refused[] = "another writer has removed files that were read; ";
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_setenv("AWS_ENDPOINT_URL", fake_s3_url(fake), TRUE);
    put_copies(f);
    upload(fake, f, "rs/types", "lake/first");
    upload(fake, f, "rs/types", "lake/second");
    fake_s3_set(fake, "/lake/first/_delta_log/00000000000000000004.json", removal);
    g_autofree char *first = list_up_to(fake, "first", 3);
    g_autofree char *nothing = g_strconcat(refused, "nothing was changed, call again", NULL);
    expect_part(f, "table optimize s3://lake/first --target-size 20KiB", 1, "", nothing);
    expect_part(f, "table s3://lake/first --history --limit 1 --json", 0, "\"version\":4,", "older commits");
    fake_s3_set(fake, "/lake/second/_delta_log/00000000000000000005.json", removal);
    g_autofree char *second = list_up_to(fake, "second", 3);
    g_autofree char *some = g_strconcat(refused, "1 commit before it stays, call again", NULL);
    expect_part(f, "table optimize s3://lake/second --target-size 20KiB", 1, "", some);
    expect_part(f, "table s3://lake/second --history --limit 1 --json", 0, "\"version\":5,", "older commits");
}
#endif

#define ADD(name, function) g_test_add("/optimize/" name, Fixture, NULL, set_up_tables, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("AWS_ACCESS_KEY_ID", "id", TRUE);
    g_setenv("AWS_SECRET_ACCESS_KEY", "secret", TRUE);
    ADD("rows stay in fewer files", rows_stay_in_fewer_files);
    ADD("rows are sorted by columns", rows_are_sorted_by_columns);
    ADD("files are packed up to the target", files_are_packed_up_to_the_target);
    ADD("deleted rows are not copied", deleted_rows_are_not_copied);
#ifdef SF_FAULTS
    ADD("killed anywhere nothing is lost", killed_anywhere_nothing_is_lost);
#endif
#ifdef HAS_S3
    ADD("other writers come first", other_writers_come_first);
    ADD("each commit looks after the files of all", each_commit_looks_after_the_files_of_all);
#endif
    return g_test_run();
}
