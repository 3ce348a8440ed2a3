/* What every sink should have, by the transforms of the pipeline. */
#ifndef COMMANDS_AUDIT_REPLAY_H
#define COMMANDS_AUDIT_REPLAY_H

#include "model.h"

/* Where the rows of a chain begin that can be compared: its first range, or what else tells. */
gint64 replay_start(const Audit *audit, const AuditStep *step, const AuditChain *chain);
/* A source's split: what all sinks have of it. */
void replay_wanted(const Audit *audit, const AuditStep *source, const char *split, gint64 *from, gint64 *to);
/* Opens the transforms. */
SfStatus replay_open(Audit *audit, SfError *err);
/* A batch of the source's, moved. */
SfStatus replay_batch(AuditStep *source, SfBatch *batch, SfError *err);
/* There are no more, of any source. */
SfStatus replay_end(Audit *audit, SfError *err);

#endif
