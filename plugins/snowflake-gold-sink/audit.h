/* What the warehouse has, for `sfrun audit` (sf/audit.h). */
#ifndef GOLD_AUDIT_H
#define GOLD_AUDIT_H

#include "audit_read.h"

/* Logs in, and reports positions, tables, and what is wrong with them whatever came. */
SfStatus audit_store(GoldAudit *audit, SfAudit *report, SfError *err);

#endif
