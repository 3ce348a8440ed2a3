/* See backlog.h. */
#include "backlog.h"

#define MOST_BATCHES 10000 /* told apart; what comes then is counted with the last one */

typedef struct Given {
    int64_t end;
    int64_t rows;
} Given;

void backlog_begin(Backlog *backlog, int64_t position)
{
    backlog_done(backlog);
    backlog->committed = position;
    backlog->given = g_array_new(FALSE, FALSE, sizeof(Given));
}

void backlog_done(Backlog *backlog)
{
    g_clear_pointer(&backlog->given, g_array_unref);
    backlog->rows = 0;
}

void backlog_add(Backlog *backlog, int64_t end, int64_t rows)
{
    const Given batch = {end, rows};
    backlog->rows += rows;
    if (backlog->given->len < MOST_BATCHES) {
        g_array_append_val(backlog->given, batch);
        return;
    }
    Given *last = &g_array_index(backlog->given, Given, backlog->given->len - 1);
    last->end = end;
    last->rows += rows;
}

void backlog_commit(Backlog *backlog, int64_t position)
{
    guint n = 0;
    for (; n < backlog->given->len && g_array_index(backlog->given, Given, n).end <= position; n++)
        backlog->rows -= g_array_index(backlog->given, Given, n).rows;
    if (n > 0)
        g_array_remove_range(backlog->given, 0, n);
    backlog->committed = MAX(backlog->committed, position);
}
