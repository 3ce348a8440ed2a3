/* What the two halves of an audit share: a log-in that only reads, queries, and what is known of positions and
 * tables. */
#ifndef GOLD_AUDIT_READ_H
#define GOLD_AUDIT_READ_H

#include <sf/audit.h>

#include "session.h"

/* A chain by its ledger row. */
typedef struct AuditChain {
    char *split;
    gsize input;
    int64_t end;
    int64_t rejected;
} AuditChain;

typedef struct GoldAudit {
    Session session; /* of its own */
    SfAudit *report; /* of the hook that runs */
    GArray *chains;  /* AuditChain */
    bool has_ledger;
    GArray *intact; /* bool, one a target: the table is there with all of its columns */
} GoldAudit;

/* Takes the session's settings, and its odbc. */
GoldAudit *audit_new(const Session *settings);
void audit_free(GoldAudit *audit);

/* Where there is one snapshot of the database, all that is read is of it. */
SfStatus audit_log_in(GoldAudit *audit, SfError *err);

/* Where a table is. */
Place audit_place(const GoldAudit *audit, guint target);
/* Runs a query of n columns and hands its rows over, a NULL cell where one is null. */
typedef SfStatus (*AuditTake)(gpointer data, char **cells, SfError *err);
SfStatus audit_query(const GoldAudit *audit, const char *sql, guint n, AuditTake take, gpointer data, SfError *err);
/* Appends the table's column of model_provenance[number]. */
void audit_provenance(const Place *place, gsize number, GString *sql);
/* "1 row", "2 rows" */
char *audit_rows_text(int64_t n);
int64_t audit_number(const char *cell); /* -1: null */

#endif
