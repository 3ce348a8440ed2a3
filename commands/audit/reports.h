/* What hooks report goes into the model. */
#ifndef COMMANDS_AUDIT_REPORTS_H
#define COMMANDS_AUDIT_REPORTS_H

#include "model.h"

/* What a hook of this step is handed; host_data is the step. */
SfAudit reports_audit(AuditStep *step, SfAuditDepth depth);

#endif
