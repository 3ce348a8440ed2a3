/* `sfrun ls` and `sfrun cat` of directories and of S3. */
#include <glib/gstdio.h>
#include <string.h>
#include <unistd.h>
#include <zlib.h>

#include "fixture.h"

static void put(const Fixture *f, const char *key, const char *data, gssize size)
{
    g_autofree char *path = g_build_filename(f->root, key, NULL), *directory = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(directory, 0777), ==, 0);
    g_assert_true(g_file_set_contents(path, data, size, NULL));
}

static void put_gzip(const Fixture *f, const char *key, const char *text, bool append)
{
    g_autofree char *path = g_build_filename(f->root, key, NULL);
    gzFile file = gzopen(path, append ? "ab" : "wb");
    g_assert_cmpint(gzwrite(file, text, (unsigned) strlen(text)), ==, (int) strlen(text));
    gzclose(file);
}

static void set_up(Fixture *f, gconstpointer unused)
{
    set_up_empty(f, unused);
    put(f, "lake/day=1/a.json", "one\ntwo\n", -1);
    put(f, "lake/day=2/b.json", "three\n", -1);
    put(f, "lake/top.txt", "top", -1);
}

static void folders_objects_and_patterns_are_listed(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect(f, "ls lake", 0, "day=1/\nday=2/\ntop.txt\n", NULL);
    expect(f, "ls lake/", 0, "day=1/\nday=2/\ntop.txt\n", NULL);
    expect(f, "ls -r lake", 0, "day=1/a.json\nday=2/b.json\ntop.txt\n", NULL);
    expect(f, "ls lake/top.txt", 0, "top.txt\n", NULL);
    expect(f, "ls 'lake/day=*'", 0, "day=1/\nday=2/\n", NULL);
    expect(f, "ls 'lake/*/*.json'", 0, "day=1/a.json\nday=2/b.json\n", NULL);
    expect(f, "ls 'lake/**/b.*'", 0, "day=2/b.json\n", NULL);
    expect(f, "ls lake/top.txt lake/day=1", 0, "lake/top.txt\nlake/day=1/a.json\n", NULL);
    g_autofree char *url = g_strdup_printf("ls -r file://%s/lake/day%%3D1", f->root);
    expect(f, url, 0, "a.json\n", NULL);
}

static void sizes_are_summed(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_auto(Ran) ran = run_program(f->root, "ls -rl lake");
    g_assert_nonnull(strstr(ran.out, "       8 B  20"));
    g_assert_true(g_str_has_suffix(ran.out, "      17 B  in 3 objects\n"));
    g_auto(Ran) level = run_program(f->root, "ls -l lake");
    g_assert_true(g_str_has_suffix(level.out, "       3 B  in 1 object beside 2 folders\n"));
    g_auto(Ran) json = run_program(f->root, "ls --json lake/top.txt");
    g_assert_true(g_str_has_prefix(json.out, "{\"name\":\"top.txt\",\"url\":\"/"));
    g_assert_nonnull(strstr(json.out, "/lake/top.txt\",\"size\":3,\"modified\":\"20"));
}

static void what_is_not_there_is_said(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *empty = g_build_filename(f->root, "empty", NULL);
    g_assert_cmpint(g_mkdir(empty, 0777), ==, 0);
    expect(f, "ls empty", 0, "", "'empty' is empty");
    expect(f, "ls lake/nothing", 1, "", "there is nothing at 'lake/nothing'; `sfrun ls '");
    expect(f, "ls 'lake/*.csv'", 1, "", "there is nothing at 'lake/*.csv'");
    expect(f, "ls lake/top.txt lake/nothing", 1, "lake/top.txt\n", "'lake/nothing'");
    expect(f, "cat lake/nothing", 1, "", "there is no object 'lake/nothing'; `sfrun ls '");
    expect(f, "cat lake", 1, "", "'lake' is a folder; write 'lake/**' for all objects in it");
    expect(f, "cat 'lake/*.csv'", 1, "", "no object matches 'lake/*.csv'");
    expect(f, "ls ftp://x/y", 2, "", "'ftp://x/y' has no scheme that is known");
    expect(f, "ls", 2, "", "too few arguments");
}

/* A name can hold anything but '/' and NUL. */
static void names_do_not_speak_to_the_terminal(Fixture *f, gconstpointer unused)
{
    (void) unused;
    put(f, "odd/\x1b]0;x\x07\n\xff", "", 0);
    expect(f, "ls odd", 0, "\\x1b]0;x\\x07\\x0a\xef\xbf\xbd\n", NULL);
    expect(f, "ls odd/nothing\x1b[31m", 1, "", "'odd/nothing\\x1b[31m'");
    g_auto(Ran) json = run_program(f->root, "ls --json odd");
    g_assert_true(g_str_has_prefix(json.out, "{\"name\":\"\\u001b]0;x\\u0007\\n\xef\xbf\xbd\","));
}

static void objects_are_printed_unpacked(Fixture *f, gconstpointer unused)
{
    (void) unused;
    put_gzip(f, "lake/c.json.gz", "four\n", false);
    put_gzip(f, "lake/c.json.gz", "five\n", true);
    put(f, "lake/packed-by-nothing.gz", "plain\n", -1);
    put(f, "lake/empty", "", 0);
    expect(f, "cat lake/c.json.gz", 0, "four\nfive\n", NULL);
    expect(f, "cat lake/packed-by-nothing.gz lake/empty lake/top.txt", 0, "plain\ntop", NULL);
    expect(f, "cat 'lake/**/*.json*'", 0, "four\nfive\none\ntwo\nthree\n", NULL);
    expect(f, "cat -n 3 'lake/**/*.json*'", 0, "four\nfive\none\n", NULL);
    expect(f, "cat --head 2 lake/day=1/a.json lake/nothing", 0, "one\ntwo\n", NULL);
    g_auto(Ran) raw = run_program(f->root, "cat --raw lake/c.json.gz");
    g_assert_true(g_str_has_prefix(raw.out, "\x1f\x8b"));
    expect(f, "sh -c '$SF_TEST_SFRUN cat lake/day=1/a.json | head -1'", 0, "one\n", NULL);
}

static void zstd_is_unpacked(Fixture *f, gconstpointer unused)
{
    (void) unused;
    /* "hello\n", by zstd 1.5, twice */
    static const char frame[] = "\x28\xb5\x2f\xfd\x04\x58\x31\x00\x00\x68\x65\x6c\x6c\x6f\x0a\x19\x1e\xd4\x0a";
    gsize size = sizeof frame - 1;
    g_autofree char *path = g_find_program_in_path("zstd");
    if (path) {
        put(f, "x", "hello\n", -1);
        expect(f, "sh -c 'zstd -q x -o lake/x.zst && cat lake/x.zst lake/x.zst > lake/two.zst'", 0, "", NULL);
        expect(f, "cat lake/two.zst", 0, "hello\nhello\n", NULL);
    }
    put(f, "lake/cut.zst", frame, (gssize) size - 8);
    expect(f, "cat lake/cut.zst", 1, NULL, "'lake/cut.zst': the zstd data ");
}

static void damage_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *body = NULL;
    gsize size;
    put_gzip(f, "lake/c.gz", "a text that is long enough to be cut somewhere\n", false);
    g_autofree char *path = g_build_filename(f->root, "lake/c.gz", NULL);
    g_assert_true(g_file_get_contents(path, &body, &size, NULL));
    put(f, "lake/cut.gz", body, (gssize) size - 9);
    body[size - 6] ^= 1; /* of the CRC */
    put(f, "lake/wrong.gz", body, (gssize) size);
    put(f, "lake/behind.gz", body, 10);
    expect(f, "cat lake/cut.gz", 1, NULL, "'lake/cut.gz': the gzip data ends too early");
    expect(f, "cat lake/wrong.gz", 1, NULL, "'lake/wrong.gz': the gzip data is damaged (incorrect data check)");
    expect(f, "cat lake/behind.gz", 1, NULL, "ends too early");
}

static void steps_of_a_pipeline_are_places(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *yaml = g_strdup_printf("pipeline: p\nsteps:\n  bronze:\n    sink: s3-bronze-sink\n    from: x\n"
                                            "    url: file://%s/${LAKE:-lake}\n  gold: {sink: x}\n",
                                            f->root);
    put(f, "p.yaml", yaml, -1);
    expect(f, "ls --from p.yaml bronze", 0, "day=1/\nday=2/\ntop.txt\n", NULL);
    expect(f, "cat -F p.yaml bronze/day=2/b.json", 0, "three\n", NULL);
    expect(f, "cat -F p.yaml 'bronze/*/*.json'", 0, "one\ntwo\nthree\n", NULL);
    expect(f, "ls -F p.yaml silver/x", 2, "", "'p.yaml' has no step 'silver' with a url; those that have one: bronze");
    expect(f, "ls -F p.yaml gold", 2, "", "no step 'gold' with a url");
    expect(f, "ls -F nothing.yaml bronze", 2, "", "nothing.yaml");
    put(f, "bad.yaml", "a: [\n", -1);
    expect(f, "ls -F bad.yaml bronze", 2, "", "bad.yaml:");
    put(f, "other.yaml", "a: b\n", -1);
    expect(f, "ls -F other.yaml bronze", 2, "", "'other.yaml' is not a pipeline");
}

#ifdef HAS_S3
static void s3_is_listed_and_read(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_setenv("AWS_ENDPOINT_URL", fake_s3_url(fake), TRUE);
    for (int i = 0; i < 2500; i++) {
        g_autofree char *path = g_strdup_printf("/raw/sales data/day=%d/%04d.json", i % 3, i);
        fake_s3_set(fake, path, "event\n");
    }
    expect(f, "ls s3://raw", 0, "sales data/\n", NULL);
    expect(f, "ls 's3://raw/sales data'", 0, "day=0/\nday=1/\nday=2/\n", NULL);
    expect(f, "sh -c \"$SF_TEST_SFRUN ls -r s3://raw | wc -l | tr -d ' '\"", 0, "2500\n", NULL);
    expect(f, "sh -c \"$SF_TEST_SFRUN cat 's3://raw/**/00?1.json' | wc -l | tr -d ' '\"", 0, "10\n", NULL);
    expect(f, "cat 's3://raw/sales data/day=0/0003.json'", 0, "event\n", NULL);
    expect(f, "ls s3://empty", 0, "", "'s3://empty' is empty");
    expect(f, "ls s3://raw/none", 1, "", "there is nothing at 's3://raw/none'; `sfrun ls 's3://raw'` shows what");
    expect(f, "cat s3://raw/none", 1, "", "there is no object 's3://raw/none'");
    expect(f, "cat s3://missing/none", 1, "", "NoSuchBucket");
    fake_s3_script(fake, (FakeScript){.method = "GET", .fault = FAKE_ANSWER, .status = 403, .code = "AccessDenied"});
    expect(f, "ls s3://raw", 1, "", "AccessDenied");
}

/* The command line's flags, then the step's, then the environment. */
static void connections_come_from_flags_steps_and_environment(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autoptr(FakeS3) fake = fake_s3_new();
    g_setenv("AWS_ENDPOINT_URL", "http://127.0.0.1:1", TRUE);
    fake_s3_set(fake, "/raw/x", "x\n");
    put(f, "secret", "hush\n", -1);
    g_autofree char *secret = g_build_filename(f->root, "secret", NULL);
    g_assert_cmpint(g_chmod(secret, 0600), ==, 0);
    g_autofree char *yaml =
        g_strdup_printf("steps:\n  bronze:\n    url: s3://raw/\n    endpoint: %s\n    region: eu-south-9\n"
                        "    access_key_id: KEYID\n    secret_access_key: file:%s\n",
                        fake_s3_url(fake), secret);
    put(f, "p.yaml", yaml, -1);
    expect(f, "cat --from p.yaml bronze/x", 0, "x\n", NULL);
    g_autofree char *first = fake_s3_header(fake, "authorization");
    g_assert_nonnull(strstr(first, "Credential=KEYID/"));
    g_assert_nonnull(strstr(first, "/eu-south-9/s3/"));
    expect(f, "cat --from p.yaml --region us-west-7 bronze/x", 0, "x\n", NULL);
    g_autofree char *second = fake_s3_header(fake, "authorization");
    g_assert_nonnull(strstr(second, "/us-west-7/s3/"));
    g_autofree char *flags = g_strdup_printf("ls -e %s s3://raw", fake_s3_url(fake));
    expect(f, flags, 0, "x\n", NULL);
    expect(f, "ls --from p.yaml --secret-access-key file:nothing bronze", 2, "", "--secret-access-key: ");
    expect(f, "ls s3://raw", 1, "", "127.0.0.1:1");
}
#endif

#define ADD(name, function) g_test_add("/objects/" name, Fixture, NULL, set_up, function, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_setenv("AWS_ACCESS_KEY_ID", "id", TRUE);
    g_setenv("AWS_SECRET_ACCESS_KEY", "secret", TRUE);
    ADD("folders, objects and patterns are listed", folders_objects_and_patterns_are_listed);
    ADD("sizes are summed", sizes_are_summed);
    ADD("what is not there is said", what_is_not_there_is_said);
    ADD("names do not speak to the terminal", names_do_not_speak_to_the_terminal);
    ADD("objects are printed unpacked", objects_are_printed_unpacked);
    ADD("zstd is unpacked", zstd_is_unpacked);
    ADD("damage is named", damage_is_named);
    ADD("steps of a pipeline are places", steps_of_a_pipeline_are_places);
#ifdef HAS_S3
    ADD("s3 is listed and read", s3_is_listed_and_read);
    ADD("connections come from flags, steps and environment", connections_come_from_flags_steps_and_environment);
#endif
    return g_test_run();
}
