/* Many small commits to one Delta table: time a commit, memory through the checkpoints, time of a new start.
 *
 *   delta_commits DIR [commits] */
#include "harness.h"

#include <stdio.h>

/* Resident memory, KiB. */
static long resident_kib(void)
{
    long pages = 0;
    FILE *file = fopen("/proc/self/statm", "r");
    if (!file || fscanf(file, "%*s %ld", &pages) != 1)
        pages = 0;
    if (file)
        fclose(file);
    return pages * 4;
}

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: delta_commits DIR [commits]\n");
        return 2;
    }
    gint64 commits = argc > 2 ? g_ascii_strtoll(argv[2], NULL, 10) : 1000;
    g_autofree char *options = g_strdup_printf("url: file://%s/t", argv[1]);
    g_autoptr(Harness) h = harness_new("delta-silver-sink", options);
    harness_input_text(h, "rows", "id bigint, name string");
    const char *row = "[1, \"a name\"]";
    const SfBatch *batch = harness_rows(h, 0, "rows/0", 0, &row, 1);
    gint64 start = g_get_monotonic_time();
    for (gint64 i = 0; i < commits; i++) {
        harness_write(h, 0, harness_with_range(h, batch, i, i + 1));
        harness_commit(h, SF_COMMIT_CHECKPOINT);
        if ((i + 1) % MAX(commits / 10, 1) == 0) {
            gint64 now = g_get_monotonic_time();
            printf("%6" G_GINT64_FORMAT " commits, %6.2f ms a commit, %6ld KiB resident\n", i + 1,
                   (double) (now - start) / 1000.0 / (double) MAX(commits / 10, 1), resident_kib());
            start = g_get_monotonic_time();
        }
    }
    harness_reopen(h);
    gint64 position = harness_recover(h, 0, "rows/0");
    printf("new start at %" G_GINT64_FORMAT " in %.2f ms\n", position,
           (double) (g_get_monotonic_time() - start) / 1000.0);
    return position == commits ? 0 : 1;
}
