/* A source's thread at work: polls, hands over, waits for sinks that are full, publishes positions. */
#ifndef CORE_SOURCE_LOOP_H
#define CORE_SOURCE_LOOP_H

#include "source_thread.h"

/* The pipeline's thread. */
void source_start(SourceThread *source);

#endif
