/* Rows of a Delta table through delta-source, to its end: CPU time a row, most memory.
 *
 *   sfrun run --once tests/bench/delta_read.yaml
 *   delta_read file://$PWD/delta_read/silver [options, as YAML] */
#include "harness_private.h"

#include <stdio.h>
#include <sys/resource.h>

int main(int argc, char **argv)
{
    if (argc < 2) {
        fprintf(stderr, "usage: delta_read URL [options]\n");
        return 2;
    }
    g_autofree char *options = g_strdup_printf("url: %s\n%s", argv[1], argc > 2 ? argv[2] : "");
    g_autoptr(Harness) h = harness_new("delta-source", options);
    SfBatch out = {0};
    SfStatus status;
    gint64 rows = 0;
    h->bounded = true;
    harness_open(h);
    while ((status = h->own->plugin->source.poll(h->node, 0, &out, &h->err)) == SF_OK) {
        rows += sf_rows(&out);
        sf_array_done(&out.rows);
    }
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    double cpu = (double) usage.ru_utime.tv_sec + (double) usage.ru_stime.tv_sec +
                 (double) (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
    printf("%" G_GINT64_FORMAT " rows, %.3f s of CPU, %.0f rows/s a core, %ld KiB at most\n", rows, cpu,
           (double) rows / cpu, usage.ru_maxrss);
    if (status != SF_END)
        fprintf(stderr, "delta_read: %s\n", h->err.message);
    return status == SF_END ? 0 : 1;
}
