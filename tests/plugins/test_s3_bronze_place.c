/* s3-bronze-sink: whose objects and ledgers are whose. What somebody else wrote stays, and splits that share a topic do
 * not share a position. */
#include "bronze_fixture.h"

#include <glib/gstdio.h>
#include <string.h>
#include <sys/stat.h>

#define DAY "sales_events/year=2024/month=01/day=15/sales_events+0+"
#define KEY DAY "0000000000.json"
#define LEDGER "_sf/test/sales_events/0/"
#define FIRST_FILE "app/in.jsonl#11111111" /* topic app, partition 0, for the harness */
#define NEXT_FILE "app/in.jsonl#22222222"

static void place_write(const Place *place, const char *key, const char *text)
{
    g_autofree char *path = g_build_filename(place->path, key, NULL);
    g_autofree char *directory = g_path_get_dirname(path);
    g_assert_cmpint(g_mkdir_with_parents(directory, 0777), ==, 0);
    g_assert_true(g_file_set_contents(path, text, -1, NULL));
}

static void expect_text(const Place *place, const char *key, const char *text)
{
    g_autofree char *there = place_read(place, key);
    g_assert_cmpstr(there, ==, text);
}

/* ---- origins ---- */

/* The ledger's last entry says what the split came from; entries of earlier versions do not. */
static void origins_are_kept(Place *place, gconstpointer data)
{
    (void) data;
    const char *const origins[] = {NULL, "topic-id:one", "topic-id:two"};
    Harness *h = place_sink(place, "");
    for (gsize i = 0; i < G_N_ELEMENTS(origins); i++) {
        harness_set_origin(h, EVENTS, origins[i]);
        harness_write(h, 0, numbers(h, EVENTS, (gint64) i * 2, 2, NOON_US));
        harness_commit(h, SF_COMMIT_END);
        harness_reopen(h);
        g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, (gint64) i * 2 + 2);
        g_assert_cmpstr(harness_recovered_origin(h, 0, EVENTS), ==, origins[i]);
    }
    harness_free(h);
}

/* ---- objects of others ---- */

typedef struct Foreign {
    const char *options;
    const char *key;
    const char *text;
    gsize rows; /* that ours would have */
} Foreign;

static void foreign_objects_stay(Place *place, gconstpointer data)
{
    const Foreign *foreign = data;
    place_write(place, foreign->key, foreign->text);
    g_autofree char *named = g_strdup_printf("'file://%s/%s' (%zu bytes) is not the object of ", place->path,
                                             foreign->key, strlen(foreign->text));
    Harness *h = place_sink(place, foreign->options);
    harness_write(h, 0, numbers(h, EVENTS, 0, foreign->rows, NOON_US));
    for (int i = 0; i < 2; i++) { /* an attempt more changes nothing */
        g_assert_cmpint(harness_try_commit(h, SF_COMMIT_END), ==, SF_CONFIG);
        g_test_message("%s", h->err.message);
        g_assert_true(g_str_has_prefix(h->err.message, named));
        expect_text(place, foreign->key, foreign->text);
    }
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, SF_POSITION_NONE);
    harness_free(h);
    /* The next start finds the entry, and still not its object. */
    h = place_sink(place, foreign->options);
    g_assert_cmpint(harness_try_recover(h, 0, EVENTS), ==, SF_CONFIG);
    g_assert_true(g_str_has_prefix(h->err.message, named));
    expect_text(place, foreign->key, foreign->text);
    place_delete(place, foreign->key); /* moved away */
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, 0);
    harness_write(h, 0, numbers(h, EVENTS, 0, foreign->rows, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, (gint64) foreign->rows);
    harness_free(h);
}

/* An older ledger was cleaned away: the object is there, byte for byte, and nobody is harmed. */
static void same_bytes_are_as_good_as_ours(Place *place, gconstpointer unused)
{
    (void) unused;
    place_write(place, KEY, "{\"n\":0}\n");
    g_autoptr(Harness) h = place_sink(place, "");
    harness_write(h, 0, numbers(h, EVENTS, 0, 1, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    g_assert_cmpint(harness_committed(h, 0, EVENTS), ==, 1);
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, 1);
}

/* The first of a range's objects is foreign: the others are there all the same, and none is there twice later. */
static void other_objects_of_the_range_are_kept(Place *place, gconstpointer unused)
{
    (void) unused;
    place_write(place, KEY, "{\"by\":\"somebody else\"}\n");
    Harness *h = place_sink(place, "flush.size: 2");
    harness_write(h, 0, numbers(h, EVENTS, 0, 4, NOON_US));
    g_assert_cmpint(harness_try_commit(h, SF_COMMIT_END), ==, SF_CONFIG);
    harness_free(h);
    g_autofree char *moved = g_build_filename(place->path, "elsewhere", NULL);
    g_autofree char *path = g_build_filename(place->path, KEY, NULL);
    g_assert_cmpint(g_rename(path, moved), ==, 0);
    h = place_sink(place, "flush.size: 2");
    harness_write(h, 0, numbers(h, EVENTS, 0, 4, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    expect_text(place, KEY, "{\"n\":0}\n{\"n\":1}\n");
    expect_text(place, DAY "0000000002.json", "{\"n\":2}\n{\"n\":3}\n");
    g_assert_null(strstr(harness_logs(h), "warning:"));
    harness_free(h);
}

/* The topic has lost rows before a redo: what was written then is ours at the next start, too. */
static void shorter_redo_is_ours_later(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h = place_sink(place, "");
    harness_write(h, 0, numbers(h, EVENTS, 0, 4, NOON_US));
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    place_delete(place, KEY);
    h = place_sink(place, "");
    harness_write(h, 0, harness_with_range(h, numbers(h, EVENTS, 2, 2, NOON_US), 0, 4));
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    g_autoptr(Harness) again = place_sink(place, "");
    g_assert_cmpint(harness_recover(again, 0, EVENTS), ==, 4);
    expect_text(place, KEY, "{\"n\":2}\n{\"n\":3}\n");
    g_autofree char *entries = place_entries(place);
    g_assert_cmpstr(entries, ==, LEDGER "00000000000000000000.json: 0-4 end 2/0 1\n");
}

/* ---- splits that share a topic ---- */

static void write_file(Harness *h, const char *split, gint64 first, gsize n)
{
    harness_write(h, 0, numbers(h, split, first, n, NOON_US));
}

/* All lines of the topic's objects, in order of their keys. */
static void expect_lines(const Place *place, const char *expected)
{
    g_autofree char *objects = place_objects(place);
    g_auto(GStrv) lines = g_strsplit(objects, "\n", -1);
    g_autoptr(GString) all = g_string_new(NULL);
    for (char **line = lines; *line && **line; line++)
        g_string_append(all, strstr(*line, ": ") + 2);
    g_assert_cmpstr(all->str, ==, expected);
}

/* A rotated file: longer than its predecessor, as long, shorter. */
static void another_file_begins_at_its_beginning(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const longer = "{\"n\":0}|{\"n\":1}|{\"n\":0}|{\"n\":1}|{\"n\":2}|";
    const char *const files[] = {FIRST_FILE, NEXT_FILE, "app/in.jsonl#33333333", "app/in.jsonl#44444444"};
    const gsize sizes[] = {2, 3, 2, 1};
    for (int i = 0; i < 4; i++) {
        g_autoptr(Harness) h = place_sink(place, "");
        g_assert_cmpint(harness_recover(h, 0, files[i]), ==, SF_POSITION_NONE);
        write_file(h, files[i], 0, sizes[i]);
        harness_commit(h, SF_COMMIT_END);
        if (i == 1)
            expect_lines(place, longer);
    }
    g_autoptr(Harness) again = place_sink(place, "");
    for (int i = 4; i-- > 0;) /* whatever the order, each finds its own */
        g_assert_cmpint(harness_recover(again, 0, files[i]), ==, (gint64) sizes[i]);
    write_file(again, files[0], 2, 1);
    harness_commit(again, SF_COMMIT_END);
    g_autofree char *objects = place_objects(place);
    g_assert_true(g_str_has_prefix(objects,
                                   "app/year=2024/month=01/day=15/app+0+0000000000.json: {\"n\":0}|{\"n\":1}|\n"
                                   "app/year=2024/month=01/day=15/app+0+0000000002.json: {\"n\":2}|\n"
                                   "app/year=2024/month=01/day=15/app@s"));
}

/* Both files are open at once: the old one is read to its end while the new one begins. */
static void files_change_over_while_it_runs(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    write_file(h, FIRST_FILE, 0, 2);
    write_file(h, NEXT_FILE, 0, 1);
    write_file(h, FIRST_FILE, 2, 1);
    write_file(h, NEXT_FILE, 1, 1);
    harness_commit(h, SF_COMMIT_END);
    expect_lines(place, "{\"n\":0}|{\"n\":1}|{\"n\":2}|{\"n\":0}|{\"n\":1}|");
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, NEXT_FILE), ==, 2);
    g_assert_cmpint(harness_recover(h, 0, FIRST_FILE), ==, 3);
}

/* The first one had the topic's name and died before it wrote anything. */
static void names_do_not_change_with_the_order(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h = place_sink(place, "");
    harness_recover(h, 0, FIRST_FILE);
    write_file(h, NEXT_FILE, 0, 2);
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    g_autoptr(Harness) again = place_sink(place, "");
    g_assert_cmpint(harness_recover(again, 0, NEXT_FILE), ==, 2);
    g_assert_cmpint(harness_recover(again, 0, FIRST_FILE), ==, SF_POSITION_NONE);
    write_file(again, FIRST_FILE, 0, 1);
    harness_commit(again, SF_COMMIT_END);
    expect_lines(place, "{\"n\":0}|{\"n\":0}|{\"n\":1}|");
}

/* Two processes that begin at the same moment: neither sees a ledger of the other. */
static void processes_that_begin_together_take_different_names(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h[2] = {place_sink(place, ""), place_sink(place, "")};
    const char *const files[2] = {FIRST_FILE, NEXT_FILE};
    for (int i = 0; i < 2; i++)
        g_assert_cmpint(harness_recover(h[i], 0, files[i]), ==, SF_POSITION_NONE);
    for (int i = 0; i < 2; i++)
        write_file(h[i], files[i], 0, 2 + i);
    for (int i = 1; i >= 0; i--) {
        harness_commit(h[i], SF_COMMIT_END);
        g_assert_cmpint(harness_committed(h[i], 0, files[i]), ==, 2 + i);
    }
    expect_lines(place, "{\"n\":0}|{\"n\":1}|{\"n\":0}|{\"n\":1}|{\"n\":2}|");
    for (int i = 0; i < 2; i++) {
        harness_reopen(h[i]);
        g_assert_cmpint(harness_recover(h[i], 0, files[1 - i]), ==, 3 - i);
        harness_free(h[i]);
    }
}

/* Also by one that has written nothing, which keeps no other pipeline out. */
static void a_name_stays_claimed(Place *place, gconstpointer unused)
{
    (void) unused;
    Harness *h = place_sink(place, "");
    harness_recover(h, 0, FIRST_FILE);
    harness_free(h);
    h = place_sink(place, "");
    write_file(h, NEXT_FILE, 0, 1);
    write_file(h, FIRST_FILE, 0, 2);
    harness_commit(h, SF_COMMIT_END);
    harness_free(h);
    g_autofree char *objects = place_objects(place);
    g_assert_nonnull(strstr(objects, "/app+0+0000000000.json: {\"n\":0}|{\"n\":1}|\n"));
    g_assert_nonnull(strstr(objects, "/app@s"));
}

/* Entries without "split" are of the version before. */
static void forget_split(const Place *place, const char *ledger)
{
    g_autofree char *path = g_strdup_printf("%s/_sf/test/%s/0/00000000000000000000.json", place->path, ledger);
    g_autofree char *entry = NULL;
    g_assert_true(g_file_get_contents(path, &entry, NULL, NULL));
    char *split = strstr(entry, "\"split\":");
    g_assert_nonnull(split);
    const char *end = strchr(split, ',');
    memmove(split, end + 1, strlen(end));
    g_assert_true(g_file_set_contents(path, entry, -1, NULL));
}

static void older_ledgers_of_topics_go_on(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const splits[] = {EVENTS, EVENTS "@2"};
    const char *const ledgers[] = {"sales_events", "sales_events@2"};
    for (int i = 0; i < 2; i++) {
        Harness *h = place_sink(place, "");
        write_file(h, splits[i], 0, 3);
        harness_commit(h, SF_COMMIT_END);
        forget_split(place, ledgers[i]);
        harness_reopen(h);
        g_assert_cmpint(harness_recover(h, 0, splits[i]), ==, 3);
        harness_free(h);
    }
}

static void older_ledgers_of_files_are_asked_about(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    write_file(h, FIRST_FILE, 0, 3);
    harness_commit(h, SF_COMMIT_END);
    forget_split(place, "app");
    harness_reopen(h);
    g_assert_cmpint(harness_try_recover(h, 0, FIRST_FILE), ==, SF_CONFIG);
    g_test_message("%s", h->err.message);
    g_assert_nonnull(strstr(h->err.message, "add \"split\": \"" FIRST_FILE "\" to its last entry to go on at 3"));
}

/* ---- entries that somebody changed ---- */

static void entries_cannot_lead_elsewhere(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const keys[] = {"other/x.json", "../x", "sales_events", "/etc/x", "sales_events2/x", "_sf/x"};
    g_autoptr(Harness) h = place_sink(place, "");
    write_file(h, EVENTS, 0, 1);
    harness_commit(h, SF_COMMIT_END);
    g_autofree char *entry = place_read(place, LEDGER "00000000000000000000.json");
    place_delete(place, KEY);
    for (gsize i = 0; i < G_N_ELEMENTS(keys); i++) {
        g_auto(GStrv) parts = g_strsplit(entry, KEY, -1);
        g_assert_cmpuint(g_strv_length(parts), ==, 2);
        g_autofree char *changed = g_strjoinv(keys[i], parts);
        place_write(place, LEDGER "00000000000000000000.json", changed);
        harness_reopen(h);
        g_assert_cmpint(harness_try_recover(h, 0, EVENTS), ==, SF_CONFIG);
        g_assert_nonnull(strstr(h->err.message, "which is not below 'sales_events/'"));
    }
}

/* Whatever lies in the ledger's directory and is no entry is passed over, pages of it. */
static void litter_in_a_ledger_hides_nothing(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) h = place_sink(place, "");
    write_file(h, EVENTS, 5000, 1);
    harness_commit(h, SF_COMMIT_END);
    for (int i = 0; i < 1100; i++) {
        g_autofree char *key = g_strdup_printf(LEDGER "0000000000000000%04d.json.bak", i);
        place_write(place, key, "");
    }
    place_write(place, LEDGER "99999999999999999999.json", "");
    place_write(place, LEDGER "-0000000000000000001.json", "");
    harness_reopen(h);
    g_assert_cmpint(harness_recover(h, 0, EVENTS), ==, 5001);
}

/* Links to directories are followed: who may make them must be trusted. */
static void a_place_that_everybody_can_write_to_is_warned_of(Place *place, gconstpointer unused)
{
    (void) unused;
    const char *const warning = "can be written by everybody on this machine";
    Place below = {.path = g_build_filename(place->path, "lake", NULL)};
    Harness *h = place_sink(&below, "");
    harness_open(h);
    g_assert_null(strstr(harness_logs(h), warning));
    harness_free(h);
    g_assert_cmpint(g_chmod(place->path, 01777), ==, 0); /* as /tmp is */
    h = place_sink(&below, "");
    harness_open(h);
    g_assert_null(strstr(harness_logs(h), warning));
    harness_free(h);
    g_autofree char *named = g_strdup_printf("warning: '%s' %s", place->path, warning);
    for (int i = 0; i < 2; i++) {
        g_assert_cmpint(g_chmod(place->path, i ? 01777 : 0777), ==, 0);
        h = place_sink(i ? place : &below, ""); /* the directory above it, and its own */
        harness_open(h);
        g_assert_nonnull(strstr(harness_logs(h), named));
        harness_free(h);
    }
    g_free(below.path);
}

/* ---- options that do nothing with the others ---- */

static void ignored_options_are_refused(Place *place, gconstpointer unused)
{
    (void) unused;
    static const char *const options[][2] = {
        {"timestamp.field: a", "timestamp.field: has no effect without 'timestamp.extractor: RecordField'"},
        {"timestamp.unit: s", "timestamp.unit: has no effect without 'timestamp.extractor: RecordField'"},
        {"s3.compression.level: 9", "s3.compression.level: has no effect without 's3.compression.type: gzip'"},
        {"format.bytearray.extension: .x", "format.bytearray.extension: has no effect without 'format: raw'"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(options); i++) {
        g_autoptr(Harness) h = place_sink(place, options[i][0]);
        g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
        g_assert_true(g_str_has_prefix(h->err.message, options[i][1]));
    }
}

/* Where a bucket and a directory take turns by the environment, only what a directory has is refused. */
static void options_of_another_kind_of_place_are_said(Place *place, gconstpointer unused)
{
    (void) unused;
    g_autoptr(Harness) bucket = harness_new("s3-bronze-sink", "{url: s3://bucket/x, mode: 0640}");
    g_assert_cmpint(harness_try_bind(bucket), ==, SF_CONFIG);
    g_assert_true(g_str_has_prefix(bucket->err.message, "mode: has no effect on s3:// URLs"));
    g_autoptr(Harness) directory = place_sink(place, "endpoint: http://localhost:1\nsign_payload: true\n");
    harness_open(directory);
    g_assert_nonnull(strstr(harness_logs(directory), "which is a directory: endpoint, sign_payload"));
    g_autoptr(Harness) plain = place_sink(place, "endpoint: ''\nmode: 0640\n");
    harness_open(plain);
    g_assert_cmpstr(harness_logs(plain), ==, "");
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    static const Foreign shorter = {"", KEY, "{\"by\":\"Kafka Connect\",\"n\":1}\n", 1};
    static const Foreign as_long = {"", KEY, "{\"n\":7}\n", 1};
    static const Foreign empty = {"", KEY, "", 1};
    static const Foreign drafted = {"flush.size: 1000000000", KEY, "{\"n\":7}\n", 60000};
    static const Foreign compressed = {"s3.compression.type: gzip", KEY ".gz", "not even gzip", 50};
#define ADD_DATA(name, function, data)                                                                                 \
    g_test_add("/bronze/place/" name, Place, data, place_set_up, function, place_tear_down)
#define ADD(name, function) ADD_DATA(name, function, NULL)
    ADD("origins are kept beside positions", origins_are_kept);
    ADD("options without effect are refused", ignored_options_are_refused);
    ADD("options of another kind of place are said", options_of_another_kind_of_place_are_said);
    ADD_DATA("a foreign object stays", foreign_objects_stay, &shorter);
    ADD_DATA("a foreign object of the same size stays", foreign_objects_stay, &as_long);
    ADD_DATA("a foreign object without bytes stays", foreign_objects_stay, &empty);
    ADD_DATA("a foreign object in a draft's place stays", foreign_objects_stay, &drafted);
    ADD_DATA("a foreign compressed object stays", foreign_objects_stay, &compressed);
    ADD("same bytes are as good as ours", same_bytes_are_as_good_as_ours);
    ADD("other objects of the range are kept", other_objects_of_the_range_are_kept);
    ADD("a shorter redo is ours later", shorter_redo_is_ours_later);
    ADD("another file begins at its beginning", another_file_begins_at_its_beginning);
    ADD("files change over while it runs", files_change_over_while_it_runs);
    ADD("names do not change with the order", names_do_not_change_with_the_order);
    ADD("processes that begin together take different names", processes_that_begin_together_take_different_names);
    ADD("a name stays claimed", a_name_stays_claimed);
    ADD("a place that everybody can write to is warned of", a_place_that_everybody_can_write_to_is_warned_of);
    ADD("older ledgers of topics go on", older_ledgers_of_topics_go_on);
    ADD("older ledgers of files are asked about", older_ledgers_of_files_are_asked_about);
    ADD("entries cannot lead elsewhere", entries_cannot_lead_elsewhere);
    ADD("litter in a ledger hides nothing", litter_in_a_ledger_hides_nothing);
    return g_test_run();
}
