/* One commit: all pending rows of all chains, and their ledger rows, in one transaction. */
#ifndef GOLD_COMMIT_H
#define GOLD_COMMIT_H

#include "ledger.h"

/* Brings everything pending into the warehouse. On SF_OK the chains' ledger positions are their ends. Rows that the
 * database refuses are struck out and rejected. After any other status it can be called again: it asks the ledger
 * what happened. */
SfStatus commit_pending(Session *session, Pending *pending, const Ranges *chains, SfError *err);

#endif
