/* Desired and actual states; see state.h. */
#include "state.h"

#include "data/printable.h"

const char *desired_name(Desired desired)
{
    static const char *const names[] = {"running", "paused", "stopped"};
    return names[desired];
}

const char *actual_name(Actual actual)
{
    static const char *const names[] = {"starting", "running", "pausing", "paused", "retrying",
                                        "stopping", "waiting", "stopped", "done",   "failed"};
    return names[actual];
}

bool actual_is_going(Actual actual)
{
    return actual <= ACTUAL_STOPPING;
}

bool desired_set(DesiredState *state, Desired is, const char *by, const char *why)
{
    if (state->is == is && state->by)
        return false;
    desired_done(state);
    *state = (DesiredState){
        .is = is, .since_us = g_get_real_time(), .by = message_line(by), .why = why ? message_line(why) : NULL};
    return true;
}

bool actual_set(ActualState *state, Actual is, const char *why)
{
    if (state->is == is && state->since_us > 0 && !why)
        return false;
    gint64 since_us = state->is == is && state->since_us > 0 ? state->since_us : g_get_real_time();
    actual_done(state);
    *state = (ActualState){.is = is, .since_us = since_us, .why = why ? message_line(why) : NULL};
    return true;
}

void desired_forget(DesiredState *state)
{
    g_clear_pointer(&state->by, g_free);
    g_clear_pointer(&state->why, g_free);
}

void desired_done(DesiredState *state)
{
    g_free(state->by);
    g_free(state->why);
}

void actual_done(ActualState *state)
{
    g_free(state->why);
}

void states_done(States *states)
{
    desired_done(&states->desired);
    actual_done(&states->actual);
}
