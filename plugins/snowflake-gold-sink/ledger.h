/* The ledger: one row a chain in the warehouse itself, moved on in the transaction that brings the chain's rows. */
#ifndef GOLD_LEDGER_H
#define GOLD_LEDGER_H

#include "session.h"

typedef struct Chain {
    gsize input;
    const SfSplit *split;
    int64_t ledger;    /* what the ledger said when last read, or what we wrote; SF_POSITION_NONE: nothing yet */
    int64_t end;       /* of what is pending */
    int64_t uncertain; /* end that a COMMIT without an answer carried, or SF_POSITION_NONE */
    bool moved;        /* something is pending */
    bool found;        /* by ledger_read: there is a row */
    int64_t moved_ms;  /* likewise: when the row was last moved, since 1970; 0: not known */
} Chain;

SfStatus ledger_create(Session *session, SfError *err);

/* Reads the positions of all chains into `positions`, and what the rows say beside them into the chains. */
SfStatus ledger_read(Session *session, GArray *chains, int64_t *positions, SfError *err);

/* Adds rows for the chains that have none. */
SfStatus ledger_add(Session *session, const GArray *chains, SfError *err);

/* Within the transaction: moves each chain that moved from `ledger` to `end`; SF_FENCED when another process was
 * here. */
SfStatus ledger_move(Session *session, const GArray *chains, SfError *err);

#endif
