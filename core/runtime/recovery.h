/* Where splits go on, who owns them, and what their sources are told of it. The source's thread, context's lock not
 * held, unless said otherwise. */
#ifndef CORE_RECOVERY_H
#define CORE_RECOVERY_H

#include "source_thread.h"

/* sf_assign: asks every sink where it is, and gives the source the lowest answer. */
SfStatus recovery_assign(SourceThread *source, SfAssignment *assignments, size_t n, SfError *err);

/* sf_revoke: commits what was read of all splits, as far as the source has the patience. */
SfStatus recovery_revoke(SourceThread *source, const SfSplit *const *splits, size_t n, bool lost, SfError *err);

/* Tells the source how far all sinks have committed. */
void recovery_publish(SourceThread *source, bool last);

#endif
