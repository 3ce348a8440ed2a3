/* How many rows sinks are behind. A position tells a version, and versions are 10^11 apart, so a lag of positions would
 * tell nobody anything. */
#include "lane.h"

#define MOST_BATCHES 10000 /* told apart; what comes then is counted with the last one */

typedef struct Given {
    int64_t end;
    int64_t rows;
} Given;

void lane_assigned(Lane *lane, int64_t position)
{
    lane->position = lane->backlog.committed = position;
    lane->backlog.given = g_array_new(FALSE, FALSE, sizeof(Given));
}

void lane_note_given(Lane *lane, int64_t end, int64_t rows)
{
    GArray *given = lane->backlog.given;
    const Given batch = {end, rows};
    lane->backlog.rows += rows;
    if (given->len < MOST_BATCHES) {
        g_array_append_val(given, batch);
        return;
    }
    Given *last = &g_array_index(given, Given, given->len - 1);
    last->end = end;
    last->rows += rows;
}

void lane_note_committed(Lane *lane, int64_t position)
{
    GArray *given = lane->backlog.given;
    guint n = 0;
    for (; n < given->len && g_array_index(given, Given, n).end <= position; n++)
        lane->backlog.rows -= g_array_index(given, Given, n).rows;
    if (n > 0)
        g_array_remove_range(given, 0, n);
    lane->backlog.committed = MAX(lane->backlog.committed, position);
}

/* Of the version that is being read. */
static int64_t rows_of_listing(const Lane *lane)
{
    if (!lane->listing)
        return 0;
    int64_t base = position_at(lane->listing->version, lane->listing->snapshot, lane->listing->row);
    int64_t file = lane->reading ? reading_rows(lane->reading) - MAX(lane->position - base, 0) : 0;
    return lane->listing->left + MAX(file, 0);
}

int64_t lane_lag_end(const Lane *lane)
{
    int64_t versions = lane->last_version + 1 - place_of(lane->position).version - (lane->listing ? 1 : 0);
    return lane->backlog.committed + lane->backlog.rows + rows_of_listing(lane) + MAX(versions, 0);
}
