/* Logging in, and bringing the tables in line with the model. */
#ifndef GOLD_READY_H
#define GOLD_READY_H

#include "session.h"

/* Does it, unless that is done. */
SfStatus session_ready(Session *session, SfError *err);

#endif
