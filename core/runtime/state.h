/* What an operator wants of a pipeline, and what the pipeline does: two things, each with since when and why. The first
 * is written by whoever asks (runner_want()), the second by the runner alone. */
#ifndef CORE_STATE_H
#define CORE_STATE_H

#include <glib.h>
#include <stdbool.h>

/* Running: rows go. Paused: nothing is read; memberships of groups, connections and positions stay. Stopped: they are
 * released. */
typedef enum Desired { DESIRED_RUNNING, DESIRED_PAUSED, DESIRED_STOPPED } Desired;

/* DONE: a run that ends by itself has. WAITING: likewise, or none was yet, and the next one begins by itself. All up to
 * STOPPING belong to a run, the others come between runs. */
typedef enum Actual {
    ACTUAL_STARTING,
    ACTUAL_RUNNING,
    ACTUAL_PAUSING,
    ACTUAL_PAUSED,
    ACTUAL_RETRYING,
    ACTUAL_STOPPING,
    ACTUAL_WAITING,
    ACTUAL_STOPPED,
    ACTUAL_DONE,
    ACTUAL_FAILED
} Actual;

typedef struct DesiredState {
    Desired is;
    gint64 since_us; /* wall clock */
    char *by;        /* "sfrun pause, ann", "SIGTERM" */
    char *why;       /* NULL: nobody said */
} DesiredState;

typedef struct ActualState {
    Actual is;
    gint64 since_us; /* wall clock */
    char *why;       /* of what is not as it should be, or NULL */
} ActualState;

/* "running", "paused", … */
const char *desired_name(Desired desired);
const char *actual_name(Actual actual);

/* Whether a run is going on. */
bool actual_is_going(Actual actual);

/* Nothing is changed, and false, where it is so already: since when and by whom stay. by: not NULL; why: may be. */
bool desired_set(DesiredState *state, Desired is, const char *by, const char *why);
bool actual_set(ActualState *state, Actual is, const char *why);

/* The next desired_set() is a new wish, whatever it says. */
void desired_forget(DesiredState *state);

void desired_done(DesiredState *state);
void actual_done(ActualState *state);

/* Both, as they were in one moment. */
typedef struct States {
    DesiredState desired;
    ActualState actual;
} States;

void states_done(States *states);

G_DEFINE_AUTO_CLEANUP_CLEAR_FUNC(States, states_done)

#endif
