/* The warehouse against the rows that should have come, for a deep audit. */
#ifndef GOLD_AUDIT_ROWS_H
#define GOLD_AUDIT_ROWS_H

#include "audit_read.h"

typedef struct AuditLookup AuditLookup;

/* After audit_store() of the same audit, which stays the caller's. */
AuditLookup *audit_lookup_new(GoldAudit *audit);
void audit_lookup_free(AuditLookup *lookup);

/* Rows that should have come; NULL: there are no more. `numbers` as model_match() gave them for the input. */
SfStatus audit_lookup_rows(AuditLookup *lookup, SfAudit *report, gsize input, const gint64 *numbers,
                           const SfBatch *batch, SfError *err);

#endif
