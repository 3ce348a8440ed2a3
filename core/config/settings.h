/* The keys of a pipeline file that are not a plugin's: one table each, for the reader, the reference page and the
 * editor. */
#ifndef CORE_SETTINGS_H
#define CORE_SETTINGS_H

#include <sf/sf.h>

typedef struct Settings {
    const char *pipeline;
    const char *description;
    const SfValue *checkpoint;
    int64_t memory;
    int64_t tasks;
    int64_t shutdown;
    const SfValue *trigger;
    const char *max_rejects;
    const SfValue *steps;
} Settings;

typedef struct CheckpointSettings {
    int64_t every;
    int64_t rows;
    int64_t bytes;
} CheckpointSettings;

typedef struct TriggerSettings {
    const char *cron;
    const char *timezone;
    int64_t every;
    SfList after;
    bool catch_up;
    int64_t timeout;
    int64_t retries;
    int64_t backoff;
} TriggerSettings;

/* A step's keys beside the options of its plugin. */
typedef struct StepSettings {
    const char *source;
    const char *transform;
    const char *sink;
    SfList from;
    int32_t on_reject; /* an OnReject */
    const char *max_rejects;
} StepSettings;

/* Rows of the top level, of `checkpoint` and `trigger` where they are maps, and of a step; n is set. */
const SfOption *settings_table(size_t *n);
const SfOption *settings_checkpoint_table(size_t *n);
const SfOption *settings_trigger_table(size_t *n);
const SfOption *settings_step_table(size_t *n);

#endif
