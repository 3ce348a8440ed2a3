/* delta-silver-sink's `maintain`: files are packed and deleted beside the appends, killed anywhere, by several
 * processes; rows stay as they are. */
#include "silver_table.h"

#include <glib/gstdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include "killed.h"

#define DAY_MS INT64_C(86400000)

/* One that waits at its end for what was due. */
static Harness *bounded_new(const SilverTable *table, const char *schema)
{
    Harness *h = silver_sink_new(table, schema);
    h->bounded = true;
    return h;
}

static void write_id(Harness *h, const char *split, gint64 at, gint64 id)
{
    g_autofree char *row = g_strdup_printf("[%" G_GINT64_FORMAT "]", id);
    const char *json = row;
    silver_write_rows(h, split, at, &json, 1);
    harness_commit(h, SF_COMMIT_CHECKPOINT);
}

static guint count_operations(const SilverTable *table, const char *operation)
{
    guint n = 0;
    for (gint64 version = silver_last_version(table); version >= 0; version--) {
        g_autoptr(GPtrArray) infos = silver_actions(table, version, "commitInfo");
        n += infos->len > 0 && g_strcmp0(delta_json_text(infos->pdata[0], "operation"), operation) == 0;
    }
    return n;
}

static guint count_data_files(const SilverTable *table)
{
    g_autofree char *path = g_build_filename(table->dir, "t", NULL);
    g_autoptr(GDir) dir = g_dir_open(path, 0, NULL);
    const char *name;
    guint n = 0;
    while ((name = g_dir_read_name(dir)))
        n += g_str_has_suffix(name, ".parquet");
    return n;
}

/* Ids [0, n), once each. */
static void assert_ids(const SilverTable *table, guint n)
{
    g_autofree char *text = silver_text(table, "id bigint");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, n);
    for (guint i = 1; i < n; i++)
        g_assert_cmpstr(lines[i - 1], !=, lines[i]);
}

/* Ten small files more. */
static void run_at(const SilverTable *table, gint64 now_ms)
{
    g_autoptr(Harness) h = bounded_new(table, "id bigint");
    h->now_ms = now_ms;
    gint64 at = MAX(harness_recover(h, 0, "events/0"), 0);
    for (int i = 0; i < 10; i++)
        write_id(h, "events/0", at + i, at + i);
    harness_commit(h, SF_COMMIT_END);
    g_test_message("%s", harness_logs(h));
    harness_close(h);
    g_assert_cmpint(h->charged, ==, 0);
}

/* A run that ends waits for what was due when it began; the table keeps when that was. */
static void test_optimize(void)
{
    static const struct {
        gint64 minutes;
        guint packed;
    } runs[] = {{0, 1}, {30, 1}, {59, 1}, {90, 2}};
    g_auto(SilverTable) table = {0};
    gint64 now_ms = g_get_real_time() / 1000;
    silver_init(&table, "");
    run_at(&table, now_ms);
    g_assert_cmpuint(count_operations(&table, "OPTIMIZE"), ==, 0);
    g_free(table.options);
    table.options = g_strdup_printf("url: file://%s/t\nmaintain: {optimize: 1h}", table.dir);
    for (gsize i = 0; i < G_N_ELEMENTS(runs); i++) {
        run_at(&table, now_ms + runs[i].minutes * 60000);
        g_assert_cmpuint(count_operations(&table, "OPTIMIZE"), ==, runs[i].packed);
    }
    assert_ids(&table, 50);
}

/* Ten commits before the end that a stop asks for, and five more; the table is then packed, or the test waits in vain:
 * the clock goes on by a few minutes only. */
static void pack_after_end(bool interrupt)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "maintain: {optimize: 2400h, vacuum: 1s}"); /* vacuum keeps the thread looking at the clock */
    g_autoptr(Harness) h = silver_sink_new(&table, "id bigint");
    for (int i = 0; i < 15; i++) {
        write_id(h, "events/0", i, i);
        if (i == 9)
            harness_commit(h, SF_COMMIT_END);
    }
    if (interrupt)
        harness_interrupt_after(h, 0);
    guint packed = count_operations(&table, "OPTIMIZE");
    harness_pass(h, 100 * DAY_MS);
    for (int i = 0; i < 3000 && count_operations(&table, "OPTIMIZE") == packed; i++) {
        g_usleep(10000);
        harness_pass(h, 100);
    }
    g_test_message("%s", harness_logs(h));
    g_assert_cmpuint(count_operations(&table, "OPTIMIZE"), >, packed);
    harness_close(h);
    assert_ids(&table, 15);
}

/* A stop does not wait for what is due; only a bounded run does. */
static void test_unbounded(void)
{
    pack_after_end(false);
}

/* An interrupt, a pause for one, does not cost the next turn. */
static void test_interrupted(void)
{
    pack_after_end(true);
}

static void test_vacuum(void)
{
    static const gint64 later_ms[] = {0, 3600000, 9 * DAY_MS};
    g_auto(SilverTable) table = {0};
    silver_init(&table, "maintain: {optimize: 1s, vacuum: 1d, retention: 7d}");
    for (gsize round = 0; round < G_N_ELEMENTS(later_ms); round++) {
        g_autoptr(Harness) h = bounded_new(&table, "id bigint");
        h->now_ms = g_get_real_time() / 1000 + later_ms[round];
        gint64 at = MAX(harness_recover(h, 0, "events/0"), 0);
        for (int i = 0; i < 5 && round < 2; i++) /* files have the real time: what is written then would be old */
            write_id(h, "events/0", at + i, at + i);
        harness_commit(h, SF_COMMIT_END);
    }
    /* The second packed, the third deleted what that had removed. */
    g_assert_cmpuint(count_operations(&table, "OPTIMIZE"), >=, 1);
    g_assert_cmpuint(count_operations(&table, "VACUUM END"), ==, 2);
    g_assert_cmpuint(count_data_files(&table), <, 10);
    assert_ids(&table, 10);
}

/* What the table says goes first: nothing is deleted earlier than that. */
static void test_short_retention(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "maintain: {vacuum: 1s, retention: 1h}");
    for (int round = 0; round < 2; round++) {
        g_autoptr(Harness) h = bounded_new(&table, "id bigint");
        h->now_ms = g_get_real_time() / 1000 + round * DAY_MS;
        write_id(h, "events/0", MAX(harness_recover(h, 0, "events/0"), 0), round);
        harness_commit(h, SF_COMMIT_END);
        g_assert_true(round == 0 || strstr(harness_logs(h), "the retention is shorter than the table's 168 hours"));
    }
    g_assert_cmpuint(count_operations(&table, "VACUUM END"), ==, 0);
    assert_ids(&table, 2);
}

static void test_memory(void)
{
    g_auto(SilverTable) table = {0};
    silver_init(&table, "maintain: {optimize: 1s, sort_by: id}");
    for (int round = 0; round < 2; round++) {
        g_autoptr(Harness) h = bounded_new(&table, "id bigint");
        h->memory = 48 << 20;
        h->now_ms = g_get_real_time() / 1000 + round * DAY_MS;
        gint64 at = MAX(harness_recover(h, 0, "events/0"), 0);
        for (int i = 0; i < 4; i++)
            write_id(h, "events/0", at + i, 100 - at - i);
        harness_commit(h, SF_COMMIT_END);
        g_assert_true(round == 0 ||
                      strstr(harness_logs(h), "maintain: files are packed up to 2 MiB, not to target_size"));
    }
    g_assert_cmpuint(count_operations(&table, "OPTIMIZE"), ==, 1);
}

#ifdef SF_FAULTS
static void live_maintained(gpointer data)
{
    const SilverTable *table = ((gpointer *) data)[0];
    const char *point = ((gpointer *) data)[1];
    g_random_set_seed((guint32) getpid());
    Harness *h = bounded_new(table, "id bigint");
    h->now_ms = g_get_real_time() / 1000 + DAY_MS;
    g_assert_cmpint(harness_try_bind(h), ==, SF_OK); /* the thread begins with open */
    killed_arm(h, point, 0);
    harness_open(h);
    harness_recover(h, 0, "events/0");
    harness_commit(h, SF_COMMIT_END);
    _exit(0);
}

/* Killed between any two side effects of the packing: orphans at most, which vacuum takes. */
static void test_killed(void)
{
    static const char *const points[] = {"optimize-data", "optimize-commit", "optimize-committed"};
    for (gsize i = 0; i < G_N_ELEMENTS(points); i++) {
        g_auto(SilverTable) table = {0};
        silver_init(&table, "maintain: {optimize: 1s}");
        {
            g_autoptr(Harness) h = bounded_new(&table, "id bigint");
            for (int row = 0; row < 6; row++)
                write_id(h, "events/0", row, row);
            harness_commit(h, SF_COMMIT_END);
        }
        gpointer life[] = {&table, (gpointer) points[i]};
        g_assert_true(killed_run(live_maintained, life));
        assert_ids(&table, 6);
        g_autoptr(Harness) h = bounded_new(&table, "id bigint");
        h->now_ms = g_get_real_time() / 1000 + 2 * DAY_MS;
        write_id(h, "events/0", harness_recover(h, 0, "events/0"), 6);
        harness_commit(h, SF_COMMIT_END);
        g_assert_cmpuint(count_operations(&table, "OPTIMIZE"), >=, 1);
        assert_ids(&table, 7);
    }
}
#endif

#define WRITERS 3
#define COMMITS 15

static void race_maintained(const SilverTable *table, int number)
{
    g_random_set_seed((guint32) getpid());
    g_autofree char *split = g_strdup_printf("events/%d", number);
    for (int life = 0; life < 3; life++) {
        Harness *h = bounded_new(table, "id bigint");
        h->now_ms = g_get_real_time() / 1000 + life * DAY_MS; /* all pack, in every life */
        gint64 at = MAX(harness_recover(h, 0, split), 0);
        for (int i = 0; i < COMMITS / 3; i++)
            write_id(h, split, at + i, number * COMMITS + at + i);
        harness_commit(h, life == 1 ? SF_COMMIT_CHECKPOINT : SF_COMMIT_END); /* one is closed amid */
        harness_free(h);
    }
    _exit(0);
}

/* Processes that append and pack at once: a commit of one makes others look again, and every row stays once. */
static void test_race(void)
{
    g_auto(SilverTable) table = {0};
    pid_t children[WRITERS];
    silver_init(&table, "maintain: {optimize: 1s}");
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        g_assert_cmpint(children[i], >=, 0);
        if (children[i] == 0)
            race_maintained(&table, i);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
        g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    g_assert_cmpuint(count_operations(&table, "OPTIMIZE"), >, 0);
    assert_ids(&table, WRITERS * COMMITS);
}

static void test_options(void)
{
    const struct {
        const char *options;
        const char *error;
    } rows[] = {
        {"maintain: hourly", "maintain takes a map, as {optimize: 1h, vacuum: 24h}"},
        {"maintain: {}", "maintain: give how often to 'optimize' or to 'vacuum'"},
        {"maintain: {target_size: 1MiB}", "maintain: give how often to 'optimize' or to 'vacuum'"},
        {"maintain: {optimise: 1h}", "maintain: unknown key 'optimise'; did you mean 'optimize'?"},
        {"maintain: {optimize: often}", "maintain: 'optimize' takes a duration such as 1h, not 'often'"},
        {"maintain: {optimize: [1h]}", "maintain: 'optimize' takes a duration such as 1h, not 'a list or map'"},
        {"maintain: {optimize: 1 hour}", "maintain: 'optimize' takes a duration such as 1h, not '1 hour'"},
        {"maintain: {optimize: 10ms}", "maintain: 'optimize' is '10ms', which is out of range"},
        {"maintain: {vacuum: 999999999999999999d}", "maintain: 'vacuum' takes a duration such as 1h"},
        {"maintain: {optimize: 1h, target_size: 3GiB}", "maintain: 'target_size' is '3GiB', which is out of range"},
        {"maintain: {optimize: 1h, target_size: 1h}", "maintain: 'target_size' takes a size such as 128MiB, not '1h'"},
        {"maintain: {optimize: 1h, sort_by: [a, [b]]}", "maintain: 'sort_by' takes columns, as [order_id]"},
        {"maintain: {vacuum: 1d, retention: -1h}", "maintain: 'retention' takes a duration such as 1h, not '-1h'"},
    };
    for (gsize i = 0; i < G_N_ELEMENTS(rows); i++) {
        g_auto(SilverTable) table = {0};
        silver_init(&table, rows[i].options);
        g_autofree char *options = g_strdup_printf("url: file://%s/t\n%s", table.dir, rows[i].options);
        g_autoptr(Harness) h = harness_new("delta-silver-sink", options);
        harness_input_text(h, "rows", "id bigint");
        g_assert_cmpint(harness_try_bind(h), ==, SF_CONFIG);
        g_test_message("%s: %s", rows[i].options, h->err.message);
        g_assert_nonnull(strstr(h->err.message, rows[i].error));
    }
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/maintain/mistakes in the option are named", test_options);
    g_test_add_func("/maintain/small files are packed, once an interval", test_optimize);
    g_test_add_func("/maintain/a stop does not end it, nor wait for it", test_unbounded);
    g_test_add_func("/maintain/an interrupt does not cost the next turn", test_interrupted);
    g_test_add_func("/maintain/what no version needs is deleted", test_vacuum);
    g_test_add_func("/maintain/a retention shorter than the table's deletes nothing", test_short_retention);
    g_test_add_func("/maintain/files are as large as the memory allows", test_memory);
    g_test_add_func("/maintain/processes append and pack at once", test_race);
#ifdef SF_FAULTS
    g_test_add_func("/maintain/killed anywhere nothing is lost", test_killed);
#endif
    return g_test_run();
}
