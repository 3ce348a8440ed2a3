/* A sink's thread at work: opens the sink, then serves its queue, ticks and commits until the attempt ends. */
#ifndef CORE_SINK_LOOP_H
#define CORE_SINK_LOOP_H

#include "sink_thread.h"

/* The pipeline's thread. */
void sink_start(SinkThread *sink);

/* How long a sink with a tick may sleep that has been given nothing for so long. Timers of plugins begin with a write
 * at the latest, so one that is looked at seldom is late by a small part of what it was set to. */
gint64 sink_tick_after(gint64 silent_us);

#endif
