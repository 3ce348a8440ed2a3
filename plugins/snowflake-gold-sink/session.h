/* A log-in to the warehouse: connection, dialect, tables as they are declared, loaders. It is thrown away after any
 * failure that is not about data, and made anew, which creates again what somebody dropped meanwhile. */
#ifndef GOLD_SESSION_H
#define GOLD_SESSION_H

#include "loader.h"

typedef struct Session {
    SfNode *node;
    Odbc *odbc; /* there from open to close, for interrupts */
    const char *schema;
    const char *ledger;
    const char *adopt; /* whose positions the step goes on from where it has none of its own; NULL: nobody's */
    bool anew;         /* it may begin with a split that another step has written to the same tables */
    bool create;       /* missing tables and columns */
    bool ruled;        /* see Place */
    bool origins;      /* the ledger has a column for them: see ledger_create() */
    const Model *model;
    const Pending *pending;
    const Dialect *dialect; /* NULL: not logged in */
    GPtrArray *loaders;     /* Loader *, one a target */
    GPtrArray *erasers;     /* likewise; NULL for a table that loses no rows */
    GPtrArray *stale;       /* GPtrArray * of names or NULL, one a target: see Place */
    GPtrArray *limits;      /* int * or NULL, one a target: see Place */
    GHashTable *written;    /* see written.h; NULL: no record is kept */
    bool warned;            /* once, not at each log-in */
    int64_t retention;      /* ms that deleted keys are remembered; 0: for ever */
    int64_t purged_ms;      /* monotonic: when they were looked through; 0: never */
} Session;

/* Forgets deleted keys that are older than the retention; once an hour. */
SfStatus session_purge(Session *session, SfError *err);

/* Appends 'YYYY-MM-DD HH:MM:SS.mmm', in UTC. */
void session_time(int64_t ms, GString *sql);

/* Logs out; an open transaction is rolled back. */
void session_drop(Session *session);

/* DDL must not fail on data: what odbc.h calls SF_REJECT and SF_EMPTY is told as something to retry. */
SfStatus session_exec(Session *session, const char *sql, SfError *err);

/* Appends "pipeline = '…' AND step = '…'". */
void session_of_this_step(const Session *session, GString *sql);

Place session_place(const Session *session, guint target);

#endif
