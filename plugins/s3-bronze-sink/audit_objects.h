/* An audit on its way through the ledger, and what it does with the objects that entries name. */
#ifndef BRONZE_AUDIT_OBJECTS_H
#define BRONZE_AUDIT_OBJECTS_H

#include "bronze.h"

#define POSITIONS 4096 /* that are told at once */

/* One split's ledger, as far as it was read. */
typedef struct AuditLedger {
    char *prefix;
    char *beside; /* what the names of its objects begin with, "/<name>+<partition>+" */
    char *topic;
    char *below; /* the topic's directory */
    int32_t partition;
    int64_t end; /* of the last entry */
    int64_t last_start;
} AuditLedger;

/* An object that is not there: perhaps not yet. */
typedef struct Absent {
    const AuditLedger *ledger;
    int64_t start; /* of its entry */
    char *key;
    char *what; /* "it has 100 rows, …" */
} Absent;

typedef struct BronzeAudit {
    SfNode *node;
    Bronze *bronze;
    SfAudit *audit;
    GPtrArray *ledgers;  /* AuditLedger * */
    AuditLedger *ledger; /* the one at hand */
    GPtrArray *entries;  /* Entry *, whose objects are to be looked at */
    guint n_objects;
    int64_t held;
    GPtrArray *owners; /* of the entries: AuditLedger * */
    GHashTable *named; /* char *: keys of all objects that entries name */
    GArray *absent;    /* of Absent */
    int64_t positions[POSITIONS];
    size_t n_positions;
} BronzeAudit;

/* audit_objects.c: a key as a person finds it; and looks at the objects of the entries that wait. */
char *audit_place(const BronzeAudit *all, const char *key);
SfStatus audit_objects(BronzeAudit *all, SfError *err);

#endif
