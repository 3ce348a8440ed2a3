/* The process's memory budget: bytes that batches and sinks hold. Tasks stop polling above it, sinks commit above three
 * quarters of it. A soft bound: one batch a task may go over. Any thread. */
#ifndef CORE_BUDGET_H
#define CORE_BUDGET_H

#include <glib.h>
#include <stdbool.h>

void budget_setup(gint64 limit);
void budget_charge(gint64 bytes); /* negative gives back */
gint64 budget_used(void);
gint64 budget_limit(void);
bool budget_full(void);
bool budget_tight(void);

#endif
