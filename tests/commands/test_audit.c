/* `sfrun audit` of a pipeline from files to bronze, silver and rejects: all of it balances, and whatever is taken away,
 * doubled or changed in a store is named. */
#include <glib/gstdio.h>
#include <glob.h>
#include <string.h>
#include <unistd.h>

#include "program.h"
#include "tree.h"

#define PIPELINE                                                                                                       \
    "pipeline: sales\n"                                                                                                \
    "trigger: once\n"                                                                                                  \
    "steps:\n"                                                                                                         \
    "  events:\n    source: file-source\n    path: in/*.jsonl\n    topic: sales\n    state_dir: state\n"               \
    "  bronze:\n    sink: s3-bronze-sink\n    from: events\n    url: file://%s/bronze\n    flush.size: 100\n"          \
    "    timestamp.extractor: Wallclock\n    path.format: day\n"                                                       \
    "  sales:\n    transform: json-decode\n    from: events\n"                                                         \
    "    schema: {id: int not null, day: date, amount: 'decimal(12,2)'}\n"                                             \
    "  silver:\n    sink: delta-silver-sink\n    from: sales\n    url: file://%s/silver\n"                             \
    "  rejects:\n    sink: file-sink\n    from: sales.errors\n    path: rejects\n"

#define BRONZE "bronze/sales/day/sales+0+*"
#define LEDGER "bronze/_sf/sales/sales/0/00000000000000000300.json"
#define RUNS 3
#define RUN_ROWS 300

typedef struct Fixture {
    char *root;
} Fixture;

static char *path_of(const Fixture *f, const char *key)
{
    return g_build_filename(f->root, key, NULL);
}

static void append_rows(const Fixture *f, int first, int n)
{
    g_autofree char *path = path_of(f, "in/sales.jsonl");
    FILE *file = fopen(path, "ae");
    for (int i = first; i < first + n; i++)
        fprintf(file, "{\"id\": %s%d%s, \"day\": \"2024-01-1%d\", \"amount\": %d.50}\n", i % 97 == 5 ? "\"x" : "", i,
                i % 97 == 5 ? "\"" : "", i % 5, i);
    g_assert_cmpint(fclose(file), ==, 0);
}

/* Three runs, each with a ledger entry of three objects, a version of the table, and rejects. */
static void set_up(Fixture *f, gconstpointer unused)
{
    (void) unused;
    f->root = g_dir_make_tmp("sf-audit-XXXXXX", NULL);
    g_autofree char *text = g_strdup_printf(PIPELINE, f->root, f->root);
    g_autofree char *file = path_of(f, "p.yaml"), *in = path_of(f, "in");
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    g_assert_cmpint(g_mkdir(in, 0777), ==, 0);
    for (int run = 0; run < RUNS; run++) {
        append_rows(f, run * RUN_ROWS, RUN_ROWS);
        g_auto(Ran) ran = run_program(f->root, "p.yaml");
        g_test_message("%s", ran.err);
        g_assert_cmpint(ran.status, ==, 0);
    }
}

static void tear_down(Fixture *f, gconstpointer unused)
{
    (void) unused;
    remove_tree(f->root);
    g_free(f->root);
}

/* The exit status, and texts in what is printed, joined by '|'. */
static void expect(const Fixture *f, const char *words, int status, const char *texts)
{
    g_auto(Ran) ran = run_program(f->root, words);
    g_auto(GStrv) all = g_strsplit(texts, "|", -1);
    g_test_message("%s: %s%s", words, ran.out, ran.err);
    g_assert_cmpint(ran.status, ==, status);
    for (char **text = all; *text && **text; text++)
        if (!strstr(ran.out, *text) && !strstr(ran.err, *text))
            g_error("%s: '%s' is not in what was printed", words, *text);
}

/* The file number `n` of those that the pattern matches, in order of their names. */
static char *found(const Fixture *f, const char *pattern, gsize n)
{
    glob_t matches = {0};
    g_autofree char *whole = path_of(f, pattern);
    g_assert_cmpint(glob(whole, 0, NULL, &matches), ==, 0);
    g_assert_cmpuint(matches.gl_pathc, >, n);
    char *path = g_strdup(matches.gl_pathv[n]);
    globfree(&matches);
    return path;
}

static void change(const char *path, const char *what, const char *into)
{
    g_autofree char *text = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    char *at = g_strstr_len(text, (gssize) size, what);
    g_assert_nonnull(at);
    g_autoptr(GString) changed = g_string_new_len(text, at - text);
    g_string_append(changed, into);
    g_string_append_len(changed, at + strlen(what), (gssize) size - (at - text) - (gssize) strlen(what));
    g_assert_true(g_file_set_contents(path, changed->str, (gssize) changed->len, NULL));
}

static void cut_short(const char *path, gsize by)
{
    GStatBuf info;
    g_assert_cmpint(g_stat(path, &info), ==, 0);
    g_assert_cmpint(truncate(path, info.st_size - (goffset) by), ==, 0);
}

static void double_last_line(const char *path)
{
    g_autofree char *text = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    const char *line = text + size - 1;
    while (line > text && line[-1] != '\n')
        line--;
    g_autofree char *twice = g_strconcat(text, line, NULL);
    g_assert_true(g_file_set_contents(path, twice, -1, NULL));
}

static void flip_byte(const char *path, gsize at)
{
    g_autofree char *text = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(path, &text, &size, NULL));
    g_assert_cmpuint(size, >, at);
    text[at] ^= 1;
    g_assert_true(g_file_set_contents(path, text, (gssize) size, NULL));
}

static void copy_file(const char *from, const char *to)
{
    g_autofree char *text = NULL;
    gsize size;
    g_assert_true(g_file_get_contents(from, &text, &size, NULL));
    g_assert_true(g_file_set_contents(to, text, (gssize) size, NULL));
}

/* ---- what balances ---- */

static void a_sound_pipeline_balances_at_every_depth(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect(f, "audit p.yaml --quick", 0, "every event is where it belongs, by ledgers and statistics|3 ledger entries");
    expect(f, "audit p.yaml", 0,
           "every event is where it belongs, by ledgers, statistics and what is stored|9 objects");
    expect(f, "audit p.yaml --deep", 0, "sales: every event is where it belongs\n");
    expect(f, "audit p.yaml --deep --json", 0, "\"balanced\":true|\"events\":900|\"rows\":890|\"rows\":10");
    expect(f, "audit p.yaml --deep --from 450", 0, "every event is where it belongs");
    append_rows(f, RUNS * RUN_ROWS, 7);
    expect(f, "audit p.yaml --deep", 0, "every event is where it belongs; up to 7 records are still to be read");
}

static void wrong_words_are_refused(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect(f, "audit p.yaml --quick --deep", 2, "--quick and --deep exclude each other");
    expect(f, "audit p.yaml --from x@y", 2, "--from takes a position");
    expect(f, "audit p.yaml --from 99999999999", 2, "--from 99999999999: there is no such position; |(to 900)");
    expect(f, "audit p.yaml --from sales/1@5", 2, "--from sales/1@5: there is no such position; there are the splits ");
    expect(f, "audit nowhere.yaml", 2, "nowhere.yaml");
    expect(f, "audit .", 0, "every event");
}

static void what_the_source_no_longer_has_cannot_be_known(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *from = path_of(f, "in/sales.jsonl"), *to = path_of(f, "sales.jsonl");
    g_assert_cmpint(g_rename(from, to), ==, 0);
    expect(f, "audit p.yaml", 4, "UNKNOWN bronze: in/sales.jsonl#|the source has no such split|no fault found");
    expect(f, "audit p.yaml --deep", 4, "the source has no such split");
}

/* The source is bronze, whose ledger keeps positions: silver that is made of it balances, too. */
static void silver_from_bronze_balances(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *file = path_of(f, "silver.yaml");
    g_autofree char *text = g_strdup_printf(
        "pipeline: later\ntrigger: once\nsteps:\n"
        "  bronze:\n    source: bronze-source\n    url: file://%s/bronze\n"
        "  sales:\n    transform: json-decode\n    from: bronze\n    schema: {id: int not null, day: date}\n"
        "  silver:\n    sink: delta-silver-sink\n    from: sales\n    url: file://%s/silver2\n"
        "  rejects:\n    sink: file-sink\n    from: sales.errors\n    path: rejects2\n",
        f->root, f->root);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    expect(f, "silver.yaml", 0, "");
    expect(f, "audit silver.yaml", 0, "every event is where it belongs");
    expect(f, "audit silver.yaml --deep", 0, "later: every event is where it belongs\n");
    g_autofree char *object = found(f, BRONZE, 4);
    flip_byte(object, 9);
    expect(f, "audit silver.yaml --deep", 3, "FAULT bronze: |0000000400.json");
}

/* ---- bronze ---- */

static void a_deleted_object_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *object = found(f, BRONZE, 4);
    g_assert_cmpint(g_unlink(object), ==, 0);
    expect(f, "audit p.yaml --quick", 0, "");
    expect(f, "audit p.yaml", 3,
           "FAULT bronze: file://|sales+0+0000000400.json: is missing; it has 100 rows, sales/0 from 400 to 499");
    expect(f, "audit p.yaml --deep", 3,
           "0000000400.json: is missing|sales/0: 100 rows between positions 400 and 499 are missing");
}

static void a_truncated_object_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *object = found(f, BRONZE, 2);
    cut_short(object, 7);
    expect(f, "audit p.yaml", 3, "0000000200.json: has |bytes, not the |it has 100 rows, sales/0 from 200 to 299");
    expect(f, "audit p.yaml --deep", 3, "0000000200.json: has |bytes, not the ");
}

static void a_doubled_line_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *object = found(f, BRONZE, 8);
    double_last_line(object);
    expect(f, "audit p.yaml", 3, "0000000800.json: has ");
    expect(f, "audit p.yaml --deep", 3, "0000000800.json: has ");
}

static void a_changed_byte_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *object = found(f, BRONZE, 0);
    flip_byte(object, 9);
    expect(f, "audit p.yaml", 0, "");
    expect(f, "audit p.yaml --deep", 3, "0000000000.json: has other bytes than were written: its checksum is ");
}

static void an_orphan_object_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *object = found(f, BRONZE, 1), *orphan = path_of(f, "bronze/sales/day/sales+0+0000000150.json");
    g_autofree char *other = path_of(f, "bronze/sales/day/notes.txt");
    copy_file(object, orphan);
    copy_file(object, other); /* not a name of ours */
    expect(f, "audit p.yaml", 3, "0000000150.json: is an orphan: no ledger entry names it|sales: 1 fault");
}

static void a_gap_in_the_ledger_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *entry = path_of(f, LEDGER);
    g_assert_cmpint(g_unlink(entry), ==, 0);
    expect(f, "audit p.yaml --quick", 3, "a gap: positions 300 to 599 are in no range|00000000000000000600.json");
    expect(
        f, "audit p.yaml --deep", 3,
        "a gap: positions 300 to 599|300 rows between positions 300 and 599 are missing|0000000300.json: is an orphan");
}

static void an_overlap_in_the_ledger_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *entry = path_of(f, LEDGER);
    change(entry, "\"end\":600", "\"end\":650");
    expect(f, "audit p.yaml --quick", 3, "an overlap: positions 600 to 649 are in two ranges");
}

static void a_damaged_ledger_entry_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *entry = path_of(f, LEDGER);
    cut_short(entry, 40);
    expect(f, "audit p.yaml --quick", 3,
           "00000000000000000300.json: is not a ledger entry that can be read|a gap: positions 300 to 599");
}

/* ---- silver ---- */

static void a_missing_data_file_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *file = found(f, "silver/part-*", 1), *name = g_path_get_basename(file);
    g_autofree char *texts = g_strdup_printf("%s: is missing; version 2 names it", name);
    g_assert_cmpint(g_unlink(file), ==, 0);
    expect(f, "audit p.yaml", 3, texts);
    expect(f, "audit p.yaml --deep", 3, texts);
}

static void a_truncated_data_file_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *file = found(f, "silver/part-*", 0), *name = g_path_get_basename(file);
    g_autofree char *texts = g_strdup_printf("%s: has |by the log", name);
    cut_short(file, 11);
    expect(f, "audit p.yaml", 3, texts);
}

static void a_damaged_data_file_is_named(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *file = found(f, "silver/part-*", 2), *name = g_path_get_basename(file);
    g_autofree char *texts = g_strdup_printf("%s: cannot be read", name);
    flip_byte(file, 300);
    expect(f, "audit p.yaml", 0, "");
    expect(f, "audit p.yaml --deep", 3, texts);
}

static void a_removed_add_is_found(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *commit = path_of(f, "silver/_delta_log/00000000000000000001.json");
    change(commit, "{\"add\":", "{\"add_\":");
    expect(f, "audit p.yaml --quick", 4, "UNKNOWN silver: |have no row here");
    expect(f, "audit p.yaml", 4, "ORPHAN silver: file://|no version that the log has names it");
    expect(f, "audit p.yaml --deep", 3, "FAULT silver: sales/0: |are missing|ORPHAN");
}

static void a_position_behind_its_rows_is_found(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *commit = path_of(f, "silver/_delta_log/00000000000000000002.json");
    change(commit, "\"version\":900", "\"version\":800");
    expect(f, "audit p.yaml --deep", 3, "rows are behind the position that the step has, the first at 800");
}

static void a_position_beyond_the_source_is_found(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *commit = path_of(f, "silver/_delta_log/00000000000000000002.json");
    change(commit, "\"version\":900", "\"version\":999");
    expect(f, "audit p.yaml --quick", 3, "the step is at position 999, behind the end of the source at 900");
}

/* Rows are counted by ranges: what lies before --from cannot be taken off. */
static void numbers_of_ranges_that_are_cut_are_not_compared(Fixture *f, gconstpointer unused)
{
    (void) unused;
    expect(f, "audit p.yaml --from 450", 4, "UNKNOWN bronze: --from lies within ranges|no fault found");
    expect(f, "audit p.yaml --quick --from 450", 4, "UNKNOWN silver: --from lies within ranges|no fault found");
    g_auto(Ran) ran = run_program(f->root, "audit p.yaml --from 600");
    g_assert_null(strstr(ran.out, "UNKNOWN bronze"));
}

/* Without bronze nobody says where silver began: its first rows, which are lost, are not taken for none. */
static void a_lost_head_cannot_be_known(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *file = path_of(f, "p.yaml"), *rejects = found(f, "rejects/in*", 0);
    g_autofree char *commit = path_of(f, "silver/_delta_log/00000000000000000000.json");
    g_autofree char *text = NULL;
    g_assert_true(g_file_get_contents(file, &text, NULL, NULL));
    char *from = strstr(text, "  bronze:\n"), *to = strstr(text, "  sales:\n");
    memmove(from, to, strlen(to) + 1);
    g_assert_true(g_file_set_contents(file, text, -1, NULL));
    expect(f, "audit p.yaml --deep", 0, "every event is where it belongs");
    change(commit, "{\"add\":", "{\"add_\":");
    expect(f, "audit p.yaml --deep", 3, "UNKNOWN silver: sales/0: where it began is not known|FAULT silver: ");
    g_assert_cmpint(g_unlink(rejects), ==, 0);
    expect(f, "audit p.yaml --deep", 4,
           "sales/0: where it began is not known: its first row is at 300|rows for it from 0 on that no step has");
}

/* ---- rejects ---- */

static void lost_rejects_are_found(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *file = found(f, "rejects/in*", 1);
    g_assert_cmpint(g_unlink(file), ==, 0);
    expect(f, "audit p.yaml --quick", 4, "UNKNOWN silver: 3 of 900 records have no row here");
    expect(f, "audit p.yaml --deep", 3, "FAULT rejects: sales/0: the row at position 393 is missing");
}

static void a_doubled_reject_is_found(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_autofree char *file = found(f, "rejects/in*", 0);
    double_last_line(file);
    expect(f, "audit p.yaml --deep", 3,
           "FAULT rejects: sales/0: the row at position 296 is there more often than it should be");
}

/* Nothing that an audit does can be seen afterwards. */
static void an_audit_writes_nothing(Fixture *f, gconstpointer unused)
{
    (void) unused;
    g_auto(Ran) before = run_program(f->root, "sh -c 'find . -type f -exec md5sum {} + | sort'");
    expect(f, "audit p.yaml --deep", 0, "");
    g_auto(Ran) after = run_program(f->root, "sh -c 'find . -type f -exec md5sum {} + | sort'");
    g_assert_cmpstr(before.out, ==, after.out);
}

#define TEST(name) g_test_add("/audit/" #name, Fixture, NULL, set_up, name, tear_down)

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    TEST(a_sound_pipeline_balances_at_every_depth);
    TEST(wrong_words_are_refused);
    TEST(what_the_source_no_longer_has_cannot_be_known);
    TEST(silver_from_bronze_balances);
    TEST(a_deleted_object_is_named);
    TEST(a_truncated_object_is_named);
    TEST(a_doubled_line_is_named);
    TEST(a_changed_byte_is_named);
    TEST(an_orphan_object_is_named);
    TEST(a_gap_in_the_ledger_is_named);
    TEST(an_overlap_in_the_ledger_is_named);
    TEST(a_damaged_ledger_entry_is_named);
    TEST(a_missing_data_file_is_named);
    TEST(a_truncated_data_file_is_named);
    TEST(a_damaged_data_file_is_named);
    TEST(a_removed_add_is_found);
    TEST(a_position_behind_its_rows_is_found);
    TEST(a_position_beyond_the_source_is_found);
    TEST(numbers_of_ranges_that_are_cut_are_not_compared);
    TEST(a_lost_head_cannot_be_known);
    TEST(lost_rejects_are_found);
    TEST(a_doubled_reject_is_found);
    TEST(an_audit_writes_nothing);
    return g_test_run();
}
