/* The ledger: one row a chain in the warehouse itself, moved on in the transaction that brings the chain's rows. */
#ifndef GOLD_LEDGER_H
#define GOLD_LEDGER_H

#include "ranges/ranges.h"
#include "session.h"

typedef struct Chain {
    Range range;
    int64_t ledger;    /* what the ledger said when last read, or what we wrote; SF_POSITION_NONE: nothing yet */
    int64_t uncertain; /* end that a COMMIT without an answer carried, or SF_POSITION_NONE */
    bool found;        /* by ledger_read: there is a row */
    int64_t there;     /* likewise: its position, or SF_POSITION_NONE */
    int64_t moved_ms;  /* likewise: when it was last moved, since 1970; 0: not known */
    char *origin;      /* likewise: of the split, as sf_origin() had it then; NULL or "": not known */
} Chain;

void chain_clear(gpointer chain);

/* Also adds the column that earlier versions had not: where that is not allowed, origins are not kept. */
SfStatus ledger_create(Session *session, SfError *err);

/* Reads the rows of all chains. */
SfStatus ledger_read(Session *session, const Ranges *chains, SfError *err);

/* Likewise the rows of other pipelines, steps and inputs, for chains of `wanted` that have no position: takes the one
 * that `adopt` names; with `start: known`, SF_CONFIG where one has written the same split to our tables. */
SfStatus ledger_adopt(Session *session, GPtrArray *wanted, SfError *err);

/* Of adopt.c: what they are called, when a row was moved by what the database says of it, an expression for its origin,
 * and a column of a query as a new text, "" where it is null. */
void ledger_table(const Session *session, GString *sql);
const char *ledger_input(const Session *session, const Chain *chain);
int64_t ledger_time(const char *text);
const char *ledger_origin(const Session *session);
SfStatus ledger_text(OdbcStatement *statement, guint column, char **out, SfError *err);

/* Adds rows for the chains that have none. */
SfStatus ledger_add(Session *session, const Ranges *chains, SfError *err);

/* Within the transaction: moves each chain that moved from `ledger` to `end`; SF_FENCED when another process was
 * here. */
SfStatus ledger_move(Session *session, const Ranges *chains, SfError *err);

#endif
