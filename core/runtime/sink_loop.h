/* A sink's thread at work: opens the sink, then serves its queue, ticks and commits until the attempt ends. */
#ifndef CORE_SINK_LOOP_H
#define CORE_SINK_LOOP_H

#include "sink_thread.h"

/* The pipeline's thread. */
void sink_start(SinkThread *sink);

#endif
