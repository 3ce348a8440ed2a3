/* Where a chain begins: what is gone from the source, what others have, what nobody knows. */
#ifndef COMMANDS_AUDIT_START_H
#define COMMANDS_AUDIT_START_H

#include "model.h"

/* source: its word of the split, or NULL. */
void start_compare(AuditStep *step, const AuditChain *chain, const AuditChain *source);
/* Rows before the first one that is compared. */
void start_say_unknown(AuditStep *step, const AuditLane *lane);

#endif
