/* `maintain`: the table's small files are packed, and files that no version needs are deleted, by the sink itself.
 *
 * That is done by a thread of its own, so that it never holds up a commit. It has its own handle of the store and its
 * own view of the log, and shares with the sink's thread two queues and a few numbers that are read and written
 * atomically: no lock, and nothing of the sink's rows. Its commits and ours are made only if their version is absent;
 * who loses looks at what the other did, and goes on. */
#ifndef SILVER_MAINTAIN_H
#define SILVER_MAINTAIN_H

#include "sink.h"

/* maintain_options.c. SF_CONFIG with the place in the pipeline's file; `value` NULL: there is nothing to maintain. */
SfStatus maintain_options_parse(const SfValue *value, MaintainOptions *out, SfError *err);
void maintain_options_done(MaintainOptions *options);

/* At the end of open. Begins with what is due already. */
SfStatus maintenance_start(Sink *sink, SfError *err);
/* From any hook: memory that the thread holds is charged to the node, and it is told how much there is. */
void maintenance_charge(Sink *sink);
/* At the end of a bounded run: waits for what was due when it began. */
void maintenance_finish(Sink *sink);
/* Any thread, between open and close: what is under way ends soon. */
void maintenance_interrupt(Maintenance *maintenance);
/* Leavings of what it interrupts are vacuum's. */
void maintenance_stop(Sink *sink);

#endif
