/* A sink's rejects on their way to the steps that read its errors: durable there before the sink's own commit. The
 * sink's thread, context's lock not held. */
#ifndef CORE_SETTLE_H
#define CORE_SETTLE_H

#include "sink_thread.h"

/* Makes the rejects of a sink before these ends durable downstream; see sf_settle. */
SfStatus settle_rejects(SinkThread *sink, size_t input, const SfPosition *ends, size_t n, SfError *err);

/* sf_committed: the errors of a sink are complete up to where it has committed. */
void settle_committed(SinkThread *sink, size_t input, const SfSplit *split, gint64 end);

#endif
