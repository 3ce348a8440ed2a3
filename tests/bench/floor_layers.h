/* The floor of all three layers: what a plain C program does with each sales event beside writing its line. */
#ifndef BENCH_FLOOR_LAYERS_H
#define BENCH_FLOOR_LAYERS_H

#include <glib.h>

typedef struct FloorEvent {
    const char *data; /* one event of tests/testbed/events.py: an object without spaces in odd places or escapes */
    gsize size;
    const char *topic;
    gint32 partition;
    gint64 offset;
    gint64 timestamp_ms;
} FloorEvent;

typedef struct FloorLayers FloorLayers;

/* Into <directory>/columns-*.bin and <directory>/gold.db, which is new. */
FloorLayers *floor_layers_new(const char *directory);
void floor_layers_add(FloorLayers *layers, const FloorEvent *event);
/* All that was added is durable. */
void floor_layers_end(FloorLayers *layers);

#endif
