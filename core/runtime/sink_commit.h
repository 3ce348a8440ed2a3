/* When a sink commits, and what it has to say of it. The sink's thread, context's lock not held. */
#ifndef CORE_SINK_COMMIT_H
#define CORE_SINK_COMMIT_H

#include "sink_thread.h"

SfStatus sink_commit(SinkThread *sink, SfCommitReason reason, SfError *err);

/* When the checkpoint, or others that need the memory, make the sink commit; G_MAXINT64: it has nothing to. Lock
 * held. */
gint64 sink_commit_due(const SinkThread *sink);

/* Commits when the pipeline's checkpoint or the process's memory say so. */
SfStatus sink_maybe_commit(SinkThread *sink, SfError *err);

#endif
