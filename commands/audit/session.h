/* Binds the steps of a pipeline and asks them. */
#ifndef COMMANDS_AUDIT_SESSION_H
#define COMMANDS_AUDIT_SESSION_H

#include "model.h"

/* SF_OK: all has been read and compared; what was found is in the audit. Main thread. */
SfStatus audit_run(Audit *audit, SfError *err);

#endif
