/* Who handles a request. */
#ifndef BROKER_DISPATCH_H
#define BROKER_DISPATCH_H

#include "api.h"

#define API_VERSIONS 18

/* Has it handled; false: the connection is to be closed. */
bool dispatch(Request *request, Outcome *outcome);
/* Whether requests of that version have flexible fields. */
bool dispatch_is_flexible(gint16 api, gint16 version);

#endif
