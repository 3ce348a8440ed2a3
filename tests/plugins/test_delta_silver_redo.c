/* delta-silver-sink killed between its side effects, and in a race with others: every row is there once. */
#include "silver_table.h"

#include <sys/wait.h>
#include <unistd.h>

#include "killed.h"

#ifdef SF_FAULTS
typedef struct Life {
    const SilverTable *table;
    const char *point; /* where it ends; NULL: nowhere */
} Life;

/* Writes what is missing of rows [0, 6), two a commit. */
static void live(gpointer data)
{
    const Life *life = data;
    g_random_set_seed((guint32) getpid());
    Harness *h = silver_sink_new(life->table, "id bigint");
    harness_open(h);
    if (life->point)
        killed_arm(h, life->point, 0);
    gint64 at = MAX(harness_recover(h, 0, "events/0"), 0);
    while (at < 6) {
        for (int i = 0; i < 2; i++, at++) {
            g_autofree char *row = g_strdup_printf("[%" G_GINT64_FORMAT "]", at);
            const char *json = row;
            silver_write_rows(h, "events/0", at, &json, 1);
        }
        harness_commit(h, SF_COMMIT_CHECKPOINT);
    }
}

static void write_until(const SilverTable *table, const char *point)
{
    bool killed = killed_run(live, &(Life){table, point});
    g_assert_true(killed == (point != NULL));
}

/* Killed between any two side effects, and again on the way back: every row once. */
static void test_redo(void)
{
    static const char *const points[] = {"silver-data",       "silver-commit",          "silver-committed",
                                         "silver-checkpoint", "silver-last-checkpoint", "silver-sidecar"};
    for (gsize i = 0; i < G_N_ELEMENTS(points); i++) {
        g_auto(SilverTable) table = {0};
        silver_init(&table, i % 2 ? "table_properties: {delta.checkpointInterval: 1, delta.checkpointPolicy: v2}"
                                  : "table_properties: {delta.checkpointInterval: 1}");
        write_until(&table, points[i]);
        write_until(&table, points[i]);
        write_until(&table, NULL);
        g_autofree char *text = silver_text(&table, "id bigint");
        g_assert_cmpstr(text, ==, "{\"id\":0}\n{\"id\":1}\n{\"id\":2}\n{\"id\":3}\n{\"id\":4}\n{\"id\":5}");
    }
}
#endif

#define WRITERS 4
#define COMMITS 20

static void race_writer(const SilverTable *table, int number)
{
    /* A fork inherits the state that names are drawn from; processes of their own do not. */
    g_random_set_seed((guint32) getpid());
    Harness *h = silver_sink_new(table, "id bigint");
    g_autofree char *split = g_strdup_printf("events/%d", number);
    for (int i = 0; i < COMMITS; i++) {
        g_autofree char *row = g_strdup_printf("[%d]", number * COMMITS + i);
        const char *json = row;
        silver_write_rows(h, split, i, &json, 1);
        harness_commit(h, SF_COMMIT_CHECKPOINT);
    }
    _exit(0);
}

/* Several processes on one table: as many versions as commits, no row lost. */
static void test_race(void)
{
    g_auto(SilverTable) table = {0};
    pid_t children[WRITERS];
    silver_init(&table, "checkpoint_interval: 7");
    for (int i = 0; i < WRITERS; i++) {
        children[i] = fork();
        g_assert_cmpint(children[i], >=, 0);
        if (children[i] == 0)
            race_writer(&table, i);
    }
    for (int i = 0; i < WRITERS; i++) {
        int status;
        g_assert_cmpint(waitpid(children[i], &status, 0), ==, children[i]);
        g_assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    }
    g_assert_cmpint(silver_last_version(&table), ==, WRITERS * COMMITS - 1);
    g_autofree char *text = silver_text(&table, "id bigint");
    g_auto(GStrv) lines = g_strsplit(text, "\n", -1);
    g_assert_cmpuint(g_strv_length(lines), ==, WRITERS * COMMITS);
    for (guint i = 1; lines[i]; i++)
        g_assert_cmpstr(lines[i - 1], !=, lines[i]);
}

int main(int argc, char **argv)
{
    g_test_init(&argc, &argv, NULL);
    g_test_add_func("/delta-silver-sink/writers in a race lose nothing", test_race);
#ifdef SF_FAULTS
    g_test_add_func("/delta-silver-sink/a kill at any point is made good", test_redo);
#endif
    return g_test_run();
}
