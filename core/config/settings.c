/* Tables of the keys that every pipeline and every step has. */
#include "settings.h"

#include <glib.h>

static const char *const reject_answers[] = {"stop", "drop", NULL}; /* order of OnReject */

static const SfOption settings[] = {
    SF_OPTION_STRING(Settings, pipeline, .required = true,
                     .doc =
                         "Name of the pipeline: letters, digits, '_' and '-'. It is part of every position that a sink "
                         "stores, so a new name starts anew."),
    SF_OPTION_STRING(Settings, description, .doc = "What the pipeline is for, in a person's words."),
    SF_OPTION_TREE(Settings, checkpoint, .value = "10s", .example = "{every: 10s, rows: 100000, bytes: 64MiB}",
                   .doc = "How often sinks are asked to commit: a duration, or a map of `every`, `rows` and `bytes`, "
                          "whichever comes first."),
    SF_OPTION_SIZE(Settings, memory, .value = "40MiB", .min = "16MiB",
                   .doc = "Memory that rows on their way may hold; sources pause when it is used up."),
    SF_OPTION_INT(Settings, tasks, .value = "1", .min = "1", .max = "256",
                  .doc = "Threads that share the splits of the sources."),
    SF_OPTION_DURATION(Settings, shutdown, .value = "30s", .min = "1s",
                       .doc =
                           "How long a clean stop may take before what is not committed is left for the next start."),
    SF_OPTION_TREE(
        Settings, trigger, .value = "continuous", .example = "{cron: '*/5 * * * *', timezone: Europe/Berlin}",
        .doc = "`continuous` runs until it is stopped, `once` takes what is there now and ends. A cron "
               "expression such as `'*/5 * * * *'` (in UTC), or a map: each run takes what is there then, one "
               "at a time."),
    SF_OPTION_STRING(Settings, max_rejects, .example = "5%",
                     .doc = "Of every step that has none of its own: how many rows it may refuse before the run ends "
                            "with status 1, a number or a share of the rows that it got (looked at from the "
                            "1,000th row on, and at the end). Default: a warning above 1 %, and the end when none of "
                            "the first 1,000 rows was taken."),
    SF_OPTION_TREE(Settings, steps, .required = true, .example = "{events: {source: kafka-source, topics: [sales]}}",
                   .doc = "The steps by name: each is a source, a transform or a sink."),
};

static const SfOption checkpoint[] = {
    SF_OPTION_DURATION(CheckpointSettings, every, .value = "10s", .min = "10ms", .doc = "Time between commits."),
    SF_OPTION_INT(CheckpointSettings, rows, .value = "0", .min = "0",
                  .doc = "Commit after so many rows of a source; 0: no bound."),
    SF_OPTION_SIZE(CheckpointSettings, bytes, .value = "0", .doc = "Commit after so many bytes; 0: no bound."),
};

static const SfOption trigger[] = {
    SF_OPTION_STRING(TriggerSettings, cron, .example = "'0 6 * * MON-FRI'",
                     .doc =
                         "Five fields (minute, hour, day of month, month, day of week) with lists, ranges, steps, "
                         "names, `L` for the last and `FRI#2` for the second Friday; or `@hourly`, `@daily`, "
                         "`@weekly`, `@monthly`, `@yearly`. A time that is skipped when clocks go forward is made up "
                         "for behind the gap, one that comes twice counts once."),
    SF_OPTION_STRING(TriggerSettings, timezone, .example = "Europe/Berlin",
                     .doc = "Of `cron`, from the tz database. Default: UTC."),
    SF_OPTION_DURATION(TriggerSettings, every, .min = "100ms",
                       .doc = "From the start of one run to the start of the next; the first one begins at once."),
    SF_OPTION_LIST(
        TriggerSettings, after, .example = "[bronze]",
        .doc = "Pipelines of the same process: a run follows each of their commits, or the end of their run "
               "where that ends by itself. What is committed meanwhile is followed by one more run. The first run "
               "begins with the process, for what was committed before."),
    SF_OPTION_BOOL(TriggerSettings, catch_up, .value = "false",
                   .doc = "Whether times that were missed, while a run went on or before the process started, are made "
                          "up for by one run at once."),
    SF_OPTION_DURATION(TriggerSettings, timeout, .value = "0",
                       .doc = "A run that goes on for longer has failed; 0: none does. What it has committed stays."),
    SF_OPTION_INT(TriggerSettings, retries, .value = "0", .min = "0", .max = "1000",
                  .doc = "How many times a run that has failed is tried again before the next time."),
    SF_OPTION_DURATION(TriggerSettings, backoff, .value = "10s", .min = "100ms",
                       .doc = "Before the first of `retries`, and twice as long before each of the next."),
};

static const SfOption step[] = {
    SF_OPTION_STRING(StepSettings, source, .doc = "The plugin, where the step reads from outside."),
    SF_OPTION_STRING(StepSettings, transform, .doc = "The plugin, where the step changes rows."),
    SF_OPTION_STRING(StepSettings, sink, .doc = "The plugin, where the step writes to the outside."),
    SF_OPTION_LIST(StepSettings, from, .example = "[sales, sales.errors]",
                   .doc = "The steps whose rows it gets; `NAME.errors` are the rows that step NAME refused."),
    SF_OPTION_ENUM(StepSettings, on_reject, .value = "stop", .words = reject_answers,
                   .doc = "What happens to a row that the step refuses when no step reads its `.errors`: `stop` stops "
                          "the pipeline, `drop` counts the row and goes on."),
    SF_OPTION_STRING(StepSettings, max_rejects, .example = "100",
                     .doc = "How many rows the step may refuse; see `max_rejects` of the pipeline."),
};

const SfOption *settings_table(size_t *n)
{
    *n = G_N_ELEMENTS(settings);
    return settings;
}

const SfOption *settings_checkpoint_table(size_t *n)
{
    *n = G_N_ELEMENTS(checkpoint);
    return checkpoint;
}

const SfOption *settings_trigger_table(size_t *n)
{
    *n = G_N_ELEMENTS(trigger);
    return trigger;
}

const SfOption *settings_step_table(size_t *n)
{
    *n = G_N_ELEMENTS(step);
    return step;
}
