/* One attempt to run one pipeline.
 *
 * An attempt opens every step, runs until it ends, fails or is told to stop, and is then thrown away whole. Whatever
 * goes wrong beyond a plain retry ends the attempt, and the next one recovers from the sinks: there is one way back,
 * and it is the one that a crash takes. */
#ifndef CORE_ATTEMPT_H
#define CORE_ATTEMPT_H

#include "context.h"

typedef struct Attempt Attempt;

/* What is told of an attempt that runs: PAUSING until nothing is polled and everything is committed. */
typedef enum AttemptStage { STAGE_STARTING, STAGE_RUNNING, STAGE_PAUSING, STAGE_PAUSED } AttemptStage;

/* In the pipeline's thread, lock not held. */
typedef void AttemptTell(gpointer data, AttemptStage stage);

Attempt *attempt_new(const Pipeline *pipeline, StepStats *stats, BudgetShare *memory, bool once, SfError *err);
SfStatus attempt_run(Attempt *attempt, AttemptTell *tell, gpointer data, SfError *err);
void attempt_free(Attempt *attempt);

/* No more polling; what was read is committed. Any thread, lock not held; calls no hook. */
void attempt_stop(Attempt *attempt);

/* Nothing is polled until it goes on; sources are served and keep what they have, sinks commit all. Likewise; after a
 * stop it changes nothing. */
void attempt_pause(Attempt *attempt, bool paused);

/* What its threads share, for who looks on. */
Context *attempt_context(Attempt *attempt);

/* Every split's rows are committed as far as they were read. After attempt_run(). */
bool attempt_complete(const Attempt *attempt);

/* A step whose hook has not returned, or NULL. Any thread, lock not held. */
const Step *attempt_stuck(Attempt *attempt);

#endif
