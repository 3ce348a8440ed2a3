/* What builder.c (appending) and finish.c (moving the memory out) share. */
#ifndef CORE_BUILDER_H
#define CORE_BUILDER_H

#include <glib.h>
#include <sf/builder.h>

typedef enum BuildFailure { BUILD_FINE, BUILD_NO_MEMORY, BUILD_TOO_BIG, BUILD_NOT_NULL } BuildFailure;

struct SfBuilder {
    struct ArrowSchema schema;
    SfColumnBuilder *root; /* a struct whose members are the columns */
    gint64 rows;           /* ended ones */
    gint64 bytes;          /* memory of all columns */
    bool nested;           /* some column has children */
    BuildFailure failure;  /* of the row that is open */
    const char *failed_column;
};

/* SfColumnBuilder.reserved: what the inline functions need not know. */
typedef struct ColumnState {
    SfBuilder *builder;
    const char *name;
    int width; /* bytes of a value; 0: one bit; -1: none */
    bool nullable;
    bool ends;            /* values are 32-bit ends, one more than rows */
    bool view;            /* finish makes views of it */
    gint64 likely_length; /* as in the last batch: what memory to begin with */
    gint64 likely_data;
} ColumnState;

/* Bytes of the two buffers for so many values. */
gint64 builder_values_size(const ColumnState *state, gint64 capacity);
gint64 builder_bits_size(gint64 capacity);

#endif
