/* One plugin instance of one step: state filled from the options, schemas bound. Both `check` and the runtime make
 * them. */
#ifndef CORE_INSTANCE_H
#define CORE_INSTANCE_H

#include "pipeline.h"

typedef struct Instance {
    SfNode node;
    const Step *step;
    const Plugin *plugin;
    struct ArrowSchema out; /* of its rows (source, transform); the transform without bind has a copy of its input's */
    struct ArrowSchema *errors; /* n_inputs of them: the input's columns, then _step and _error (utf8, not null), which
                                 * take the place of columns of these names that the input may have */
    gpointer arena;             /* what the option values live in */
} Instance;

/* Allocates the state and fills it by the option table: SF_CONFIG with place on a bad value (check has collected them
 * all before). */
SF_PRIVATE Instance *instance_new(const Step *step, const Pipeline *pipeline, guint task, bool bounded,
                                  const SfHost *host, gpointer host_data, SfError *err);

/* The same for `check`: secrets by reference are not read. */
Instance *instance_new_unresolved(const Step *step, const Pipeline *pipeline, const SfHost *host, gpointer host_data,
                                  SfError *err);

/* For `check` of a step with wrong options: see options_fill_somehow(). Never NULL. */
Instance *instance_new_somehow(const Step *step, const Pipeline *pipeline, const GPtrArray *wrong, guint variation,
                               const SfHost *host);

/* Calls bind; inputs[i] is the schema of input i (borrowed until free). */
SF_PRIVATE SfStatus instance_bind(Instance *instance, const struct ArrowSchema *const *inputs, SfError *err);

/* After a bind that failed: whether the output's columns are known all the same; the errors output's are then made. */
bool instance_guess(Instance *instance, const struct ArrowSchema *const *inputs);

/* Calls the close hook, then frees. */
SF_PRIVATE void instance_free(Instance *instance);

G_DEFINE_AUTOPTR_CLEANUP_FUNC(Instance, instance_free)

#endif
