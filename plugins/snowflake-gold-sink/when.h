/* Conditions on the input's columns: `delete_when` and `skip_when`.
 *
 *   delete_when: {op: d}                             # a text, a whole number, true or false, or null
 *   delete_when: {op: [d, t], source: crm}           # any of the values; all of the columns
 *   delete_when: [{op: d}, {__deleted: 'true'}]      # any of the maps */
#ifndef GOLD_WHEN_H
#define GOLD_WHEN_H

#include <glib.h>
#include <sf/sf.h>

typedef struct When When;

/* Finds an input's column: its number among the model's sources, and its type. */
typedef SfStatus (*WhenFind)(gpointer data, const char *name, const SfValue *place, guint *source, SfType *type,
                             SfError *err);

/* `name`: "table 'f': 'delete_when'". Texts live in `text`. */
SfStatus when_parse(const SfValue *value, const char *name, GStringChunk *text, WhenFind find, gpointer data,
                    When **out, SfError *err);
void when_free(When *when);

/* views: one a source of the model. */
bool when_holds(const When *when, const SfColumn *views, int64_t row);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(When, when_free)

#endif
