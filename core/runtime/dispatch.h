/* A batch on its way from the source through the transforms to the queues of the sinks. Waits for nobody. */
#ifndef CORE_DISPATCH_H
#define CORE_DISPATCH_H

#include "source_thread.h"

/* Takes what the source gave, runs the transforms on it, and offers the results to the sinks. The source's thread, lock
 * not held. */
SfStatus dispatch_polled(SourceThread *source, SfBatch *polled, SfError *err);

#endif
