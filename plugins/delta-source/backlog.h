/* How many rows sinks are behind what was given. A position tells a version, and versions are 10^11 apart, so a lag of
 * positions would tell nobody anything. */
#ifndef DELTA_SOURCE_BACKLOG_H
#define DELTA_SOURCE_BACKLOG_H

#include <glib.h>
#include <stdint.h>

typedef struct Backlog {
    GArray *given;     /* batches in their order */
    int64_t rows;      /* of them in all */
    int64_t committed; /* position */
} Backlog;

void backlog_begin(Backlog *backlog, int64_t position);
void backlog_done(Backlog *backlog);
void backlog_add(Backlog *backlog, int64_t end, int64_t rows); /* a batch was given */
void backlog_commit(Backlog *backlog, int64_t position);       /* all sinks have committed up to it */

#endif
