/* What other threads ask of sinks, and wait for: where they are (recover), a commit. Lock not held. */
#ifndef CORE_REQUESTS_H
#define CORE_REQUESTS_H

#include "sink_thread.h"

/* Asks each its request (NULL: none) and waits for all, until the monotonic time `deadline` at most (0: no limit); a
 * line says who is waited for when half of that has passed. SF_RETRY when the attempt is being left, or, where the
 * question is where to start, stopping or going to pause; SF_EMPTY when the time is over: requests are withdrawn
 * then. */
SfStatus requests_ask(Context *context, SinkThread *const *sinks, size_t n, Request *const *requests, gint64 deadline,
                      SfError *err);

/* All sinks commit everything they were given, upstream ones first. Deadline as above. */
SfStatus requests_commit(Context *context, SfCommitReason reason, gint64 deadline, SfError *err);

/* The same for a pause (number `pause` of Context.pauses): SF_RETRY when that is over before. */
SfStatus requests_commit_paused(Context *context, guint pause, SfError *err);

#endif
