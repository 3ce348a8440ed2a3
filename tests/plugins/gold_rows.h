/* Rows on their way to the warehouse, without one: a model read from YAML, and what is pending of it. */
#ifndef TEST_GOLD_ROWS_H
#define TEST_GOLD_ROWS_H

#include "config/yaml.h"
#include "harness.h"
#include "pending.h"

typedef struct GoldRows {
    const char *time; /* JSON: of each row that is added */
    gint64 offset;    /* of the next one, in "t/0" */
    ArrowSchema schema;
    Diagnostics *diagnostics;
    Document *document;
    Model *model;
    Pending *pending;
    Harness *h; /* makes the batches */
} GoldRows;

/* schema: the columns before those of the place in a topic; tables: a YAML map with `dimensions` and `facts`, and
 * `provenance` where that is false. */
void gold_rows_init(GoldRows *rows, const char *schema, const char *tables);
void gold_rows_done(GoldRows *rows);

/* One batch; each row is what stands in its brackets before the place: "1, \"a\"". */
void gold_rows_add(GoldRows *rows, const char *const *values, gsize n);

#define GOLD_ROWS_ADD(rows, ...)                                                                                       \
    do {                                                                                                               \
        const char *values_[] = {__VA_ARGS__};                                                                         \
        gold_rows_add(rows, values_, G_N_ELEMENTS(values_));                                                           \
    } while (0)

#endif
