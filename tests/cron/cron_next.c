/* cron_next: reads lines of an expression, a zone, a moment in seconds and a number, split by tabs, and prints for each
 * so many next moments, or what is wrong with it. */
#include <glib.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "config/cron.h"

static void print_moments(const Cron *cron, GTimeZone *zone, gint64 at, int n)
{
    for (int i = 0; i < n && at >= 0; i++) {
        at = cron_next(cron, zone, at);
        printf("%s%" G_GINT64_FORMAT, i > 0 ? " " : "", at);
    }
    putchar('\n');
}

int main(void)
{
    g_autofree char *line = NULL;
    size_t size = 0;
    for (ssize_t length; (length = getline(&line, &size, stdin)) > 0;) {
        SfError err;
        Cron cron;
        g_auto(GStrv) words = g_strsplit(g_strchomp(line), "\t", -1);
        if (g_strv_length(words) != 4)
            return EXIT_FAILURE;
        g_autoptr(GTimeZone) zone = g_time_zone_new_identifier(words[1]);
        if (!zone)
            printf("unknown zone %s\n", words[1]);
        else if (cron_parse(words[0], &cron, &err) != SF_OK)
            printf("! %s\n", err.message);
        else
            print_moments(&cron, zone, g_ascii_strtoll(words[2], NULL, 10), (int) g_ascii_strtoll(words[3], NULL, 10));
    }
    return EXIT_SUCCESS;
}
