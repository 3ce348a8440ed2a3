/* Where a chain begins, as far as anybody knows. */
#include "start.h"

#include <string.h>

#define N "%" G_GINT64_FORMAT

/* The lowest position that another step has of the split; -1: none has. */
static gint64 lowest_elsewhere(const AuditStep *step, const AuditChain *chain, const char **who)
{
    const Audit *audit = step->audit;
    gint64 lowest = -1;
    for (guint i = 0; i < audit->pipeline->steps->len; i++) {
        const AuditStep *other = &audit->steps[i];
        for (guint k = 0; other != step && other->step->inputs->len > 0 && k < other->chains->len; k++) {
            const AuditChain *its = other->chains->pdata[k];
            if (strcmp(its->split, chain->split) != 0 || !its->topic ||
                audit_source_of(other->step, its->input) != audit_source_of(step->step, chain->input))
                continue;
            gint64 stored = step_lane((AuditStep *) other, its->input, its->topic, its->partition)->lowest;
            gint64 begins = its->start >= 0 && (stored < 0 || its->start < stored) ? its->start : stored;
            if (begins >= 0 && (lowest < 0 || begins < lowest)) {
                lowest = begins;
                *who = other->step->name;
            }
        }
    }
    return lowest;
}

void start_compare(AuditStep *step, const AuditChain *chain, const AuditChain *source)
{
    const char *who = "";
    gint64 from = audit_from(step->audit, chain->split);
    gint64 other = lowest_elsewhere(step, chain, &who);
    gint64 begins = MAX(chain->start, from);
    if (chain->start >= 0 && source && begins < source->start)
        step_find(step, SF_AUDIT_UNKNOWN, NULL,
                  "%s: records before position " N " are gone from the source (retention); the step begins at " N,
                  chain->split, source->start, begins);
    if (chain->start >= 0 && other >= 0 && MAX(other, from) < begins)
        step_find(step, SF_AUDIT_UNKNOWN, NULL,
                  "%s: begins at position " N ", while step '%s' has rows from " N
                  " on: it began later, or what it had before is lost",
                  chain->split, begins, who, other);
}

void start_say_unknown(AuditStep *step, const AuditLane *lane)
{
    if (lane->before > 0)
        step_find(step, SF_AUDIT_UNKNOWN, NULL,
                  "%s/%d: where it began is not known: its first row is at " N ", the source has " N
                  " rows for it from " N " on that no step has: it began later, or they are lost",
                  lane->topic, lane->partition, lane->lowest, lane->before, lane->before_first);
}
