/* The process's memory budget: bytes that batches and sinks hold. It is the largest that a pipeline asks for. Half of
 * it is shared out evenly, so that no pipeline waits for memory that another one's sink holds while it is away; the
 * other half is first come, first served. It is shared out anew whenever a pipeline joins or leaves. Sources stop
 * polling when both halves are used up, sinks commit before. A soft bound: each source thread may go over it by one
 * batch.
 *
 * Any thread. Charging is atomic and takes a lock only where somebody waits for memory. */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H

#include <glib.h>
#include <stdbool.h>

/* A pipeline's part. */
typedef struct BudgetShare BudgetShare;

/* memory: what the pipeline asks for; over: by how much its source threads may go over it. Before anybody has joined
 * nothing is ever full. Like budget_leave() it calls all listeners: what they have is another amount now. */
BudgetShare *budget_join(gint64 memory, gint64 over);
/* Everything has been given back. NULL is fine. */
void budget_leave(BudgetShare *share);

void budget_charge(BudgetShare *share, gint64 bytes); /* negative gives back; see budget_tell() for locks */
gint64 budget_used(void);                             /* by all */
gint64 budget_limit(void);
gint64 budget_own(void);  /* what each share has for itself */
gint64 budget_part(void); /* and with its part of what is common */
bool budget_full(const BudgetShare *share);
bool budget_tight(const BudgetShare *share);

/* ---- waiting for memory ------------------------------------------------
 *
 * Who waits calls budget_await(true), looks at budget_full(), sleeps, and calls budget_await(false) afterwards. While
 * there is one, whatever is given back is told to all listeners. */

/* `changed` is called under the budget's lock, which comes before all locks that it takes; NULL: no more, and it is not
 * being called when this returns. */
void budget_listen(BudgetShare *share, void (*changed)(gpointer data), gpointer data);
void budget_await(bool waits);
/* Calls all listeners. No lock held that a listener takes; likewise budget_charge() of less than nothing. */
void budget_tell(void);

#endif
