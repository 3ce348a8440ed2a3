/* One batch to one sink: retried, refused as a whole, counted. The sink's thread, context's lock not held. */
#ifndef CORE_SINK_WRITE_H
#define CORE_SINK_WRITE_H

#include "sink_thread.h"

SfStatus sink_write(SinkThread *sink, const Item *item, SfError *err);

#endif
