/* Sales events by number: the same plan and number give the same bytes, whatever was made before. */
#ifndef GENERATOR_EVENT_H
#define GENERATOR_EVENT_H

#include <stdint.h>

#define EVENT_KEY_MAX 32
#define EVENT_VALUE_MAX 640

typedef struct EventPlan {
    uint64_t seed;
    double duplicates; /* share of events whose order was sent before */
    double late;       /* share whose time lies hours to days back */
    double broken;     /* share whose value is not a valid event */
    int64_t start_ms;  /* time of event 0, or negative: events happen now */
    double step_ms;    /* between two events, with a start */
} EventPlan;

typedef struct Event {
    int64_t time_ms;
    int key_size;
    int value_size;
    char key[EVENT_KEY_MAX];
    char value[EVENT_VALUE_MAX];
} Event;

/* Event number index; now_ms is its time where the plan has no start. */
void event_make(const EventPlan *plan, int64_t index, int64_t now_ms, Event *out);

#endif
