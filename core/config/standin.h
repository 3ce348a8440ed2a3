/* Columns that stand in for those of a step of which nothing is known: of one type, and whatever is asked for. What a
 * plugin says of every one of them does not depend on its input. */
#ifndef CORE_STANDIN_H
#define CORE_STANDIN_H

#include <glib.h>
#include <sf/sf.h>

typedef struct StandIn StandIn;

/* The types that columns are tried with. */
enum { STANDIN_TYPES = 10 };

/* Columns of type number `type`, from 0; with `raw`, behind those of a raw row. */
StandIn *standin_new(guint type, bool raw);
void standin_free(StandIn *standin);

/* Adds a column; one whose name differs in case only makes way. False when it is there already. */
bool standin_add(StandIn *standin, const char *name);

/* NULL: no schema has these columns. It lasts until the next standin_add(). */
const struct ArrowSchema *standin_schema(StandIn *standin);

/* Whether a schema was made of the stand-in's columns, so that it says nothing of the true ones. */
bool standin_shows(const struct ArrowSchema *schema);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(StandIn, standin_free)

#endif
