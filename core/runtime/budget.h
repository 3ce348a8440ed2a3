/* The process's memory budget: bytes that batches and sinks hold. Half of it is shared out evenly, so that no pipeline
 * waits for memory that another one's sink holds while it is away; the other half is first come, first served. Sources
 * stop polling when both are used up, sinks commit before. A soft bound: each source thread may go over it by one
 * batch. Any thread. */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H

#include <glib.h>
#include <stdbool.h>

/* A pipeline's part; zeroed is empty. */
typedef struct BudgetShare {
    gint64 used;
} BudgetShare;

void budget_setup(gint64 limit, guint pipelines);
void budget_charge(BudgetShare *share, gint64 bytes); /* negative gives back */
gint64 budget_used(void);                             /* by all */
gint64 budget_limit(void);
gint64 budget_own(void);  /* what each share has for itself */
gint64 budget_part(void); /* and with its part of what is common */
bool budget_full(const BudgetShare *share);
bool budget_tight(const BudgetShare *share);

#endif
