/* The split that a table is. */
#ifndef DELTA_SOURCE_LANE_H
#define DELTA_SOURCE_LANE_H

#include "backlog.h"
#include "source.h"

typedef enum Missing { MISSING_STOP, MISSING_SKIP } Missing;

typedef struct LaneOptions {
    int32_t on_change;  /* OnChange */
    int32_t on_missing; /* Missing */
} LaneOptions;

/* Files and bytes that may still be begun before the next trigger; INT64_MAX: any number. */
typedef struct Quota {
    int64_t files;
    int64_t bytes;
    bool used; /* something was begun: one file always may */
} Quota;

typedef struct Lane {
    SfNode *node;
    const LaneOptions *options;
    const Columns *columns;
    const SfSplit *split;
    Follow follow;
    int64_t position;     /* rows below it were given */
    int64_t last_version; /* that is read: the newest, or that of a bounded run's start */
    int64_t skip_to;      /* behind versions that are gone */
    Listing *listing;     /* of the version that is being read; NULL: none is begun */
    SourceFile *file;     /* the listing's, which is next */
    Reading *reading;     /* of it; NULL: it is to be opened */
    Backlog backlog;
} Lane;

/* SF_EMPTY: the quota is used up. SF_END: all versions up to last_version were given. After a failure it goes on where
 * it was. */
SfStatus lane_poll(Lane *lane, Quota *quota, SfBatch *out, SfError *err);
void lane_reset(Lane *lane); /* what is open is opened again */
void lane_done(Lane *lane);
int64_t lane_end(const Lane *lane); /* the position behind last_version */
size_t lane_held(const Lane *lane);

/* The position of a sink that has so many rows more than is committed as there are to come, as far as they are known; a
 * version that has not been looked into counts as one. */
int64_t lane_lag_end(const Lane *lane);

#endif
