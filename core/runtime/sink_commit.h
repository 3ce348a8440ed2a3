/* When a sink commits, and what it has to say of it. The sink's thread, context's lock not held. */
#ifndef CORE_SINK_COMMIT_H
#define CORE_SINK_COMMIT_H

#include "sink_thread.h"

SfStatus sink_commit(SinkThread *sink, SfCommitReason reason, SfError *err);

/* Commits when the pipeline's checkpoint or the process's memory say so. */
SfStatus sink_maybe_commit(SinkThread *sink, SfError *err);

#endif
